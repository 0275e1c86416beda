"""Plans that were made before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import nnkit
from nnkit.graph import Graph, Trace
from nnkit.plan import known, plan
from nnkit.plan.known import KEPT, LARGEST, planned
from nnkit.plan.limit import MemoryLimitError
from tests.plan.running import TARGET


def graph(shift: float = 1.0, rows: int = 8) -> Graph:
    trace = Trace()
    x = trace.input("x", "data", (rows, 3), "float32")
    return trace.graph({"y": trace.namespace.exp(x * shift) + shift})


def elsewhere() -> Graph:
    """The same on another line."""
    trace = Trace()
    x = trace.input("x", "data", (8, 3), "float32")
    return trace.graph({"y": trace.namespace.exp(x * 1.0) + 1.0})


@pytest.fixture(autouse=True)
def forgetful() -> None:
    known._made.cache_clear()


def test_the_plan_is_the_one_that_was_made() -> None:
    first = planned(graph(), TARGET)
    assert first == plan(graph(), TARGET)
    assert planned(graph(), TARGET) is first
    assert planned(graph(), TARGET, 10**6) is not first


@pytest.mark.parametrize("other", [graph(rows=9), graph(2.0), elsewhere()])
def test_another_graph_has_another_plan(other: Graph) -> None:
    assert planned(other, TARGET).source is other
    assert planned(graph(), TARGET).source is not other
    assert planned(other, TARGET).source is other


def test_zeros_of_either_sign_differ() -> None:
    above, below = (planned(graph(shift), TARGET) for shift in (0.0, -0.0))
    assert "value=-0.0" in str(below.source)
    assert "value=-0.0" not in str(above.source)


def test_another_device_has_another_plan() -> None:
    other = replace(TARGET, call_s=2 * TARGET.call_s)
    assert planned(graph(), TARGET).target == TARGET
    assert planned(graph(), other).target == other


def test_it_is_forgotten_after_as_many_others() -> None:
    first = planned(graph(), TARGET)
    for rows in range(100, 99 + KEPT):
        planned(graph(rows=rows), TARGET)
    assert planned(graph(), TARGET) is first
    for rows in range(200, 200 + KEPT):
        planned(graph(rows=rows), TARGET)
    assert planned(graph(), TARGET) is not first


def test_a_limit_that_cannot_be_met_is_said_each_time() -> None:
    for _ in range(2):
        with pytest.raises(MemoryLimitError):
            planned(graph(rows=1000), TARGET, 1)


def test_a_very_large_one_is_not_kept() -> None:
    trace = Trace()
    value = trace.input("x", "data", (2,), "float32")
    for _ in range(LARGEST):
        value = trace.namespace.exp(value)
    long = trace.graph({"y": value})
    assert planned(long, TARGET) is not planned(long, TARGET)


def test_networks_of_one_form_are_planned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line that makes a layer counts: an error or an explanation names it."""
    x, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2

    def trained(seed: int) -> nnkit.Network:
        net = nnkit.FeedForward(3, 2, [4], output_activation="softmax", seed=seed)
        net.fit(x, y, epochs=2, batch_size=10, progress=False)
        return net

    alone = [trained(seed) for seed in (1, 2)]
    monkeypatch.setattr("nnkit.plan.known.plan", lambda *_, **__: pytest.fail("planned again"))
    again = [trained(seed) for seed in (1, 2)]
    for one, other in zip(alone, again, strict=True):
        for path, value in one.parameters().items():
            np.testing.assert_array_equal(other.parameters()[path], value)
