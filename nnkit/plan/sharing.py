"""Which steps the threads of a processor divide among them, and how many threads there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from nnkit.plan.step import Step
from nnkit.plan.target import Target


def shared(steps: Sequence[Step], target: Target) -> tuple[int, tuple[Step, ...]]:
    """The number of threads with which the steps take the least time as predicted, and the steps so divided."""
    choices = ((threads, tuple(_divided(step, threads, target) for step in steps)) for threads in _counts(target))
    start_s = target.start_s / target.run_steps

    def seconds(choice: tuple[int, tuple[Step, ...]]) -> float:
        return sum(step.cost.seconds for step in choice[1]) + (start_s if choice[0] > 1 else 0.0)

    return min(choices, key=seconds)


def _counts(target: Target) -> Iterator[int]:
    """1, 2, 4, … and all of them."""
    count = 1
    while count < target.threads:
        yield count
        count *= 2
    yield target.threads


def _divided(step: Step, threads: int, target: Target) -> Step:
    """The step, shared where that pays for the meeting at its end and for what comes from other cores."""
    seconds = step.cost.seconds / threads + target.meet_s * threads + _fetching(step, threads, target)
    if threads == 1 or step.kernel not in target.divisible or seconds >= step.cost.seconds:
        return step
    return replace(step, shared=True, cost=replace(step.cost, seconds=seconds))


def _fetching(step: Step, threads: int, target: Target) -> float:
    """Seconds in which a thread reads the parts of a product's operands that the others wrote."""
    if step.kernel != "matmul" or not target.near_bytes_per_s:
        return 0.0
    return step.cost.nbytes * (threads - 1) / threads / target.near_bytes_per_s
