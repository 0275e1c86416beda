"""On small chains of layers the plan under each limit is as quick as the best of all ways to compute values again."""

from __future__ import annotations

import pytest

from nnkit import nn
from nnkit.optimizers import SGD, Adam
from nnkit.plan import plan
from nnkit.plan.planner import DECISIONS, _order, _rewritten, closest
from nnkit.plan.profile import Profile, chain
from nnkit.plan.recompute import repeated
from nnkit.plan.stages import stages
from nnkit.plan.storage import allocator
from nnkit_numpy.device import NATIVE
from tests.plan.exhaustive import everything
from tests.plan.running import TARGET
from tests.training.steps import Job

ALL = frozenset(DECISIONS)


def every_plan(graph, target):
    """(arena, predicted seconds) of every way, by the real allocator and cost model."""
    ready = _rewritten(graph, target, ALL)[0]
    order = _order(ready, target, ALL)
    memory = allocator(ready, order, target, ALL)
    measured = chain(stages(ready, order, target.alignment), Profile(ready, order, memory.run(), memory, target))
    found = {}
    for run in everything(len(measured.stages)):
        again = repeated(measured.cut, run)
        if again.fingerprint not in found:
            made = closest(again, target, ("merge_common",))  # which would undo the repetition
            found[again.fingerprint] = (made.arena_bytes, made.cost.seconds)
    return list(found.values())


CASES = [
    ("relu", [64], Adam(), TARGET),
    ("relu", [16], SGD(0.1), NATIVE),
    ("tanh", [128], SGD(0.1), TARGET),
    pytest.param("tanh", [64], Adam(), NATIVE, marks=pytest.mark.slow),
    pytest.param("sigmoid", [32], Adam(), TARGET, marks=pytest.mark.slow),
    pytest.param("relu", [64, 32], SGD(0.1), TARGET, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("activation", "widths", "optimizer", "target"), CASES)
def test_no_way_is_quicker_under_any_limit(activation, widths, optimizer, target):
    module = nn.Sequential([*(nn.Dense(width, activation) for width in widths), nn.Dense(4)])
    graph = Job(module, (64,), "auto", optimizer, rows=512).graph(256)
    every = every_plan(graph, target)
    assert len({size for size, _ in every}) > 1
    for limit in {size for size, _ in every}:
        made = plan(graph, target, (), limit)
        best = min(seconds for size, seconds in every if size <= limit)
        assert made.cost.seconds == pytest.approx(best, rel=1e-9)
