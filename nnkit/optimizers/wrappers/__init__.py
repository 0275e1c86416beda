"""What composes with any optimiser: bounds on the gradient, weight decay, accumulation, averages."""

from nnkit.optimizers.wrappers.accumulation import Accumulate
from nnkit.optimizers.wrappers.average import ExponentialMovingAverage
from nnkit.optimizers.wrappers.clipping import ClipByGlobalNorm, ClipByNorm, ClipByValue
from nnkit.optimizers.wrappers.decay import WeightDecay
from nnkit.optimizers.wrappers.scaling import LossScale
from nnkit.optimizers.wrappers.wrapper import Wrapper

__all__ = [
    "WRAPPERS",
    "Accumulate",
    "ClipByGlobalNorm",
    "ClipByNorm",
    "ClipByValue",
    "ExponentialMovingAverage",
    "LossScale",
    "WeightDecay",
    "Wrapper",
]

WRAPPERS: dict[str, type[Wrapper]] = {
    made.name: made
    for made in (
        ClipByGlobalNorm,
        ClipByNorm,
        ClipByValue,
        WeightDecay,
        Accumulate,
        ExponentialMovingAverage,
        LossScale,
    )
}
