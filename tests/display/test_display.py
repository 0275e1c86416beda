"""Tables, diagrams and curves: well-formed, escaped, readable on a dark page, and of bounded size."""

from __future__ import annotations

import math
import re
import sys
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.display import Column, confusion, curves, diagram, preformatted, table
from nnkit.errors import MissingExtraError
from nnkit.training.describe import columns

SVG = "{http://www.w3.org/2000/svg}"
TROUBLE = "<b> & \"q\" 'a'"


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in parsed(svg).iter(f"{SVG}text")]


def points_of(svg: str) -> list[str]:
    return str(next(parsed(svg).iter(f"{SVG}polyline")).get("points")).split()


def test_a_diagram_has_neurons_gaps_boxes_and_connections() -> None:
    svg = diagram([Column("inputs", "3", 3), Column("layers.0", "Dense 20 relu", 20), Column("layers.1", "Dropout")])
    root = parsed(svg)
    assert len(list(root.iter(f"{SVG}circle"))) == 3 + 7
    assert len(list(root.iter(f"{SVG}rect"))) == 1
    assert len(list(root.iter(f"{SVG}line"))) == 3 * 7
    assert "⋮" in texts(svg)
    assert {"inputs", "layers.0", "Dense 20 relu", "Dropout"} <= set(texts(svg))
    assert root.get("role") == "img"
    assert root.get("aria-label") == "network: inputs (3) → layers.0 (Dense 20 relu) → layers.1 (Dropout)"


def test_layers_on_both_sides_of_a_box_are_connected() -> None:
    svg = diagram([Column("a", "", 2), Column("b", "Dropout"), Column("c", "", 3)])
    assert len(list(parsed(svg).iter(f"{SVG}line"))) == 6


def test_a_diagram_stays_small_however_large_the_network() -> None:
    assert len(diagram([Column(f"layers.{i}", "Dense", 10**6) for i in range(20)])) < 200_000


def test_nothing_is_outside_the_picture() -> None:
    svg = diagram([Column("inputs", "64", 64), Column("a layer with a very long path", "Dense 10 softmax", 10)])
    root = parsed(svg)
    width = float(root.get("width", "0"))
    for element in root.iter(f"{SVG}text"):
        half = 3.5 * len(element.text or "")
        assert float(element.get("x", "0")) - half >= 0
        assert float(element.get("x", "0")) + half <= width + 1


def test_curves_lie_inside_their_axes() -> None:
    svg = curves({"training": [2.0, 1.0, 0.5], "validation": [2.5, math.nan, 1.0]}, "loss")
    root = parsed(svg)
    lines = list(root.iter(f"{SVG}polyline"))
    assert [len(str(line.get("points")).split()) for line in lines] == [3, 2]
    for line in lines:
        for point in str(line.get("points")).split():
            x, y = map(float, point.split(","))
            assert 0 < x < float(root.get("width", "0"))
            assert 0 < y < float(root.get("height", "0"))
    assert {"loss", "training", "validation", "epoch 1", "3"} <= set(texts(svg))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.5, 1.0], ["0.6", "0.8", "1.0"]),
        ([0.0, 2.0], ["0.0", "0.5", "1.0", "1.5", "2.0"]),
        ([-30.0, 41.0], ["-20", "0", "20", "40"]),
        ([1e-7, 9e-7], ["2e-07", "4e-07", "6e-07", "8e-07"]),
        ([2e9, 4e9], ["2e+09", "2.5e+09", "3e+09", "3.5e+09", "4e+09"]),
        ([5e-324, 1e-323], ["0", "1.48e-323"]),
    ],
)
def test_axes_have_round_numbers(values: list[float], expected: list[str]) -> None:
    svg = parsed(curves({"loss": values}, "loss"))
    shown = [element.text for element in svg.iter(f"{SVG}text") if element.get("text-anchor") == "end"]
    assert shown[:-1] == expected


def test_the_higher_value_stands_higher() -> None:
    points = points_of(curves({"x": [1.0, 3.0]}, "x"))
    assert float(points[0].split(",")[1]) > float(points[1].split(",")[1])
    assert float(points[0].split(",")[0]) < float(points[1].split(",")[0])


def test_curves_over_time_have_their_times_below_and_begin_at_zero() -> None:
    svg = curves({"GPU": [50.0, math.nan, 100.0]}, "power, W", times=[10.0, 20.0, 40.0], unit="min")
    points = [tuple(map(float, point.split(","))) for point in points_of(svg)]
    begin, end = 54.0, 420.0 - 14.0
    assert [x for x, _ in points] == pytest.approx([begin + 0.25 * (end - begin), end], abs=0.1)
    bottom = 220.0 - 30.0
    assert bottom - points[1][1] == pytest.approx(2 * (bottom - points[0][1]), abs=0.2)
    assert {"0", "0 min", "40 min", "power, W", "GPU"} <= set(texts(svg))
    assert parsed(svg).get("aria-label") == "power, W over 40 min: GPU"


