"""Slopes in bfloat16 between a product and the derivative of ReLU: the same bits as slopes in float32."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.optimizers import SGD
from nnkit.plan import Plan, known
from nnkit.plan.planner import plan
from nnkit.training.planning import training_plan
from nnkit_cupy.device import TARGET, CupyBackend
from nnkit_cupy.source.launches import module
from tests.cuda.stand_in import HostRuntime, selected

DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(120, 24)).astype(np.float32), DRAW.integers(0, 10, 120)
ROWS = 64


def network(*widths: int, activation: str = "relu", dropout: bool = False) -> nn.Sequential:
    hidden: list[nn.Module] = []
    for width in widths:
        hidden += [nn.Dense(width, activation), *([nn.Dropout(0.3)] if dropout else [])]
    return nn.Sequential([*hidden, nn.Dense(10, "softmax")])


def planned(module_: nn.Module, dtype: str = "bfloat16") -> Plan:
    graph = training_plan(nnkit.Network(module_, (24,), seed=0)._model, ROWS, "adam", "auto").graph
    return plan(graph, replace(TARGET, products=dtype))


def slopes(made: Plan) -> list[str]:
    """The data types of the products that are the slopes of a batch."""
    backward = (node for _, node in made.graph if node.operation == "matmul" and node.origin.phase == "backward")
    return [node.dtype for node in backward if node.shape[0] == ROWS]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (planned(network(32, 16, 48)), ["bfloat16"] * 3),
        (planned(network(32, 16, 48), "float16"), ["float32"] * 3),
        (planned(network(32, 16), "float32"), ["float32"] * 2),
        (planned(network(33, 20)), ["float32"] * 2),  # rows of odd lengths
        (planned(network(32, 16, activation="tanh")), ["float32"] * 2),
        (planned(network(32, 16, dropout=True)), ["float32"] * 2),  # is not one or zero
    ],
)
def test_where_slopes_are_in_halves(made: Plan, expected: list[str]) -> None:
    assert slopes(made) == expected


@pytest.mark.parametrize("widths", [(32, 48), (136, 264, 128)])
def test_trainings_have_the_same_bits(
    stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch, widths: tuple[int, ...]
) -> None:
    found: list[dict[str, np.ndarray]] = []
    for narrow in (True, False):
        plans: list[Plan] = []
        with monkeypatch.context() as patch:
            selected(patch, CupyBackend("cuda", HostRuntime()))

            def kept(made: Plan, may: Any, plans: list[Plan] = plans) -> Any:
                plans.append(made)
                return module(made, may)

            patch.setattr("nnkit_cupy.program.module", kept)
            if not narrow:
                patch.setattr("nnkit.plan.planner.narrow_slopes", lambda graph, _: graph)
            known._made.cache_clear()
            net = nnkit.Network(network(*widths), (24,), device="cuda", seed=1)
            options = {"epochs": 2, "batch_size": ROWS, "precision": "mixed_bfloat16", "progress": False}
            net.fit(X, Y, optimizer=SGD(0.1, momentum=0.9), **options)
            found.append(net.parameters())
        known._made.cache_clear()
        assert set(slopes(plans[0])) == {"bfloat16" if narrow else "float32"}
    for name, value in found[0].items():
        np.testing.assert_array_equal(value, found[1][name], err_msg=name)
