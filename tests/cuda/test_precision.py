"""Halves and TF32 on the GPU: conversions by their bits, products, and trainings that read them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.graph import Trace
from nnkit.optimizers import SGD, Adam, LossScale
from nnkit_cupy.device import CupyBackend
from nnkit_cupy.source.launches import module
from nnkit_cupy.source.pieces import Product
from tests.cuda.halves import HALVES, rounded, sums, widened
from tests.cuda.stand_in import selected
from tests.plan.running import Bench

MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
PATTERNS = np.arange(1 << 16, dtype=np.uint16)


def awkward(dtype: str) -> np.ndarray:
    """Numbers of every magnitude, those halfway between two halves, and their neighbours."""
    draw = np.random.default_rng(0)
    spread = draw.normal(size=30_000) * 10.0 ** draw.uniform(-46, 38, 30_000)
    positive = widened(PATTERNS[: 0x7C00 if dtype == "float16" else 0x7F80], dtype).astype(np.float64)
    middle = ((positive[1:] + positive[:-1]) / 2).astype(np.float32)
    odd = [0.0, np.inf, np.nan, 65504.0, 65519.996, 65520.0, 65536.0, 3.3895314e38, 3.3961775e38, 3.4028235e38, 1e-45]
    around = [middle, np.nextafter(middle, np.float32(0)), np.nextafter(middle, np.float32(np.inf))]
    with np.errstate(over="ignore", under="ignore"):
        found = np.concatenate([spread.astype(np.float32), *around, np.asarray(odd, np.float32)])
    return np.concatenate([found, -found])


def same_numbers(found: np.ndarray, expected: np.ndarray) -> None:
    """Equal to the bit, but for what a NaN carries."""
    nan = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(found), nan)
    np.testing.assert_array_equal(found[~nan].view(np.uint32), expected[~nan].view(np.uint32))


def test_the_rounding_that_is_expected_is_that_of_another_library() -> None:
    there = pytest.importorskip("ml_dtypes").bfloat16
    given = awkward("bfloat16")
    with np.errstate(over="ignore", invalid="ignore"):
        same_numbers(rounded(given, "bfloat16"), given.astype(there).astype(np.float32))


@HALVES
@pytest.mark.parametrize("count", [1 << 16, 1000])
def test_every_half_to_float32_and_back(device: CupyBackend, dtype: str, count: int) -> None:
    """In pieces of four, and one by one."""
    bits = PATTERNS if count == 1 << 16 else np.random.default_rng(0).choice(PATTERNS, count)
    trace = Trace()
    xp = trace.namespace
    half = trace.input("half", "data", (count,), dtype)
    single = trace.input("single", "data", (count,), "float32")
    graph = trace.graph(
        {
            "wide": xp.astype(half, "float32"),
            "back": xp.astype(xp.astype(single, dtype), "float32"),
            "there": xp.astype(xp.astype(xp.astype(half, "float32") * 1.0, dtype), "float32"),
        }
    )
    expected = widened(bits, dtype)
    found = Bench(graph, {"half": bits, "single": expected}, target=device.target(), backend=device).step()
    for name in ("wide", "back", "there"):
        same_numbers(found[name], expected)


@HALVES
def test_float32_is_rounded_to_the_nearest_half(device: CupyBackend, dtype: str) -> None:
    given = awkward(dtype)
    trace = Trace()
    xp = trace.namespace
    x = trace.input("x", "data", given.shape, "float32")
    graph = trace.graph({"y": xp.astype(xp.astype(x, dtype), "float32")})
    found = Bench(graph, {"x": given}, target=device.target(), backend=device).step()["y"]
    same_numbers(found, rounded(given, dtype))


SHAPES = [
    ((64,), (64, 128, 784)),
    ((33,), (33, 65, 7)),
    ((130,), (130, 40, 36)),
    ((5,), (5, 513, 3)),
    ((257,), (257, 129, 515)),
    ((4,), (1, 1, 1)),
    ((3, "stack"), (24, 17, 40)),
    ((2, "stack"), (64, 32, 128)),
    ((3, "shared"), (9, 31, 12)),
]


def product_of(device: CupyBackend, dtype: str) -> tuple[Bench, dict[str, np.ndarray]]:
    """Products of all shapes, with the operands as they are and transposed."""
    trace, values, outputs = Trace(), {}, {}
    draw = np.random.default_rng(0)
    xp = trace.namespace
    for number, (kind, (m, n, k)) in enumerate(SHAPES):
        for flags in ((False, False), (True, False), (False, True), (True, True)):
            sides = []
            for name, shape, flag in (("a", (m, k), flags[0]), ("b", (k, n), flags[1])):
                stack = kind[:1] if "stack" in kind or ("shared" in kind and name == "a") else ()
                key = f"{name} {number} {flags}"
                values[key] = draw.normal(size=(*stack, *(shape[::-1] if flag else shape))).astype("float32")
                side = trace.input(key, "data", values[key].shape, "float32")
                sides.append(xp.matrix_transpose(side) if flag else side)
            outputs[f"{number} {flags}"] = xp.matmul(*sides)
    target = replace(device.target(), products=dtype)
    return Bench(trace.graph(outputs), values, target=target, backend=device), values


def sides_of(values: dict[str, np.ndarray], name: str) -> list[np.ndarray]:
    transposed = [word == "True" for word in name.partition("(")[2].rstrip(")").split(", ")]
    found = [values[f"{side} {name}"].astype(np.float64) for side in "ab"]
    return [np.swapaxes(side, -1, -2) if flag else side for side, flag in zip(found, transposed, strict=True)]


@HALVES
def test_products_of_halves_add_up_in_float32(device: CupyBackend, dtype: str) -> None:
    """The operands are rounded, and nothing else is: the error beside their exact product is that of float32 sums."""
    bench, values = product_of(device, dtype)
    library = [item for item in module(bench.plan).launches if isinstance(item, Product)]
    assert len(library) > 3 * len(SHAPES)
    assert {(item.read, item.dtype) for item in library} == {(dtype, "float32")}
    assert {item.count for item in library} >= {1, 2, 3}
    for name, found in bench.step().items():
        a, b = (rounded(side, dtype).astype(np.float64) for side in sides_of(values, name))
        assert (np.abs(found - a @ b) <= sums(a.shape[-1]) * (np.abs(a) @ np.abs(b))).all(), name
        assert found.dtype == np.float32


def test_products_in_tf32_round_to_ten_bits_at_most(device: CupyBackend) -> None:
    bench, values = product_of(device, "tf32")
    for name, found in bench.step().items():
        a, b = sides_of(values, name)
        assert (np.abs(found - a @ b) <= 2.5 * 2.0**-10 * (np.abs(a) @ np.abs(b))).all(), name


def test_large_products_in_tf32_are_for_the_library(device: CupyBackend) -> None:
    trace = Trace()
    a, b = (trace.input(name, "data", (300, 300), "float32") for name in "ab")
    draw = np.random.default_rng(0)
    values = {name: draw.normal(size=(300, 300)).astype("float32") for name in "ab"}
    target = replace(device.target(), products="tf32")
    bench = Bench(trace.graph({"y": trace.namespace.matmul(a, b)}), values, target=target, backend=device)
    (item,) = (item for item in module(bench.plan).launches if isinstance(item, Product))
    assert item.tf32
    exact = values["a"].astype(np.float64) @ values["b"].astype(np.float64)
    assert np.abs(bench.step()["y"] - exact).max() < 2.0**-10 * np.sqrt(300) * 3


# -- trainings

DATA = nnkit.data.load("moons")


@pytest.fixture
def elsewhere(device: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> CupyBackend:
    """What ``device="cuda"`` selects."""
    selected(monkeypatch, device)
    return device


def fit(net: nnkit.Network, x: Any = DATA.x_train, y: Any = DATA.y_train, **options: Any) -> Any:
    return net.fit(x, y, **({"epochs": 3, "batch_size": 48, "progress": False} | options))


@pytest.mark.parametrize(("precision", "rtol"), [("tf32", 2e-3), ("mixed_float16", 1e-3), ("mixed_bfloat16", 6e-3)])
def test_trainings_are_close_to_those_in_float32(elsewhere: CupyBackend, precision: str, rtol: float) -> None:
    """What ran is in the record and in the plan. Weights, validation and predictions are in float32."""
    runs, nets = [], []
    for asked in ("float32", precision):
        layers = [nn.Dense(24, "relu"), nn.BatchNorm(), nn.Dense(16, "tanh"), nn.LayerNorm(), nn.Dense(2, "softmax")]
        net = nnkit.Sequential(layers, (2,), device="cuda", seed=3)
        runs.append(fit(net, precision=asked, validation_data=(DATA.x_test, DATA.y_test)))
        nets.append(net)
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(runs[1].history[name], runs[0].history[name], rtol=rtol)
    trained = runs[1].record.training
    products = MIXED.get(precision, precision)
    assert (trained["precision"], trained["products"]) == (precision, products)
    scale = {"scale": 65536.0, "skipped": 0}
    assert trained["loss_scale"] == (scale if products == "float16" else None)
    assert {value.dtype for value in nets[1].parameters().values()} == {np.dtype("float32")}
    assert f"48×2 @ 2×24 in {products}" in nets[1].explain(batch_size=48, precision=precision)
    exact = nnkit.Network(nets[1].module, (2,))
    exact._model.store.write(nets[1]._model.values())
    np.testing.assert_allclose(nets[1].predict(DATA.x_test), exact.predict(DATA.x_test), rtol=1e-4, atol=1e-6)
    assert runs[1].history["val_loss"][-1] == pytest.approx(exact.test(DATA.x_test, DATA.y_test).loss, rel=3e-6)


def step_written_out(p: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray, scale: float, r: Any) -> Any:
    """Gradients of 20-32-5, tanh and softmax, in float64; ``r`` is done to what products read, and so do the sums.

    Without a scale, which float16 has, also to the gradients themselves.
    """
    w1, w2 = p["layers.0.weight"], p["layers.1.weight"]
    hidden = np.tanh(r(x) @ r(w1) + p["layers.0.bias"])
    scores = r(hidden) @ r(w2) + p["layers.1.bias"]
    share = np.exp(scores - scores.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    error = scale * (share - np.eye(5)[y]) / len(x)
    back = (r(error) @ r(w2).T) * (1 - hidden**2)
    found = {
        "layers.0.weight": r(x).T @ r(back),
        "layers.0.bias": r(back).sum(axis=0),
        "layers.1.weight": r(hidden).T @ r(error),
        "layers.1.bias": r(error).sum(axis=0),
    }
    return {name: r(value) if scale == 1.0 else value / scale for name, value in found.items()}


@pytest.mark.parametrize("precision", MIXED)
def test_a_step_is_that_of_float64_with_rounded_operands_of_products(elsewhere: CupyBackend, precision: str) -> None:
    """Ten times as close to it as it is to the step without rounding."""
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(64, 20)).astype(np.float32), draw.integers(0, 5, 64)
    net = nnkit.FeedForward(20, 5, [32], activation="tanh", output_activation="softmax", device="cuda", seed=2)
    before = {name: value.astype(np.float64) for name, value in net.parameters().items()}
    fit(net, x, y, epochs=1, batch_size=64, shuffle=False, optimizer=SGD(1.0), precision=precision)
    scale = 65536.0 if precision == "mixed_float16" else 1.0

    def halves(values: np.ndarray) -> np.ndarray:
        return rounded(values, MIXED[precision]).astype(np.float64)

    narrow, exact = (step_written_out(before, x, y, scale, r) for r in (halves, lambda values: values))
    for name, value in net.parameters().items():
        went = before[name] - value
        effect = np.linalg.norm(narrow[name] - exact[name])
        assert effect > 1e-5 * np.linalg.norm(exact[name])
        assert np.linalg.norm(went - narrow[name]) < 0.1 * effect, name


def test_small_gradients_survive_because_of_the_scale(elsewhere: CupyBackend) -> None:
    """The slopes of the output are less than the smallest number of float16, and so they are lost without it."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(32, 6)).astype(np.float32)
    y = 3e-8 * x @ draw.normal(size=(6, 1))
    found = {}
    for name, options in {
        "float32": {"optimizer": SGD(0.1)},
        "scaled": {"optimizer": SGD(0.1), "precision": "mixed_float16"},
        "lost": {"optimizer": LossScale(SGD(0.1), initial=1.0), "precision": "mixed_float16"},
    }.items():
        net = nnkit.Sequential([nn.Dense(1, bias=False)], (6,), device="cuda", seed=0)
        net.set_parameters({"layers.0.weight": np.zeros((6, 1))})
        fit(net, x, y, epochs=1, batch_size=32, **options)
        found[name] = net.parameters()["layers.0.weight"]
    assert not found["lost"].any()
    assert found["float32"].all()
    np.testing.assert_allclose(found["scaled"], found["float32"], rtol=2e-3)


