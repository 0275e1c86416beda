"""The same training with several seeds: fresh copies, means and intervals that hold as often as they say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import ArgumentError
from nnkit.measure.intervals import estimate, student

DATA = nnkit.data.load("moons")


def network(**more: Any) -> nnkit.Network:
    return nnkit.FeedForward(2, 2, [8], output_activation="softmax", **{"seed": 3} | more)


def repeated(**more: Any) -> Any:
    options: dict[str, Any] = {"repeats": 3, "epochs": 4, "progress": False}
    return nnkit.repeat(network(), DATA.x_train, DATA.y_train, **options | more)


def test_each_is_a_fit_with_its_seed() -> None:
    found = repeated(validation_split=0.2)
    assert [run.network.seed for run in found.runs] == [3, 4, 5]
    for run in found.runs:
        alone = network(seed=run.network.seed).fit(
            DATA.x_train, DATA.y_train, epochs=4, validation_split=0.2, progress=False
        )
        assert run.history == alone.history
    losses = [run.history["loss"][-1] for run in found.runs]
    assert len(set(losses)) == 3
    assert found.estimates["loss"].mean == pytest.approx(np.mean(losses))
    assert found.estimates["loss"].deviation == pytest.approx(np.std(losses, ddof=1))
    assert list(found.estimates) == ["loss", "accuracy", "val_loss", "val_accuracy", "elapsed_s"]


def test_the_network_stays_as_it_is() -> None:
    net = network()
    before = net.parameters()
    nnkit.repeat(net, DATA.x_train, DATA.y_train, repeats=2, epochs=1, progress=False)
    for path, value in net.parameters().items():
        np.testing.assert_array_equal(value, before[path])


def test_tests_and_text() -> None:
    found = repeated(test_data=(DATA.x_test, DATA.y_test))
    assert found.estimates["test_accuracy"].mean == pytest.approx(np.mean([s.accuracy for s in found.scores]))
    lines = str(found).splitlines()
    assert lines[0] == "3 runs, seeds 3, 4, 5; mean ± half of the 95 % interval"
    assert any(line.startswith("test_accuracy ") and "±" in line for line in lines)
    assert found._repr_html_().count("<tr>") == len(lines)
    assert repr(found).startswith(f"<3 runs: loss {found.estimates['loss']}, accuracy ")


def test_one_run_has_no_interval() -> None:
    assert repeated(repeats=1).estimates["loss"].half_width == math.inf


def test_what_cannot_be_meant() -> None:
    with pytest.raises(ArgumentError, match="repeat: repeats"):
        repeated(repeats=0)
    with pytest.raises(ArgumentError, match=r"repeat: test_data must be a pair \(x, y\), got ndarray"):
        repeated(test_data=DATA.x_test)


def test_student_agrees_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    for freedom in (*range(1, 31), 60, 101, 1000):
        for confidence in (0.5, 0.95, 0.99):
            assert student(freedom, confidence) == pytest.approx(stats.t.ppf(0.5 + confidence / 2, freedom), rel=1e-9)


def test_the_interval_holds_as_often_as_it_says() -> None:
    draw = np.random.default_rng(0)
    holds = 0
    for _ in range(2000):
        found = estimate((5.0 + 2.0 * draw.normal(size=4)).tolist())
        holds += abs(found.mean - 5.0) <= found.half_width
    assert 0.935 <= holds / 2000 <= 0.965
