"""A plan for a person: every kernel with its shapes and cost, and every decision with what it saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from nnkit.display import preformatted
from nnkit.plan.page import page
from nnkit.plan.planner import DECISIONS, Plan
from nnkit.plan.rounding import read_as
from nnkit.plan.savings import Size, naive, remarks, savings, size
from nnkit.plan.step import Step

PHASES = {"forward": "FORWARD", "backward": "BACKWARD", "recompute": "RECOMPUTE", "update": "UPDATE"}
SHORT = {"fused": "", "take": "gather", "astype": "cast", "bitwise_and": "and"}
LIMIT = 44
SHORT_S = 1e-5
"""A step that is done sooner has its microseconds with one digit more."""


class Measured(NamedTuple):
    """Seconds of each step of a plan, run one by one, and of all of them as one program."""

    steps: Sequence[float]
    whole: float


class Explanation(str):
    """The text, which a notebook shows in columns; ``data`` has the same as :func:`explain_json` gives it."""

    __slots__ = ("data",)

    data: dict[str, Any]

    def _repr_html_(self) -> str:
        return preformatted(self)


def explain(made: Plan, measured: Measured | None = None) -> Explanation:
    """The plan as text of at most about 120 columns."""
    data = explain_json(made, measured)
    parts = [_heading(made, data), *_phases(data), "", *_decisions(made, data), "", *_memory(made)]
    explanation = Explanation("\n".join(parts))
    explanation.data = data
    return explanation


def explain_json(made: Plan, measured: Measured | None = None) -> dict[str, Any]:
    """The same as data for JSON; ``measured_s`` stands where it was measured."""
    whole = {} if measured is None else {"measured_s": measured.whole}
    said = remarks(made)
    return whole | {
        "device": made.target.name,
        "fingerprint": made.fingerprint,
        "total": asdict(size(made)),
        "naive": asdict(size(naive(made))),
        "steps": _rows(made, measured),
        "decisions": [
            {"name": name, "meaning": DECISIONS[name], "remark": said[name], "saved": asdict(saved)}
            for name, saved in savings(made).items()
        ],
    }


def explain_html(made: Plan, measured: Measured | None = None) -> str:
    """The same as a page without anything from elsewhere."""
    data = explain_json(made, measured)
    return page(_heading(made, data), data)


def _heading(made: Plan, data: dict[str, Any]) -> str:
    chosen, plain = Size(**data["total"]), Size(**data["naive"])
    taken = f", {_microseconds(data['measured_s'])} µs measured" if "measured_s" in data else ""
    return (
        f"One step on '{made.target.name}' (rates: {made.target.profile}): {_size(chosen)}{taken}.\n"
        f"The naive plan of the same step: {_size(plain)}."
    )


def _rows(made: Plan, measured: Measured | None) -> list[dict[str, Any]]:
    """A row for each kernel."""
    rows: list[dict[str, Any]] = []
    kernels = set(made.kernels)
    for place, step in enumerate(made.steps):
        if step in kernels:
            taken = {} if measured is None else {"measured_s": measured.steps[place]}
            rows.append(_row(made, len(rows) + 1, step) | taken)
    return rows


def _size(of: Size) -> str:
    return (
        f"{of.kernels} kernels, {_count(of.flops)}FLOP, {_count(of.nbytes)}B moved, "
        f"{_count(of.arena_bytes)}B of memory, {_microseconds(of.seconds)} µs predicted"
    )


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.{1 if seconds < SHORT_S else 0}f}"


def _phases(data: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    before = ""
    last = f" {'measured':>8}" if "measured_s" in data else ""
    digits = 2 if data["total"]["seconds"] < SHORT_S else 1
    for row in data["steps"]:
        if row["phase"] != before:
            before = row["phase"]
            head = f"{PHASES[before]:36}{'kernel':{LIMIT}} {'FLOP':>8} {'bytes':>8} {'µs':>8}{last}"
            lines += ["", head]
        what = row["what"] if len(row["what"]) <= LIMIT else row["what"][: LIMIT - 1] + "…"
        place = row["layer"].removesuffix(".activation") or "step"
        cost = f"{_count(row['flops']):>8} {_count(row['bytes']):>8} {row['seconds'] * 1e6:8.{digits}f}"
        cost += f" {row['measured_s'] * 1e6:8.{digits}f}" if "measured_s" in row else ""
        lines.append(f"{row['number']:4} {place[:16]:17}{row['shape']:14}{what:{LIMIT}} {cost}")
    return lines


def _row(made: Plan, number: int, step: Step) -> dict[str, Any]:
    last = made.graph.nodes[step.nodes[-1]]
    names = [SHORT.get(made.graph.nodes[i].operation, made.graph.nodes[i].operation) for i in step.nodes]
    tiles = f" (tiles of {step.tile} rows)" if step.tile else ""
    return {
        "number": number,
        "phase": step.phase,
        "layer": last.origin.path,
        "what": _operands(made, step) if step.kernel == "matmul" else " → ".join(names) + tiles,
        "shape": "×".join(map(str, last.shape)) or "1",
        "dtype": last.dtype,
        "flops": step.cost.flops,
        "bytes": step.cost.nbytes,
        "seconds": step.cost.seconds,
        "source": last.origin.source,
    }


def _operands(made: Plan, step: Step) -> str:
    node = made.graph.nodes[step.nodes[0]]
    sides = []
    for operand, flag in zip(node.inputs, ("transpose_a", "transpose_b"), strict=True):
        shape = "×".join(map(str, made.graph.nodes[operand].shape))
        sides.append(f"({shape})ᵀ" if node.options.get(flag) else shape)
    dtype = read_as(made.graph, node)
    return " @ ".join(sides) + (f" in {dtype}" if dtype != node.dtype else "")


def _decisions(made: Plan, data: dict[str, Any]) -> list[str]:
    lines = [f"{'DECISIONS':17}{'saved: kernels':>15} {'FLOP':>8} {'bytes':>8} {'memory':>8}   what it did"]
    for row in data["decisions"]:
        saved = Size(**row["saved"])
        sizes = " ".join(f"{_count(n):>8}" for n in (saved.flops, saved.nbytes, saved.arena_bytes))
        lines.append(f"{row['name']:17}{saved.kernels:15} {sizes}   {row['remark']}")
    if made.disabled:
        lines.append(f"switched off: {', '.join(sorted(made.disabled))}")
    return lines


def _memory(made: Plan) -> list[str]:
    phases = {phase: sum(step.cost.seconds for step in made.steps if step.phase == phase) for phase in PHASES}
    total = sum(phases.values()) or 1.0
    shares = ", ".join(f"{name} {seconds / total:.0%}" for name, seconds in phases.items())
    guard = "behind a guard: loss and gradients must be finite" if made.guard is not None else "without a guard"
    return [
        f"Predicted time by phase: {shares}.",
        f"{made.computed} of {len(made.steps)} steps only compute; the others write the new state, {guard}.",
    ]


def _count(number: float) -> str:
    """1234567 as ``1.23 M``, with a space before what follows."""
    sign, number = ("-", -number) if number < 0 else ("", number)
    for power, letter in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if number >= 10**power:
            return f"{sign}{number / 10**power:.3g} {letter}"
    return f"{sign}{number:.0f} "
