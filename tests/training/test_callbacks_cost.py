"""What looking on costs: next to nothing, in time and in memory."""

from __future__ import annotations

import gc
import io
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import nnkit
from nnkit.callbacks import CSVLog, EarlyStopping, Every, JSONLog, ReduceOnPlateau, TensorBoardLog, TimeLimit
from tests.training.small import blobs, fit, network

X, Y = blobs(64)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.slow
def test_all_displays_together_cost_less_than_two_percent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Medians of interleaved trainings: a terminal, a table, JSON and TensorBoard against nothing at all.

    In seconds of this thread's own work, so that what else runs on the machine does not count.
    """
    monkeypatch.setattr(sys, "stderr", Terminal())
    x = np.random.default_rng(0).normal(size=(20_000, 64)).astype("float32")
    y = (x[:, 0] > 0).astype(int)
    net = nnkit.FeedForward(64, 2, [64, 64], output_activation="softmax")

    def seconds(**options: Any) -> float:
        began = time.thread_time()
        net.fit(x, y, epochs=8, compile="off", **options)
        return time.thread_time() - began

    seconds(progress=False)
    seconds(progress=True)
    ratios = []
    for number in range(15):
        logs = [CSVLog(tmp_path / "a.csv"), JSONLog(tmp_path / "a.jsonl"), TensorBoardLog(tmp_path / f"{number}")]
        order = (number % 2, 1 - number % 2)  # who goes first changes
        pair = {which: seconds(progress=bool(which), callbacks=logs if which else ()) for which in order}
        ratios.append(pair[1] / pair[0])
    assert statistics.median(ratios) <= 1.02


def looked_on(folder: Path) -> list[Any]:
    return [
        EarlyStopping("loss"),
        ReduceOnPlateau("loss"),
        TimeLimit("1 h"),
        Every("2 steps", lambda _: None),
        CSVLog(folder / "a.csv"),
        JSONLog(folder / "a.jsonl", every="3 steps"),
        lambda _: None,
    ]


@pytest.mark.slow
def test_a_thousand_trainings_leave_no_memory_behind(tmp_path: Path) -> None:
    net, process, resident = network(), psutil.Process(), []
    callbacks = looked_on(tmp_path)
    for number in range(1000):
        run = fit(net, X, Y, epochs=1, callbacks=callbacks)
        if number % 100 == 99:
            gc.collect()
            resident.append(process.memory_info().rss)
    assert run.stopped is None
    assert resident[-1] - resident[1] < 4e6


def growth(train: Callable[[], object]) -> int:
    """How many more objects there are after thirty trainings, once some have filled the caches."""

    def held() -> int:
        for _ in range(10):
            train()
        gc.collect()
        return len(gc.get_objects())

    counts = [held() for _ in range(5)]
    return counts[-1] - counts[1]


@pytest.mark.slow
def test_trainings_with_callbacks_leave_no_objects_behind(tmp_path: Path) -> None:
    net, callbacks = network(), looked_on(tmp_path)
    assert growth(lambda: fit(net, X, Y, epochs=2, callbacks=callbacks)) <= 0


@pytest.mark.slow
def test_failed_trainings_leave_no_objects_behind() -> None:
    net = network()

    def fail() -> None:
        with pytest.raises(ZeroDivisionError):
            fit(net, X, Y, epochs=2, callbacks=lambda _: 1 / 0)

    assert growth(fail) <= 0
