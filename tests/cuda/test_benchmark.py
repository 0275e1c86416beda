"""What the benchmarks of a GPU ask of the backend, on the stand-in."""

from __future__ import annotations

import gpu
import gpu_products
import gpu_without
import pytest

from nnkit_cupy.device import CupyBackend
from nnkit_cupy.source import launches
from tests.cuda.stand_in import HostRuntime, selected


def test_where_the_time_of_a_step_goes(stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kernel is there, and of mixed precision the products with their epilogs."""
    selected(monkeypatch, stand_in)
    sizes = {"784-128-10 b64": ((64, 96, 10), 64), "8192-(8192×4)-10 b8192 bf16": ((64, 96, 72, 10), 64)}
    monkeypatch.setattr("nnkit.bench.job.BLOCK_S", 1e-9)
    monkeypatch.setattr(gpu, "SIZES", sizes)
    monkeypatch.setattr(gpu, "TAKEN_APART", tuple(sizes))
    found = gpu.kernels()
    assert found.keys() == sizes.keys()
    for rows in found.values():
        assert all(row["seconds"] > 0 for row in rows)
        assert {row["step"] for row in rows} >= {"fused", "matmul"}


def test_what_each_part_gives(stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a part the step has other launches, and afterwards those it had."""
    selected(monkeypatch, stand_in)
    sizes = dict.fromkeys((gpu_without.SMALL, gpu_without.MEDIUM), ((64, 96, 10), 64))
    sizes[gpu_without.HALVES] = ((64, 96, 72, 10), 64)
    for module in (gpu, gpu_without):
        monkeypatch.setattr(module, "SIZES", sizes)
    target, other, counts = gpu_without.WITHOUT["epilogs"]
    assert target == "nnkit_cupy.runtime.CupyRuntime.ends"
    monkeypatch.setitem(gpu_without.WITHOUT, "epilogs", ("tests.cuda.stand_in.HostRuntime.ends", other, counts))
    monkeypatch.setattr("nnkit.bench.job.BLOCK_S", 1e-9)
    monkeypatch.setattr(gpu_without, "BLOCKS", 2)
    seen: list[int] = []
    made = launches.module
    monkeypatch.setattr("nnkit_cupy.program.module", lambda *given: seen.append(len((m := made(*given)).launches)) or m)
    found = gpu_without.rows()
    expected = [None, "heads", "pieces side by side", "urgent ones first"] * 2
    expected += [None, "epilogs", "kept halves", "slopes in halves", "gradients in halves", "halves by columns"]
    assert [row["without"] for row in found] == expected
    assert all(row["step_median_s"] > 0 for row in found)
    for small in (seen[:8], seen[8:16]):
        assert small == [small[0], small[0] + 2, small[0], small[0]] * 2
    halves = seen[16:]
    assert halves[:6] == halves[6:]
    assert min(halves[1], halves[2]) > halves[0] == halves[3] > halves[4]
    assert HostRuntime.ends is not other


@pytest.mark.parametrize("kind", ["forward", "dx", "dw"])
def test_forms_of_a_product_and_the_library(stand_in: CupyBackend, kind: str) -> None:
    """All of them give the product."""
    case, runtime = gpu_products.Case(kind, 48, 32, 64), HostRuntime(threads=True)
    bench = gpu_products.Bench(runtime, case)
    first = gpu_products.forms(case, 132)[0]
    text, piece = gpu_products.kernel(case, first, "kernel0")
    function = runtime.module(gpu_products.PRELUDE + text)("kernel0")
    for error, seconds in (bench.library(), bench.own(function, piece)):
        assert error < 1e-6
        assert seconds > 0
