"""Metrics row by row: on every array library the means are what the exact metrics say."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit.metrics import METRICS, TopK
from nnkit.metrics.running import top_k
from tests.libraries import Library

RUNNING = [name for name, row in METRICS.items() if row.running is not None]
DRAW = np.random.default_rng(0)
ROWS = 40
SHARES = DRAW.dirichlet(np.ones(7), ROWS)
TIED = np.floor(SHARES * 8) + 1.0
LABELS = DRAW.integers(0, 7, ROWS).astype("int32")
ANSWERS = DRAW.integers(0, 2, (ROWS, 3)).astype(float)
CHANCES = DRAW.random((ROWS, 3)).round(1)
NUMBERS = DRAW.normal(size=(ROWS, 3)) + 5.0

CASES = {
    "classes": (LABELS, SHARES),
    "one-hot": (np.eye(7)[LABELS], SHARES),
    "ties": (LABELS, TIED / TIED.sum(axis=1, keepdims=True)),
    "two": (LABELS % 2, np.stack([1 - SHARES[:, 0], SHARES[:, 0]], axis=1)),
    "binary": (ANSWERS, CHANCES),
    "numbers": (NUMBERS, NUMBERS + CHANCES),
}


def kind(case: str) -> str:
    return case if case in ("binary", "numbers") else "classes"


def mean(name: str, case: str, library: Library) -> tuple[float, float]:
    """By the running form and exactly."""
    row = METRICS[name]
    target, prediction = CASES[case]
    assert row.running is not None
    values = row.running.per_row(kind(case), library.array(target), library.array(prediction))
    host = library.numpy(values)
    assert host.dtype == library.narrow(prediction).dtype
    assert host.shape == ((ROWS, 3) if row.running.per_output else (ROWS,))
    found = np.mean([row.running.finish(float(total)) for total in np.atleast_1d(host.mean(axis=0))])
    if row.form == "labels" and kind(case) == "classes":
        target = target.argmax(axis=1) if target.ndim == 2 else target
    if kind(case) == "binary" and row.form != "numbers":
        target, prediction = target.ravel(), prediction.ravel()
    return float(found), row(target.astype(int) if row.form == "labels" else target, prediction)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", RUNNING)
def test_the_mean_of_the_rows_is_the_exact_value(name: str, case: str, library: Library) -> None:
    row = METRICS[name]
    if kind(case) not in row.targets or (name, case) == ("mape", "binary") or (case == "two" and row.classes > 2):
        return
    found, exact = mean(name, case, library)
    assert found == pytest.approx(exact, rel=1e-5 if library.single else 1e-12)


def test_which_metrics_have_a_running_mean() -> None:
    assert set(RUNNING) == {"accuracy", "top_k_accuracy", "log_loss", "brier", "mse", "rmse", "mae", "mape"}


@pytest.mark.parametrize("k", [1, 2, 6])
def test_the_first_of_equal_scores_comes_first(k: int) -> None:
    target, scores = np.asarray([0, 1, 6]), np.full((3, 7), 1 / 7)
    hits = top_k(k).per_row("classes", target, scores)
    assert hits.tolist() == [1.0, float(k > 1), 0.0]
    assert TopK(k)(target, scores) == hits.mean()


def test_a_probability_of_zero_costs_as_much_as_exactly() -> None:
    sure = METRICS["log_loss"].running.per_row("classes", np.asarray([0]), np.asarray([[0.0, 1.0]]))
    assert float(sure[0]) == pytest.approx(METRICS["log_loss"]([0], [[0.0, 1.0]]), rel=1e-12)
    assert float(sure[0]) == pytest.approx(52 * np.log(2), rel=1e-12)


def test_a_share_of_nothing_is_infinite() -> None:
    with np.errstate(divide="ignore"):
        assert METRICS["mape"].running.per_row("numbers", np.zeros((1, 1)), np.ones((1, 1)))[0, 0] == np.inf
