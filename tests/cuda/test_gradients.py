"""Gradients in bfloat16 on their way to the optimiser: the same numbers as gradients that are rounded and kept wide."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.backend import NoNativeFormError
from nnkit.errors import NnkitWarning
from nnkit.graph import Trace, TracedArray
from nnkit.optimizers import LAMB, SGD, Adam, ClipByNorm, LossScale, Optimizer
from nnkit.plan import Plan
from nnkit.plan.planner import plan
from nnkit_cupy.device import TARGET, CupyBackend
from nnkit_cupy.source.launches import module
from nnkit_cupy.source.pieces import Product
from tests.cuda.mixed import ROWS, fitted, network, planned
from tests.cuda.stand_in import selected
from tests.plan.running import Bench, same_bits
from tests.training.test_fit_optimizers import KINDS


def kept(made: Plan) -> str:
    """The data type of the gradient."""
    return made.graph.nodes[joined(made)].dtype


def joined(made: Plan) -> int:
    """Where the gradient is made one vector; what an optimiser joins comes later."""
    return next(i for i, node in made.graph if node.operation == "concat" and node.origin.phase == "update")


@pytest.mark.parametrize(
    ("made", "dtype"),
    [
        (planned(network(32, 16)), "bfloat16"),
        (planned(network(32, 16), optimizer=ClipByNorm(Adam(), 1.0)), "bfloat16"),
        (planned(nn.Sequential([nn.Dense(32), nn.BatchNorm(), nn.Dense(10, "softmax")])), "bfloat16"),
        (planned(network(32, 16), "float16"), "float32"),
        (planned(network(32, 16), "float32"), "float32"),
        (planned(network(33, 47)), "float32"),  # rows of odd lengths
        (planned(network()), "float32"),
        (planned(network(32, 16), optimizer="lbfgs"), "float32"),  # which gives it to the host
    ],
)
def test_the_data_type_of_a_gradient(made: Plan, dtype: str) -> None:
    assert kept(made) == dtype


def test_products_write_halves_where_their_part_begins_and_their_rows_end_with_eight() -> None:
    """The third matrix begins behind 24·512 + 512·9 + 9 others."""
    made = planned(nn.Sequential([nn.Dense(512, bias=False), nn.Dense(9), nn.Dense(40), nn.Dense(10, "softmax")]))
    items = [item for item in module(made).launches if isinstance(item, Product)]
    found = {(item.m, item.n): item.written for item in items if item.k == 64}
    assert found == {(24, 512): "bfloat16", (512, 9): "float32", (9, 40): "float32", (40, 10): "float32"}


def test_the_memory_of_a_gradient_is_half_of_what_it_was() -> None:
    """The matrices themselves have no float32 beside them."""
    made = planned(network(256, 256, 256))
    halves = (i for i, node in made.graph if node.operation == "matmul" and node.dtype == "bfloat16")
    products = [i for i in halves if made.graph.nodes[i].shape[0] != ROWS]  # else it is the slopes of a batch
    whole = made.slots[joined(made)]
    assert len(products) == 3
    assert whole.nbytes == 2 * made.graph.nodes[joined(made)].size
    for i in products:
        assert whole.offset <= made.slots[i].offset < whole.offset + whole.nbytes


# -- numbers


@pytest.fixture
def both(stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Trains with gradients in halves, and with rounded ones in float32, and compares the bits."""

    def rounded(self: Any, trace: Trace, half: TracedArray, exact: TracedArray | None = None) -> TracedArray:
        """Nobody but those who read it after the backward pass has what is rounded."""
        if exact is None:
            return trace.record("astype", (half,), dtype="float32")
        self._halves[exact.position], self._exact[exact.position] = half, exact
        return exact

    def check(module_: nn.Module, optimizer: Optimizer, loss: str = "auto") -> None:
        options = {"optimizer": optimizer, "loss": loss, "batch_size": 48}
        halves, plans = fitted(monkeypatch, module_, {}, **options)
        assert {kept(made) for made in plans} == {"bfloat16"}
        wide, plans = fitted(monkeypatch, module_, {"nnkit.plan.gradients._Narrow._wide": rounded}, **options)
        assert {kept(made) for made in plans} == {"float32"}
        same_bits(wide, halves)

    return check


