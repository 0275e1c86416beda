"""Data sets, their splits, and the checks before training: all that happens on the host before a device."""

from nnkit.data.dataset import Dataset, content_hash
from nnkit.data.load import load
from nnkit.data.preprocessing import Preprocessing
from nnkit.data.scaling import Scaling
from nnkit.data.splits import split_indices

__all__ = ["Dataset", "Preprocessing", "Scaling", "content_hash", "load", "split_indices"]
