"""Which launches wait for which, and that the stand-in would notice if one did not."""

from __future__ import annotations

import numpy as np
import pytest

import nnkit
from nnkit.bench import Job
from nnkit.bench.frameworks.programs import allocated, resident
from nnkit.training.planning import training_plan
from nnkit_cupy import program
from nnkit_cupy.device import CupyBackend
from nnkit_cupy.source.order import LANES, Placed, Region, Touched, placed, urgent_first


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


def test_launches_that_most_others_wait_for_come_first() -> None:
    """Of the three that wait for the first alone, one has two behind it; the last waits for all."""
    chain = [launch(writes="a"), launch("a", "b"), launch("a", "c"), launch("a", "d"), launch("d", "e"), launch("bce")]
    assert urgent_first(chain) == [0, 3, 1, 2, 4, 5]


@pytest.mark.parametrize("seed", range(20))
def test_whoever_waits_stays_behind(seed: int) -> None:
    launches = _drawn(seed)
    found = urgent_first(launches)
    assert sorted(found) == list(range(len(launches)))
    place = {number: at for at, number in enumerate(found)}
    for later in range(len(launches)):
        assert all(place[k] < place[later] for k in range(later) if launches[k].before(launches[later]))


def _drawn(seed: int) -> list[Touched]:
    draw, names = np.random.default_rng(seed), list("abcdefg")
    return [launch("".join(draw.choice(names, 2)), "".join(draw.choice(names, 1))) for _ in range(30)]


@pytest.mark.parametrize("seed", range(20))
def test_every_launch_is_behind_all_that_it_has_to_wait_for(seed: int) -> None:
    launches = _drawn(seed)
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
