"""Draws what the result files hold, as PNG beside them: python benchmarks/plots.py [FOLDER]"""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from contest.compete import RESULTS, fastest_peer
from matplotlib.ticker import EngFormatter, FuncFormatter
from PIL import Image

from nnkit.bench import LIMIT
from nnkit.measure.units import seconds_text

Row = Mapping[str, Any]
# Okabe and Ito's colours, which people who see fewer of them can tell apart, and a marker for each as well.
STYLES = {
    "nnkit": ("#D55E00", "o"),
    "nnkit, not compiled": ("#E69F00", "s"),
    "PyTorch eager": ("#0072B2", "^"),
    "PyTorch with its DataLoader": ("#0072B2", "<"),
    "PyTorch, fused Adam": ("#56B4E9", "v"),
    "torch.compile": ("#000000", "P"),
    "JAX jit": ("#009E73", "D"),
    "Keras on JAX": ("#CC79A7", "X"),
    "scikit-learn": ("#999999", "*"),
    LIMIT: ("#555555", "|"),
}
AXES = {
    "batch": "rows of a batch, 784-128-10",
    "width": "neurons of the hidden layer, 784-width-10 b64",
    "depth": "hidden layers of 96, 64-(96×depth)-4 b64",
}


def grouped(rows: Iterable[Row], key: str) -> dict[Any, list[Row]]:
    """Rows by one of their entries, in the order in which it comes up; those without a figure are left out."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        if row["step_median_s"] is not None:
            found.setdefault(row[key], []).append(row)
    return found


def sweep(result: Row) -> Any:
    """A panel for each axis, a line for each framework."""
    figure, panels = plt.subplots(1, 3, figsize=(13, 4.6), sharey=True)
    for panel, (axis, rows) in zip(panels, grouped(result["rows"], "axis").items(), strict=True):
        for name, points in grouped(rows, "framework").items():
            colour, marker = STYLES[name]
            line = {"linestyle": "--", "marker": ""} if name == LIMIT else {"marker": marker, "markersize": 5}
            x, y, spread = zip(
                *((p["value"], p["step_median_s"], p["step_spread_s"] or 0) for p in points), strict=True
            )
            panel.plot(x, y, color=colour, label=name, linewidth=2 if name == "nnkit" else 1.2, **line)
            low, high = ([max(m + sign * s / 2, m / 3) for m, s in zip(y, spread, strict=True)] for sign in (-1, 1))
            panel.fill_between(x, low, high, color=colour, alpha=0.12, linewidth=0)
        values = list(grouped(rows, "value"))
        panel.set(xscale="log", yscale="log", xlabel=AXES[axis], xticks=values, xticklabels=values)
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("time of a training step, median")
    panels[0].yaxis.set_major_formatter(EngFormatter(unit="s"))
    figure.suptitle("How the time of a training step grows (band: interquartile range)")
    _legend(figure, panels[0])
    return figure


def step(result: Row) -> Any:
    """The fixed workloads, each framework's time as a multiple of the limit of the machine."""
    workloads = {name: rows for name, rows in grouped(result["rows"], "workload").items() if _value(rows, LIMIT)}
    return _dots(
        {name: (rows, _value(rows, LIMIT)) for name, rows in workloads.items()},
        "time of a training step ÷ limit of the machine (1 is the physical limit)",
        "One training step with Adam in each framework (bar: interquartile range)",
    )


def jobs(result: Row) -> Any:
    """The whole jobs, each framework's time as a multiple of ours."""
    workloads = grouped(result["rows"], "workload")
    known = {name: (rows, _value(rows, "nnkit")) for name, rows in workloads.items() if _value(rows, "nnkit")}
    return _dots(
        {f"{name}\n{seconds_text(ours)} with nnkit": (rows, ours) for name, (rows, ours) in known.items()},
        "time ÷ time of nnkit (more than 1 is slower)",
        "Whole jobs and predictions (bar: interquartile range)",
    )


