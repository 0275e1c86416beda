"""Data sets, their splits, and the checks before training."""

from nnkit.data.splits import split_indices

__all__ = ["split_indices"]
