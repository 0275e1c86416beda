"""What the benchmark scripts conclude from figures: goals, random networks, tables."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from contest.compete import fastest_peer, judged
from contest.tables import speed_tables
from contest.workloads import Goal, Workload

from nnkit.bench import LIMIT, Rates, described_machine, limit_row, missing_row, row
from tests.test_readme import script


def rows(ours: float, peer: float, limit: float = 0.1) -> list[dict[str, object]]:
    return [
        row("w b1", "nnkit", [ours, ours]),
        row("w b1", "nnkit, not compiled", [ours / 2, ours / 2]),
        row("w b1", "JAX jit", [peer, peer]),
        row("w b1", "scikit-learn", [9.0, 9.0]),
        limit_row("w b1", limit),
    ]


@pytest.mark.parametrize(
    ("goal", "ours", "met"),
    [
        (Goal(2), 1.0, True),
        (Goal(2), 1.01, False),
        (Goal(1.1, 1.25), 1.25, True),
        (Goal(1.1, 1.25), 1.26, False),
        (Goal(1.1, 1.25), 1.9, False),
    ],
)
def test_a_goal_is_against_the_fastest_peer_and_the_limit(goal: Goal, ours: float, met: bool) -> None:
    judged_rows = judged(rows(ours, peer=2.0, limit=1.0), goal)
    assert judged_rows[0]["met"] is met
    assert judged_rows[0]["goal"] == goal.text()
    assert all(each["met"] is None for each in judged_rows[1:])


def test_a_goal_is_not_met_when_a_peer_did_not_run() -> None:
    found = [*rows(0.1, peer=2.0), missing_row("w b1", "torch.compile", "there is no compiler")]
    assert judged(found, Goal(2))[0]["met"] is False
    assert fastest_peer(found) == 2.0
    assert fastest_peer(found[:2]) == math.inf


def test_random_networks_follow_from_the_seed_and_stay_in_their_class() -> None:
    shapes = script("shapes")
    assert shapes.drawn(1) == shapes.drawn(1) != shapes.drawn(2)
    for name, workload in shapes.drawn(3):
        ranges = shapes.CLASSES[name]
        low, high = ranges.widths
        assert all(low <= width <= high for width in workload.sizes[1:-1])
        assert ranges.batch[0] <= workload.batch <= ranges.batch[1]
        assert workload.goal is not None


def test_the_limit_of_the_fixed_workloads_is_three_products_a_layer_and_adam() -> None:
    workload = Workload((784, 128, 10), 64)
    products = 2 * 64 * (784 * 128 * 2 + 128 * 10 * 3)
    assert Rates(1e9, 1e9).limit_s(workload.network(), workload.job()) == pytest.approx(products / 1e9)


def test_a_table_for_each_file_that_is_there(tmp_path: Path) -> None:
    about = described_machine(None) | {"parity": []}
    made = judged(rows(0.5, peer=2.0), Goal(2))
    (tmp_path / "step.json").write_text(json.dumps(about | {"rows": made}))
    text = speed_tables(tmp_path)
    assert f"| {LIMIT} |" in text
    assert "| nnkit against the fastest peer | 4.00 times |" in text
    assert "| goal | 2 times: met |" in text
    assert "drawn at random" not in text
    drawn = [each | {"class": "tiny"} for each in made]
    (tmp_path / "shapes.json").write_text(json.dumps(about | {"rows": drawn, "seed": 7}))
    failed = missing_row("98% of MNIST", "JAX jit", "not reached in 20 epochs")
    (tmp_path / "jobs.json").write_text(
        json.dumps(about | {"rows": [row("98% of MNIST", "nnkit", [3.0, 3.0]), failed]})
    )
    text = speed_tables(tmp_path)
    assert "| tiny | w b1 | 4.00 times | 2 times as fast as the fastest peer | 1 of 1 |" in text
    assert "not reached in 20 epochs" in text
    assert "Seed 7." in text
    assert "| on " not in text
    (tmp_path / "old").mkdir()
    about["machine"] |= {"cpu": "Abacus", "cores": 10}
    (tmp_path / "old" / "step.json").write_text(json.dumps(about | {"rows": judged(rows(1.5, peer=2.0), Goal(2))}))
    text = speed_tables(tmp_path)
    assert text.index("2 times: met") < text.index("| on Abacus, 10 cores | w b1 |") < text.index("drawn at random")
    assert "| nnkit against the fastest peer | 1.33 times |\n| goal | 2 times: not met |" in text


def test_figures_of_a_gpu_have_a_table_of_their_own(tmp_path: Path) -> None:
    gpu = script("gpu")
    seconds = {"nnkit": 1.0, "PyTorch eager": 9.0, "torch.compile": 3.0, "JAX jit": 2.0}
    measured = {name: {workload: [taken * 1e-6] * 3 for workload in gpu.WORKLOADS} for name, taken in seconds.items()}
    best = {workload: {"products_s": 0.8e-6, "bytes_s": 2e-7, "launches_s": None} for workload in gpu.SIZES}
    made = gpu.rows(measured | {"JAX, loop in one call": {"reason": "no GPU"}}, best)
    ours = {line["workload"]: line["met"] for line in made if line["framework"] == "nnkit"}
    half = "8192-(8192×4)-10 b8192 bf16"
    assert ours["784-128-10 b64"] is ours[half] is True
    assert gpu.share_of_peak(made, best)["nnkit"] == pytest.approx(0.8)
    slower = gpu.rows(measured, best | {half: {"products_s": 0.6e-6}})  # less than 70 % of the peak
    assert next(line["met"] for line in slower if line["workload"] == half and line["framework"] == "nnkit") is False
    measured["JAX jit"] = {workload: [1.9e-6] * 3 for workload in gpu.WORKLOADS}
    lines = gpu.rows(measured, best)
    assert {line["workload"]: line["met"] for line in lines}["784-128-10 b64"] is None  # of the last peer
    assert lines[0]["met"] is False
    assert gpu.rows({name: measured[name] for name in ("nnkit", "PyTorch eager")}, best)[0]["met"] is None
    head = {"machine": {"gpu": {"name": "Giraffe", "driver": "1"}}, "versions": {"jax": "2"}, "date": "2026-11-26T00"}
    (tmp_path / "gpu.json").write_text(json.dumps(head | {"rows": made, "limits": best}))
    text = speed_tables(tmp_path)
    assert "| µs a step, or an epoch, on Giraffe | 784-128-10 b64 |" in text
    assert "| its products at the measured peak | 0.8 |" in text
    assert "| nnkit against PyTorch eager | 9.00 times |" in text
    assert "| nnkit against torch.compile and JAX jit | 2.00 times |" in text
    assert "Giraffe, driver 1; jax 2; 2026-11-26." in text
    assert gpu.table(made, best).splitlines()[-1].split()[:3] == ["goal", "met", "True"]


def test_a_step_is_broken_down_by_kinds_of_kernels(tmp_path: Path) -> None:
    pytest.importorskip("llvmlite")
    found = script("breakdown").breakdown(Workload((5, 8, 3), 16), Rates(1e9, 1e9), 3)
    products = 2 * 16 * (5 * 8 * 2 + 8 * 3 * 3)
    assert found["products_at_peak_s"] == pytest.approx(products / 1e9)
    assert found["parts_s"].keys() >= {"matrix products", "elementwise passes", "update"}
    assert 0 < sum(found["parts_s"].values()) < 30 * found["step_median_s"]  # it also counts
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "breakdown.json").write_text(json.dumps(described_machine(None) | {"rows": [found]}))
    text = speed_tables(tmp_path)
    assert "| where the time goes, µs | 5-8-3 b16 |" in text
    assert f"| the products at the peak rate | {products / 1e3:.1f} |" in text


def test_a_picture_of_each_file_that_is_there(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    made = [each | {"class": "tiny", "axis": "batch", "value": 1} for each in judged(rows(0.5, peer=2.0), Goal(2))]
    result = describe_all(made)
    for name in ("step", "jobs", "shapes"):
        (tmp_path / f"{name}.json").write_text(json.dumps(result))
    drawn = script("plots").draw(tmp_path)
    assert [path.name for path in drawn] == ["step.png", "shapes.png", "jobs.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size < 100_000 for path in drawn)


def describe_all(made: list[dict[str, object]]) -> dict[str, object]:
    """A result file with these rows."""
    return described_machine(None) | {"rows": made, "seed": 7, "parity": []}
