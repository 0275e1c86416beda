"""Curves over epochs or over time as a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from nnkit.display.svg import ACCENTS, line, picture, text

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420.0, 220.0, 54.0, 14.0, 30.0, 30.0
TINY, HUGE = 1e-300, 1e300


def curves(
    series: Mapping[str, Sequence[float]],
    title: str,
    logarithmic: bool = False,
    times: Sequence[float] | None = None,
    unit: str = "s",
) -> str:
    """An SVG picture of one value for each epoch, by name; what is not finite is left out.

    With ``times``, in this unit, the values are amounts over time rather than over epochs: both axes begin at 0.

    >>> curves({"loss": [2.0, 1.0, 0.5]}, "loss").count("<polyline")
    1
    """
    known = [value for values in series.values() for value in values if _drawn(value, logarithmic)]
    if not known:
        return picture(WIDTH, 40, [text(WIDTH / 2, 24, f"{title}: nothing to draw", faint=True)], title)
    low, high = _bounds(known if times is None else [0.0, *known], logarithmic)
    longest = max(len(values) for values in series.values())
    places, ends = list(range(1, longest + 1)) if times is None else times, _ends(longest, times, unit)
    begin, end = (1, longest) if times is None else (0.0, times[-1])

    def place(at: float, value: float) -> tuple[float, float]:
        share = (_scaled(value, logarithmic) - low) / (high - low)
        across = (at - begin) / (end - begin or 1)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [text(LEFT, 16, title, anchor="start"), *_axes(low, high, ends, logarithmic)]
    for number, (name, values) in enumerate(series.items()):
        colour = ACCENTS[number % len(ACCENTS)]
        points = [place(*pair) for pair in zip(places, values, strict=False) if _drawn(pair[1], logarithmic)]
        parts += _curve(points, colour)
        at = WIDTH - RIGHT - 92.0 * (len(series) - number)
        parts.append(f'<rect x="{at:g}" y="8" width="10" height="10" fill="{colour}"/>')
        parts.append(text(at + 14, 17, name, anchor="start"))
    over = f"{longest} epochs" if times is None else ends[1]
    return picture(WIDTH, HEIGHT, parts, f"{title} over {over}: {', '.join(series)}")


def _ends(longest: int, times: Sequence[float] | None, unit: str) -> tuple[str, str]:
    """What stands under the two ends of the axis."""
    return ("epoch 1", str(longest)) if times is None else (f"0 {unit}", f"{times[-1]:.3g} {unit}")


def _drawn(value: float, logarithmic: bool) -> bool:
    return math.isfinite(value) and (value > 0 or not logarithmic)


def _scaled(value: float, logarithmic: bool) -> float:
    return math.log10(value) if logarithmic else value


def _bounds(known: Sequence[float], logarithmic: bool) -> tuple[float, float]:
    values = [_scaled(value, logarithmic) for value in known]
    low, high = min(values), max(values)
    room = 0.05 * (high - low) or 0.5 * abs(high) or 0.5
    positive = low >= 0 and not logarithmic  # then nothing below zero is shown
    return max(low - room, 0.0) if positive else low - room, high + room


def _axes(low: float, high: float, ends: tuple[str, str], logarithmic: bool) -> Iterator[str]:
    bottom = HEIGHT - BOTTOM
    yield line(LEFT, TOP, LEFT, bottom, 0.4)
    yield line(LEFT, bottom, WIDTH - RIGHT, bottom, 0.4)
    for value, label in _powers(low, high) if logarithmic else _ticks(low, high):
        y = bottom - (value - low) / (high - low) * (bottom - TOP)
        yield line(LEFT - 4, y, WIDTH - RIGHT, y, 0.12)
        yield text(LEFT - 7, y + 4, label, anchor="end", faint=True)
    for x, words, anchor in zip((LEFT, WIDTH - RIGHT), ends, ("start", "end"), strict=True):
        yield text(x, HEIGHT - 10, words, anchor=anchor, faint=True)


def _powers(low: float, high: float) -> Iterator[tuple[float, str]]:
    """Places on a logarithmic axis: both ends and the middle."""
    for value in (low, (low + high) / 2, high):
        yield value, f"{10**value:.3g}"


def _ticks(low: float, high: float) -> Iterator[tuple[float, str]]:
    """The two to six round numbers between the ends of an axis; the ends where there are none."""
    span = high - low
    if not TINY < span < HUGE:
        yield from ((end, f"{end:.3g}") for end in (low, high))
        return
    power = math.floor(math.log10(span))
    step = next(step for part in (2, 1, 0.5, 0.2) if span / (step := part * 10.0**power) >= 2.5)
    decimals = max(-math.floor(math.log10(step)), 0)
    for number in range(math.ceil(low / step), math.floor(high / step) + 1):
        plain = decimals <= 5 and abs(number * step) < 1e6
        yield number * step, f"{number * step:.{decimals}f}" if plain else f"{number * step:.3g}"


def _curve(points: Sequence[tuple[float, float]], colour: str) -> Iterator[str]:
    if len(points) == 1:
        yield f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="3" fill="{colour}"/>'
    elif points:
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>'
