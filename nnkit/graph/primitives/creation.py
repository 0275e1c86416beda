"""Rows without operands: inputs, constants and ranges."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from nnkit.graph.dtypes import kind, typed
from nnkit.graph.ir import Shape
from nnkit.graph.primitives.table import Array, Evaluator, Primitive, Type, add_rows


class Constant:
    """A host array that is part of a graph: immutable, compared and printed by its content."""

    __slots__ = ("array", "digest")

    def __init__(self, array: Any) -> None:
        self.array = np.array(array)
        self.array.flags.writeable = False
        header = f"{self.array.dtype}{self.array.shape}".encode()
        self.digest = hashlib.sha256(header + self.array.tobytes()).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Constant({self.digest})"


def _infer_input(name: str, role: str, shape: Shape, dtype: str) -> Type:
    kind(dtype)  # refuses what is no data type
    return Type(shape, dtype)


def _infer_constant(value: bool | int | float | Constant, dtype: str) -> Type:
    kind(dtype)
    return Type(value.array.shape if isinstance(value, Constant) else (), dtype)


def _evaluate_constant(run: Evaluator, value: bool | int | float | Constant, dtype: str) -> Array:
    if not isinstance(value, Constant):
        return run.xp.asarray(value, dtype=run.dtype(dtype), device=run.device)
    flat = run.xp.asarray(value.array.ravel().tolist(), dtype=run.dtype(dtype), device=run.device)
    return run.xp.reshape(flat, value.array.shape)


def _evaluate_input(run: Evaluator, given: Array, **_: object) -> Array:
    return given


def _infer_range(start: int, stop: int, step: int, dtype: str) -> Type:
    values = range(start, stop, step)
    for extreme in (*values[:1], *values[-1:]):
        typed("arange", extreme, dtype)
    return Type((len(values),), dtype)


add_rows(
    [
        Primitive("input", "creation", _infer_input, _evaluate_input),
        Primitive("constant", "creation", _infer_constant, _evaluate_constant),
        Primitive(
            "arange",
            "creation",
            _infer_range,
            lambda run, start, stop, step, dtype: run.xp.arange(
                start, stop, step, dtype=run.dtype(dtype), device=run.device
            ),
        ),
    ]
)
