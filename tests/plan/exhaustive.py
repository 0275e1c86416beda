"""All ways to compute stages of a chain again, one by one, and what each takes: nothing is shared with the planner."""

from __future__ import annotations

from itertools import product


def everything(count):
    """Every choice: before each backward part the stage from which the forward pass runs again, or none.

    A choice is the list of all events, ("forward" | "backward", stage).
    """
    forward = [("forward", stage) for stage in range(count)]
    for starts in product(*(range(stage + 2) for stage in reversed(range(count - 1)))):
        events = [*forward, ("backward", count - 1)]
        for stage, start in zip(reversed(range(count - 1)), starts, strict=True):
            events += [("forward", again) for again in range(start, stage + 1)]
            events += [("backward", stage)]
        yield events


def cost(stages, events):
    """Extra seconds: of each repetition only what is read of it."""
    seconds = 0.0
    for number, (kind, stage) in enumerate(events):
        if kind == "forward" and number >= len(stages):
            passed, own = _wanted(stages, events, number)
            each = stages[stage]
            seconds += (each.whole if own else each.run) if passed else (each.last if own else 0.0)
    return seconds


def peak(stages, pinned, events):
    """The most bytes at any event, from who reads which copy."""
    most = 0
    turn = next(number for number, (kind, _) in enumerate(events) if kind == "backward")
    for number, (kind, stage) in enumerate(events):
        entering = stage - 1
        others = sum(_held(stages, events, number, other, entering) for other in range(len(stages)) if other != stage)
        if kind == "backward":
            most = max(most, others + stages[stage].backward)
        elif number < turn:
            most = max(most, others + stages[stage].forward + pinned)
        elif any(_wanted(stages, events, number)):
            following = next(s for k, s in events[number:] if k == "backward")
            most = max(most, others + stages[stage].forward + stages[following].waiting)
    return most


def _wanted(stages, events, number):
    """Whether a later stage, and its own backward part, reads what a forward event computed."""
    stage = events[number][1]
    passed = own = False
    for kind, other in events[number + 1 :]:
        if (kind, other) == ("forward", stage):
            break
        passed |= other == stage + 1
        own |= (kind, other) == ("backward", stage) and stages[stage].alone
    return passed, own


def _held(stages, events, number, stage, entering):
    """Bytes that lie of a stage while another event runs. What enters that event is in its own figure."""
    made = max((n for n in range(number) if events[n] == ("forward", stage)), default=None)
    if made is None:
        return 0
    later = events[number:]
    end = later.index(("forward", stage)) if ("forward", stage) in later else len(later)
    own = ("backward", stage) in later[:end]
    passed = any(other == stage + 1 for _, other in later[:end])
    each = stages[stage]
    if stage == entering:
        return each.kept - each.passed if own else 0
    if own:
        return each.kept if passed else each.kept - each.passed
    return each.passed if passed else 0
