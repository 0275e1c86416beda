"""What looks on while a network trains: stops it, keeps it, logs it, changes its settings."""

from nnkit.training.callbacks.callback import Callback, Every, Training, as_callbacks, name_of
from nnkit.training.callbacks.checkpoints import BestCheckpoint, PeriodicCheckpoint
from nnkit.training.callbacks.early_stopping import EarlyStopping
from nnkit.training.callbacks.learning_rate import LearningRateSchedule, ReduceOnPlateau
from nnkit.training.callbacks.limits import TimeLimit
from nnkit.training.callbacks.logs import CSVLog, JSONLog
from nnkit.training.callbacks.tensorboard import TensorBoardLog

CALLBACKS: dict[str, type[Callback]] = {
    kind.__name__: kind
    for kind in (
        BestCheckpoint,
        CSVLog,
        EarlyStopping,
        JSONLog,
        LearningRateSchedule,
        PeriodicCheckpoint,
        ReduceOnPlateau,
        TensorBoardLog,
        TimeLimit,
    )
}
"""By name, for checkpoints."""

__all__ = [
    "CALLBACKS",
    "BestCheckpoint",
    "CSVLog",
    "Callback",
    "EarlyStopping",
    "Every",
    "JSONLog",
    "LearningRateSchedule",
    "PeriodicCheckpoint",
    "ReduceOnPlateau",
    "TensorBoardLog",
    "TimeLimit",
    "Training",
    "as_callbacks",
    "name_of",
]
