"""Keep or recompute along a chain: for every amount of memory the cheapest choice, by dynamic programming.

A chain is a forward pass in stages, each of which reads what the one before it left, and a backward pass through the
same stages in reverse. A stage that was not kept whole is computed again, from the nearest kept result before it. The
choices are those of Beaumont, Eyraud-Dubois, Herrmann, Joly and Shilova (2019, "Optimal checkpointing for heterogeneous
chains"): keep everything of the first stage, or run on to a later one, keep only what crosses there, and come back.
In short chains a kept result may also be let go before its own turn and computed again then; there the choice is the
best of all ways to run stages again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

FREE = 14  # stages up to which a result may be let go and computed again although it is needed later
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
    """A way through some stages: its peak in bytes and its extra seconds.

    It runs the forward pass from stage ``run[0]`` up to, but not, ``run[1]``, then its ``parts``, one after the other,
    and then the backward part of the stage ``back``, if there is one.
    """

    peak: int
    seconds: float
    run: tuple[int, int]
    parts: tuple[Choice, ...]
    back: int | None


Table = dict[tuple[int, int, int], list[Choice]]
"""Choices for (known, first, last): the backward parts from ``last`` to ``first``, given the result of ``known``."""


def front(stages: Sequence[Stage], pinned: int) -> tuple[Choice, ...]:
    """All choices of which none is both larger and dearer than another; the cheapest and largest is the last.

    In the first pass everything is computed anyway, so that it costs nothing; beside it lie ``pinned`` bytes. In a
    chain of more than ``FREE`` stages what was kept stays until the backward pass has come back to it.
    """
    count = len(stages)
    far = count if count <= FREE else 1
    again: Table = {}
    once: Table = {}
    for length in range(1, count + 1):
        for known in range(-1, count - length):
            last = known + length
            for first in range(known + 1, min(last, known + far) + 1):
                place = (known, first, last)
                again[place] = _best(_choices(stages, place, again, again, stages[last].waiting, 1.0))
                if last == count - 1:
                    once[place] = _best(_choices(stages, place, once, again, pinned, 0.0))
    return tuple(once[-1, 0, count - 1])


def events(choice: Choice) -> Iterator[tuple[str, int]]:
    """("forward" | "backward", stage) in the order in which a choice runs them."""
    waiting: list[Choice | int] = [choice]
    while waiting:
        now = waiting.pop()
        if isinstance(now, int):
            yield "backward", now
        else:
            yield from (("forward", stage) for stage in range(*now.run))
            waiting += [] if now.back is None else [now.back]
            waiting += reversed(now.parts)


def restarts(starts: Sequence[int]) -> Iterator[tuple[str, int]]:
    """The events that run the forward pass again from ``starts[stage]`` up to each stage before its backward part."""
    yield from (("forward", stage) for stage in range(len(starts)))
    for stage in reversed(range(len(starts))):
        if stage < len(starts) - 1:
            yield from (("forward", again) for again in range(starts[stage], stage + 1))
        yield "backward", stage


def _choices(
    stages: Sequence[Stage], place: tuple[int, int, int], later: Table, again: Table, beside: int, share: float
) -> Iterator[Choice]:
    """Every choice made of best choices for shorter parts; ``share`` is 0 where computing forward costs nothing."""
    known, first, last = place
    held = stages[known].passed if known >= 0 else 0
    if known == first - 1:
        yield from _first_kept(stages, place, later, beside, share)
    run = far = 0  # the most while running on, with and without what stage ``known`` passed on
    seconds = 0.0
    for stop in range(known + 1, last):
        run = max(run, beside + stages[stop].forward)
        far = max(far, beside + stages[stop].forward + (held if stop > known + 1 else 0))
        seconds += share * stages[stop].run
        for begin in range(max(first, stop + 1), last + 1):
            if (stop, begin, last) not in later:
                break
            if begin == first:
                for a in later[stop, begin, last]:
                    yield Choice(max(run, a.peak), seconds + a.seconds, (known + 1, stop + 1), (a,), None)
                continue
            for a, b in _pairs(later[stop, begin, last], again[known, first, begin - 1], held):
                peak = max(far, held + a.peak, b.peak)
                yield Choice(peak, seconds + a.seconds + b.seconds, (known + 1, stop + 1), (a, b), None)


def _first_kept(
    stages: Sequence[Stage], place: tuple[int, int, int], later: Table, beside: int, share: float
) -> Iterator[Choice]:
    """The choices in which all of the first stage is kept until its backward part; there may be no other stage."""
    known, first, last = place
    stage, held = stages[first], stages[known].passed if known >= 0 else 0
    run, forward = (first, first + 1), beside + stage.forward
    if first == last:
        computed = forward if stage.alone or not share else 0
        yield Choice(max(computed, stage.backward), share * stage.last, run, (), first)
        return
    for rest in later[first, first + 1, last]:
        peak = max(forward, stage.backward, held + stage.kept - stage.passed + rest.peak)
        yield Choice(peak, share * stage.whole + rest.seconds, run, (rest,), first)


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