@pytest.mark.parametrize("optimizer", [SGD(0.1, momentum=0.9), LAMB(), LossScale(ClipByNorm(Adam(), 0.5))])
def test_trainings_have_the_same_bits(both: Any, optimizer: Optimizer) -> None:
    both(network(32, 48), optimizer)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_optimizer(both: Any, kind: str) -> None:
    both(network(32, 48), KINDS[kind])


def test_layers_of_all_kinds(both: Any) -> None:
    """Norms, whose gradients are rounded by a pass; a matrix behind odd numbers; a matrix that two layers share."""

    class Shared(nn.Module):
        def __init__(self) -> None:
            self.first, self.second, self.twice = nn.Dense(128, "relu"), nn.Dense(64, "relu"), nn.Dense(64, "tanh")
            self.norm, self.odd = nn.LayerNorm(), nn.Dense(33, "relu")
            self.behind, self.last = nn.Dense(64, "relu"), nn.Dense(10, "softmax")

        def __call__(self, x: Any, run: Any) -> Any:
            x = self.second(self.first(x, run), run)
            x = self.norm(self.twice(self.twice(x, run), run), run)
            return self.last(self.behind(self.odd(x, run), run), run)

    both(Shared(), Adam(0.01), loss="cross_entropy")


def test_the_backward_pass_goes_on_with_what_is_not_rounded(device: CupyBackend, monkeypatch: Any) -> None:
    """A norm's two gradients are terms of all slopes before it: rounded they would be wrong by the same in each row."""
    draw, count = np.random.default_rng(0), 2048
    x, y = draw.normal(size=(count, 24)) + 1, draw.normal(size=(count, 8)) + 20
    layers = [nn.Dense(64, "identity"), nn.BatchNorm(), nn.Dense(8)]
    options = {"loss": "mse", "batch_size": count, "epochs": 1, "optimizer": SGD(1.0), "progress": False}
    went = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NnkitWarning)  # of targets that are not standardised
        for where, dtype, precision in (("cpu", "float64", "float32"), ("cuda", "float32", "mixed_bfloat16")):
            selected(monkeypatch, device)
            net = nnkit.Sequential(layers, (24,), device=where, dtype=dtype, seed=1)
            before = net.parameters()["layers.0.weight"]
            net.fit(x.astype(dtype), y.astype(dtype), precision=precision, **options)
            went[where] = before - net.parameters()["layers.0.weight"]
    assert np.linalg.norm(went["cuda"] - went["cpu"]) < 0.01 * np.linalg.norm(went["cpu"])


# -- products that write halves


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("stack", [(), (3,)])
def test_a_product_of_halves_into_halves(device: CupyBackend, dtype: str, stack: tuple[int, ...]) -> None:
    """Its sums are in float32: 300 ones beside numbers of half their spacing in the type."""
    trace = Trace()
    a, b = (trace.input(name, "data", shape, "float32") for name, shape in (("a", (*stack, 8, 600)), ("b", (600, 16))))
    halves = [trace.record("astype", (side,), dtype=dtype) for side in (a, b)]
    out = trace.record("matmul", halves, dtype=dtype)
    values = {"a": np.ones((*stack, 8, 600), np.float32), "b": np.ones((600, 16), np.float32)}
    values["b"][300:] = 2.0**-9
    graph = trace.graph({"y": trace.namespace.astype(out, "float32")})
    found = Bench(graph, values, target=device.target(), backend=device).step()["y"]
    expected = {"float16": 300.5, "bfloat16": 300.0}[dtype]
    np.testing.assert_array_equal(found, np.full((*stack, 8, 16), expected, np.float32))


def test_other_operations_of_halves_have_no_code() -> None:
    trace = Trace()
    x = trace.input("x", "data", (8,), "bfloat16")
    with pytest.raises(NoNativeFormError, match="'add' of bfloat16"):
        module(plan(trace.graph({"y": x + x}), TARGET))
