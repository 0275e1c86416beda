"""What every layer must do: derivatives, data types, files, modules of one's own, PyTorch's values, native programs."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.gradient_check import check_graph
from nnkit.nn.module import declared
from nnkit.nn.serial import LAYERS, from_config, to_config
from nnkit.optimizers import SGD
from tests.nn.calling import Called, Custom
from tests.nn.table import ROWS
from tests.peers import peer
from tests.plan.running import Bench, close
from tests.training.steps import Job, check_compiled

EVERY = pytest.mark.parametrize("name", ROWS)
IN_TORCH = pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.torch])
TRAINING = pytest.mark.parametrize("training", [True, False], ids=["training", ""])


def called(name, **options):
    return Called(ROWS[name].make(), ROWS[name].shape, **options)


def network(name, dtype="float64"):
    """A network around the layer, and data for it."""
    row, draw = ROWS[name], np.random.default_rng(3)
    module = nn.Sequential([row.make(), nn.Flatten(), nn.Dense(2)])
    net = nnkit.Network(module, input_shape=row.shape[1:], dtype=dtype, seed=2)
    return net, draw.normal(size=(23, *row.shape[1:])), draw.normal(size=(23, 2))


def test_what_is_exported_can_be_saved_and_only_what_is_random_has_no_peer():
    exported = {thing for thing in vars(nn).values() if isinstance(thing, type) and issubclass(thing, nn.Module)}
    assert exported - {nn.Module} == set(LAYERS.values())
    without = {type(row.make()).__name__ for row in ROWS.values() if row.torch is None}
    assert without == {type(row.make()).__name__ for row in ROWS.values() if row.random}


@TRAINING
@EVERY
def test_derivatives_follow_from_differences(name, training):
    found = called(name, training=training, slopes=True)
    if order := ROWS[name].order:
        check_graph(found.graph, "total", found.values, found.floats(), order=order, rtol=1e-5)


@EVERY
def test_the_gradients_of_a_network_with_it(name):
    net, x, y = network(name)
    if order := ROWS[name].order:
        nnkit.check_gradients(net, x[:5], y[:5], order=order, rtol=1e-5)


@TRAINING
@EVERY
def test_float32_stays(name, training):
    found = called(name, training=training, slopes=True, dtype="float32")
    assert {str(value.dtype) for value in found.run().values()} == {"float32"}
    assert "float64" not in {node.dtype for _, node in found.graph}


@TRAINING
@IN_TORCH
def test_values_derivatives_and_states_agree_with_torch_over_several_steps(name, training):
    torch, row = peer("torch"), ROWS[name]
    layer = row.make()
    found = Called(layer, row.shape, training=training, slopes=True)
    parameters = [path for path, leaf in declared(layer).items() if isinstance(leaf, nn.Parameter)]
    leaves = {path: torch.asarray(found.values[path].copy()) for path in declared(layer)}
    draw, states = np.random.default_rng(1), {}
    for _ in range(4):
        x = torch.asarray(draw.normal(1.0, 2.0, row.shape)).requires_grad_()
        for path in parameters:
            leaves[path] = torch.asarray(draw.normal(size=leaves[path].shape)).requires_grad_()
        if not training and "u" in leaves:  # vectors that belong to these weights
            with torch.no_grad():
                u, _, v = torch.linalg.svd(leaves["module.weight"].T)
                leaves |= {"u": u[:, 0], "v": v[0]}
                states = {"u": u[:, 0].numpy(), "v": v[0].numpy()}
        given = {path: leaves[path].detach().numpy() for path in parameters}
        got = found.run(x=x.detach().numpy(), **given, **states)
        y = row.torch(torch, layer, leaves, x, training)
        weights = torch.asarray(np.random.default_rng(0).uniform(0.5, 1.5, tuple(y.shape)))
        (y * weights).sum().backward()
        np.testing.assert_allclose(got["y"], y.detach().numpy(), rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(got["grad:x"], x.grad.numpy(), rtol=1e-9, atol=1e-11)
        for path in parameters:
            np.testing.assert_allclose(got[f"grad:{path}"], leaves[path].grad.numpy(), 1e-9, 1e-11, err_msg=path)
        states |= {path: got[path] for path in leaves if path in got}
        for path, value in states.items():
            np.testing.assert_allclose(value, leaves[path].numpy(), rtol=1e-10, atol=1e-12, err_msg=path)
    assert not training or states.keys() == leaves.keys() - set(parameters)


@EVERY
def test_plain_data_and_back(name):
    layer = ROWS[name].make()
    config = json.loads(json.dumps(to_config(layer)))
    again = from_config(config)
    assert repr(again) == repr(layer)
    assert to_config(again) == config
    options = [
        {path: (leaf.shape, getattr(leaf, "penalty", None), getattr(leaf, "constraint", None)) for path, leaf in found}
        for found in (declared(layer).items(), declared(again).items())
    ]
    assert options[0] == options[1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@EVERY
def test_it_is_saved_and_loaded_after_training(name, dtype, tmp_path):
    net, x, y = network(name, dtype)
    net.fit(x, y, epochs=2, progress=False)
    net.save(tmp_path / "net.h5")
    again = nnkit.load(tmp_path / "net.h5")
    assert repr(again) == repr(net)
    for path, value in net._model.values().items():
        assert again._model.values()[path].tobytes() == value.tobytes(), path
    np.testing.assert_array_equal(again.predict(x), net.predict(x))
    for one in (net, again):  # nothing that belongs to the training of the layer is lost
        one.fit(x, y, epochs=1, progress=False, shuffle=False)
    if not ROWS[name].random:  # whose numbers are counted by steps
        for path, value in net._model.values().items():
            assert again._model.values()[path].tobytes() == value.tobytes(), path


@EVERY
def test_the_summary_shows_it(name):
    layer = ROWS[name].make()
    shown = network(name)[0].summary()
    inner = layer.layers if isinstance(layer, nn.Sequential) else [layer]
    for part in inner:
        assert isinstance(part, nn.Activation) or type(part).__name__ in shown
    for path in declared(layer):
        assert path.rpartition(".")[2] in shown


@TRAINING
@EVERY
def test_inside_a_module_of_ones_own(name, training):
    row = ROWS[name]
    layer = row.make()
    plain = Called(layer, row.shape, training=training and not row.random)
    own = Custom(lambda self, x, run: self.inner(x, run) * 2.0, inner=layer)
    within = Called(own, row.shape, training=training and not row.random)
    moved = {f"inner.{path}": plain.values[path] for path in declared(layer)}
    expected = plain.run()
    got = within.run(x=plain.values["x"], **moved)
    np.testing.assert_array_equal(got.pop("y"), expected.pop("y") * 2.0)
    assert {path.removeprefix("inner."): value.tolist() for path, value in got.items()} == {
        path: value.tolist() for path, value in expected.items()
    }


@TRAINING
@EVERY
def test_every_library_agrees(name, training, library):
    dtype, tolerance = ("float32", 2e-4) if library.single else ("float64", 1e-9)
    found = called(name, training=training, slopes=True, dtype=dtype)
    expected = found.run()
    for output, value in found.on(library).items():
        assert value.dtype == expected[output].dtype
        np.testing.assert_allclose(value, expected[output], rtol=tolerance, atol=tolerance / 10, err_msg=output)


@TRAINING
@EVERY
def test_its_program_is_the_reference(name, training):
    found = called(name, training=training, slopes=True)
    close(Bench(found.graph, found.values).step(), found.run(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n.endswith("converged") else n for n in ROWS]
)
def test_compiled_steps_are_those_of_the_reference(name):
    """Of a training with it, random numbers and states included."""
    row = ROWS[name]
    check_compiled(Job(network(name)[0].module, row.shape[1:], "mse", SGD(0.01), rows=31), batch=10)


@pytest.mark.parametrize("name", ["batch norm", "dropout"])
def test_compiled_and_plain_train_alike(name):
    """In ``fit``, with a smaller batch at the end of each epoch."""
    peer("llvmlite")
    found = {}
    for mode in ("off", "first"):
        net, x, y = network(name)
        run = net.fit(x, y, epochs=3, batch_size=10, optimizer="sgd", learning_rate=0.01, compile=mode, progress=False)
        assert run.to_dict()["training"]["program"]["kind"] == {"off": "plain", "first": "native"}[mode]
        found[mode] = net._model.values() | {"loss": np.asarray(run.history["loss"])}
    for path, value in found["off"].items():
        np.testing.assert_allclose(found["first"][path], value, rtol=1e-9, atol=1e-11, err_msg=path)
