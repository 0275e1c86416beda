"""Which launches wait for which, and that the stand-in would notice if one did not."""

from __future__ import annotations

import numpy as np
import pytest

import nnkit
from nnkit.bench import Job
from nnkit.bench.frameworks.programs import allocated, resident
from nnkit.graph import Trace
from nnkit.plan.planner import plan
from nnkit.training.planning import training_plan
from nnkit_cupy import program
from nnkit_cupy.device import TARGET, CupyBackend
from nnkit_cupy.source.order import LANES, Placed, Region, Touched, placed, region


def launch(reads: str = "", writes: str = "") -> Touched:
    return Touched(tuple(map(Region, reads)), tuple(map(Region, writes)))


def test_what_does_not_depend_on_each_other_runs_side_by_side() -> None:
    chain = [launch(writes="a"), launch("a", "b"), launch("a", "c"), launch("bc", "d"), launch("d", "a")]
    found = placed(chain)
    assert [each.lane for each in found] == [0, 0, 1, 1, 1]
    assert [each.waits for each in found] == [(), (), (0,), (1,), ()]


def test_regions_meet_where_they_have_bytes_in_common() -> None:
    a = Touched((), (Region("arena", 0, 64),))
    assert a.before(Touched((Region("arena", 60, 70),)))
    assert not a.before(Touched((Region("arena", 64, 70),)))
    assert not a.before(Touched((Region("b3", 0, 64),)))
    assert Touched((Region("x"),)).before(Touched((), (Region("x"),)))
    assert not Touched((Region("x"),)).before(Touched((Region("x"),)))


def test_of_a_vector_a_matrix_reads_its_piece() -> None:
    """Also behind a further view that keeps the order of the elements; of any other it may be all."""
    trace = Trace()
    xp = trace.namespace
    flat = trace.input("flat", "state", (100,), "float32")
    matrix = xp.reshape(flat[20:80], (6, 10))
    values = {"matrix": matrix, "row": xp.reshape(matrix, (60,))[10:20], "turned": matrix.T, "some": matrix[:, 2:4]}
    values |= {"whole": flat, "every": flat[::2]}
    made = plan(trace.graph({name: value + 1.0 for name, value in values.items()} | {"flat": flat * 2.0}), TARGET)
    found = {}
    for name, i in made.graph.outputs:
        (found[name],) = region(made, made.graph.nodes[i].inputs[0], {})
    (state,) = made.graph.state
    pieces = {"matrix": (80, 320), "row": (120, 160)}
    assert found == {name: Region(f"b{state}", *pieces.get(name, ())) for name in found}


@pytest.mark.parametrize("seed", range(20))
def test_every_launch_is_behind_all_that_it_has_to_wait_for(seed: int) -> None:
    draw = np.random.default_rng(seed)
    names = "abcdefg"
    launches = [launch("".join(draw.choice(list(names), 2)), "".join(draw.choice(list(names), 1))) for _ in range(30)]
    found = placed(launches)
    behind: list[set[int]] = []
    for number, (lane, waits) in enumerate(found):
        assert 0 <= lane < LANES
        direct = set(waits) | {k for k in range(number) if found[k].lane == lane}
        behind.append(direct.union(*(behind[k] for k in direct)))
        assert {k for k in range(number) if launches[k].before(launches[number])} <= behind[number]


def test_the_stand_in_notices_a_launch_that_does_not_wait(
    stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without waits, some order that lanes allow gives other numbers."""
    monkeypatch.setattr("nnkit.training.model.select", lambda name: stand_in)
    found = []
    for careless in (False, True):
        if careless:
            monkeypatch.setattr(program, "placed", lambda touched: [Placed(k % LANES, ()) for k in range(len(touched))])
        net = nnkit.FeedForward(6, 3, [5, 4], output_activation="softmax", device="cuda", seed=0)
        job = Job.of(net, 80)
        model, _ = net._model, allocated(net, job)
        made = training_plan(model, 80, "adam", "auto")
        bound = model.backend.compile(made).bind(model.store, resident(net, job.data()))
        bound.run(2)
        found.append(model.store.read(["parameter"])["parameter"])
    assert np.isfinite(found[0]).all()
    assert not np.array_equal(found[0], found[1])
