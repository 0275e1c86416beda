"""Bias and ReLU within products in mixed precision: the same training as with passes of their own."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.errors import DeviceError
from nnkit.graph import Trace
from nnkit.nn.activation import as_activation
from nnkit.plan import Plan
from nnkit.plan.planner import plan
from nnkit.training.planning import training_plan
from nnkit_cupy.device import TARGET, CupyBackend
from nnkit_cupy.runtime import CupyRuntime
from nnkit_cupy.source.launches import Launch, module
from nnkit_cupy.source.pieces import Product
from tests.cuda.stand_in import HostRuntime, selected
from tests.plan.running import Bench

PRECISIONS = pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(200, 24)).astype(np.float32), DRAW.integers(0, 10, 200)


def layers(*widths: int, activation: str = "relu") -> nn.Sequential:
    return nn.Sequential([*(nn.Dense(width, activation) for width in widths), nn.Dense(10, "softmax")])


def planned(module_: nn.Module, rows: int = 64, dtype: str = "bfloat16", **options: Any) -> Plan:
    graph = training_plan(nnkit.Network(module_, (24,), seed=0)._model, rows, "adam", "auto").graph
    return plan(graph, replace(TARGET, products=dtype), **options)


def kinds(made: Plan, may: Callable[[Product], bool] = lambda _: True) -> Counter[str]:
    """How many products have a bias, and how many not."""
    items = (item for item in module(made, may).launches if isinstance(item, Product))
    return Counter("plain" if item.bias is None else "bias" for item in items)


def test_between_two_layers_forward_all_is_in_halves() -> None:
    made = planned(layers(128, 144, 128), rows=512)
    assert kinds(made) == {"bias": 3, "plain": 8}
    passes = [item for item in module(made).launches if isinstance(item, Launch)]
    without = [item for item in module(made, lambda _: False).launches if isinstance(item, Launch)]
    assert len(without) == len(passes) + 3


@pytest.mark.parametrize(
    ("module_", "expected"),
    [
        (layers(33, 47), {"plain": 8}),  # rows of odd lengths
        (layers(32, 32, activation="tanh"), {"plain": 8}),
        (nn.Sequential([nn.Dense(32, "relu"), nn.BatchNorm(), nn.Dense(10, "softmax")]), {"plain": 5}),
        (nn.Sequential([nn.Dense(32, "relu", bias=False), nn.Dense(10, "softmax")]), {"plain": 5}),
        (layers(32), {"bias": 1, "plain": 4}),
    ],
)
def test_where_the_library_has_no_such_call(module_: nn.Module, expected: dict[str, int]) -> None:
    assert kinds(planned(module_)) == expected


def test_what_the_library_may_not_do_is_done_by_passes() -> None:
    made = planned(layers(32, 48, 16))
    assert kinds(made, lambda _: False) == {"plain": 11}
    assert kinds(made, lambda item: item.n != 48) == {"bias": 2, "plain": 9}


# -- trainings


@pytest.fixture
def trained(device: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[dict[str, np.ndarray]]]:
    """Parameters after trainings with such calls, and after others without."""

    def both(module_: nn.Module, x: np.ndarray = X, **options: Any) -> list[dict[str, np.ndarray]]:
        found = []
        for ends in (True, False):
            runtime = device._runtime if isinstance(device._runtime, CupyRuntime) else HostRuntime()
            backend = CupyBackend("cuda", runtime)
            with monkeypatch.context() as patch:
                selected(patch, backend)
                if not ends:
                    patch.setattr(runtime, "ends", lambda _: False)
                net = nnkit.Network(module_, (24,), device="cuda", seed=1)
                net.fit(x, Y, **({"epochs": 3, "batch_size": 64, "optimizer": "sgd", "progress": False} | options))
                found.append(net.parameters())
            if isinstance(runtime, HostRuntime):
                assert bool(runtime.lt.started) == ends
        return found

    return both


def alike(device: CupyBackend, found: list[dict[str, np.ndarray]]) -> None:
    """To the bit on the stand-in; a library adds up in other orders."""
    for name, value in found[0].items():
        if isinstance(device._runtime, HostRuntime):
            np.testing.assert_array_equal(value, found[1][name], err_msg=name)
        else:
            np.testing.assert_allclose(value, found[1][name], rtol=2e-2, atol=2e-3, err_msg=name)


@PRECISIONS
@pytest.mark.parametrize("widths", [(32,), (32, 48, 16), (136, 264, 128)])
def test_trainings_agree(device: CupyBackend, trained: Any, precision: str, widths: tuple[int, ...]) -> None:
    """With a last batch of another size."""
    alike(device, trained(layers(*widths), precision=precision))


@PRECISIONS
def test_dropout_comes_in_between(device: CupyBackend, trained: Any, precision: str) -> None:
    """Its layer has a pass of its own, and the others do not."""
    dense = [nn.Dense(32, "relu"), nn.Dense(32, "relu"), nn.Dropout(0.3), nn.Dense(32, "relu"), nn.Dense(10, "softmax")]
    alike(device, trained(nn.Sequential(dense), precision=precision))


def test_one_layer_of_which_two_read(device: CupyBackend, trained: Any) -> None:
    class Forked(nn.Module):
        def __init__(self) -> None:
            self.first, self.second = nn.Dense(32, "relu"), nn.Dense(32, "relu")
            self.left, self.right = nn.Dense(16, "relu"), nn.Dense(16, "tanh")
            self.last = nn.Dense(10, "softmax")

        def __call__(self, x: Any, run: Any) -> Any:
            x = self.second(self.first(x, run), run)
            return self.last(self.left(x, run) * self.right(x, run), run)

    alike(device, trained(Forked(), loss="cross_entropy", precision="mixed_bfloat16"))


def test_two_layers_in_one_pass(device: CupyBackend, trained: Any) -> None:
    """Two branches side by side: of their common passes each takes its part, and nothing is done twice."""

    class Abreast(nn.Module):
        def __init__(self) -> None:
            self.weights = [nn.Parameter(("inputs", 32), "glorot_uniform") for _ in range(2)]
            self.biases = [nn.Parameter((32,), "zeros") for _ in range(2)]
            self.relu, self.last = as_activation("relu"), nn.Dense(10, "softmax")
            self.behind = [nn.Dense(16) for _ in range(2)]

        def __call__(self, x: Any, run: Any) -> Any:
            sums = [x @ weight for weight in self.weights]
            sums = [each + bias for each, bias in zip(sums, self.biases, strict=True)]
            left, right = (self.relu(each, run) for each in sums)
            return self.last(self.behind[0](left, run) + self.behind[1](right, run), run)

    alike(device, trained(Abreast(), loss="cross_entropy", precision="mixed_bfloat16"))


@PRECISIONS
def test_nothing_comes_through_relu_at_zero(device: CupyBackend, trained: Any, precision: str) -> None:
    """Rows of zeros and biases of zero give exactly zero, where the derivative is zero."""
    found = trained(layers(32, 32), x=np.zeros_like(X), epochs=1, precision=precision)
    for name, value in found[0].items():
        np.testing.assert_array_equal(value, found[1][name], err_msg=name)
        assert "bias" not in name or name == "layers.2.bias" or not value.any(), name


@pytest.mark.parametrize("ends", [True, False])
def test_a_bias_is_rounded_before_it_is_added(
    stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    """1 + 3/512 becomes 1 + 4/512, so that adding it to −1 leaves 4/512, whoever does it."""
    backend = CupyBackend("cuda", HostRuntime())
    selected(monkeypatch, backend)
    monkeypatch.setattr(backend._runtime, "ends", lambda _: ends)
    net = nnkit.Network(layers(32), (24,), device="cuda", seed=0)
    weight = np.repeat([-1 / 8, 0], [8, 16])[:, None] * np.ones(32)
    net.set_parameters({"layers.0.weight": weight, "layers.0.bias": np.full(32, 1 + 3 / 512)})
    before = net.parameters()["layers.1.weight"]
    options = {"optimizer": nnkit.optimizers.SGD(1.0), "precision": "mixed_bfloat16", "progress": False}
    net.fit(np.ones((64, 24)), Y[:64], epochs=1, batch_size=64, **options)
    slopes = (net.parameters()["layers.1.bias"]) * -1.0
    went = before - net.parameters()["layers.1.weight"]
    np.testing.assert_allclose(went, 4 / 512 * np.tile(slopes, (32, 1)), rtol=1e-3, atol=1e-6)


def test_a_number_that_is_none_is_not_cut_off(device: CupyBackend) -> None:
    """ReLU of NaN is NaN, so that the guard sees it in the loss."""
    trace = Trace()
    xp = trace.namespace
    flat = trace.input("parameter", "state", (24 * 32 + 32 + 32 * 16,), "float32")
    x = trace.input("x", "data", (64, 24), "float32")
    weights, last = xp.reshape(flat[:768], (24, 32)), xp.reshape(flat[800:], (32, 16))
    y = xp.matmul(xp.maximum(xp.matmul(x, weights) + flat[768:800], 0.0), last)
    graph = trace.graph({"y": y, "parameter": flat + xp.sum(y) * 0.0})
    given = X[:64].copy()
    given[5, 7], given[9] = np.nan, np.inf
    values = {"x": given, "parameter": DRAW.normal(size=1312).astype(np.float32)}
    bench = Bench(graph, values, target=replace(device.target(), products="bfloat16"), backend=device)
    assert kinds(bench.plan) == {"bias": 1, "plain": 1}
    found = bench.step()["y"]
    assert np.isnan(found[[5, 9]]).all()
    assert np.isfinite(np.delete(found, [5, 9], axis=0)).all()


# -- the library


def test_nothing_of_the_library_is_left_behind(stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = HostRuntime()
    backend = CupyBackend("cuda", runtime)
    selected(monkeypatch, backend)
    net = nnkit.Network(layers(32, 16), (24,), device="cuda", seed=0)
    net.fit(X, Y, epochs=1, batch_size=50, precision="mixed_bfloat16", progress=False)
    assert runtime.lt.started
    del net
    gc.collect()
    assert len(runtime.lt.objects) == 1  # the handle


def test_an_epilog_without_an_algorithm_is_not_used(stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = HostRuntime()
    runtime.lt.refused = True
    backend = CupyBackend("cuda", runtime)
    selected(monkeypatch, backend)
    net = nnkit.Network(layers(32, 16), (24,), device="cuda", seed=0)
    run = net.fit(X, Y, epochs=8, batch_size=50, precision="mixed_bfloat16", progress=False)
    assert run.history["loss"][-1] < run.history["loss"][0]
    assert not runtime.lt.started


def test_an_algorithm_that_is_gone_when_it_is_asked_for_again(stand_in: CupyBackend) -> None:
    made = planned(layers(32))
    runtime = HostRuntime()
    (item,) = (i for i in module(made).launches if isinstance(i, Product) and i.bias)
    assert runtime.ends(item)
    runtime.lt.refused = True
    with pytest.raises(DeviceError, match=r"no algorithm for 64×24 @ 24×32 in bfloat16 with its bias and ReLU; update"):
        runtime.product(item, [4096] * 4)
