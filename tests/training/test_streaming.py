"""Chunks of rows on their way to a device, with a device that notes what is asked of it; and when that is decided."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from nnkit.backend import select
from nnkit.training.data import Rows
from nnkit.training.holding import CHUNK, hold
from nnkit.training.space import BESIDE, ORDER, SHARE, usable
from nnkit.training.streaming import GATHERING, Streamed
from tests.training.small import blobs, fit, network, same, values


class Point:
    """A mark: a place in the list of what was asked."""

    def __init__(self, inlet: Noting, place: int) -> None:
        self.inlet, self.place = inlet, place

    def wait(self) -> None:
        self.inlet.waited.append(self.place)


class Noting:
    """An inlet that copies at once and notes the order of things."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.waited: list[int] = []

    def zeros(self, shape: Sequence[int], dtype: str) -> Any:
        return np.zeros(tuple(shape), dtype)

    def pinned(self, shape: Sequence[int], dtype: str) -> Any:
        return np.full(tuple(shape), 99, dtype)

    def mark(self) -> Point:
        return self._asked(("mark",))

    def send(self, pairs: Sequence[tuple[Any, Any]], after: Point) -> Point:
        for target, source in pairs:
            np.copyto(target, source)
        return self._asked(("send", pairs[0][1][:, 0].tolist(), after.place))

    def hold(self, mark: Point) -> None:
        self._asked(("hold", mark.place))

    def _asked(self, what: Any) -> Point:
        self.asked.append(what)
        return Point(self, len(self.asked) - 1)


@pytest.fixture(autouse=True)
def _threads_end() -> Iterator[None]:
    yield
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(("nnkit-rows", "nnkit-gat"))]


def numbered(count: int, weighted: bool = False) -> Rows:
    """Rows that say which they are."""
    x = np.stack([np.arange(count), np.arange(count) * 2.0], axis=1)
    return Rows(x, np.arange(count, dtype="int32") * 3, np.arange(count) * 4.0 if weighted else None, np.arange(count))


def feed_of(rows: Rows, chunk: int) -> tuple[Streamed, Noting]:
    inlet = Noting()
    return Streamed(select("cpu"), inlet, rows, chunk, "streamed"), inlet


def walked(feed: Streamed, count: int, batch: int) -> list[dict[str, Any]]:
    """What each batch of an epoch reads."""
    found = []
    for first in range(0, count, batch):
        feed.enter(first)
        place = feed.data["order"][first : first + batch]
        found.append({name: array[place].copy() for name, array in feed.data.items() if name != "order"})
        feed.leave(min(first + batch, count))
    return found


@pytest.mark.parametrize(("count", "batch", "chunk"), [(23, 2, 4), (24, 4, 4), (25, 4, 12), (7, 4, 8), (3, 3, 3)])
@pytest.mark.parametrize("weighted", [False, True])
def test_every_batch_reads_its_rows(count: int, batch: int, chunk: int, weighted: bool) -> None:
    rows = numbered(count, weighted)
    feed, _ = feed_of(rows, chunk)
    draw = np.random.default_rng(1)
    for _ in range(3):
        order = draw.permutation(count)
        feed.start(order)
        for number, read in enumerate(walked(feed, count, batch)):
            chosen = order[number * batch : (number + 1) * batch]
            assert read.keys() == rows.arrays.keys()
            for name, array in rows.arrays.items():
                assert (read[name] == array[chosen]).all()
    feed.close()


def test_copies_and_steps_wait_for_each_other() -> None:
    rows = numbered(10)
    feed, inlet = feed_of(rows, 2)
    feed.start(rows.indices)
    walked(feed, 10, 2)
    feed.close()
    marks = [place for place, what in enumerate(inlet.asked) if what[0] == "mark"]
    sent = [(what[1], what[2]) for what in inlet.asked if what[0] == "send"]
    # The first two chunks go out at once, the others each when the steps of the last but one are behind.
    assert sent == [([2 * k, 2 * k + 1], marks[max(0, k - 1)]) for k in range(5)]
    ends = [place for place, what in enumerate(inlet.asked) if what[0] == "send"]
    holds = [what[1] for what in inlet.asked if what[0] == "hold"]
    assert holds == ends
    # Before rows are gathered into it again, a pinned buffer is behind its copy, and in the end they both are.
    assert inlet.waited[:3] == ends[:3]
    assert sorted(inlet.waited[3:]) == ends[3:]


