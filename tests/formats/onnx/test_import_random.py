"""Random chains of layers, each written in one of the ways that exporters have, beside onnxruntime."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.formats.onnx.graphs import loaded, model, node, rows, runtime

ACTIVATIONS = (
    "Relu",
    "Tanh",
    "Sigmoid",
    "Elu",
    "Selu",
    "Softplus",
    "Softsign",
    "HardSwish",
    "Gelu",
    "LeakyRelu",
    "Celu",
)
KINDS = ("gemm", "matmul", "scale", "shift", "activation", "silu", "norm", "batch", "cast", "axis", "softmax", "prelu")


class Chain:
    """Nodes and constants as they are added."""

    def __init__(self, width: int, seed: int) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {"axis": np.array([1])}
        self.last, self.width = "x", width
        self.draw = np.random.default_rng(seed)

    def add(self, kind: str, *more: str, extra: str = "", **attributes: Any) -> str:
        """A node that takes the last value, or those given."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(node(kind, " ".join(more or (self.last, *extra.split())), name, **attributes))
        self.last = name
        return name

    def constant(self, *shape: int, positive: bool = False) -> str:
        """A new constant."""
        value = self.draw.normal(size=shape) / max(np.sqrt(shape[0]) if len(shape) == 2 else 1.0, 1.0)
        name = f"c{len(self.constants)}"
        self.constants[name] = (np.abs(value) + 0.5 if positive else value).astype(np.float32)
        return name

    def layer(self, kind: str, units: int, choice: int) -> None:
        """One layer."""
        width = self.width
        if kind == "gemm":
            shape = (units, width) if choice % 2 else (width, units)
            parts = self.constant(*shape), self.constant(units)
            self.add("Gemm", extra=" ".join(parts), transB=choice % 2, alpha=1.0 + choice / 8)
            self.width = units
        elif kind == "matmul":
            self.add("MatMul", extra=self.constant(width, units))
            bias = self.constant(units)
            self.add("Add", *((bias, self.last) if choice % 2 else (self.last, bias)))
            self.width = units
        elif kind in ("scale", "shift"):
            value = self.constant(*((width,), (1, width), ())[choice % 3], positive=kind == "scale")
            self.add(("Mul", "Div")[choice % 2] if kind == "scale" else ("Add", "Sub")[choice % 2], self.last, value)
        elif kind == "activation":
            self.add(ACTIVATIONS[choice % len(ACTIVATIONS)])
        elif kind == "silu":
            before = self.last
            self.add("Mul", before, self.add("Sigmoid"))
        elif kind == "norm":
            parts = self.constant(width, positive=True), self.constant(width)
            self.add("LayerNormalization", extra=" ".join(parts[: 1 + choice % 2]), epsilon=0.01)
        elif kind == "batch":
            parts = [self.constant(width, positive=place in (0, 3)) for place in range(4)]
            self.add("BatchNormalization", extra=" ".join(parts))
        elif kind == "prelu":
            self.add("PRelu", extra=self.constant(width))
        elif kind == "axis":
            self.add("Unsqueeze", extra="axis")
            self.add("Relu")
            self.add("Squeeze", extra="axis")
        else:
            self.add("Softmax") if kind == "softmax" else self.add("Cast", to=1)


@pytest.mark.filterwarnings("ignore::nnkit.errors.NnkitWarning")
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    width=st.integers(2, 9),
    parts=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(2, 9), st.integers(0, 30)), min_size=1, max_size=9),
    seed=st.integers(0, 1000),
)
def test_random_chains(width: int, parts: list[tuple[str, int, int]], seed: int) -> None:
    """Sums are of up to nine terms, and each layer may double an error: 10⁻⁴ of the largest is far above rounding."""
    chain = Chain(width, seed)
    for kind, units, choice in parts:
        chain.layer(kind, units, choice)
    chain.add("Tanh")
    made = model(chain.nodes, chain.constants, shape=("rows", width), outputs=(chain.last,))
    with tempfile.TemporaryDirectory() as folder:
        network = loaded(made, Path(folder))
    assert network.dtype == "float32"
    for count in (1, 50):
        x = rows(count, (width,), size=1.0)
        np.testing.assert_allclose(network.predict(x), runtime(made, x), rtol=1e-4, atol=1e-4)
