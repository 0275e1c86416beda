"""The result files as tables of the README."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

LIMIT = "limit of the machine"
Rows = Mapping[str, Mapping[str, Any]]
Section = Callable[[Mapping[str, Any]], Iterator[str]]
PLACES = {"µs": 1e6, "ms": 1e3, "s": 1.0}


def speed_tables(folder: Path) -> str:
    """A section for each file that is there; those of other machines, in folders of their own, follow the steps."""
    here = list(_sections(folder, SECTIONS))
    others = [part for other in sorted(folder.glob("*/")) for part in _sections(other, ELSEWHERE)]
    return "\n\n".join([*here[:1], *others, *here[1:]])


def _sections(folder: Path, sections: Mapping[str, Section]) -> Iterator[str]:
    for name, section in sections.items():
        file = folder / f"{name}.json"
        if file.exists():
            yield "\n".join(section(json.loads(file.read_text())))


def _step(result: Mapping[str, Any]) -> Iterator[str]:
    whole = _by_workload(result)
    steps = {name: rows for name, rows in whole.items() if LIMIT in rows}
    first = next(iter(steps.values()))
    yield from _head(["µs a step", *steps])
    for name in (name for name in first if name != LIMIT):
        yield _line([name, *(_shown(rows[name], "µs") for rows in steps.values())])
    yield _line([LIMIT, *(f"{rows[LIMIT]['step_median_s'] * 1e6:,.1f}" for rows in steps.values())])
    yield _line(["nnkit against the fastest peer", *(f"{_ratio(rows):.2f} times" for rows in steps.values())])
    if any(rows["nnkit"]["goal"] for rows in steps.values()):
        yield _line(["goal", *(_goal(rows["nnkit"]) for rows in steps.values())])
    for name, rows in whole.items():  # older files have the whole job, too
        if name not in steps:
            yield from ["", *_head([f"one {name}", "seconds"])]
            yield from (_line([framework, _shown(row, "s")]) for framework, row in rows.items())
    yield from ["", _note(result)]


def _elsewhere(result: Mapping[str, Any]) -> Iterator[str]:
    steps = _by_workload(result)
    yield from _head([f"on {_machine(result)}", *steps])
    yield _line(["nnkit against the fastest peer", *(f"{_ratio(rows):.2f} times" for rows in steps.values())])
    yield _line(["goal", *(_goal(rows["nnkit"]) for rows in steps.values())])
    yield from ["", _note(result)]


AT_BEST = {
    "products_s": "its products at the measured peak",
    "bytes_s": "parameters, gradient and moments at the measured bandwidth",
    "launches_s": "its launches at the measured time of one",
}


def _gpu(result: Mapping[str, Any]) -> Iterator[str]:
    whole = _by_workload(result)
    gpu = result["machine"]["gpu"]
    yield from _head([f"µs a step, or an epoch, on {gpu['name']}", *whole])
    for name in dict.fromkeys(name for rows in whole.values() for name in rows):
        yield _line([name, *(_shown(rows[name], "µs") for rows in whole.values())])
    for peers in (("PyTorch eager",), ("torch.compile", "JAX jit")):
        ratios = [_ratio({name: rows[name] for name in ("nnkit", *peers)}) for rows in whole.values()]
        yield _line([f"nnkit against {' and '.join(peers)}", *(f"{ratio:.2f} times" for ratio in ratios)])
    yield _line(["goal", *(_goal(rows["nnkit"]) if rows["nnkit"]["goal"] else "" for rows in whole.values())])
    for part, words in AT_BEST.items():
        seconds = (result["limits"].get(name, {}).get(part) for name in whole)
        yield _line([words, *("" if each is None else f"{1e6 * each:,.1f}" for each in seconds)])
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    about = f"{gpu['name']}, driver {gpu['driver']}; {versions}; {result['date'][:10]}"
    yield from ["", f"{about}. Median ± interquartile range."]


def _breakdown(result: Mapping[str, Any]) -> Iterator[str]:
    rows = result["rows"]
    yield from _head(["where the time goes, µs", *(row["workload"] for row in rows)])
    for part in dict.fromkeys(part for row in rows for part in row["parts_s"]):
        yield _line([part, *(f"{1e6 * row['parts_s'].get(part, 0):,.1f}" for row in rows)])
    yield _line(["the products at the peak rate", *(f"{1e6 * row['products_at_peak_s']:,.1f}" for row in rows)])
    yield from ["", _note(result)]


def _jobs(result: Mapping[str, Any]) -> Iterator[str]:
    whole = _by_workload(result)
    names = list(dict.fromkeys(name for rows in whole.values() for name in rows))
    units = {name: _unit(rows) for name, rows in whole.items()}
    yield from _head(["whole job", *(f"{name} ({unit})" for name, unit in units.items())])
    for framework in names:
        found = ((rows.get(framework), units[name]) for name, rows in whole.items())
        yield _line([framework, *("" if row is None else _shown(row, unit) for row, unit in found)])
    yield _line(["nnkit against the fastest peer", *(f"{_ratio(rows):.2f} times" for rows in whole.values())])
    yield _line(["goal", *(_goal(rows["nnkit"]) for rows in whole.values())])
    yield from ["", _note(result)]


def _shapes(result: Mapping[str, Any]) -> Iterator[str]:
    classes: dict[str, list[Rows]] = {}
    for rows in _by_workload(result).values():
        classes.setdefault(rows["nnkit"]["class"], []).append(rows)
    yield from _head(["drawn at random", "networks", "nnkit against the fastest peer", "goal", "met by"])
    for name, drawn in classes.items():
        ratios = sorted(_ratio(rows) for rows in drawn)
        met = sum(bool(rows["nnkit"]["met"]) for rows in drawn)
        sizes = ", ".join(rows["nnkit"]["workload"] for rows in drawn)
        goal = drawn[0]["nnkit"]["goal"]
        span = f"{ratios[0]:.2f} to {ratios[-1]:.2f} times" if len(ratios) > 1 else f"{ratios[0]:.2f} times"
        yield _line([name, sizes, span, goal, f"{met} of {len(drawn)}"])
    yield from ["", f"Seed {result['seed']}. {_note(result)}"]


def _sweep(result: Mapping[str, Any]) -> Iterator[str]:
    yield "![How the time of a training step grows with batch, width and depth](benchmarks/results/sweep.png)"


ELSEWHERE = {"step": _elsewhere, "breakdown": _breakdown}
SECTIONS = {"step": _step, "gpu": _gpu, "breakdown": _breakdown, "jobs": _jobs, "shapes": _shapes, "sweep": _sweep}


def _by_workload(result: Mapping[str, Any]) -> dict[str, dict[str, Mapping[str, Any]]]:
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in result["rows"]:
        found.setdefault(row["workload"], {})[row["framework"]] = row
    return found


def _head(cells: list[str]) -> list[str]:
    return [_line(cells), "|---" * len(cells) + "|"]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _unit(rows: Rows) -> str:
    """The largest unit in which our figure is at least one."""
    ours = rows["nnkit"]["step_median_s"] or 1.0
    return next((unit for unit, scale in reversed(PLACES.items()) if ours * scale >= 0.1), "µs")


def _shown(row: Mapping[str, Any], unit: str) -> str:
    if row["step_median_s"] is None:
        return str(row["reason"])
    middle, spread = (PLACES[unit] * row[f"step_{figure}_s"] for figure in ("median", "spread"))
    digits = 2 if unit == "s" else 1 if middle < 100 else 0
    return f"{middle:,.{digits}f} ± {spread:,.{digits}f}"


def _ratio(rows: Rows) -> float:
    """How many times as fast as the fastest peer the compiled program is; 0 where it did not get there."""
    peers = [row["step_median_s"] for name, row in rows.items() if name != LIMIT and not name.startswith("nnkit")]
    known = [seconds for seconds in peers if seconds is not None]
    ours = rows["nnkit"]["step_median_s"]
    return min(known) / ours if known and ours else 0.0


def _goal(row: Mapping[str, Any]) -> str:
    if not row["goal"]:
        return ""
    short = row["goal"].replace(" times as fast as the fastest peer", " times").replace(" times as fast as", " times")
    return f"{short}: {'met' if row['met'] else 'not met'}"


def _note(result: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items() if name != "blas")
    return f"{_machine(result)}; {versions}; {result['date'][:10]}. Median ± interquartile range."


def _machine(result: Mapping[str, Any]) -> str:
    return f"{result['machine']['cpu']}, {result['machine']['cores']} cores"
