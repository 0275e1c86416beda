"""The cost of a row in floating-point operations, against counting by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nnkit import ops
from nnkit.functional import trace
from nnkit.graph.primitives import PRIMITIVES, Type
from nnkit.ops import namespace

M, C, I = np.ones((4, 6)), np.ones((5, 4, 6)), np.asarray([0, 1, 1])  # noqa: E741
WORD = np.asarray(1, "uint32")


@pytest.mark.parametrize(
    ("operation", "function", "arrays", "flops"),
    [
        ("add", lambda x, y: x + y, (C, M), 120),
        ("tanh", lambda x: namespace(x).tanh(x), (M,), 24),
        ("where", lambda x: namespace(x).where(x > 0, x, 0.0), (M,), 24),
        ("greater", lambda x: x > 0, (M,), 24),
        ("astype", lambda x: namespace(x).astype(x, "float32"), (M,), 0),
        ("matmul", lambda x, y: x @ y.T, (M, np.ones((3, 6))), 2 * 4 * 6 * 3),
        ("matmul", lambda x, y: x.mT @ y, (C, M), 5 * 2 * 6 * 4 * 6),
        ("matmul", lambda x, y: x.trace.record("matmul", (x, y), transpose_a=True), (M, M), 2 * 6 * 4 * 6),
        ("matmul", lambda x, y: x.trace.record("matmul", (x, y), transpose_b=True), (M, M), 2 * 4 * 6 * 4),
        ("sum", lambda x: namespace(x).sum(x, axis=1), (C,), 120),
        ("max", lambda x: namespace(x).max(x), (C,), 120),
        ("argmax", lambda x: namespace(x).argmax(x, axis=0), (C,), 120),
        ("argsort", lambda x: namespace(x).argsort(x), (C,), 120),
        ("cumulative_sum", lambda x: namespace(x).cumulative_sum(x, axis=0), (C,), 120),
        ("scatter_add", lambda x, i: ops.scatter_add(x, i, (9, 6)), (M[:3], I), 18),
        ("take", lambda x, i: namespace(x).take(x, i, axis=0), (C, I), 0),
        ("reshape", lambda x: namespace(x).reshape(x, (-1,)), (C,), 0),
        ("random_bits", lambda w: ops.random_bits((w, w), w, (0, 0), (10, 10)), (WORD,), 5 * 13 * 50),
    ],
)
def test_flops(operation: str, function: Callable[..., Any], arrays: tuple[Any, ...], flops: int) -> None:
    graph = trace(function, *arrays)
    (node,) = (node for node in graph.nodes if node.operation == operation)
    types = [Type(graph.nodes[i].shape, graph.nodes[i].dtype) for i in node.inputs]
    assert PRIMITIVES[operation].flops(Type(node.shape, node.dtype), *types, **node.options) == flops


def test_a_name_stands_in_the_table_once() -> None:
    from nnkit.graph.primitives.table import add_rows

    with pytest.raises(AssertionError, match="two rows for exp"):
        add_rows([PRIMITIVES["exp"]])
    assert all(name == row.name for name, row in PRIMITIVES.items())
