"""The device ``"cpu"``: plans become straight-line NumPy code on one arena of memory."""

from __future__ import annotations

from nnkit.errors import DeviceError
from nnkit_numpy.device import NumpyBackend

__all__ = ["NumpyBackend", "create"]


def create(number: str) -> NumpyBackend:
    """The backend of this machine's processor; there is only one, so ``number`` must be empty or 0."""
    if number not in ("", "0"):
        raise DeviceError(f"device 'cpu:{number}': this machine has one processor to NumPy; use device='cpu'")
    return NumpyBackend()
