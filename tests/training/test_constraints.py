"""Constraints in the step: they hold after every update, whatever the optimiser; without one nothing is added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

import nnkit
from nnkit import constraints, nn
from nnkit.constraints import Constraint, MaxNorm, MinMaxNorm, NonNegative, UnitNorm, get
from nnkit.errors import ArgumentError, ShapeError
from nnkit.optimizers import SGD, Adam, ClipByGlobalNorm
from nnkit_numpy.jit import cache
from tests.peers import peer
from tests.training.steps import Job

DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(24, 3)), DRAW.normal(size=(24, 2))
CONSTRAINTS = {
    "max norm": MaxNorm(0.5),
    "max norm by rows": MaxNorm(0.5, axis=1),
    "unit norm": UnitNorm(),
    "non-negative": NonNegative(),
    "min max norm": MinMaxNorm(0.5, 0.8, 0.5),
}
# Which of three layers have one: the flat vector is cut at its start, its end, in the middle, or nowhere at all.
PLACES = {
    "first": [("first", "weight")],
    "last": [("last", "bias")],
    "middle": [("middle", "weight"), ("middle", "bias")],
    "every": [(layer, leaf) for layer in ("first", "middle", "last") for leaf in ("weight", "bias")],
    "two apart": [("first", "bias"), ("last", "weight")],
}
PATHS = {"first": "layers.0", "middle": "layers.1", "last": "layers.2"}


def module(constraint, places):
    def options(layer):
        names = {"weight": "constraint", "bias": "bias_constraint"}
        return {
            names[leaf]: MaxNorm(0.5) if leaf == "bias" and constraint == MaxNorm(0.5, axis=1) else constraint
            for where, leaf in places
            if where == layer
        }

    return nn.Sequential(
        [
            nn.Dense(6, "tanh", **options("first")),
            nn.Dense(5, "tanh", **options("middle")),
            nn.Dense(2, **options("last")),
        ]
    )


@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("name", CONSTRAINTS)
def test_steps_are_those_of_torch_with_the_constraint_after_each(name, places):
    torch = peer("torch")
    made = module(CONSTRAINTS[name], PLACES[places])
    net = nnkit.Network(made, input_shape=(3,), dtype="float64", seed=1)
    leaves = {path: torch.asarray(value.copy()).requires_grad_() for path, value in net.parameters().items()}
    found = net._model.layout.constraints
    assert {tuple(path.rsplit(".", 1)) for path in found} == {(PATHS[a], b) for a, b in PLACES[places]}
    stepper = torch.optim.SGD(leaves.values(), lr=0.2, momentum=0.9)
    for start in (0, 8, 16) * 2:
        x, y = (torch.asarray(part[start : start + 8]) for part in (X, Y))
        for layer in ("first", "middle", "last"):
            x = x @ leaves[f"{PATHS[layer]}.weight"] + leaves[f"{PATHS[layer]}.bias"]
            x = x if layer == "last" else torch.tanh(x)
        stepper.zero_grad()
        (x - y).square().mean().backward()
        stepper.step()
        with torch.no_grad():
            for path, constraint in found.items():
                leaves[path].copy_(torch.asarray(constraint(leaves[path].numpy())))
    net.fit(X, Y, epochs=2, batch_size=8, optimizer=SGD(0.2, momentum=0.9), shuffle=False, progress=False)
    for path, value in net.parameters().items():
        np.testing.assert_allclose(value, leaves[path].detach().numpy(), rtol=1e-10, atol=1e-12, err_msg=path)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", [SGD(0.5), Adam(0.1), ClipByGlobalNorm(Adam(0.1), 1.0)], ids=repr)
def test_they_hold_after_training(optimizer, dtype):
    made = nn.Sequential(
        [
            nn.Dense(6, "tanh", constraint="max_norm", bias_constraint="non_neg"),
            nn.Dense(2, constraint=UnitNorm(axis=1)),
        ]
    )
    net = nnkit.Network(made, input_shape=(3,), dtype=dtype)
    net.fit(X, Y, epochs=5, batch_size=7, optimizer=optimizer, progress=False)
    values = net.parameters()
    rounding = 1e-6 if dtype == "float32" else 1e-14
    assert (np.linalg.norm(values["layers.0.weight"], axis=0) <= 2.0 + rounding).all()
    assert (values["layers.0.bias"] >= 0.0).all()
    np.testing.assert_allclose(np.linalg.norm(values["layers.1.weight"], axis=1), 1.0, rtol=rounding)


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_the_program_is_the_graph_step_after_step(name):
    bench = Job(module(CONSTRAINTS[name], PLACES["two apart"]), (3,), "auto", Adam(0.1), rows=24).bench(6)
    for _ in range(4):
        expected = bench.expected_bits()
        for output, value in bench.step().items():
            np.testing.assert_array_equal(value, expected[output], err_msg=output)


def test_compiled_and_plain_train_alike(tmp_path, monkeypatch):
    pytest.importorskip("llvmlite")
    monkeypatch.setenv(cache.DIRECTORY, str(tmp_path))
    found = {}
    for mode in ("off", "first"):
        layers = [nn.Dense(6, "tanh", constraint=constraint) for constraint in CONSTRAINTS.values()]
        net = nnkit.Sequential([*layers, nn.Dense(2, bias_constraint="max_norm")], (3,), dtype="float64")
        run = net.fit(X, Y, epochs=4, batch_size=8, optimizer=SGD(0.3), compile=mode, progress=False)
        assert run.to_dict()["training"]["program"]["kind"] == {"off": "plain", "first": "native"}[mode]
        found[mode] = net.parameters()
    for path, value in found["off"].items():
        np.testing.assert_allclose(found["first"][path], value, rtol=1e-9, atol=1e-12, err_msg=path)


def test_a_step_that_is_refused_constrains_nothing():
    made = module(UnitNorm(), PLACES["every"])
    job = Job(made, (3,), "auto", SGD(0.1), rows=24)
    job.x[:] = np.nan
    bench = job.bench(6)
    before = bench.store.read(["parameter"])["parameter"].copy()
    assert bench.program.run(3) == 0
    assert bench.store.read(["parameter"])["parameter"].tobytes() == before.tobytes()


def test_without_constraints_the_step_is_as_it_was():
    """No node more: the new parameters are what the optimiser made."""
    with_one, without = (
        Job(module(constraint, places), (3,), "auto", SGD(0.1)).graph(6)
        for constraint, places in ((NonNegative(), PLACES["last"]), (None, PLACES["every"]))
    )
    last = without.nodes[without.output["parameter"]]
    assert last.operation == "subtract"
    assert without.fingerprint == Job(module(None, []), (3,), "auto", SGD(0.1)).graph(6).fingerprint
    assert with_one.nodes[with_one.output["parameter"]].operation == "concat"


@dataclass(frozen=True)
class Rounded(Constraint):
    """A constraint of one's own: every weight is a multiple of a step."""

    step: float = 0.25

    name: ClassVar[str] = "rounded"

    def __call__(self, weight: Any) -> Any:
        from nnkit.ops import namespace

        return namespace(weight).round(weight * (1.0 / self.step)) * self.step


