"""Every framework computes the job that it is given: the same network, trained and used for prediction."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import nnkit
from nnkit.bench import FRAMEWORKS, Job, Measurement, Rates, installed
from nnkit.bench.frameworks.programs import NotCompiledError, step
from nnkit.errors import ArgumentError
from nnkit.training.planning import training_plan
from tests.peers import peer

MODULES = ("programs", "pytorch", "jax_jit", "keras_fit", "sklearn_mlp")
PACKAGES = {"pytorch": "torch", "jax_jit": "jax", "keras_fit": "keras", "sklearn_mlp": "sklearn"}
MODES = {"programs": "off", "pytorch": "eager"}


def job(output: str = "softmax", optimizer: str = "adam", activation: str = "relu") -> Job:
    outputs = 1 if output == "sigmoid" else 3
    network = nnkit.FeedForward(4, outputs, [6, 5], activation=activation, output_activation=output)
    return Job.of(network, 8, optimizer)


@pytest.fixture(params=MODULES)
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each framework in turn."""
    name: str = request.param
    if name == "keras_fit":
        monkeypatch.setenv("KERAS_BACKEND", "jax")
        pytest.importorskip("keras", exc_type=ImportError)
    elif name in PACKAGES:
        peer(PACKAGES[name])
    return name


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what other libraries warn of is theirs
@pytest.mark.parametrize("output", ["softmax", "identity", "sigmoid"])
def test_it_trains_and_predicts(name: str, output: str) -> None:
    framework = importlib.import_module(f"nnkit.bench.frameworks.{name}")
    given = job(output)
    block, steps = framework.step(given, MODES.get(name, ""))
    block()
    assert steps == given.steps
    for rows in (1, 2000):
        block, calls = framework.predict(given, MODES.get(name, ""), rows)
        block()
        assert calls == given.calls(rows)


@pytest.mark.filterwarnings("ignore")
def test_what_a_framework_does_not_know_is_named(name: str) -> None:
    if name == "programs":
        return
    framework = importlib.import_module(f"nnkit.bench.frameworks.{name}")
    with pytest.raises(ArgumentError, match="unknown activation 'mish'"):
        framework.step(job(activation="mish"), "eager")
    if name in ("jax_jit", "sklearn_mlp"):
        with pytest.raises(ArgumentError, match=r"unknown optimizer 'rmsprop'.*Known: adam, sgd"):
            framework.step(job(optimizer="rmsprop"), "eager")


def test_scikit_learn_has_one_activation_for_all_layers() -> None:
    peer("sklearn")
    framework = importlib.import_module("nnkit.bench.frameworks.sklearn_mlp")
    network = nnkit.FeedForward(4, 3, [6, 5], activation=["relu", "tanh"], output_activation="softmax")
    with pytest.raises(ArgumentError, match="scikit-learn has one activation for all hidden layers, not relu, tanh"):
        framework.step(Job.of(network, 8), "")


@pytest.mark.filterwarnings("ignore")
def test_jax_and_pytorch_take_the_same_step() -> None:
    """A batch of one update of Adam from the same weights gives the same loss; formulas are not only similar."""
    torch, jax = peer("torch"), peer("jax")
    from nnkit.bench.frameworks import jax_jit, pytorch

    given = job()
    model, forward, weights = pytorch.model(given), jax_jit.forward(given), jax_jit.weights(given)
    for layer, (weight, bias) in zip(model[::2], weights, strict=True):
        layer.weight.data = torch.from_numpy(np.array(weight).T.copy())
        layer.bias.data = torch.from_numpy(np.array(bias, dtype=np.float32))
    x, y, _ = given.flat_data()
    with torch.no_grad():
        scores = model(torch.from_numpy(x))
    np.testing.assert_allclose(forward(weights, x), scores, rtol=1e-4, atol=1e-5)
    loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(y).long())
    assert float(jax_jit.losses()["classes"](forward(weights, x), jax.numpy.asarray(y))) == pytest.approx(float(loss))


def test_a_step_without_a_compiled_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from nnkit.backend import NoNativeFormError

    def refuse(*_: object) -> None:
        raise NoNativeFormError("there is no compiler")

    monkeypatch.setattr("nnkit_numpy.device.NativeExecutable", refuse)
    network = nnkit.FeedForward(7, 3, [11], output_activation="softmax")
    with pytest.raises(NotCompiledError, match="there is no compiler"):
        step(Job.of(network, 9), "first")


def test_a_framework_is_installed_when_all_that_it_needs_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert installed("nnkit")
    monkeypatch.setattr("nnkit.bench.frameworks.find_spec", lambda name: None if name == "jax" else name)
    assert not installed("Keras on JAX")
    assert installed("PyTorch eager")
    assert FRAMEWORKS["Keras on JAX"].packages == ("keras", "jax")


@pytest.mark.slow
def test_a_measurement_has_the_step_and_two_predictions() -> None:
    network = nnkit.FeedForward(4, 3, [6], output_activation="softmax")
    made = Measurement(network, Job.of(network, 8), compile="off", repeats=2)
    steps, one, many = made.sections(Rates(1e9, 1e9))
    assert [row["framework"] for row in steps] == ["nnkit, not compiled", "limit of the machine"]
    assert steps[0]["samples_per_s"] == pytest.approx(8 / steps[0]["step_median_s"])
    assert steps[0]["predicted_step_s"] == training_plan(network._model, 8, "adam", "auto").cost.seconds
    assert [rows[0]["workload"] for rows in (one, many)] == ["prediction of 1 row", "prediction of 10,000 rows"]
    assert many[0]["samples_per_s"] > one[0]["samples_per_s"]
