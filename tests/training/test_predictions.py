"""Predictions in their compiled form: the same numbers, whatever the number of rows."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

import nnkit
from nnkit.errors import ArgumentError
from nnkit.training import evaluation
from nnkit_numpy.jit import cache as cached
from nnkit_numpy.native import program


def network(**more: object) -> nnkit.Network:
    return nnkit.FeedForward(12, 3, [16, 8], activation="tanh", output_activation="softmax", seed=0, **more)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(cached.DIRECTORY, str(tmp_path))


@pytest.mark.parametrize("rows", [1, 7, 64, 100])
def test_compiled_predictions_equal_plain_ones(monkeypatch, cache, rows):
    pytest.importorskip("llvmlite")
    monkeypatch.setattr(evaluation, "ROWS", 32)  # the last of several pieces is padded
    net, x = network(), np.random.default_rng(0).normal(size=(rows, 12)).astype(np.float32)
    plain = net.predict(x, compile="off")
    for _ in range(2):
        compiled = net.predict(x, compile="first")
        assert compiled.shape == (rows, 3)
        np.testing.assert_allclose(compiled, plain, rtol=2e-6, atol=1e-7)
    net.set_parameters({name: value / 2 for name, value in net.parameters().items()})
    after = net.predict(x, compile="first")
    np.testing.assert_allclose(after, net.predict(x, compile="off"), rtol=2e-6, atol=1e-7)
    assert not np.allclose(after, plain)


LAID = {
    "as they are": lambda x: x,
    "every second row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "by columns": np.asfortranarray,
    "not aligned": lambda x: np.frombuffer(b"." + x.tobytes(), np.float32, offset=1).reshape(x.shape),
}


@pytest.mark.parametrize("mode", ["off", "first"])
@pytest.mark.parametrize("case", LAID)
def test_rows_in_any_layout_are_read_and_let_go(monkeypatch, cache, case, mode):
    """Compiled code reads contiguous rows where they are; when it is done they belong to nobody but the caller."""
    pytest.importorskip("llvmlite")
    monkeypatch.setattr(evaluation, "ROWS", 32)
    net, x = network(), np.random.default_rng(1).normal(size=(70, 12)).astype(np.float32)
    expected = net.predict(x, compile=mode)
    laid = LAID[case](x)
    np.testing.assert_array_equal(net.predict(laid, compile=mode), expected)
    np.testing.assert_array_equal(laid, x)
    gone = weakref.ref(kept := np.array(x))
    net.predict(kept, compile=mode)
    del kept
    assert gone() is None
    np.testing.assert_allclose(net.predict(x[:5], compile=mode), expected[:5], rtol=1e-5)


def test_what_a_call_gave_stays_as_it_is(cache):
    pytest.importorskip("llvmlite")
    net, x = network(), np.eye(12, dtype=np.float32)[:1]
    for mode in ("off", "first"):
        first = net.predict(x, compile=mode)
        kept = first.copy()
        net.predict(x + 1, compile=mode)
        np.testing.assert_array_equal(first, kept)


def test_nothing_is_compiled_that_does_not_repay_it(monkeypatch):
    monkeypatch.setattr(program, "compiled", lambda text: pytest.fail("it compiled"))
    net = network()
    assert net.predict(np.zeros((3000, 12))).shape == (3000, 3)


def test_what_cannot_be_compiled_is_said_once(monkeypatch):
    monkeypatch.setattr(program, "find_spec", lambda name: None)
    net = nnkit.FeedForward(5, 3, [9], seed=0)  # a plan that no other test has compiled
    with pytest.warns(nnkit.NnkitWarning, match="predictions are not compiled: native programs need llvmlite"):
        first = net.predict(np.ones((1, 5)), compile="first")
    np.testing.assert_array_equal(net.predict(np.ones((1, 5)), compile="first"), first)


def test_when_to_compile_is_checked():
    with pytest.raises(ArgumentError, match="compile must be 'auto', 'first' or 'off', got True"):
        network().predict(np.zeros((1, 12)), compile=True)
