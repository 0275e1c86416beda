"""What callbacks leave in a checkpoint, and which of them can be made again from it alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from nnkit.errors import FileError

Kind = tuple[str, Callable[[Any], bool]]

COUNT: Kind = ("a whole number from 0", lambda value: type(value) is int and value >= 0)
FIGURE: Kind = ("a number", lambda value: type(value) is float)
FINITE: Kind = ("a finite number", lambda value: type(value) is float and math.isfinite(value))
SNAPSHOT: Kind = ("the values of a network, or null", lambda value: value is None or isinstance(value, Mapping))


def checked(owner: str, state: Mapping[str, Any], **kinds: Kind) -> dict[str, Any]:
    """The parts of a state, for the callback ``owner``; FileError if one is missing, left over or of another kind.

    >>> checked("EarlyStopping", {"best_epoch": 3}, best_epoch=COUNT)
    {'best_epoch': 3}
    """
    if state.keys() != kinds.keys():
        raise FileError(
            f"{owner}: the checkpoint has {', '.join(sorted(state)) or 'nothing'} of it, expected "
            f"{', '.join(sorted(kinds)) or 'nothing'}; resume with the callbacks that the training had"
        )
    for name, (text, fits) in kinds.items():
        if not fits(state[name]):
            raise FileError(
                f"{owner}: the checkpoint has {name}={state[name]!r:.80}, expected {text}; use another copy of it"
            )
    return dict(state)
