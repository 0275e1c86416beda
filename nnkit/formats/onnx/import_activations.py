"""Which activation a function of one number is, found by trying it: exporters write the same one in many ways.

A function is taken for nnkit's activation g where it equals s · g(a · x) to five digits at all of some two thousand
numbers from 10⁻¹² to 10³⁰ on both sides of zero, and on both sides of each constant in it. Parameters are read off its
values: the slope of a leaky relu is −f(−1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from nnkit.data.arrays import Array
from nnkit.nn.activations import ACTIVATIONS

Function = Callable[[Array], Array]

OF_ROWS = frozenset(("glu", "log_softmax", "maxout", "softmax", "sparsemax"))
_FAR = 1e30
_TRIED = np.array([-11.3, -4.1, -2.57, -1.31, -0.73, -0.21, -0.043, 0.037, 0.29, 0.61, 1.27, 2.3, 3.7, 7.9, 13.1])
_READ = np.array([-_FAR, -1.0, 0.0, 1e4, _FAR])
_WIDE = np.geomspace(1.37e-12, _FAR, 300)
_FINE = np.linspace(-30.0137, 29.9641, 1201)
_SCALES = 12  # of x, at most
_STEADY = 1e-5
_OVERFLOWS = 80.0  # what is larger than this may overflow in a file; nnkit's functions do not


class Found(NamedTuple):
    """outer · g(inner · x) with the activation g of this name and these parameters."""

    name: str
    parameters: dict[str, float]
    inner: float = 1.0
    outer: float = 1.0


def scales_in(numbers: Iterable[float]) -> list[float]:
    """What x may be multiplied by in a function with these constants; 1 first, then −1."""
    found = [1.0, -1.0]
    for number in numbers:
        found += [scale for scale in (number, 1 / number if number else 0.0) if np.isfinite(scale) and scale]
    return list(dict.fromkeys(found))[:_SCALES]


def tried_at(scales: list[float]) -> Array:
    """Where a function has to be known for ``found``: for each scale a row of numbers, divided by it."""
    return np.asarray(np.concatenate([_TRIED, _READ]) / np.array(scales)[:, None])


def found(values: Array, function: Function, scales: list[float], numbers: list[float]) -> Found | None:
    """The activation that a function is, if it is one; ``values`` are its at ``tried_at(scales)``."""
    return next((guess for guess in _guesses(values, scales, numbers) if _is(function, guess, numbers)), None)


def _guesses(values: Array, scales: list[float], numbers: list[float]) -> Iterator[Found]:
    """What agrees at a few numbers; nothing for a function that is the same at all of them."""
    names, known = _known()
    first = values[:, : len(_TRIED)]
    if np.ptp(first[0]) <= _STEADY * np.abs(first[0]).max():
        return
    largest = np.argmax(np.abs(known), axis=1)
    with np.errstate(all="ignore"):
        outer = first[:, largest] / known[np.arange(len(known)), largest]
        agree = _close(first[:, None, :], outer[..., None] * known, _TRIED).all(axis=2)
    order = np.argwhere(agree & np.isfinite(outer) & (outer != 0)).tolist()
    order.sort(key=lambda place: (place[0], abs(outer[tuple(place)] - 1) > 1e-5))
    plain = [(Found(names[g], {}, scales[a], _snapped(float(outer[a, g]), numbers))) for a, g in order]
    yield from (guess for guess in plain if guess.inner == guess.outer == 1)
    for row, scale in enumerate(scales[:2]):
        yield from _with_parameters(first[row], values[row, len(_TRIED) :], scale, numbers)
    yield from plain


def _with_parameters(values: Array, read: Array, scale: float, numbers: list[float]) -> Iterator[Found]:
    """Activations whose parameters can be read off: f(−∞), f(−1), f(0), f(10⁴) and f(∞)."""
    slope = float(read[3] / 1e4)
    for outer in (1.0, slope) if 1e-6 < abs(slope) < 1e6 and abs(slope - 1) > 1e-3 else (1.0,):
        for name, parameters in _read_off([float(value) for value in read / outer], numbers):
            exact = {key: _snapped(value, numbers) for key, value in parameters.items()}
            if not np.isfinite(list(exact.values())).all():
                continue
            with np.errstate(all="ignore"):
                expected = outer * ACTIVATIONS[name].function(_TRIED, **exact)
            if _close(values, expected, _TRIED).all():
                yield Found(name, exact, scale, _snapped(outer, numbers))


def _read_off(values: list[float], numbers: list[float]) -> Iterator[tuple[str, dict[str, float]]]:
    """Names and parameters that the values far out, where all of these are simple, allow."""
    low, minus, zero, large, high = values
    if low < high and abs(low) < _FAR / 2 and abs(high) < _FAR / 2:
        yield "hard_tanh", {"low": low, "high": high}
    if abs(high / _FAR - 1) > 1e-5:
        return
    yield "leaky_relu", {"slope": -minus}
    if 0 < -low < _FAR / 2:
        yield "elu", {"alpha": -low}
        yield "celu", {"alpha": -low}
    yield "soft_shrink", {"threshold": 1e4 - large}
    yield "squareplus", {"b": 4 * zero**2}
    for number in numbers:
        if abs(low) < _FAR / 2:
            yield "threshold", {"threshold": number, "value": low}
            yield "threshold", {"threshold": -number, "value": low}
        else:
            yield "hard_shrink", {"threshold": number}


@cache
def _known() -> tuple[list[str], Array]:
    """The activations without parameters, or with their own, and their values."""
    names = [name for name in ACTIVATIONS if name not in OF_ROWS and name != "identity"]
    return names, np.stack([np.asarray(ACTIVATIONS[name].function(_TRIED)) for name in names])


def _is(function: Function, guess: Found, numbers: list[float]) -> bool:
    """Whether the function is that activation at all the numbers there are."""
    constants = map(_around, (*numbers, *guess.parameters.values()))
    x = np.concatenate([-_WIDE[::-1], _FINE, _WIDE, *constants])
    with np.errstate(all="ignore"):
        value = function(x)
        expected = guess.outer * ACTIVATIONS[guess.name].function(guess.inner * x, **guess.parameters)
    overflown = ~np.isfinite(value) & (np.abs(guess.inner * x) > _OVERFLOWS)
    return bool((_close(value, expected, x) | overflown).all())


def _around(number: float) -> Array:
    return np.array([sign * number * factor for sign in (1, -1) for factor in (0.5, 0.999, 1.001, 2.0)])


def _close(value: Array, expected: Array, x: Array) -> Array:
    """To five digits: constants in a file have seven, and some of them are squared or subtracted."""
    with np.errstate(all="ignore"):
        difference = np.abs(value - expected)
        allowed = 4e-6 * np.abs(expected) + 2e-7 * np.minimum(np.abs(x), 1.0) + 1e-14
    return np.asarray((difference <= allowed) | (value == expected))


def _snapped(number: float, numbers: list[float]) -> float:
    """The constant of the function that a number is up to rounding, if it is one, or its negative or reciprocal."""
    for known in (1.0, *numbers):
        for exact in (known, -known, 1 / known if known else 0.0):
            if abs(number - exact) <= 2e-6 * abs(exact):
                return exact
    return number