def test_a_step_that_overflows_float16_is_skipped(elsewhere: CupyBackend) -> None:
    """Weights and moments keep their bits and the scale is halved, until the slopes fit; then the network learns."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(32, 6)).astype(np.float32)
    y = 1000.0 * x @ draw.normal(size=(6, 1))
    net = nnkit.FeedForward(6, 1, [8], activation="tanh", output_activation="identity", device="cuda", seed=0)
    before, store = net.parameters(), net._model.store
    options = {"batch_size": 32, "optimizer": Adam(0.1), "precision": "mixed_float16"}
    run = fit(net, x, y, epochs=3, **options)
    assert run.record.training["loss_scale"] == {"scale": 65536.0 / 8, "skipped": 3}
    assert all((value == before[name]).all() for name, value in net.parameters().items())
    kept = store.read(["moment.first", "moment.second", "counter.update"])
    assert not kept["moment.first"].any()
    assert not kept["moment.second"].any()
    assert run.history["loss"] == pytest.approx([run.history["loss"][0]] * 3)
    run = fit(net, x, y, epochs=40, **options)
    skipped = run.record.training["loss_scale"]["skipped"]
    assert 3 < skipped < 20
    assert run.record.training["loss_scale"]["scale"] == 65536.0 / 2**skipped
    assert run.history["loss"][-1] < run.history["loss"][0]
    assert run.stopped is None


@pytest.mark.parametrize("precision", MIXED)
def test_updates_smaller_than_the_spacing_of_halves_add_up(elsewhere: CupyBackend, precision: str) -> None:
    """Of 2^-14 beside a weight of 1, where halves are 2^-11 and 2^-8 apart below it."""
    net = nnkit.Sequential([nn.Dense(1, bias=False)], (1,), device="cuda", seed=0)
    net.set_parameters({"layers.0.weight": np.ones((1, 1))})
    options = {"optimizer": SGD(2.0**-14), "loss": "mean_absolute_error", "precision": precision}
    fit(net, np.ones((8, 1)), np.full((8, 1), -100.0), epochs=40, batch_size=8, **options)
    weight = net.parameters()["layers.0.weight"]
    assert weight.dtype == np.float32
    assert weight.item() == 1.0 - 40 * 2.0**-14


def test_the_same_training_has_the_same_bits(elsewhere: CupyBackend) -> None:
    nets = [nnkit.FeedForward(2, 2, [16], output_activation="softmax", device="cuda", seed=1) for _ in range(2)]
    for net in nets:
        fit(net, precision="mixed_float16")
    assert all((value == nets[1].parameters()[path]).all() for path, value in nets[0].parameters().items())
