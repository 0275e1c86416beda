"""The sets of handwritten digits on this machine; nothing is downloaded for a page."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from nnkit.data.mnist import at_hand

SMALL, MNIST = "digits", "mnist"


@cache
def at_hand_here() -> tuple[str, ...]:
    """Their names, the larger one first."""
    found = {MNIST: at_hand(MNIST), SMALL: find_spec("sklearn") is not None}  # the small digits come with scikit-learn
    return tuple(name for name, there in found.items() if there)
