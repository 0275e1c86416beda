"""Numbers as people read and write them: seconds, bytes, remaining time."""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Iterable
from fractions import Fraction
from numbers import Integral, Real

from nnkit.errors import ArgumentError

_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"), (0.0, "s"))
_PREFIXES = {"k": 1, "m": 2, "g": 3, "t": 4}
MOST_BYTES = 10**18
_WRITTEN = re.compile(r"(\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})\s*(?:([kmgt])(i?))?b?", re.ASCII | re.IGNORECASE)
_UNITS = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0,
          "d": 86400.0, "day": 86400.0}  # fmt: skip
_DURATION = re.compile(r"(\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})\s*([a-z]+)", re.ASCII | re.IGNORECASE)
_BYTES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (0.0, "B"))


def number_text(value: float) -> str:
    """Four significant digits, always as many, so that a number that is redrawn does not jump.

    >>> number_text(0.5), number_text(1234.6), number_text(1.5e-7), number_text(float("nan"))
    ('0.5000', '1235', '1.500e-07', 'nan')
    """
    return f"{value:#.4g}".rstrip(".")


def seconds_text(value: float) -> str:
    """A duration in its natural unit, minutes from 100 s on.

    >>> seconds_text(12.34), seconds_text(0.0000812), seconds_text(3725.0)
    ('12.3 s', '81.2 µs', '1:02:05')
    """
    rounded = _three_digits(value)
    return clock_text(value) if rounded >= 100 else _with_unit(rounded, _SECONDS)


def bytes_text(value: float) -> str:
    """Memory in powers of 1,000: MB is 10⁶ bytes.

    >>> bytes_text(412_000_000), bytes_text(12)
    ('412 MB', '12 B')
    """
    return _with_unit(_three_digits(value), _BYTES)


def joules_text(value: float) -> str:
    """Energy to the joule, of small ones three digits.

    >>> joules_text(1512.3), joules_text(0.01234)
    ('1,512 J', '0.0123 J')
    """
    return f"{value:,.0f} J" if value >= 100 else f"{value:.3g} J"


def mean_of_known(values: Iterable[float | None] | None) -> float | None:
    """The mean of what is known; None where nothing is.

    >>> mean_of_known([1.0, None, 2.0]), mean_of_known([None]), mean_of_known(None)
    (1.5, None, None)
    """
    known = [value for value in values or () if value is not None]
    return math.fsum(known) / len(known) if known else None


def bytes_scale(highest: float) -> tuple[float, str]:
    """The unit in which amounts of memory up to `highest` are drawn, and how many bytes it is.

    >>> bytes_scale(412_000_000)
    (1000000.0, 'MB')
    """
    scale, unit = _unit(highest, _BYTES)
    return scale or 1.0, unit


def seconds_scale(longest: float) -> tuple[float, str]:
    """The unit in which a time axis up to `longest` is drawn, and how many seconds it is.

    >>> seconds_scale(90.0), seconds_scale(600.0), seconds_scale(86_400.0)
    ((1.0, 's'), (60.0, 'min'), (3600.0, 'h'))
    """
    if longest >= 7200:
        return 3600.0, "h"
    return (60.0, "min") if longest >= 120 else (1.0, "s")


def parse_bytes(name: str, value: object) -> int:
    """Bytes from a whole number, or from text: ``200MB`` or ``1.5 GB`` in powers of 1,000, ``64MiB`` of 1,024.

    >>> parse_bytes("memory_limit", "1.5 GB"), parse_bytes("memory_limit", "64MiB"), parse_bytes("memory_limit", 4096)
    (1500000000, 67108864, 4096)
    """
    nbytes = 0
    if isinstance(value, str) and (written := _WRITTEN.fullmatch(value.strip())):
        number, prefix, binary = written.groups()
        nbytes = int(Fraction(number) * (1024 if binary else 1000) ** _PREFIXES.get((prefix or "").lower(), 0))
    elif type(value) is not bool and isinstance(value, Integral):
        nbytes = int(value)
    if not 1 <= nbytes <= MOST_BYTES:
        raise ArgumentError(
            f"{name} must be a number of bytes from 1 to 10¹⁸, or text such as '200MB', '1.5 GB' or '64MiB', "
            f"got {reprlib.repr(value)}"
        )
    return nbytes


def parse_seconds(name: str, value: object) -> float:
    """Seconds from a number, or from text: ``90 s``, ``10 min``, ``1.5 h``, ``2 days``, ``250 ms``.

    >>> parse_seconds("TimeLimit", "1.5 h"), parse_seconds("TimeLimit", "10 min"), parse_seconds("TimeLimit", 0.5)
    (5400.0, 600.0, 0.5)
    """
    seconds = 0.0
    if isinstance(value, str) and (written := _DURATION.fullmatch(value.strip())):
        number, unit = written.groups()
        unit = unit.lower()
        seconds = float(number) * _UNITS.get(unit, _UNITS.get(unit.removesuffix("s"), 0.0))
    elif type(value) is not bool and isinstance(value, Real):
        seconds = float(value)
    if not 0 < seconds < math.inf:
        raise ArgumentError(
            f"{name} must be a number of seconds above 0, or text such as '90 s', '10 min' or '1.5 h', "
            f"got {reprlib.repr(value)}"
        )
    return seconds


def clock_text(value: float) -> str:
    """Remaining or elapsed time as on a clock, to the second.

    >>> clock_text(42.4), clock_text(3725.0), clock_text(200_000)
    ('0:42', '1:02:05', '2 d 7:33')
    """
    if not math.isfinite(value):
        return "?"
    minutes, seconds = divmod(round(max(value, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours}:{minutes:02d}"
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _three_digits(value: float) -> float:
    """Round before a unit is chosen, so that 999,999 bytes are 1 MB and not 1000 kB."""
    return float(f"{value:.3g}")


def _unit(value: float, units: tuple[tuple[float, str], ...]) -> tuple[float, str]:
    return next((row for row in units if value >= row[0]), units[-1])


def _with_unit(value: float, units: tuple[tuple[float, str], ...]) -> str:
    scale, unit = _unit(value, units)
    return f"{value / (scale or 1.0):.4g} {unit}"
