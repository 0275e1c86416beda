"""Networks as HDF5 files: what is in them, writing them in one step, and reading them without trusting them."""

from nnkit.checkpoint.keeping import keep
from nnkit.checkpoint.loading import load
from nnkit.checkpoint.resuming import resume
from nnkit.checkpoint.saving import save

__all__ = ["keep", "load", "resume", "save"]
