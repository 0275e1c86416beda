"""Classes given as text: their names stay with the network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nnkit
from nnkit.errors import ArgumentError, DataError, NnkitWarning
from tests.training.small import blobs, fit, network, same, values

X, NUMBERS = blobs(90, seed=4)
NAMES = ("ant", "bee", "cow")
TEXTS = np.array(NAMES)[NUMBERS]

KINDS = {
    "NumPy": TEXTS,
    "a column": TEXTS.reshape(-1, 1),
    "a list": TEXTS.tolist(),
    "objects": TEXTS.astype(object),
    "objects in a column": TEXTS.astype(object).reshape(-1, 1),
    "pandas": pd.Series(TEXTS),
    "a table of one column": pd.DataFrame({"animal": TEXTS}),
    "categories": pd.Series(TEXTS, dtype="category"),
}


@pytest.mark.parametrize("y", KINDS.values(), ids=KINDS)
def test_text_is_numbered_in_sorted_order(y: object) -> None:
    net, other = network(), network()
    run = fit(net, X, y, epochs=2, validation_split=0.2)
    assert fit(other, X, NUMBERS, epochs=2, validation_split=0.2).history == run.history
    assert same(values(net), values(other))
    assert net.classes == NAMES
    assert run.record.data["classes"] == list(NAMES)


def test_names_travel_with_the_network(tmp_path: Path) -> None:
    net = network()
    fit(net, X, TEXTS, epochs=1)
    net.save(tmp_path / "net.h5")
    again = nnkit.load(tmp_path / "net.h5")
    assert again.classes == NAMES
    few = ["cow", "bee"]  # no ant: the numbers are those of the network
    assert again.test(X[:2], few).loss == net.test(X[:2], [2, 1]).loss


@pytest.mark.parametrize("texts", [("no", "yes"), ("b", "a")])
def test_yes_or_no(texts: tuple[str, str]) -> None:
    y = np.array(texts)[(NUMBERS == 0).astype(int)]
    net = network(outputs=1, output_activation="sigmoid")
    run = fit(net, X, y, epochs=1, class_weight={"no": 2.0} if "no" in texts else None)
    assert net.classes == tuple(sorted(texts))
    twin = network(outputs=1, output_activation="sigmoid")
    weight = {0: 2.0} if "no" in texts else None
    assert fit(twin, X, y == max(texts), epochs=1, class_weight=weight).history == run.history


def test_names_that_are_known_before() -> None:
    net = network()
    net.classes = ("cow", "ant", "bee")
    fit(net, X, TEXTS, epochs=1)
    assert net.classes == ("cow", "ant", "bee")
    twin = network()
    fit(twin, X, np.array([1, 2, 0])[NUMBERS], epochs=1)
    assert same(values(net), values(twin))


def test_a_fit_that_is_refused_learns_no_names() -> None:
    net = network()
    with pytest.raises(DataError, match="x has NaN"):
        fit(net, np.full_like(X, np.nan), TEXTS)
    assert net.classes is None


def test_what_cannot_be_numbered() -> None:
    net = network()
    with pytest.raises(
        DataError, match=r"y has 2 different texts, 'ant', 'bee', and the network tells 3 classes apart; build it for 2"
    ):
        fit(net, X[TEXTS != "cow"], TEXTS[TEXTS != "cow"])
    fit(net, X, TEXTS, epochs=1)
    with pytest.raises(DataError, match=r"y has the class 'dog' in row 1, which the network does not know; .* 'ant'"):
        net.test(X[:2], ["ant", "dog"])
    with pytest.raises(DataError, match="validation y has the class 'elk' in row 0"):
        fit(net, X, TEXTS, validation_data=(X[:1], ["elk"]))
    one = network(outputs=1, output_activation="sigmoid")
    one.classes = NAMES[:2]
    with pytest.raises(ArgumentError, match=r"net.classes has 2 names and the network tells 1 classes apart; give one"):
        one.test(X, TEXTS, loss="categorical_hinge")
    many = network(outputs=1, output_activation="sigmoid")
    with pytest.raises(DataError, match=r"y has 3 different texts, .* and the network tells 2 classes apart; build"):
        fit(many, X, TEXTS)
    with pytest.raises(DataError, match="y holds text; its classes are 'ant', 'bee', 'cow'"):
        fit(network(output_activation="identity"), X, TEXTS)


@pytest.mark.parametrize("given", [list(NAMES), np.array(NAMES), pd.Index(NAMES)])
def test_names_are_kept_as_plain_text(given: object) -> None:
    net = network()
    net.classes = given
    assert net.classes == NAMES
    assert [type(name) for name in net.classes] == [str] * 3
    net.classes = None
    assert net.classes is None


def test_names_of_one_output() -> None:
    net = network(outputs=1, output_activation="sigmoid")
    net.classes = ("no", "yes")
    certain = network(outputs=1)
    certain.classes = ("always",)
    with pytest.raises(ArgumentError, match=r"net.classes has 1 names and the network tells 2 classes apart; give one"):
        net.classes = ("yes",)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("abc", r"net.classes must be names such as \('cat', 'dog'\), or None, got 'abc'"),
        ([1, 2, 3], r"net.classes must be names such as .*, got \[1, 2, 3\]"),
        ((), r"net.classes must be names such as .*, got \(\)"),
        ({"a", "b", "c"}, "net.classes must be names such as .*, got {'"),
        (3, "net.classes must be names such as .*, got 3"),
        (["a", "b"], "net.classes has 2 names and the network tells 3 classes apart; give one name for each"),
        (["a", "b", "a"], "net.classes has 'a' 2 times; give each class a name of its own"),
    ],
)
def test_names_that_cannot_be(given: object, message: str) -> None:
    net = network()
    net.classes = NAMES
    with pytest.raises(ArgumentError, match=message):
        net.classes = given
    assert net.classes == NAMES


def test_several_answers_of_yes_or_no_are_not_the_classes() -> None:
    net = network(output_activation="sigmoid")
    net.classes = NAMES
    scores = net.test(X, np.eye(3)[NUMBERS])
    assert scores.classes is None
    assert scores.confusion.shape == (2, 2)
    assert "<td" in scores._repr_html_()


def constant(answer: float, **options: object) -> nnkit.Network:
    """A network that says the same to every row."""
    net = network(**options)
    names = net.parameters()
    net.set_parameters({"layers.1.weight": np.zeros(names["layers.1.weight"].shape)})
    net.set_parameters({"layers.1.bias": np.eye(1, names["layers.1.bias"].size)[0] * answer})
    return net


def test_scores_say_which_classes_lack_rows_or_predictions() -> None:
    net = constant(50.0)
    net.classes = NAMES
    with pytest.warns(NnkitWarning, match="'bee', 'cow' are never predicted, so the precision there"):
        scores = net.test(X, TEXTS)
    assert scores.notes == (
        "classes 'bee', 'cow' are never predicted, so the precision there would be 0/0; it counts as 0 in the mean",
    )
    some = TEXTS != "ant"
    with (
        pytest.warns(NnkitWarning, match="class 'ant' is without rows in these data, so the recall there would be 0/0"),
        pytest.warns(NnkitWarning, match="'bee', 'cow' are never predicted"),
    ):
        net.test(X[some], TEXTS[some])
    assert net.test(X[:2], TEXTS[:2]).notes == ()  # two rows cannot have three classes


def test_yes_that_is_never_said_has_no_precision() -> None:
    net = constant(-50.0, outputs=1, output_activation="sigmoid")
    with pytest.warns(NnkitWarning, match="class 1 is never predicted, so the precision would be 0/0; it is NaN"):
        scores = net.test(X, NUMBERS == 0)
    assert np.isnan(scores.precision)
    assert (scores.recall, scores.f1) == (0.0, 0.0)
    net = constant(50.0, outputs=1, output_activation="sigmoid")
    with pytest.warns(NnkitWarning, match="class 1 is without rows in these data, so the recall would be 0/0; it is"):
        assert np.isnan(net.test(X, NUMBERS < 0).recall)


def test_a_weight_of_a_class_that_is_not_known_is_refused() -> None:
    text = "class_weight has the class 'Ant', which the network does not know; it knows 'ant', 'bee', 'cow'"
    with pytest.raises(ArgumentError, match=text):
        fit(network(), X, TEXTS, epochs=1, class_weight={"Ant": 2.0})
