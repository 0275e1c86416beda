"""How long each step of a plain program takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import numpy as np


def warm(rounds: int) -> int:
    """How many of so many rounds do not count: the first two, if that leaves one."""
    return min(2, rounds - 1)


def step_seconds(bodies: list[list[str]], names: Mapping[str, Any], rounds: int) -> list[float]:
    """The median time of each body of code, all of them one after the other in every round that is warm."""
    functions = [_function(body, names) for body in bodies]
    taken: list[list[float]] = [[] for _ in functions]
    with np.errstate(all="ignore"):
        for _ in range(rounds):
            for function, times in zip(functions, taken, strict=True):
                began = time.perf_counter()
                function()
                times.append(time.perf_counter() - began)
    return [median(times[warm(rounds) :]) for times in taken]


def _function(body: list[str], names: Mapping[str, Any]) -> Callable[[], None]:
    found = dict(names)
    exec("\n    ".join(["def step():", *(body or ["pass"])]), found)
    made: Callable[[], None] = found["step"]
    return made
