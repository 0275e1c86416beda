"""Hyper-parameters of formulas: checked when an object is made, written to plain data and read back from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from itertools import pairwise
from math import isfinite, nan
from numbers import Integral, Real
from typing import Any, TypeVar

from nnkit.errors import ArgumentError
from nnkit.names import lookup

T = TypeVar("T")


def check_number(owner: str, name: str, value: object, interval: str) -> None:
    """Refuse what is not a finite number in ``interval``; as in mathematics, a round bracket leaves the end out.

    >>> check_number("SGD", "momentum", 1.5, "[0, 1)")
    Traceback (most recent call last):
        ...
    nnkit.errors.ArgumentError: SGD: momentum is 1.5, expected a number in [0, 1)
    """
    low, high = map(float, interval[1:-1].split(","))
    ends = [end for end, closed in ((low, interval[0] == "["), (high, interval[-1] == "]")) if closed]
    number = _as_float(value)
    if not (isfinite(number) and (low < number < high or number in ends)):
        raise ArgumentError(f"{owner}: {name} is {value!r:.80}, expected a number in {interval}")


def _as_float(value: object) -> float:
    """The number in double, or NaN if it is none or has no place there."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return nan
    try:
        return float(value)
    except OverflowError:
        return nan


def check_count(owner: str, name: str, value: object, at_least: int) -> None:
    """Refuse what is not a whole number from ``at_least`` up.

    >>> check_count("Step", "every", 0, at_least=1)
    Traceback (most recent call last):
        ...
    nnkit.errors.ArgumentError: Step: every is 0, expected a whole number from 1 up
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < at_least:
        raise ArgumentError(f"{owner}: {name} is {value!r:.80}, expected a whole number from {at_least} up")


def check_ascending(owner: str, name: str, values: object) -> tuple[int, ...]:
    """Whole numbers from 1 up, each above the one before, as a tuple; anything else is refused.

    >>> check_ascending("MultiStep", "milestones", [30, 80])
    (30, 80)
    """
    given = tuple(values) if isinstance(values, Iterable) and not isinstance(values, str) else ()
    for number, value in enumerate(given):
        check_count(owner, f"{name}[{number}]", value, at_least=1)
    if not given or any(a >= b for a, b in pairwise(given)):
        raise ArgumentError(f"{owner}: {name} is {values!r}, expected whole numbers that ascend, such as (30, 80)")
    return tuple(int(value) for value in given)


def config_of(thing: Any) -> dict[str, Any]:
    """The name of a formula and its hyper-parameters as plain data that JSON can hold; objects in it likewise."""
    known = fields(thing) if is_dataclass(thing) else ()
    return {"name": thing.name} | {field.name: _plain(getattr(thing, field.name)) for field in known}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return config_of(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, bool | str | None):
        return value
    return int(value) if isinstance(value, Integral) else float(value)


def from_config(
    kind: str,
    config: object,
    table: Mapping[str, Callable[..., T]],
    nested: Mapping[str, Callable[[Mapping[str, Any]], Any]] | None = None,
) -> T:
    """The object that :func:`config_of` described. Only names in ``table`` are known; nothing is imported or evaluated.

    ``nested`` makes the objects inside: hyper-parameter name → function of its own config, or of each of several.
    """
    if not isinstance(config, Mapping) or "name" not in config:
        raise ArgumentError(f"{kind}: a configuration must be a mapping with a 'name', got {config!r}")
    make = lookup(kind, config["name"], table)
    given = {name: value for name, value in config.items() if name != "name"}
    _check_names(f"{kind} '{config['name']}'", given, fields(make))  # type: ignore[arg-type]
    for name, value in given.items():
        inside = (nested or {}).get(name)
        given[name] = tuple(_made(part, inside) for part in value) if isinstance(value, list) else _made(value, inside)
    return make(**given)


def _made(value: Any, make: Callable[[Mapping[str, Any]], Any] | None) -> Any:
    return make(value) if make is not None and isinstance(value, Mapping) else value


def _check_names(owner: str, given: Mapping[str, Any], known: Iterable[Field[Any]]) -> None:
    names = {field.name for field in known}
    if unknown := sorted(map(str, given.keys() - names)):
        raise ArgumentError(f"{owner}: unknown {', '.join(unknown)}; known: {', '.join(sorted(names)) or 'nothing'}")
    needed = {field.name for field in known if field.default is MISSING and field.default_factory is MISSING}
    if missing := sorted(needed - given.keys()):
        raise ArgumentError(f"{owner}: {', '.join(missing)} missing")