def test_runs_end_where_chunks_do() -> None:
    rows = numbered(30)
    feed, _ = feed_of(rows, 8)
    assert [feed.together(row) for row in (0, 2, 6, 8, 14, 24)] == [8, 6, 2, 8, 2, 8]
    feed.close()


def test_an_epoch_that_begins_again_drops_what_was_under_way() -> None:
    rows = numbered(40)
    feed, _ = feed_of(rows, 4)
    for stop in (4, 8, 10, 22):
        feed.start(rows.indices)
        walked(feed, stop, 2)
    feed.start(rows.indices[::-1].copy())
    read = np.concatenate([batch["x"][:, 0] for batch in walked(feed, 40, 2)])
    assert (read == np.arange(40)[::-1]).all()
    feed.close()


def test_a_feed_that_was_never_started_can_be_closed() -> None:
    feed, inlet = feed_of(numbered(40), 4)
    feed.close()
    assert inlet.asked == inlet.waited == []


def test_gathering_that_fails_is_told_to_whoever_needs_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = numbered(40)
    feed, inlet = feed_of(rows, 4)
    take, count = np.take, [0]

    def failing(*arguments: Any, **options: Any) -> Any:
        count[0] += 1
        if count[0] > 4 * GATHERING:  # two arrays in each of two chunks
            raise MemoryError("no more rows")
        return take(*arguments, **options)

    monkeypatch.setattr(np, "take", failing)
    feed.start(rows.indices)
    with pytest.raises(MemoryError, match="no more rows"):
        walked(feed, 40, 4)
    assert [what[0] for what in inlet.asked].count("send") == 2
    feed.close()


def test_rows_out_of_arrays_in_another_order_are_not_copied_as_a_whole_each_time() -> None:
    rows = Rows(np.asfortranarray(numbered(9).x), numbered(9).y, None, np.arange(9))
    feed, _ = feed_of(rows, 4)
    assert feed._sources["x"].flags.c_contiguous
    feed.start(rows.indices)
    assert [batch["x"][0, 1] for batch in walked(feed, 9, 4)] == [0.0, 8.0, 16.0]
    feed.close()


# -- the decision


class Device:
    """As much of a backend as the decision asks."""

    def __init__(self, free: int | None, inlet: Noting | None) -> None:
        self.free, self._inlet = free, inlet
        self.uploaded: list[Any] = []

    def inlet(self) -> Noting | None:
        return self._inlet

    def free_bytes(self) -> int | None:
        return self.free

    def to_device(self, array: Any) -> Any:
        self.uploaded.append(array)
        return array.copy()


