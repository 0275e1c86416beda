"""Why a number left its range, in words, and what to do about it."""

from __future__ import annotations

import numpy as np

from nnkit.diagnosis.blame import Blame
from nnkit.diagnosis.step import Facts, Step

LARGE_WEIGHT = 1e3
LARGE_NUMBER = 1e3
EXPONENTIALS = {"exp": "exponential", "expm1": "exponential", "sinh": "sinh", "cosh": "cosh", "pow": "power"}
LOGARITHMS = ("log", "log1p", "log2", "log10")


def cause(step: Step, found: Blame) -> str:
    """What the operation did with its operands."""
    node = step.graph.nodes[found.node]
    operands = [step.facts[o] for o in node.inputs]
    if node.operation == "input":
        return f"the {_input(step, node.options['name'])} already held it"
    if node.operation in EXPONENTIALS:
        name = EXPONENTIALS[node.operation]
        return f"it is the {name} of numbers up to {operands[0].largest:.3g}, beyond {node.dtype}"
    if node.operation in LOGARITHMS:
        return f"it is the logarithm of {operands[0].least:.3g}"
    if node.operation == "divide" and operands[1].has_zero:
        return "it is a division by zero"
    if node.operation == "sqrt":
        return f"it is the square root of {operands[0].least:.3g}"
    sizes = " and ".join(f"{operand.largest:.3g}" for operand in operands)
    return f"it is beyond {node.dtype}, whose largest number is {np.finfo(node.dtype).max:.2g}: operands reach {sizes}"


def advice(step: Step, found: Blame) -> str:
    """What most likely led there, from the size of inputs, parameters and targets."""
    node = step.graph.nodes[found.node]
    if node.operation in ADVICE and node.origin.phase == "forward":
        return ADVICE[node.operation]
    x = step.inputs["x"]
    grown = max(((Facts.of(leaf).largest, path) for path, leaf in step.leaves(step.inputs["parameter"])))
    targets = Facts.of(step.inputs["y"]).largest if step.inputs["y"].dtype.kind == "f" else 0.0
    if Facts.of(x).largest > LARGE_NUMBER:
        row = step.rows[int(np.argmax(np.abs(x.reshape(len(x), -1)).max(axis=1)))]
        return (
            f"The inputs are not scaled: they reach {Facts.of(x).largest:.3g}, in row {row} of the data. "
            "Check that row, and standardise the columns"
        )
    if targets > LARGE_NUMBER:
        return f"The targets are not scaled: they reach {targets:.3g}. Standardise them"
    if grown[0] > LARGE_WEIGHT:
        return (
            f"The weights have grown: '{grown[1]}' reaches {grown[0]:.3g}. Try a smaller learning rate, or "
            "ClipByGlobalNorm"
        )
    if node.origin.phase.startswith("backward"):
        return "The gradient exploded. Try ClipByGlobalNorm, a smaller learning rate, or a normalisation between layers"
    return GENERAL


POSITIVE = "Keep its operand above zero: add a small number, or use softplus or clip before it"
ADVICE = {
    **dict.fromkeys((*LOGARITHMS, "sqrt"), POSITIVE),
    "divide": "Keep the divisor away from zero: add a small number",
}
GENERAL = "Try a smaller learning rate, scaled inputs, or ClipByGlobalNorm"


def _input(step: Step, name: str) -> str:
    if name != "parameter":
        return {"x": "data", "y": "targets", "weight": "sample weights"}.get(name, f"value '{name}'")
    bad = (path for path, leaf in step.leaves(step.inputs["parameter"]) if not Facts.of(leaf).finite)
    return f"parameter '{next(bad, name)}', which the update of the step before carried out of its range,"
