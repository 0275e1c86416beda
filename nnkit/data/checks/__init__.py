"""The checks that data passes before training: each gives the array the network needs, or an error with the fix."""

from nnkit.data.checks.advice import scaling, warn_duplicates, warn_scaled_twice, warn_unscaled
from nnkit.data.checks.alignment import warn_other_order
from nnkit.data.checks.inputs import features, shaped
from nnkit.data.checks.targets import binary, groups, labels, numbers, signs
from nnkit.data.checks.weights import class_weights, weights

__all__ = [
    "binary",
    "class_weights",
    "features",
    "groups",
    "labels",
    "numbers",
    "scaling",
    "shaped",
    "signs",
    "warn_duplicates",
    "warn_other_order",
    "warn_scaled_twice",
    "warn_unscaled",
    "weights",
]
