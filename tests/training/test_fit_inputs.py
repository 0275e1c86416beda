"""Data of every kind: what fit, test and predict take, and the library in which predictions come back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnkit
from tests.peers import peer
from tests.training.small import blobs, fit, network, same, values

X, Y = blobs(40)
WHOLE = np.round(4 * X).astype(np.int64)


def pandas_frame(x: np.ndarray) -> Any:
    return peer("pandas").DataFrame(x, columns=["a", "b", "c"])


def read_only(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flags.writeable = False
    return x


def every_second(x: np.ndarray) -> np.ndarray:
    wide = np.full((2 * len(x), *x.shape[1:]), 7, dtype=x.dtype)
    wide[::2] = x
    return wide[::2]


FORMS = {
    "list": lambda x: x.tolist(),
    "tuple": lambda x: tuple(map(tuple, x.tolist())),
    "list of arrays": list,
    "read-only": read_only,
    "not contiguous": every_second,
    "backwards": lambda x: x[::-1].copy()[::-1],
    "Fortran": np.asfortranarray,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "float64": lambda x: x.astype(np.float64),
    "pandas": pandas_frame,
    "torch": lambda x: peer("torch").asarray(x.copy()),
    "jax": lambda x: peer("jax.numpy").asarray(x),
    "strict": lambda x: peer("array_api_strict").asarray(x),
}
KINDS = {"float32": X.astype(np.float32), "int64": WHOLE, "int8": WHOLE.astype(np.int8), "bool": X > 0}


@pytest.fixture(scope="module")
def expected() -> dict[str, dict[str, np.ndarray]]:
    """What training gives with plain float32 arrays, for each kind of numbers."""
    found = {}
    for kind, x in KINDS.items():
        net = network(dtype="float32")
        fit(net, x.astype(np.float32), Y, epochs=2)
        found[kind] = values(net)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_x_does_not_matter(form: str, kind: str, expected: dict[str, dict[str, np.ndarray]]) -> None:
    net = network(dtype="float32")
    fit(net, FORMS[form](KINDS[kind]), Y, epochs=2)
    assert same(values(net), expected[kind])


LABELS = {
    "list": list,
    "column": lambda y: y.reshape(-1, 1),
    "series": lambda y: peer("pandas").Series(y),
    "frame of one column": lambda y: peer("pandas").DataFrame({"y": y}),
    "torch": lambda y: peer("torch").asarray(y),
    "jax": lambda y: peer("jax.numpy").asarray(y),
    "uint8": lambda y: y.astype(np.uint8),
    "read-only": read_only,
    "not contiguous": every_second,
}


@pytest.mark.parametrize("form", LABELS)
def test_the_form_of_labels_does_not_matter(form: str, expected: dict[str, dict[str, np.ndarray]]) -> None:
    net = network(dtype="float32")
    fit(net, KINDS["float32"], LABELS[form](Y), epochs=2)
    assert same(values(net), expected["float32"])
    assert net.test(X, LABELS[form](Y)).accuracy == net.test(X, Y).accuracy


def test_float64_data_keep_their_digits_in_a_float64_network() -> None:
    single, double = (network() for _ in range(2))
    fit(single, X.astype(np.float32), Y, epochs=1)
    fit(double, X, Y, epochs=1)
    assert not same(values(single), values(double))


RETURNED = {
    "list": "numpy",
    "tuple": "numpy",
    "pandas": "numpy",
    "Fortran": "numpy",
    "torch": "torch",
    "jax": "jax",
    "strict": "array_api_strict",
}


@pytest.mark.parametrize(("form", "library"), RETURNED.items())
def test_predictions_come_back_in_the_library_of_the_input(form: str, library: str) -> None:
    net = network(dtype="float32")
    x = KINDS["float32"]
    plain = net.predict(x)
    found = net.predict(FORMS[form](x))
    assert type(found).__module__.split(".")[0].removesuffix("lib") == library
    assert (np.asarray(found) == plain).all()
    assert str(found.dtype).endswith("float32")


def test_predictions_are_the_callers_own() -> None:
    net = network()
    first = net.predict(X)
    kept = first.copy()
    net.predict(-X)
    assert (first == kept).all()
    first[:] = 0
    assert (net.predict(X) == kept).all()


@pytest.mark.parametrize("rows", [1, 2, 1023, 1024, 1025, 2049])
def test_batches_of_predictions_agree_to_rounding(rows: int) -> None:
    x = np.random.default_rng(0).normal(size=(rows, 3))
    net = network()
    hidden = np.tanh(x @ net.parameters()["layers.0.weight"])
    scores = np.exp(hidden @ net.parameters()["layers.1.weight"])
    found = net.predict(x)
    np.testing.assert_allclose(found, scores / scores.sum(axis=1, keepdims=True), rtol=1e-12)
    for row in (0, rows - 1):
        np.testing.assert_allclose(net.predict(x[row : row + 1])[0], found[row], rtol=1e-12)


@pytest.mark.parametrize("rows", [1, 1023, 1024, 1025])
def test_batches_of_tests_agree_to_rounding(rows: int) -> None:
    x, y = blobs(rows, seed=5)
    net = network(dtype="float32")
    scores = net.test(x, y)
    p = net.predict(x)[np.arange(rows), y].astype(np.float64)
    assert scores.loss == pytest.approx(-np.log(p).mean(), rel=1e-5)
    assert scores.accuracy == float((net.predict(x).argmax(axis=1) == y).mean())


def test_predictions_do_not_change_the_network() -> None:
    net = nnkit.Sequential([nnkit.nn.Dense(4), nnkit.nn.BatchNorm(), nnkit.nn.Dropout(0.5), nnkit.nn.Dense(3)], (3,))
    before = values(net)
    assert (net.predict(X) == net.predict(X)).all()  # no dropout
    assert same(values(net), before)


def test_pictures_go_in_as_they_are() -> None:
    net = nnkit.Sequential([nnkit.nn.Flatten(), nnkit.nn.Dense(2, activation="softmax")], input_shape=(4, 5))
    x = np.random.default_rng(0).normal(size=(30, 4, 5))
    fit(net, x, (x.sum(axis=(1, 2)) > 0).astype(int), epochs=2)
    assert net.predict(x).shape == (30, 2)