def test_nothing_but_zeros_over_time() -> None:
    assert len(points_of(curves({"GPU": [0.0, 0.0]}, "busy, %", times=[1.0, 2.0]))) == 2


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, -math.inf]])
def test_nothing_to_draw(values: list[float]) -> None:
    assert "nothing to draw" in curves({"loss": values}, "loss")


@pytest.mark.parametrize("values", [[1.0], [0.0], [-3.0, -3.0], [5.0, 5.0, 5.0]])
def test_one_value_or_always_the_same(values: list[float]) -> None:
    root = parsed(curves({"loss": values}, "loss"))
    drawn = [*root.iter(f"{SVG}polyline"), *root.iter(f"{SVG}circle")]
    assert len(drawn) == 1
    assert "nan" not in ElementTree.tostring(root, encoding="unicode")


def test_logarithmic_curves_leave_out_what_has_no_logarithm() -> None:
    svg = curves({"loss": [100.0, 0.0, 1.0]}, "loss", logarithmic=True)
    assert len(points_of(svg)) == 2
    assert any(re.fullmatch(r"10|1\de?.*", text) for text in texts(svg))


def test_what_people_wrote_is_escaped() -> None:
    for made in (
        diagram([Column(TROUBLE, TROUBLE, 2)]),
        curves({TROUBLE: [1.0, 2.0]}, TROUBLE),
        confusion([[1]], [TROUBLE]),
        table([TROUBLE], [[TROUBLE]]),
        preformatted(TROUBLE),
    ):
        assert "<b>" not in made
        assert "&lt;b&gt;" in made


def test_pictures_take_the_colour_of_the_page() -> None:
    for made in (diagram([Column("a", "", 2)]), curves({"loss": [1.0, 2.0]}, "loss")):
        assert 'fill="currentColor"' in made
        assert "black" not in made
        assert "white" not in made


def test_a_confusion_matrix_shades_what_is_often() -> None:
    html = confusion([[3, 1], [0, 2]], ["no", "yes"])
    shades = [float(share) for share in re.findall(r"rgba\([^)]*, ([\d.]+)\)", html)]
    assert shades == [0.64, round(0.85 * 0.25**0.5, 2), 0.85]
    assert html.count("opacity:.45") == 1


def test_layers_of_a_network() -> None:
    parts = [nn.Dense(8), nn.BatchNorm(), nn.Activation("relu"), nn.Sequential([nn.Dense(3, "tanh")]), nn.Dense(2)]
    net = nnkit.Sequential(parts, (4,))
    assert [(column.name, column.kind, column.units) for column in columns(net._model)] == [
        ("inputs", "4", 4),
        ("layers.0", "Dense 8", 8),
        ("layers.1", "BatchNorm", None),
        ("layers.2", "relu", None),
        ("layers.3.layers.0", "Dense 3 tanh", 3),
        ("layers.4", "Dense 2", 2),
    ]


@pytest.fixture(scope="module")
def run() -> Any:
    x = np.random.default_rng(0).normal(size=(60, 3))
    net = nnkit.FeedForward(3, 2, [4], output_activation="softmax", seed=0)
    found = net.fit(x, (x[:, 0] > 0).astype(int), epochs=3, validation_split=0.2, progress=False)
    found.resources["host"]["over_time"] = None  # as short as it should be, whatever else the machine does
    return found


def test_networks_runs_scores_and_plans_have_pages(run: Any) -> None:
    net = run.network
    page = net._repr_html_()
    parsed(page[: page.index("</svg>") + len("</svg>")])
    assert "Dense(4, activation=" in page
    page = run._repr_html_()
    assert page.count("<svg") == 2  # loss and accuracy
    assert "validate" in page
    scores = net.test([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]], [1, 0])
    assert scores._repr_html_().count("<td") == 4
    line = nnkit.FeedForward(3, 1, seed=0)
    assert line.test([[1.0, 0.0, 0.0]], [1.0])._repr_html_().startswith("<pre>loss ")
    assert net.explain()._repr_html_().startswith("<pre>One step on")


def test_a_plot_has_a_panel_for_each_figure(run: Any) -> None:
    pytest.importorskip("matplotlib")
    figure = run.plot()
    assert [panel.get_title() for panel in figure.axes] == ["loss", "accuracy"]
    drawn = {line.get_label(): list(line.get_ydata()) for line in figure.axes[0].lines}
    assert drawn == {"training": run.history["loss"], "validation": run.history["val_loss"]}
    scores = run.network.test([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]], [1, 0])
    last = run.plot(scores).axes[-1]
    assert last.get_title() == "confusion"
    assert [text.get_text() for text in last.texts] == [str(number) for number in scores.confusion.ravel()]
    import matplotlib.pyplot as plt

    assert plt.get_fignums() == []  # nothing is left open


def test_without_matplotlib_the_error_names_the_extra(run: Any, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"plots are drawn with matplotlib: pip install .nnkit\[plot\]"):
        run.plot()
