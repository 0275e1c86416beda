"""Networks in files and on the page: the same, each in its own units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nnkit
from nnkit.data.arrays import Array
from nnkit.playground.exports import exported
from nnkit.playground.given import Given, subject_for
from nnkit.playground.imports import Imported, imported
from nnkit.playground.lab import Lab
from nnkit.playground.settings import Settings, usual
from nnkit.playground.table import Table, read_table
from nnkit.playground.units import for_a_file

RANDOM = np.random.default_rng(0)
NUMBERS = RANDOM.normal((1, 100, -7), (1, 50, 0.01), (60, 3))
KINDS = np.asarray(["rose", "aster", "lily"])[np.argmax((NUMBERS - (1, 100, -7)) / (1, 50, 0.01), axis=1)]
PRICES = 1000 + NUMBERS[:, 0] * 30 - NUMBERS[:, 1]


def table(columns: int, target: Array, name: str) -> Table:
    heads = ",".join(("width", "height", "depth")[:columns])
    rows = "".join(
        f"{','.join(map(repr, row[:columns].tolist()))},{y}\n" for row, y in zip(NUMBERS, target, strict=True)
    )
    return read_table(f"{heads},{name}\n{rows}".encode(), "data.csv")


def lab(given: Table, steps: int = 30, **settings: object) -> Lab:
    chosen = Settings().changed({"data": "table", "hidden": [5], "features": [*given.columns], **settings})[0]
    subject = subject_for(chosen, Given(table=given))
    made = Lab(subject.settled(chosen), subject)
    made.network.fit(subject.x_train, subject.y_train, epochs=steps, loss=subject.goal.loss, progress=False)
    return made


FLOWERS = table(3, KINDS, "kind")
HOUSES = table(3, PRICES, "price")


def saved(made: Lab, folder: Path, form: str = "h5") -> Path:
    (folder / f"net.{form}").write_bytes(exported(form, made, None)[2])
    return folder / f"net.{form}"


@pytest.mark.parametrize("features", [["width", "height", "depth"], ["depth", "width"]])
def test_a_file_takes_the_columns_as_they_were_measured(tmp_path: Path, features: list[str]) -> None:
    made = lab(FLOWERS, features=features)
    net = nnkit.load(saved(made, tmp_path))
    at = [FLOWERS.columns.index(name) for name in features]
    plane = made.subject.plane  # type: ignore[attr-defined]
    expected = made.network.predict(plane.features(plane.rows, tuple(features)))
    np.testing.assert_allclose(net.predict(NUMBERS[:, at]), expected, rtol=1e-4, atol=1e-6)
    assert net.classes == FLOWERS.classes
    assert net.preprocessing is not None
    assert (net.preprocessing.features, net.preprocessing.target) == (tuple(features), "kind")
    assert net.test(NUMBERS[:, at], KINDS).accuracy == pytest.approx((expected.argmax(1) == FLOWERS.labels).mean())


def test_it_gives_values_as_they_were_measured(tmp_path: Path) -> None:
    made = lab(HOUSES)
    net = nnkit.load(saved(made, tmp_path))
    plane = made.subject.plane  # type: ignore[attr-defined]
    share = (made.network.predict(plane.features(plane.rows, HOUSES.columns))[:, 0] + 1) / 2
    expected = PRICES.min() + share * (PRICES.max() - PRICES.min())
    np.testing.assert_allclose(net.predict(NUMBERS)[:, 0], expected, rtol=1e-4)
    figures = made.scored()
    test = plane.test
    assert net.test(NUMBERS[test], PRICES[test]).mae == pytest.approx(figures.others["mae"], rel=1e-3)


def test_an_output_within_bounds_has_a_target_of_another_name(tmp_path: Path) -> None:
    net = nnkit.load(saved(lab(HOUSES, output="sigmoid", loss="mean_squared_error"), tmp_path))
    assert net.preprocessing is not None
    assert net.preprocessing.target == "price, from 0.0 to 1.0"


def test_derived_features_have_names_that_no_file_has(tmp_path: Path) -> None:
    made = lab(table(2, PRICES, "price"), features=["x1", "x1x2"])
    net = nnkit.load(saved(made, tmp_path))
    assert net.preprocessing is not None
    assert (net.preprocessing.features, net.preprocessing.scaling) == (("x1", "x1x2"), None)


@pytest.mark.parametrize(
    ("given", "features"),
    [(FLOWERS, ["depth", "width"]), (HOUSES, ["width", "depth"]), (table(2, PRICES, "price"), ["x1", "x2"])],
)
@pytest.mark.parametrize(("form", "before"), [("h5", "auto"), ("h5", "tanh"), ("onnx", "auto")])
@pytest.mark.parametrize("output", ["auto", "sigmoid"])
def test_it_comes_back_as_it_was(
    tmp_path: Path, given: Table, features: list[str], output: str, before: str, form: str
) -> None:
    """Whatever output the page had before. An ONNX file has no names: the page's features are taken."""
    made = lab(given, features=features, output=output, loss="mean_squared_error")
    chosen = {"features": features} if form == "onnx" else {}
    page = lab(given, steps=0, output=before, loss="mean_squared_error", **chosen)
    found = imported(f"net.{form}", saved(made, tmp_path, form).read_bytes(), page, Given(table=given))
    assert found.settings["features"] == features
    assert found.parameters is not None
    parameters = found.parameters(taken(found, page, given))
    for path, value in made.network.parameters().items():
        np.testing.assert_allclose(parameters[path], value, rtol=2e-4, atol=1e-5)


