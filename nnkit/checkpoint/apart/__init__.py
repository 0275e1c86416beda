"""Reading a file in a process that can do nothing else, because the HDF5 library itself has had errors of memory."""

from nnkit.checkpoint.apart.remote import opened_apart

__all__ = ["opened_apart"]