class Steps:
    """As much of a walk as the decision asks."""

    def __init__(self, rows: Rows, batch: int, arena: int = 0, by_steps: bool = True) -> None:
        self.rows, self.batch, self.by_steps = rows, batch, by_steps
        self.steps = -(-len(rows.indices) // batch)
        self._plan = type("Plan", (), {"arena_bytes": arena, "graph": ()})()

    def plans(self) -> list[tuple[Any, int]]:
        return [(self._plan, 1)]


def held(device: Device, *walks: Steps) -> list[Any]:
    found: Any = hold(device, walks)  # type: ignore[arg-type]
    found.close()
    return list(found.feeds)


NEEDED = 100 * (16 + 4 + ORDER)
"""Bytes of a hundred rows of ``numbered``, with their order."""


def leaving(room: int, programs: int = 1) -> int:
    """Free bytes that leave so much room beside programs without an arena."""
    return int((room + programs * BESIDE) / SHARE) + 1


def test_rows_stay_on_the_device_as_long_as_there_is_room() -> None:
    arena = 5000
    enough = leaving(NEEDED + arena)
    for free, said in ((enough, "resident"), (enough - 10, "streamed, ")):
        (feed,) = held(Device(free, Noting()), Steps(numbered(100), 10, arena))
        assert feed.said.startswith(said)


@pytest.mark.parametrize(("free", "inlet"), [(None, Noting()), (1, None)])
def test_where_nothing_is_known_or_memory_is_shared_they_stay(free: int | None, inlet: Noting | None) -> None:
    (feed,) = held(Device(free, inlet), Steps(numbered(100), 10, 10**9))
    assert feed.said == "resident"


def test_rows_that_two_walks_share_are_there_once() -> None:
    rows = numbered(100)
    others = Rows(rows.x, rows.y, None, rows.indices[90:])
    device = Device(10**6, Noting())
    a, b = held(device, Steps(rows, 10), Steps(others, 10))
    assert a.data["x"] is b.data["x"]
    assert a.data["order"] is not b.data["order"]
    assert len(device.uploaded) == 4
    just = leaving(NEEDED + 10 * ORDER, 2)
    for free, said in ((just, "resident"), (just - 10, "streamed, ")):
        assert held(Device(free, Noting()), Steps(rows, 10), Steps(others, 10))[0].said.startswith(said)


@pytest.mark.parametrize(("free", "chunk"), [(0, 10), (leaving(1800), 10), (leaving(2430), 20)])
def test_a_chunk_is_some_whole_batches(free: int, chunk: int) -> None:
    (feed,) = held(Device(free, Noting()), Steps(numbered(100), 10))
    room = max(usable(free) - BESIDE, 0)
    assert feed.said == f"streamed, {chunk} rows at a time: the data need 2.8 kB and {shown(room)} were free for them"
    assert len(feed.data["x"]) == 2 * chunk


def shown(nbytes: int) -> str:
    return f"{nbytes / 1000:.3g} kB" if nbytes >= 1000 else f"{nbytes} B"


def test_chunks_are_not_larger_than_copies_need_nor_than_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 << 20 < CHUNK < 1 << 30
    many, free = Steps(numbered(1000), 10, 40_000), leaving(63_000)
    monkeypatch.setattr("nnkit.training.holding.CHUNK", 20 * 55)
    (feed,) = held(Device(free, Noting()), many)
    assert feed.said.startswith("streamed, 50 rows at a time")
    monkeypatch.undo()
    few = Steps(numbered(25), 10)  # beside many, which do not fit
    _, feed = held(Device(free + leaving(0), Noting()), many, few)
    assert feed.said.startswith("streamed, 20 rows at a time")


def test_a_step_on_all_rows_has_to_have_them_there() -> None:
    every, other = Steps(numbered(100), 100, by_steps=False), Steps(numbered(90), 10)
    for free in (0, leaving(3600, 2)):
        first, second = held(Device(free, Noting()), every, other)
        assert first.said == "resident"
        assert second.said.startswith("streamed, 10 rows")


def test_rows_of_which_two_batches_would_take_more_stay() -> None:
    assert [feed.said for feed in held(Device(0, Noting()), Steps(numbered(100), 60))] == ["resident"]
    assert held(Device(0, Noting()), Steps(numbered(100), 40))[0].said.startswith("streamed, 40 rows")


def test_each_walk_has_at_least_what_it_needs_and_all_together_no_more_than_there_is() -> None:
    large, small = Steps(numbered(1000), 300), Steps(numbered(1000), 10)
    for room in range(30_000, 60_000, 500):
        feeds = held(Device(leaving(room, 2), Noting()), large, small)
        if feeds[0].said != "resident":
            assert sum(array.nbytes for feed in feeds for array in feed.data.values()) <= room + 1


# -- the processor


def test_the_processor_has_its_data_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnkit_numpy.device.NumpyBackend.free_bytes", lambda backend: 10**6)
    run = fit(network(), *blobs(40), epochs=1)
    assert select("cpu").inlet() is None
    assert run.to_dict()["training"]["data_on_device"] == "resident"


def test_any_backend_with_an_inlet_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    nets, runs, inlet = [network(), network()], [], Noting()
    x, y = blobs(5000)
    for net, way in zip(nets, (None, inlet), strict=True):
        monkeypatch.setattr("nnkit_numpy.device.NumpyBackend.inlet", lambda backend, way=way: way)
        monkeypatch.setattr("nnkit_numpy.device.NumpyBackend.free_bytes", lambda backend: 200_000)
        runs.append(fit(net, x, y, epochs=2, compile="off", validation_split=0.1))
    assert runs[0].history == runs[1].history
    assert same(*map(values, nets))
    assert runs[1].record.training["data_on_device"].startswith("streamed, ")
    assert [what[0] for what in inlet.asked].count("send") > 10