def taken(found: Imported, page: Lab, given: Table) -> Lab:
    """The page with the settings of a file."""
    settings = page.settings.changed(found.settings)[0]
    return Lab(settings, subject_for(settings, Given(table=given)))


def brought(path: Path) -> Lab:
    """The page of houses with the network of a file."""
    made = lab(HOUSES, steps=0)
    found = imported(path.name, path.read_bytes(), made, Given(table=HOUSES))
    there = taken(found, made, HOUSES)
    assert found.parameters is not None
    there.network.set_parameters(found.parameters(there))
    return there


def test_a_network_of_another_scaling_predicts_the_same_on_the_page(tmp_path: Path) -> None:
    net = nnkit.FeedForward(3, 1, [4], activation="tanh", output_activation="identity", seed=2)
    net.fit(NUMBERS, PRICES, epochs=20, standardize=True, progress=False)
    net.save(tmp_path / "own.h5")
    there = brought(tmp_path / "own.h5")
    again = for_a_file(there)
    np.testing.assert_allclose(again.predict(NUMBERS), net.predict(NUMBERS), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("form", ["h5", "onnx"])
def test_a_network_without_scaling_takes_columns_as_they_were_measured(tmp_path: Path, form: str) -> None:
    net = nnkit.FeedForward(3, 1, [], output_activation="identity")
    weight, bias = net.parameters()
    net.set_parameters({weight: np.array([[30.0], [-1.0], [0.0]], np.float32), bias: np.array([1000.0], np.float32)})
    path = tmp_path / f"own.{form}"
    net.save(path) if form == "h5" else net.export(path)
    there = brought(path)
    assert there.scored().test_score == pytest.approx(1)  # R², of the formula by which prices were made


def test_units_behind_the_last_layer_are_within_its_weights_on_the_page(tmp_path: Path) -> None:
    layers = [nnkit.nn.Dense(5, "tanh"), nnkit.nn.Dense(1), nnkit.nn.Rescaling(PRICES.std(), PRICES.mean())]
    net = nnkit.Sequential(layers, input_shape=(3,))
    with pytest.warns(nnkit.errors.NnkitWarning, match="x"):
        net.fit(NUMBERS, PRICES, epochs=5, progress=False)
    net.save(tmp_path / "own.h5")
    there = brought(tmp_path / "own.h5")
    np.testing.assert_allclose(for_a_file(there).predict(NUMBERS), net.predict(NUMBERS), rtol=1e-3)


def test_units_behind_another_activation_are_refused(tmp_path: Path) -> None:
    nnkit.Sequential([nnkit.nn.Dense(1, "tanh"), nnkit.nn.Rescaling(30.0)], input_shape=(3,)).save(tmp_path / "own.h5")
    with pytest.raises(
        ValueError, match=r"the page has no Activation\('tanh'\) of outputs; there are identity, without"
    ):
        imported("own.h5", (tmp_path / "own.h5").read_bytes(), lab(HOUSES, steps=0), Given(table=HOUSES))


def test_a_network_for_another_target_is_refused(tmp_path: Path) -> None:
    other = HOUSES.aimed_at("depth")
    with pytest.raises(ValueError, match="has learned 'price', and the target here is 'depth'; choose 'price'"):
        imported("net.h5", saved(lab(HOUSES), tmp_path).read_bytes(), lab(other), Given(table=other))


def test_a_network_of_other_columns_or_classes_is_refused(tmp_path: Path) -> None:
    content = saved(lab(FLOWERS), tmp_path).read_bytes()
    other = table(3, np.where(KINDS == "lily", "tulip", KINDS), "kind")
    with pytest.raises(
        ValueError, match="tells 'aster', 'lily', 'rose' apart, and the classes here are 'aster', 'rose'"
    ):
        imported("net.h5", content, lab(other), Given(table=other))
    renamed = read_table(
        ("a,b,c,sort\n" + "".join(f"{at},{at * at},{-at},{kind}\n" for at, kind in enumerate(KINDS))).encode(), "x.csv"
    )
    with pytest.raises(ValueError, match="was trained on 'width', 'height', 'depth', and there are 'a', 'b', 'c' here"):
        imported("net.h5", content, lab(renamed), Given(table=renamed))
    points = Lab(Settings(data="gauss", classes=3), subject_for(Settings(data="gauss", classes=3), Given()))
    with pytest.raises(ValueError, match="was trained on 'width', 'height', 'depth', and there are 'x1', 'x2', 'x1"):
        imported("net.h5", content, points, Given())


def test_the_rate_in_a_file_is_the_present_one(tmp_path: Path) -> None:
    made = lab(FLOWERS, steps=0, optimizer="adam", rate=0.001)
    made = made.with_settings(made.settings.changed({"rate": 0.01})[0], made.subject)
    made.step = 1
    made.network.fit(
        made.subject.x_train,
        made.subject.y_train,
        epochs=1,
        optimizer=made.optimizer,
        loss="cross_entropy",
        progress=False,
    )
    assert nnkit.load(saved(made, tmp_path))._optimizer == nnkit.optimizers.Adam(0.01)


def test_digits_say_nothing_of_features(tmp_path: Path) -> None:
    settings = usual("digits").changed({"hidden": [8]})[0]
    made = Lab(settings, subject_for(settings, Given()))
    found = imported("net.h5", saved(made, tmp_path).read_bytes(), made, Given())
    assert "features" not in found.settings
    assert settings.changed(found.settings)[1] == []
