"""Trainings on a GPU are gone on with to the same bits, data that are streamed included; and where there is no GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import optimizers
from nnkit.errors import NnkitWarning
from nnkit_cupy.device import CupyBackend
from tests.checkpoint.going_on import OPTIONS, Break, X, Y, alike, broken, network
from tests.cuda.stand_in import selected


@pytest.fixture
def elsewhere(device: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> CupyBackend:
    """What ``device="cuda"`` selects."""
    selected(monkeypatch, device)
    return device


@pytest.mark.parametrize(
    "options",
    [{}, {"optimizer": optimizers.LossScale(optimizers.SGD(0.05, momentum=0.9), interval=4)}],
    ids=["adam", "loss scale"],
)
def test_to_the_same_bits(elsewhere: CupyBackend, tmp_path: Path, options: dict[str, Any]) -> None:
    whole = network(device="cuda").fit(X, Y, **OPTIONS, **options)
    broken(network(device="cuda"), tmp_path / "run.h5", 10, **options)
    run = nnkit.resume(tmp_path / "run.h5", X, Y, callbacks=[Break()], progress=False)
    assert run.network.device == "cuda"
    assert alike(run, whole)


def test_rows_that_are_streamed(elsewhere: CupyBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = network(device="cuda").fit(X, Y, **OPTIONS)
    monkeypatch.setattr("nnkit.training.holding.ways", _in_chunks)
    broken(network(device="cuda"), tmp_path / "run.h5", 10)
    run = nnkit.resume(tmp_path / "run.h5", X, Y, callbacks=[Break()], progress=False)
    assert run.record.training["data_on_device"] == "streamed, 32 rows at a time: a test"
    assert alike(run, whole)


def _in_chunks(free: Any, walks: Any) -> Any:
    from nnkit.training.holding import Way

    return [Way(32, "streamed, 32 rows at a time: a test") for _ in walks]


def test_on_the_processor(elsewhere: CupyBackend, tmp_path: Path) -> None:
    whole = network(device="cuda").fit(X, Y, **OPTIONS)
    broken(network(device="cuda"), tmp_path / "run.h5", 10)
    with pytest.warns(NnkitWarning, match="equal to rounding only: the device was cuda and is cpu"):
        run = nnkit.resume(tmp_path / "run.h5", X, Y, callbacks=[Break()], progress=False, device="cpu")
    assert run.network.device == "cpu"
    assert np.allclose(run.history["loss"], whole.history["loss"], rtol=1e-3)


def test_a_large_leaf_comes_piece_by_piece(
    elsewhere: CupyBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nnkit.checkpoint import blocks

    monkeypatch.setattr(blocks.blocks, "__defaults__", (64,))
    net = network(device="cuda")
    net.save(tmp_path / "net.h5")
    again = nnkit.load(tmp_path / "net.h5", device="cuda")
    assert all(np.array_equal(value, again.parameters()[name]) for name, value in net.parameters().items())
