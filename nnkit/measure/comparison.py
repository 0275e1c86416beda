"""Whether the difference between two runs is real: speed from the times of their epochs, accuracy from its counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
LEAST_EPOCHS = 8
MARGIN = 0.03
"""A difference of speed has to be larger than what the same run differs by when the machine is in another mood."""
DRAWS, CONFIDENCE = 4000, 0.99


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of two runs: both values, second divided by first with its interval, and what can be said.

    ``real`` is None where there is too little to tell; ``verdict`` says so in words.
    """

    name: str
    unit: str
    first: float | None
    second: float | None
    ratio: float | None
    interval: tuple[float, float] | None
    real: bool | None
    verdict: str


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Figure]:
    """The figures of two run records (`RunRecord.to_dict`, or their JSON files), and which differences are real.

    *Speed*: seconds per row of the faster half of the epochs, without the first, which warms up; a busy machine makes
    epochs slower, never faster, so that the faster half moves least. The interval of the ratio of their medians holds
    with 99 % by the bootstrap (Efron 1979); a difference is real when the interval lies wholly beyond ±3 %.

    *Accuracy* on test or, without a test, on validation rows: the two-proportion z test at 1 %.

    Other figures are shown without a verdict: one run has one of each.

    >>> import numpy as np
    >>> def run(seconds):
    ...     epochs = seconds * (1 + 0.02 * np.random.default_rng(0).random(30))
    ...     return {"time": {"epochs_s": epochs.tolist()}, "data": {"train": 1000}}
    >>> compare(run(1.0), run(1.1))[0].verdict
    'the second is 1.10 times as slow'
    >>> compare(run(1.0), run(1.0))[0].verdict
    'no difference shown'
    """
    found = [_speed(first, second), _accuracy(first, second)]
    for name, unit, path in OTHERS:
        values = [_number(record, path) for record in (first, second)]
        found.append(_shown(name, unit, *values))
    return found


OTHERS = (
    ("train loss", "", ("history", "loss")),
    ("test loss", "", ("result", "test", "loss")),
    ("peak memory", "B", ("resources", "host", "peak_rss_bytes")),
    ("compilation", "s", ("time", "compile_s")),
    ("energy", "J", ("resources", "device", "energy_j")),
)


def unlike(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Why figures of how well two runs learned cannot be compared, if they cannot.

    >>> unlike({"data": {"name": "moons", "sha256": "0a"}}, {"data": {"name": "sine", "sha256": "1b"}})
    ['the data are not the same (moons, sine): accuracies and losses are of different rows']
    """
    found = []
    data, losses = ([record.get(part) or {} for record in (first, second)] for part in ("data", "training"))
    if _differ(data, "sha256"):
        names = ", ".join(str(each.get("name") or "unnamed") for each in data)
        found.append(f"the data are not the same ({names}): accuracies and losses are of different rows")
    if _differ(losses, "loss"):
        names = ", ".join(str(each["loss"].get("name")) for each in losses)
        found.append(f"the losses are not the same ({names}): their values say nothing about each other")
    return found


def _differ(parts: list[Mapping[str, Any]], name: str) -> bool:
    first, second = (part.get(name) for part in parts)
    return bool(first and second and first != second)


def _number(record: Mapping[str, Any], path: tuple[str, ...]) -> float | None:
    """A number by its path, of a list the last; None if it was not recorded."""
    value: Any = record
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    value = value[-1] if isinstance(value, list) and value else value
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None


def _shown(name: str, unit: str, first: float | None, second: float | None) -> Figure:
    ratio = second / first if first and second is not None else None
    missing = first is None or second is None
    return Figure(name, unit, first, second, ratio, None, None, "not recorded in both" if missing else "one value each")


def _speed(first: Mapping[str, Any], second: Mapping[str, Any]) -> Figure:
    name, unit = "row time", "s"
    times = [_row_times(record) for record in (first, second)]
    if any(len(values) < LEAST_EPOCHS for values in times):
        least = LEAST_EPOCHS + 1
        return Figure(name, unit, None, None, None, None, None, f"too few epochs to tell; train {least} or more")
    low, middle, high = _interval(*times)
    real = low > 1 + MARGIN or high < 1 / (1 + MARGIN)
    medians = [_typical(values[None, :])[0] for values in times]
    verdict = "no difference shown"
    if real:
        verdict = f"the second is {max(middle, 1 / middle):.2f} times as {'slow' if middle > 1 else 'fast'}"
    return Figure(name, unit, float(medians[0]), float(medians[1]), middle, (low, high), real, verdict)


def _row_times(record: Mapping[str, Any]) -> Array:
    rows = _number(record, ("data", "train"))
    epochs = record.get("time", {}).get("epochs_s") or []
    return np.asarray(epochs[1:], dtype=np.float64) / rows if rows else np.empty(0)


def _typical(samples: Array) -> Array:
    """The median of the faster half of each row: the lower quartile."""
    quartile: Array = np.quantile(samples, 0.25, axis=1)
    return quartile


def _interval(first: Array, second: Array) -> tuple[float, float, float]:
    """Low end, value and high end of the ratio of what is typical; neighbouring epochs are drawn together."""
    draw = np.random.default_rng(0)
    drawn = [_typical(values[_blocks(len(values), draw)]) for values in (first, second)]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn[1] / drawn[0], [tail, 1 - tail])
    middle = _typical(second[None, :])[0] / _typical(first[None, :])[0]
    return float(low), float(middle), float(high)


def _blocks(count: int, draw: np.random.Generator) -> npt.NDArray[np.int64]:
    """Positions of resampled epochs, in blocks, for a slow spell of the machine spans several (Künsch 1989)."""
    length = max(1, round(count ** (1 / 3)))
    starts = draw.integers(0, count, (DRAWS, -(-count // length)))
    positions = (starts[:, :, None] + np.arange(length)) % count
    return positions.reshape(DRAWS, -1)[:, :count]


def _accuracy(first: Mapping[str, Any], second: Mapping[str, Any]) -> Figure:
    for part in ("test", "validation"):
        values = [_number(record, ("result", part, "accuracy")) for record in (first, second)]
        rows = [_number(record, ("data", part)) for record in (first, second)]
        if None not in values and all(rows):
            return _proportions(part, values, rows)
    return _shown("accuracy", "", None, None)


def _proportions(part: str, values: list[Any], rows: list[Any]) -> Figure:
    pooled = sum(value * count for value, count in zip(values, rows, strict=True)) / sum(rows)
    deviation = math.sqrt(pooled * (1 - pooled) * sum(1 / count for count in rows))
    difference = values[1] - values[0]
    real = bool(deviation) and abs(difference) > Z * deviation
    better = f"the {'second' if difference > 0 else 'first'} is better on the {part} rows"
    ratio = values[1] / values[0] if values[0] else None
    verdict = better if real else f"no difference shown on the {part} rows"
    return Figure("accuracy", "", values[0], values[1], ratio, None, real, verdict)


Z = 2.5758
"""Beyond so many standard deviations lies 1 % of a normal distribution."""
