"""Constraints as functions: beside Keras, on every library, at the ends of the number line, and what they refuse."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nnkit import constraints
from nnkit.constraints import ALIASES, CONSTRAINTS, MaxNorm, MinMaxNorm, NonNegative, UnitNorm, from_config, get
from nnkit.errors import ArgumentError, ShapeError
from nnkit.functional import trace
from nnkit.graph import interpret
from nnkit.ops import namespace
from tests.peers import keras

WEIGHT = np.random.default_rng(0).normal(size=(6, 5)) * [0.1, 0.5, 1.0, 2.0, 0.0]  # one unit has no weights
FILTERS = np.random.default_rng(1).normal(size=(3, 2, 4, 5))
# Ours, Keras' and the parameter.
CASES = {
    "max norm": (MaxNorm(), {}, WEIGHT),
    "max norm, lower": (MaxNorm(0.7), {"max_value": 0.7}, WEIGHT),
    "max norm by rows": (MaxNorm(0.7, axis=1), {"max_value": 0.7, "axis": 1}, WEIGHT),
    "max norm of filters": (MaxNorm(0.7, axis=(0, 1, 2)), {"max_value": 0.7, "axis": (0, 1, 2)}, FILTERS),
    "max norm of a vector": (MaxNorm(0.7), {"max_value": 0.7}, WEIGHT[:, 3]),
    "unit norm": (UnitNorm(), {}, WEIGHT),
    "unit norm by the last axis": (UnitNorm(axis=-1), {"axis": -1}, WEIGHT),
    "non-negative": (NonNegative(), {}, WEIGHT),
    "min max norm": (MinMaxNorm(), {}, WEIGHT),
    "min max norm, both": (MinMaxNorm(0.8, 1.5), {"min_value": 0.8, "max_value": 1.5}, WEIGHT),
    "min max norm, slowly": (
        MinMaxNorm(0.8, 1.5, 0.25, (0, 1)),
        {"min_value": 0.8, "max_value": 1.5, "rate": 0.25, "axis": (0, 1)},
        FILTERS,
    ),
}
IN_KERAS = {MaxNorm: "MaxNorm", UnitNorm: "UnitNorm", NonNegative: "NonNeg", MinMaxNorm: "MinMaxNorm"}
EVERY = pytest.mark.parametrize("name", CASES)


@pytest.mark.filterwarnings("ignore")  # what Keras warns of is its own
@EVERY
def test_values_are_keras_values(name):
    """Keras divides by ‖w‖ + 1e-7."""
    ours, options, weight = CASES[name]
    theirs = getattr(keras("constraints"), IN_KERAS[type(ours)])(**options)
    np.testing.assert_allclose(ours(weight), np.asarray(theirs(weight)), rtol=2e-6, atol=1e-12)


@EVERY
def test_every_library_agrees_and_float32_stays(name, library):
    ours, _, weight = CASES[name]
    weight = weight.astype("float32")
    got = library.numpy(ours(library.array(weight)))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, ours(weight.astype("float64")), rtol=1e-6, atol=1e-7)


@EVERY
def test_traced_is_eager(name):
    ours, _, weight = CASES[name]
    weight = weight.astype("float32")
    graph = trace(ours, weight)
    assert {node.dtype for _, node in graph} <= {"float32", "bool"}
    np.testing.assert_array_equal(interpret(graph, namespace(weight), {"0": weight})["value"], ours(weight))


@EVERY
def test_what_is_allowed_stays_as_it_is(name):
    ours, _, weight = CASES[name]
    once = ours(weight)
    if isinstance(ours, MinMaxNorm) and ours.rate < 1:
        return
    np.testing.assert_allclose(ours(once), once, rtol=1e-15)


@pytest.mark.parametrize("constraint", [MaxNorm(2.0), MinMaxNorm(1e-3, 2.0), NonNegative()], ids=repr)
def test_what_is_within_the_bounds_keeps_every_bit(constraint):
    weight = np.abs(np.random.default_rng(2).normal(size=(4, 100))) * 0.1
    assert constraint(weight).tobytes() == weight.tobytes()


def test_lengths_are_what_is_promised():
    def lengths(constraint):
        return np.linalg.norm(constraint(WEIGHT), axis=0)

    before = np.linalg.norm(WEIGHT, axis=0)
    np.testing.assert_allclose(lengths(MaxNorm(0.7)), np.minimum(before, 0.7), rtol=1e-14)
    np.testing.assert_allclose(lengths(UnitNorm()), [1, 1, 1, 1, 0], rtol=1e-14)
    np.testing.assert_allclose(lengths(MinMaxNorm(0.8, 1.5)), [*np.clip(before[:4], 0.8, 1.5), 0], rtol=1e-14)
    half = MinMaxNorm(0.8, 1.5, rate=0.5)
    np.testing.assert_allclose(lengths(half)[:4], (before + np.clip(before, 0.8, 1.5))[:4] / 2, rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("exponent", [-37, -20, 0, 20, 37])
def test_neither_large_nor_small_weights_overflow(exponent, dtype):
    weight = (np.asarray([[3.0, 0.0], [4.0, 0.0]]) * 10.0**exponent).astype(dtype)
    rounding = {"rtol": 1e-6}
    np.testing.assert_allclose(UnitNorm()(weight), [[0.6, 0.0], [0.8, 0.0]], **rounding)
    np.testing.assert_allclose(MinMaxNorm(1.0, 1.0)(weight), [[0.6, 0.0], [0.8, 0.0]], **rounding)
    length = min(5.0 * 10.0**exponent, 2.0)
    np.testing.assert_allclose(MaxNorm()(weight)[:, 0], [0.6 * length, 0.8 * length], **rounding)


@pytest.mark.parametrize("constraint", [get(name) for name in CONSTRAINTS], ids=repr)
def test_nan_stays_nan(constraint):
    with np.errstate(invalid="ignore"):
        assert np.isnan(constraint(np.asarray([[np.nan, 1.0], [0.5, 1.0]]))[0, 0])


def test_names():
    assert set(ALIASES.values()) <= CONSTRAINTS.keys()
    assert not ALIASES.keys() & CONSTRAINTS.keys()
    assert get("NonNeg") == get("non-negative") == NonNegative()
    assert get("MaxNorm") == get("max_norm") == MaxNorm()
    assert {type(get(name)).__name__ for name in CONSTRAINTS} <= set(constraints.__all__)
    own = MaxNorm(3.0)
    assert get(own) is own


@EVERY
def test_config_survives_json(name):
    ours = CASES[name][0]
    assert from_config(json.loads(json.dumps(ours.config()))) == ours


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: get("max_nrm"), ArgumentError, "unknown constraint 'max_nrm'. Did you mean 'max_norm'"),
        (lambda: get(3.0), ArgumentError, r"constraint must be a name or an object of that kind, got 3.0 \(float\)"),
        (lambda: MaxNorm(0), ArgumentError, r"MaxNorm: max_value is 0, expected a number in \(0, inf\)"),
        (lambda: MaxNorm(axis=0.5), ArgumentError, r"MaxNorm: axis is 0.5, expected a whole number or a tuple of them"),
        (lambda: MaxNorm(axis=()), ArgumentError, r"MaxNorm: axis is \(\), expected"),
        (lambda: UnitNorm(True), ArgumentError, "UnitNorm: axis is True, expected"),
        (lambda: MinMaxNorm(-1), ArgumentError, r"MinMaxNorm: min_value is -1, expected a number in \[0, inf\)"),
        (lambda: MinMaxNorm(0, None), ArgumentError, "MinMaxNorm: max_value is None, expected"),
        (lambda: MinMaxNorm(2, 1), ArgumentError, "MinMaxNorm: min_value is 2, above max_value, 1"),
        (lambda: MinMaxNorm(rate=1.5), ArgumentError, r"MinMaxNorm: rate is 1.5, expected a number in \[0, 1\]"),
        (lambda: MinMaxNorm(axis="0"), ArgumentError, "MinMaxNorm: axis is '0', expected"),
        (
            lambda: MaxNorm(axis=1)(np.ones(3)),
            ShapeError,
            r"'max_norm' takes lengths along axis 1, and the parameter has shape \(3,\); give MaxNorm an axis from -1",
        ),
        (lambda: from_config({"name": "zeros"}), ArgumentError, "unknown constraint 'zeros'"),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()
