"""Data sets, their splits, and the checks before training: all that happens on the host before a device."""

from nnkit.data.dataset import Dataset, Scaling, content_hash
from nnkit.data.load import load
from nnkit.data.splits import split_indices

__all__ = ["Dataset", "Scaling", "content_hash", "load", "split_indices"]
