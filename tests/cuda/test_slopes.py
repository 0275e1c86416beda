"""Slopes in bfloat16 between a product and the derivative of ReLU: the same bits as slopes in float32."""

from __future__ import annotations

import pytest

from nnkit import nn
from nnkit.optimizers import SGD
from nnkit.plan import Plan
from nnkit_cupy.device import CupyBackend
from tests.cuda.mixed import ROWS, fitted, network, planned
from tests.plan.running import same_bits

LAST = nn.Dense(10, "softmax")
DROPPING = nn.Sequential([nn.Dense(32, "relu"), nn.Dropout(0.3), nn.Dense(16, "relu"), nn.Dropout(0.3), LAST])


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
        (planned(DROPPING), ["float32"] * 2),  # is not one or zero
    ],
)
def test_where_slopes_are_in_halves(made: Plan, expected: list[str]) -> None:
    assert slopes(made) == expected


@pytest.mark.parametrize("widths", [(32, 48), (136, 264, 128)])
def test_trainings_have_the_same_bits(
    stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch, widths: tuple[int, ...]
) -> None:
    options = {"optimizer": SGD(0.1, momentum=0.9), "batch_size": ROWS}
    halves, plans = fitted(monkeypatch, network(*widths), {}, **options)
    assert set(slopes(plans[0])) == {"bfloat16"}
    other = {"nnkit.plan.planner.narrow_slopes": lambda graph, _: graph}
    wide, plans = fitted(monkeypatch, network(*widths), other, **options)
    assert set(slopes(plans[0])) == {"float32"}
    same_bits(wide, halves)
