"""What a metric has to say beside its value: a warning, unless somebody collects it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from nnkit.errors import NnkitWarning

_COLLECTED: ContextVar[list[str] | None] = ContextVar("collected", default=None)


def note(text: str, stacklevel: int = 3) -> None:
    """Warn that a part of a value was 0 / 0, and what was done about it."""
    collected = _COLLECTED.get()
    if collected is None:
        warnings.warn(text, NnkitWarning, stacklevel=stacklevel)
    else:
        collected.append(text)


@contextmanager
def collected() -> Iterator[list[str]]:
    """Notes of this thread go into the list instead: training shows each of them once.

    >>> with collected() as notes:
    ...     note("class 1 is never predicted")
    >>> notes
    ['class 1 is never predicted']
    """
    notes: list[str] = []
    token = _COLLECTED.set(notes)
    try:
        yield notes
    finally:
        _COLLECTED.reset(token)
