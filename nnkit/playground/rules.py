"""What a setting may be. A value that may not is refused in a sentence that follows the setting's name."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, NamedTuple, Protocol

from nnkit.names import clipped, nearest


class Rule(Protocol):
    """Checks one value."""

    def __call__(self, value: Any) -> Any:
        """The value in its canonical form; ValueError, worded to follow the name of the setting."""


class OneOf(NamedTuple):
    """One of some names."""

    names: tuple[str, ...]

    def __call__(self, value: Any) -> str:
        """The name.

        >>> OneOf(("sgd", "adam"))("adma")
        Traceback (most recent call last):
            ...
        ValueError: is 'adma', expected one of sgd, adam; did you mean 'adam'?
        """
        if isinstance(value, str) and value in self.names:
            return value
        near = nearest(value, self.names) if isinstance(value, str) else None
        hint = "" if near is None else f"; did you mean '{near}'?"
        raise ValueError(f"is {shown(value)}, expected one of {', '.join(self.names)}{hint}")


class Number(NamedTuple):
    """A finite number from ``low`` to ``high``; ``above`` leaves ``low`` itself out."""

    low: float
    high: float
    above: bool = False

    def __call__(self, value: Any) -> float:
        """The number."""
        fits = type(value) in (int, float) and self.low <= value <= self.high and isfinite(value)
        if fits and not (self.above and value == self.low):
            return float(value)
        start = f"above {self.low:g} and up to" if self.above else f"from {self.low:g} to"
        raise ValueError(f"is {shown(value)}, expected a number {start} {self.high:g}")


class Whole(NamedTuple):
    """A whole number from ``low`` to ``high``."""

    low: int
    high: int

    def __call__(self, value: Any) -> int:
        """The number."""
        if type(value) in (int, float) and self.low <= value <= self.high and value == int(value):
            return int(value)
        raise ValueError(f"is {shown(value)}, expected a whole number from {self.low:,} to {self.high:,}")


class Several(NamedTuple):
    """A list of ``fewest`` to ``most`` values that each keep a rule."""

    each: Rule
    fewest: int
    most: int
    different: bool = False

    def __call__(self, value: Any) -> tuple[Any, ...]:
        """The list.

        >>> Several(Whole(1, 32), 0, 6)([4, 64])
        Traceback (most recent call last):
            ...
        ValueError: has at place 2 what is 64, expected a whole number from 1 to 32
        """
        if not isinstance(value, Sequence) or isinstance(value, str) or not self.fewest <= len(value) <= self.most:
            raise ValueError(f"is {shown(value)}, expected a list of {self.fewest} to {self.most} values")
        found = []
        for place, one in enumerate(value, 1):
            try:
                found.append(self.each(one))
            except ValueError as error:
                raise ValueError(f"has at place {place} what {error}") from None
        if self.different and len(set(found)) < len(found):
            raise ValueError(f"is {shown(value)}, where one value stands twice")
        return tuple(found)


class Text(NamedTuple):
    """Printable text of ``shortest`` to ``longest`` characters."""

    longest: int
    shortest: int = 1

    def __call__(self, value: Any) -> str:
        """The text."""
        if isinstance(value, str) and self.shortest <= len(value) <= self.longest and value.isprintable():
            return value
        raise ValueError(f"is {shown(value)}, expected text of at most {self.longest} characters")


def shown(value: Any) -> str:
    """A value for a message, whatever it is.

    >>> shown("x" * 500)[-5:], shown([1.5, None])
    ('xx...', '[1.5, None]')
    """
    return clipped(repr(value))[:60] + ("..." if len(repr(value)) > 60 else "")
