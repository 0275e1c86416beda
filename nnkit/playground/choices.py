"""What a page offers: every name that a setting may have, every range, and small pictures of the data."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any

from nnkit.optimizers import OPTIMIZERS
from nnkit.playground import settings as known
from nnkit.playground import strokes, table_size
from nnkit.playground.digit_sets import at_hand_here
from nnkit.playground.features import DERIVED
from nnkit.playground.points import CLASSIFICATION, REGRESSION, WITH_CLASSES, drawn
from nnkit.playground.rules import Number, Whole
from nnkit.playground.settings import DIGITS, DRAWN, PLANE, RULES, TABLE, devices, usual

ROWS = 90
LABELS = {
    "relu": "ReLU", "relu6": "ReLU6", "elu": "ELU", "celu": "CELU",
    "selu": "SELU", "gelu": "GELU", "gelu_tanh": "GELU (tanh)", "silu": "SiLU", "leaky_relu": "leaky ReLU",
    "xor": "exclusive or", "gauss": "Gaussian", "multi-gauss": "multi-Gaussian", "drawn": "your points",
    "table": "your table", "l1": "L1", "l2": "L2", "mnist": "MNIST", "digits": "small digits", "cpu": "CPU",
    "epoch": "1 epoch a frame", "step": "1 step a frame", "10 epochs": "10 epochs a frame", "max": "as fast as it can",
    "off": "plain", "first": "compiled",
}  # fmt: skip
STOP_LABELS = {"never": "never", "test loss": "test loss below", "train loss": "training loss below",
               "accuracy": "test accuracy or R² above, %", "epoch": "epochs reached"}  # fmt: skip


@cache
def choices() -> dict[str, Any]:
    """For the answer to ``hello``."""
    names = {
        "data": [*CLASSIFICATION, *REGRESSION, DRAWN, TABLE],
        "digits": [*at_hand_here()],
        "problem": [*known.PROBLEMS],
        "activations": [*known.HIDDEN_ACTIVATIONS],
        "output": [*known.OUTPUTS],
        "loss": [*known.LOSS_NAMES],
        "penalty": [*known.PENALTIES],
        "speed": [*known.SPEEDS],
        "compile": [*known.COMPILE],
        "device": [*devices()],
    }
    found: dict[str, Any] = {name: [_entry(value) for value in values] for name, values in names.items()}
    found["stop"] = [{"value": value, "label": label} for value, label in STOP_LABELS.items()]
    found["optimizer"] = [_optimizer(name) for name in OPTIMIZERS]
    found["features"] = [{"value": name, "label": label} for name, (label, _) in DERIVED.items()]
    for name, rule in RULES.items():
        if isinstance(rule, Number | Whole):
            found[name] = {"low": rule.low, "high": rule.high}
    return found | {
        "thumbnails": {name: _thumbnail(name) for name in (*CLASSIFICATION, *REGRESSION)},
        "with_classes": [*WITH_CLASSES, DRAWN],
        "defaults": {tab: usual(tab).to_dict() for tab in (PLANE, DIGITS)},
        "limits": {"layers": known.DEEPEST, "neurons": known.WIDEST, "neurons_digits": known.WIDEST_DIGITS,
                   "points": strokes.MOST, "upload_bytes": table_size.MOST_BYTES},
    }  # fmt: skip


def _entry(value: str) -> dict[str, str]:
    return {"value": value, "label": LABELS.get(value, value.replace("_", " "))}


def _optimizer(name: str) -> dict[str, Any]:
    """With the learning rate that it has without one, and whether it has a momentum."""
    known = _fields(name)
    rate = known.get("learning_rate")
    usual = rate if isinstance(rate, float) else None
    return {"value": name, "label": OPTIMIZERS[name].__name__, "rate": usual, "momentum": "momentum" in known}


def _fields(name: str) -> dict[str, Any]:
    """Names and usual values of what an optimiser is made with."""
    made: Any = OPTIMIZERS[name]
    return {field.name: field.default for field in fields(made)}


def _thumbnail(name: str) -> dict[str, Any]:
    x, y = drawn(name, ROWS, 2, 0.0, 1)
    return {"x": x[:, 0].round(2).tolist(), "y": x[:, 1].round(2).tolist(), "label": y.round(2).tolist()}
