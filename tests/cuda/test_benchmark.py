"""What benchmarks/gpu.py asks of the backend, on the stand-in."""

from __future__ import annotations

import gpu
import pytest

from nnkit.backend import select
from nnkit_cupy.device import CupyBackend


def test_where_the_time_of_a_step_goes(stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kernel is there, and of mixed precision the products with their epilogs."""
    monkeypatch.setattr("nnkit.training.model.select", lambda name: stand_in if name == "cuda" else select(name))
    sizes = {"784-128-10 b64": ((64, 96, 10), 64), "8192-(8192×4)-10 b8192 bf16": ((64, 96, 72, 10), 64)}
    monkeypatch.setattr(gpu, "SIZES", sizes)
    monkeypatch.setattr(gpu, "TAKEN_APART", tuple(sizes))
    found = gpu.kernels()
    assert found.keys() == sizes.keys()
    for rows in found.values():
        assert all(row["seconds"] > 0 for row in rows)
        assert {row["step"] for row in rows} >= {"fused", "matmul"}
