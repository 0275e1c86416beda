"""Keep or recompute along a chain: for every amount of memory the cheapest choice, by dynamic programming.

A chain is a forward pass in stages, each of which reads what the one before it left, and a backward pass through the
same stages in reverse. A stage that was not kept whole is computed again, from the nearest kept result before it. The
choices are those of Beaumont, Eyraud-Dubois, Herrmann, Joly and Shilova (2019, "Optimal checkpointing for heterogeneous
chains"): keep everything of the first stage, or run on to a later one, keep only what crosses there, and come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

WIDEST = 64  # choices that are remembered for a part of a chain: the exact front of every small chain is shorter


@dataclass(frozen=True, slots=True)
class Stage:
    """Sizes in bytes and costs in seconds of one stage.

    ``passed`` is what later stages read, ``kept`` that and what the stage's own backward part reads. ``forward`` and
    ``backward`` are the most that is alive in the two parts, what the stage reads included, other stages not;
    ``waiting`` is what lies by between the backward part of the next stage and this one's: gradients, pinned values.
    ``run`` is the cost of what is passed on, ``whole`` that of all that is kept, ``last`` of what its own backward part
    reads (``alone`` tells whether there is any).
    """

    passed: int
    kept: int
    forward: int
    backward: int
    waiting: int
    run: float
    whole: float
    last: float
    alone: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A way through the stages ``first`` to ``last``: its peak beside what was there before, and its extra seconds.

    ``parts`` are choices for (first + 1 … last) when the first stage is kept whole, or for (split … last) and then
    (first … split − 1).
    """

    peak: int
    seconds: float
    first: int
    last: int
    parts: tuple[Choice, ...] = ()


def front(stages: Sequence[Stage], pinned: int) -> tuple[Choice, ...]:
    """All choices of which none is both larger and dearer than another; the cheapest and largest is the last.

    In the first pass everything is computed anyway, so that it costs nothing; beside it lie ``pinned`` bytes.
    """
    count = len(stages)
    again: dict[tuple[int, int], list[Choice]] = {}
    for length in range(1, count + 1):
        for first in range(count - length + 1):
            last = first + length - 1
            again[first, last] = _best(_choices(stages, first, last, again, again, stages[last].waiting, 1.0))
    once: dict[tuple[int, int], list[Choice]] = {}
    for first in reversed(range(count)):
        once[first, count - 1] = _best(_choices(stages, first, count - 1, once, again, pinned, 0.0))
    return tuple(once[0, count - 1])


def events(choice: Choice) -> Iterator[tuple[str, int]]:
    """("forward" | "backward", stage) in the order in which a choice runs them."""
    waiting: list[Choice | tuple[str, int]] = [choice]
    while waiting:
        now = waiting.pop()
        if isinstance(now, tuple):
            yield now
        elif len(now.parts) < 2:
            yield "forward", now.first
            waiting += [("backward", now.first), *now.parts]
        else:
            later, earlier = now.parts
            yield from (("forward", stage) for stage in range(now.first, later.first))
            waiting += [earlier, later]


def _choices(
    stages: Sequence[Stage],
    first: int,
    last: int,
    later: dict[tuple[int, int], list[Choice]],
    again: dict[tuple[int, int], list[Choice]],
    beside: int,
    share: float,
) -> Iterator[Choice]:
    """Every choice made of best choices for shorter parts; ``share`` is 0 where computing forward costs nothing."""
    stage, read = stages[first], stages[first - 1].passed if first else 0
    forward, backward = beside + stage.forward - read, stage.backward - read
    if first == last:
        computed = forward if stage.alone or not share else 0
        yield Choice(max(computed, backward), share * stage.last, first, last)
        return
    for rest in later[first + 1, last]:
        peak = max(forward, backward, stage.kept + rest.peak)
        yield Choice(peak, share * stage.whole + rest.seconds, first, last, (rest,))
    running = [stage.forward - read, *(s.forward for s in stages[first + 1 : last])]
    runs = zip(accumulate(running, max), accumulate(s.run for s in stages[first:last]), strict=True)
    for split, (run, seconds) in enumerate(runs, start=first + 1):
        floor, left = beside + run, stages[split - 1].passed
        for a, b in _pairs(later[split, last], again[first, split - 1], left):
            peak = max(floor, left + a.peak, b.peak)
            yield Choice(peak, share * seconds + a.seconds + b.seconds, first, last, (a, b))


def _pairs(later: list[Choice], earlier: list[Choice], left: int) -> Iterator[tuple[Choice, Choice]]:
    """For every amount of memory the cheapest of both lists that fits it."""
    i = j = 0
    while True:
        yield later[i], earlier[j]
        following = [later[i + 1].peak + left] if i + 1 < len(later) else []
        if j + 1 < len(earlier) and (not following or earlier[j + 1].peak < following[0]):
            j += 1
        elif following:
            i += 1
        else:
            return


def _best(choices: Iterable[Choice]) -> list[Choice]:
    """Without those that another one beats in memory and time; thinned evenly where too many are left."""
    found: list[Choice] = []
    for choice in sorted(choices, key=lambda c: (c.peak, c.seconds)):
        if not found or choice.seconds < found[-1].seconds:
            found.append(choice)
    if len(found) <= WIDEST:
        return found
    return [found[round(k * (len(found) - 1) / (WIDEST - 1))] for k in range(WIDEST)]
