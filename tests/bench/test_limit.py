"""The limit is arithmetic on two measured rates, and results say with what they were measured."""

from __future__ import annotations

import pytest

import nnkit
from nnkit.backend import NoNativeFormError
from nnkit.bench import LIMIT, Job, Rates, described_machine, limit_row, missing_row, row

RATES = Rates(flops_per_s=1e9, bytes_per_s=1e6)


def limit_s(hidden: list[int], optimizer: str = "adam", **options: object) -> float:
    network = nnkit.FeedForward(100, 10, hidden, output_activation="softmax", **options)  # type: ignore[arg-type]
    return RATES.limit_s(network, Job.of(network, 32, optimizer))


def test_three_products_a_layer_and_two_in_the_first() -> None:
    assert limit_s([20, 30]) == pytest.approx(2 * 32 * (100 * 20 * 2 + 20 * 30 * 3 + 30 * 10 * 3) / 1e9)


def test_the_passes_over_the_parameters_count_when_no_cache_holds_them() -> None:
    products = 2 * 32 * (100 * 2000 * 2 + 2000 * 10 * 3) / 1e9
    values = 101 * 2000 + 2001 * 10
    assert limit_s([2000]) == pytest.approx(products + 7 * 4 * values / 1e6)
    assert limit_s([2000], "sgd") == pytest.approx(products)  # parameters and gradient alone fit
    assert limit_s([2000], dtype="float64") == pytest.approx(products + 7 * 8 * values / 1e6)


def test_rates_are_those_of_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnkit.bench.limit.SIDE", 256)
    monkeypatch.setattr("nnkit.bench.limit.LONG", 1 << 20)
    rates = Rates.measured()
    assert 1e8 < rates.flops_per_s < 1e15
    assert 1e7 < rates.bytes_per_s < 1e14


def test_without_a_compiler_the_rate_is_that_of_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(a: object) -> None:
        raise NoNativeFormError("there is no compiler")

    monkeypatch.setattr("nnkit.bench.limit.SIDE", 256)
    monkeypatch.setattr("nnkit.bench.limit.LONG", 1 << 20)
    monkeypatch.setattr("nnkit.bench.limit._native_product", none)
    assert 1e8 < Rates.measured().flops_per_s < 1e15


def test_rows_have_the_layout_of_results() -> None:
    keys = ["workload", "framework", "step_median_s", "step_spread_s", "runs", "goal", "met"]
    measured = row("w", "f", [3.0, 1.0, 2.0], goal="fast", met=False)
    assert list(measured) == keys
    assert (measured["step_median_s"], measured["step_spread_s"], measured["runs"]) == (2.0, 1.0, 3)
    assert list(limit_row("w", 1.0)) == keys
    assert limit_row("w", 1.0)["framework"] == LIMIT
    missing = missing_row("w", "f", "it is absent")
    assert list(missing) == [*keys, "reason"]
    assert missing["step_median_s"] is None


def test_the_machine_and_the_versions_are_told() -> None:
    found = described_machine(RATES)
    assert list(found) == ["machine", "versions", "date"]
    assert found["machine"]["flops_per_s"] == 1e9
    assert {"cpu", "cores", "gpu"} <= found["machine"].keys()
    assert found["versions"]["nnkit"] == nnkit.__version__
    assert "flops_per_s" not in described_machine(None)["machine"]
