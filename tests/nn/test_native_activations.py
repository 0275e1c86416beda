"""Activations and their derivatives in a compiled program, of all in one, since each compilation takes a second."""

from functools import cache

import numpy as np
import pytest

from nnkit.graph import Trace, gradients
from nnkit.nn.activations import ACTIVATIONS
from nnkit_numpy.device import NATIVE
from tests.peers import peer
from tests.plan.running import Bench

POINTS = np.random.default_rng(0).normal(scale=3.0, size=(37, 6))
"""Of both signs and on both sides of every bound, in more rows than a vector of the processor has."""


@cache
def compiled(dtype):
    """What the program finds, and what the interpreter does: values and derivatives by name."""
    peer("llvmlite")
    trace, outputs, x = Trace(), {}, POINTS.astype(dtype)
    for name, row in ACTIVATIONS.items():
        given = trace.input(name, "data", x.shape, dtype)
        outputs[name] = value = row.function(given) * 1.0
        weights = np.random.default_rng(1).uniform(0.5, 1.5, value.shape)
        total = trace.namespace.sum(value * trace.namespace.asarray(weights, dtype=dtype))
        (outputs[f"slope of {name}"],) = gradients(total, [given])
    bench = Bench(trace.graph(outputs), dict.fromkeys(ACTIVATIONS, x), target=NATIVE)
    return bench.step(), bench.expected()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_derivatives_are_those_of_the_reference(name, dtype):
    got, expected = compiled(dtype)
    close = {"rtol": 2e-5, "atol": 2e-6} if dtype == "float32" else {"rtol": 1e-12, "atol": 1e-14}
    for output in (name, f"slope of {name}"):
        assert got[output].dtype == dtype
        np.testing.assert_allclose(got[output], expected[output], err_msg=output, **close)
