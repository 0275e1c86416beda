"""What was found of a step that could not be done, for a person."""

from __future__ import annotations

from dataclasses import dataclass

from nnkit.diagnosis.blame import Blame, blame
from nnkit.diagnosis.cause import GENERAL, advice, cause
from nnkit.diagnosis.step import Facts, Step
from nnkit.graph.ir import Node

PLACES = {"loss": "the loss", "update": "the update", "metrics": "the metrics", "": "the step"}


def report(step: Step) -> str:
    """Layer, tensor, row, cause and advice in two sentences."""
    found = blame(step)
    if found is None:
        return (
            "Evaluated node by node all numbers of that step are finite: some are so large that the order of their "
            f"sums decides. {GENERAL}"
        )
    return f"{_where(step, found)}: {cause(step, found)}. {advice(step, found)}"


@dataclass(frozen=True)
class Line:
    """The values that one layer computed in one phase: how many, the largest magnitude, and whether all are finite."""

    layer: str
    phase: str
    values: int
    largest: float
    finite: bool


def lines(step: Step) -> list[Line]:
    """Layer by layer, in the order of the step."""
    found: dict[tuple[str, str], list[tuple[Node, Facts]]] = {}
    for i, node in step.graph:
        if node.dtype.startswith("float") and node.operation not in ("input", "constant"):
            phase = node.origin.phase.partition(" ")[0]
            found.setdefault((node.origin.path, phase), []).append((node, step.facts[i]))
    return [
        Line(
            PLACES.get(path, path),
            phase,
            sum(node.size for node, _ in known),
            max((facts.largest for _, facts in known if facts.finite), default=0.0),
            all(facts.finite for _, facts in known),
        )
        for (path, phase), known in found.items()
    ]


def _where(step: Step, found: Blame) -> str:
    node = step.graph.nodes[found.node]
    row = "" if found.row is None else f", in row {found.row} of the batch (row {step.rows[found.row]} of the data)"
    if node.operation == "input":
        return f"The first number that is not finite stands before the step{row}"
    phase = node.origin.phase.partition(" ")[0]
    passed = f"{phase} pass" if phase in ("forward", "backward") else phase
    shape = "×".join(map(str, node.shape)) or "one number"
    layer = PLACES.get(node.origin.path, f"'{node.origin.path}'")
    source = f" at {node.origin.source}" if node.origin.source else ""
    return (
        f"The first number that is not finite appears in the {passed} of {layer}, in '{node.operation}'{source} "
        f"({node.dtype}, {shape}){row}"
    )