class Own(nn.Module):
    def __init__(self, constraint):
        self.weight = nn.Parameter(("inputs", 2), constraint=constraint)

    def __call__(self, x, run):
        return x @ self.weight


def test_a_constraint_of_ones_own_in_a_module_of_ones_own(tmp_path):
    net = nnkit.Network(Own(Rounded()), input_shape=(3,), dtype="float64")
    net.fit(X, Y, epochs=2, learning_rate=0.1, progress=False)
    weight = net.parameters()["weight"]
    np.testing.assert_array_equal(weight, np.round(weight * 4) / 4)
    net.save(tmp_path / "net.h5")
    again = nnkit.load(tmp_path / "net.h5", into=Own(Rounded()))
    np.testing.assert_array_equal(again.parameters()["weight"], weight)


def test_a_layer_with_a_constraint_of_ones_own_is_ones_own(tmp_path):
    net = nnkit.Sequential([nn.Dense(2, constraint=Rounded())], input_shape=(3,))
    net.save(tmp_path / "net.h5")
    with pytest.raises(nnkit.NnkitError, match=r"build the module as it was and write nnkit.load\(path, into=module\)"):
        nnkit.load(tmp_path / "net.h5")


FILED = {name: get(name) for name in constraints.CONSTRAINTS} | {"min_max_norm": MinMaxNorm(0.1, 2.0, 0.5, (0, 1))}


@pytest.mark.parametrize("name", FILED)
def test_they_come_back_from_a_file_and_go_on(name, tmp_path):
    net = nnkit.Sequential([nn.Dense(4, constraint=FILED[name], bias_constraint="unit_norm"), nn.Dense(2)], (3,))
    net.fit(X, Y, epochs=1, progress=False)
    net.save(tmp_path / "net.h5")
    again = nnkit.load(tmp_path / "net.h5")
    assert again._model.layout.constraints == net._model.layout.constraints
    for one in (net, again):
        one.fit(X, Y, epochs=2, shuffle=False, progress=False)
    for path, value in net.parameters().items():
        assert again.parameters()[path].tobytes() == value.tobytes()


def test_the_summary_names_them():
    net = nnkit.Sequential([nn.Dense(4, constraint=MaxNorm(3.0), bias_constraint="nonneg")], (3,))
    assert "weight 3×4 (max_norm), bias 4 (non_negative)" in net.summary()


class Wider(Constraint):
    name = "wider"

    def __call__(self, weight: Any) -> Any:
        from nnkit.ops import namespace

        return namespace(weight).astype(weight, "float64")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: nn.Dense(2, constraint="maxnrm"),
            ArgumentError,
            "unknown constraint 'maxnrm'. Did you mean 'maxnorm'",
        ),
        (
            lambda: nn.Dense(2, bias_constraint=2.0),
            ArgumentError,
            r"constraint must be a name or an object of that kind",
        ),
        (lambda: nn.Parameter((3,), constraint="no"), ArgumentError, "unknown constraint 'no'"),
        (
            lambda: nn.Dense(2, bias=False, bias_constraint="max_norm"),
            ArgumentError,
            "Dense: bias_constraint is 'max_norm', but with bias=False there is no bias",
        ),
        (
            lambda: nnkit.Sequential([nn.Dense(2, bias_constraint=MaxNorm(axis=1))], (3,)),
            ShapeError,
            r"parameter 'layers.0.bias': constraint 'max_norm' takes lengths along axis 1, and the parameter has shape",
        ),
        (
            lambda: nnkit.Network(Own(Wider()), (3,)),
            ShapeError,
            r"parameter 'weight': constraint <.*Wider.*> makes float64\[3, 2\] of float32\[3, 2\]; it must keep shape",
        ),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()