def shapes(result: Row) -> Any:
    """Networks drawn at random: how many times as fast as the fastest peer, beside the goal of the class."""
    drawn = grouped(result["rows"], "workload").values()
    workloads = [rows for rows in drawn if _value(rows, "nnkit") and math.isfinite(fastest_peer(rows))]
    figure, panel = plt.subplots(figsize=(9, 1.6 + 0.36 * len(workloads)))
    for at, rows in enumerate(workloads):
        ours = next(row for row in rows if row["framework"] == "nnkit")
        goal = float(ours["goal"].split()[0])
        ratio = fastest_peer(rows) / ours["step_median_s"]
        colour = STYLES["nnkit" if ours["met"] else "PyTorch eager"][0]
        panel.plot([1, ratio], [at, at], color=colour, linewidth=1.2)
        panel.plot(ratio, at, "o" if ours["met"] else "^", color=colour)
        panel.plot(goal, at, "|", color="black", markersize=14, markeredgewidth=2)
    for label, colour, marker in (
        ("goal met", STYLES["nnkit"][0], "o"),
        ("goal not met", STYLES["PyTorch eager"][0], "^"),
        ("goal of the class against the fastest peer", "black", "|"),
    ):
        panel.plot([], [], marker, color=colour, label=label)
    names = [f"{rows[0]['class']}: {rows[0]['workload']}" for rows in workloads]
    ticks = [0.5, 1, 2, 5, 10, 20, 50]
    panel.set(xscale="log", xticks=ticks, xticklabels=ticks, yticks=range(len(names)), yticklabels=names)
    panel.set(xlabel="times as fast as the fastest of all peers", title=f"Networks drawn with seed {result['seed']}")
    panel.axvline(1, color="#999999", linewidth=0.8)
    panel.minorticks_off()
    panel.invert_yaxis()
    panel.grid(axis="x", alpha=0.3)
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, frameon=False, fontsize=9)
    return figure


def _dots(workloads: Mapping[str, tuple[list[Row], float]], label: str, title: str) -> Any:
    """A line for each workload, a dot for each framework, on a logarithmic scale."""
    figure, panel = plt.subplots(figsize=(10, 2.2 + 0.8 * len(workloads)))
    seen: set[str] = set()
    for at, (rows, unit) in enumerate(workloads.values()):
        shown = [row for row in rows if row["framework"] != LIMIT]
        for number, row in enumerate(shown):
            name = row["framework"]
            colour, marker = STYLES[name]
            middle, spread = row["step_median_s"] / unit, row["step_spread_s"] / unit
            y = at + 0.6 * (number / max(len(shown) - 1, 1) - 0.5)
            bar = [[min(spread / 2, middle / 2)], [spread / 2]]
            panel.errorbar(middle, y, xerr=bar, fmt=marker, color=colour, label=None if name in seen else name)
            seen.add(name)
        if at:
            panel.axhline(at - 0.5, color="#DDDDDD", linewidth=0.8)
    panel.axvline(1, color="#555555", linestyle="--", linewidth=1)
    panel.set(xscale="log", yticks=range(len(workloads)), yticklabels=list(workloads), xlabel=label, title=title)
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    panel.invert_yaxis()
    panel.grid(axis="x", alpha=0.3)
    _legend(figure, panel)
    return figure


def _value(rows: Iterable[Row], name: str) -> float:
    """Seconds of a framework; 0 where there are none."""
    return next((float(row["step_median_s"]) for row in rows if row["framework"] == name), 0.0)


def _legend(figure: Any, panel: Any) -> None:
    handles, labels = panel.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", frameon=False, fontsize=9)


def _save(figure: Any, path: Path) -> None:
    """As a PNG of 64 colours, which is enough for lines and a third of the size."""
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=110)
    plt.close(figure)
    Image.open(drawn).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


PLOTS = {"step": step, "sweep": sweep, "shapes": shapes, "jobs": jobs}


def draw(folder: Path) -> list[Path]:
    """A picture of every result file that is there."""
    drawn = []
    for name, plot in PLOTS.items():
        source = folder / f"{name}.json"
        if not source.exists():
            continue
        result = json.loads(source.read_text())
        with plt.rc_context({"figure.constrained_layout.use": True, "font.size": 10}):
            figure = plot(result)
            machine = f"{result['machine']['cpu']}, {result['machine']['cores']} cores"
            figure.supxlabel(f"{source.name}; {machine}; {result['date'][:10]}", fontsize=8, color="#555555")
            _save(figure, source.with_suffix(".png"))
        drawn.append(source.with_suffix(".png"))
    return drawn


if __name__ == "__main__":
    for picture in draw(Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS):
        print(picture)
