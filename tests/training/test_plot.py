"""Resources of a training over time, in figures of matplotlib and on pages of notebooks."""

from __future__ import annotations

import math
from typing import Any

import pytest

from nnkit.training.pages import run_page
from nnkit.training.strips import strips
from tests.training.small import blobs, fit, network

ELAPSED_S = [50.0, 100.0, 150.0, 200.0, 250.0, 300.0]
HOST: dict[str, Any] = {
    "energy_per_epoch_j": None,
    "over_time": {
        "elapsed_s": ELAPSED_S,
        "cpu_percent": [100.0, 90.0, 80.0, 100.0, 150.0, 200.0],
        "power_w": None,
        "rss_bytes": [1e9, 1.5e9, 2e9, 2e9, 2e9, 2e9],
    },
}
DEVICE: dict[str, Any] = {
    "energy_per_epoch_j": [9000.0, None, 11_000.0],
    "over_time": {
        "elapsed_s": ELAPSED_S,
        "utilisation_percent": [10.0, None, 80.0, 80.0, 80.0, 80.0],
        "power_w": [100.0, 200.0, 300.0, 300.0, 300.0, 300.0],
        "memory_used_bytes": [3e8, 3e8, 3e8, 3e8, 3e8, 3e8],
        "temperature_c": [40, 50, 60, 60, 60, 60],
    },
}


@pytest.fixture
def run() -> Any:
    """A short training, said to have lasted for five minutes."""
    found = fit(network(), *blobs(60), epochs=3)
    found.record.time |= {"elapsed_s": 300.0, "epochs_end_s": [90.0, 180.0, 270.0]}
    found.record.resources |= {"host": HOST, "device": DEVICE}
    return found


def drawn(axes: Any) -> dict[str, list[float]]:
    return {line.get_label(): list(line.get_ydata()) for line in axes.lines if not line.get_label().startswith("_")}


def test_processor_gpu_and_power_are_drawn_below_the_course(run: Any) -> None:
    pytest.importorskip("matplotlib")
    figure = run.plot()
    assert [axes.get_title() for axes in figure.axes if axes.get_title()] == [
        "loss",
        "accuracy",
        "processor",
        "GPU",
        "power",
    ]
    labels = [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()]
    assert sorted(labels) == ["CPU, % of one core", "busy, %", "memory, GB", "memory, MB", "power, W"]
    named = {axes.get_ylabel(): axes for axes in figure.axes}
    assert drawn(named["memory, GB"]) == {"processor": [1.0, 1.0, 1.5, 2.0, 2.0, 2.0, 2.0]}
    assert drawn(named["power, W"]) == {"GPU, 10,000 J an epoch": [100.0, *DEVICE["over_time"]["power_w"]]}
    assert math.isnan(drawn(named["busy, %"])["GPU"][2])
    assert all(axes.get_ylim()[0] == 0 for axes in named.values() if axes.get_ylabel())


def test_the_axis_of_time_is_in_minutes_with_the_epochs_above(run: Any) -> None:
    pytest.importorskip("matplotlib")
    figure = run.plot()
    (panel,) = (axes for axes in figure.axes if axes.get_title() == "processor")
    assert panel.get_xlabel() == "time, min"
    assert panel.get_xlim() == (0.0, 5.0)
    (above,) = panel.child_axes
    assert [text.get_text() for text in above.get_xticklabels()] == ["epoch 1", "2", "3"]
    assert list(above.get_xticks()) == [1.5, 3.0, 4.5]


@pytest.mark.parametrize(("epochs", "names"), [(0, []), (9, ["epoch 2", "4", "6", "8"]), (1000, ["epoch 200", "400"])])
def test_of_many_epochs_some_are_marked(run: Any, epochs: int, names: list[str]) -> None:
    pytest.importorskip("matplotlib")
    run.record.time["epochs_end_s"] = [300.0 * number / epochs for number in range(1, epochs + 1)]
    (panel,) = (axes for axes in run.plot().axes if axes.get_title() == "power")
    shown = [text.get_text() for text in panel.child_axes[0].get_xticklabels()]
    assert shown[: len(names)] == names
    assert len(shown) <= 8


def test_a_short_run_says_so_and_has_no_empty_panel(run: Any) -> None:
    pytest.importorskip("matplotlib")
    one = {"elapsed_s": [0.04], "cpu_percent": [90.0], "power_w": None, "rss_bytes": [1e9]}
    run.record.resources |= {"host": HOST | {"over_time": one}, "device": None}
    run.record.time["elapsed_s"] = 0.04
    figure = run.plot()
    assert [axes.get_title() for axes in figure.axes] == ["loss", "accuracy"]
    assert figure.get_supxlabel() == "resources over time: a run of 40 ms is too short for two samples"


def test_a_figure_can_be_written(run: Any, tmp_path: Any) -> None:
    pytest.importorskip("matplotlib")
    run.record.resources["host"] = HOST | {"over_time": HOST["over_time"] | {"cpu_percent": [0.0] * 6}}
    run.plot(run.network.test(*blobs(60))).savefig(tmp_path / "run.png", dpi=40)
    assert (tmp_path / "run.png").stat().st_size > 5000


def test_a_page_has_a_picture_for_each_scale(run: Any) -> None:
    page = run._repr_html_()
    assert page.count("<svg") == 2 + 2 + 3
    assert 'aria-label="memory, GB over 5 min: processor"' in page
    assert "epoch 1" in page


def test_a_page_of_a_second_has_no_pictures_over_time() -> None:
    short = {name: None if column is None else column[:4] for name, column in HOST["over_time"].items()}
    assert run_page({"loss": [1.0, 0.5]}, {"host": {"over_time": short}}, "table").count("<svg") == 1


@pytest.mark.parametrize("resources", [{}, {"host": None, "device": None}, {"host": {"cpu_percent_mean": 3.0}}])
def test_records_without_samples_have_nothing_to_draw(resources: dict[str, Any]) -> None:
    assert strips(resources) == []


def test_a_column_with_one_known_value_is_no_curve() -> None:
    over_time = {"elapsed_s": [1.0, 2.0], "cpu_percent": [5.0, None], "rss_bytes": [1.0, 2.0]}
    (strip,) = strips({"host": {"over_time": over_time}})
    assert [axis.label for axis in strip.axes] == ["memory, B"]


def test_the_memory_of_this_process_stands_beside_that_of_the_gpu() -> None:
    over_time = DEVICE["over_time"] | {"process_memory_bytes": [1e8, 2e8, 2e8, 2e8, 2e8, 2e8]}
    gpu = strips({"device": {"over_time": over_time}})[0]
    busy, memory = gpu.axes
    assert [trace.name for trace in memory.traces] == ["GPU", "this process"]
    assert memory.label == "memory, MB"
    assert memory.traces[1].values == [100.0, 200.0, 200.0, 200.0, 200.0, 200.0]
    assert [trace.name for trace in busy.traces] == ["GPU"]
