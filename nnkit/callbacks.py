"""Callbacks: what looks on while a network trains, for ``net.fit(…, callbacks=[…])``.

>>> import nnkit
>>> net = nnkit.FeedForward(inputs=1, outputs=1, seed=0)
>>> run = net.fit([[0.0], [1.0]], [0.0, 1.0], epochs=50, progress=False,
...               callbacks=[nnkit.callbacks.EarlyStopping("loss"), nnkit.callbacks.TimeLimit("10 min")])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnkit.elsewhere import missing
from nnkit.training.callbacks import (
    BestCheckpoint,
    Callback,
    CSVLog,
    EarlyStopping,
    Every,
    JSONLog,
    LearningRateSchedule,
    PeriodicCheckpoint,
    ReduceOnPlateau,
    TensorBoardLog,
    TimeLimit,
    Training,
)

__all__ = [
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
]

ELSEWHERE = {
    "ModelCheckpoint": "it is BestCheckpoint(path) or PeriodicCheckpoint(path, every) here",
    "BackupAndRestore": "it is PeriodicCheckpoint(path, every) here",
    "CSVLogger": "it is CSVLog(path) here",
    "TensorBoard": "it is TensorBoardLog(folder) here",
    "LearningRateScheduler": "it is LearningRateSchedule(function) here",
    "ReduceLROnPlateau": "it is ReduceOnPlateau(monitor, factor, patience) here",
    "LambdaCallback": "a plain function is a callback here; Every(every, function) calls it more often or less",
    "ProgbarLogger": "fit(…, progress=True) shows the progress",
    "History": "fit returns the run, and run.history is it",
    "TerminateOnNaN": "every training has that: no step with a loss or gradient that is NaN or infinite is taken, and "
    "training ends there with a warning",
}
"""Where names of Keras and PyTorch lead."""

if not TYPE_CHECKING:
    __getattr__ = missing(__name__, ELSEWHERE)
