"""What a step may write: of networks of any depth, and asked in one pair of brackets."""

from __future__ import annotations

import inspect
import re
import sys

from nnkit import nn
from nnkit_cupy.source.launches import module
from tests.cuda.mixed import planned


def deep(layers: int) -> nn.Module:
    return nn.Sequential([*(nn.Dense(3, "tanh") for _ in range(layers)), nn.Dense(2)])


def test_nothing_recurs_over_the_depth() -> None:
    plan = planned(deep(50), "float32")
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 60)
    try:
        text = module(plan).text
    finally:
        sys.setrecursionlimit(before)
    guards = set(re.findall(r"state\[0\] \| \(!state\[1\] & \((.*)\)\)\)", text))
    assert len(guards) == 1
    (asked,) = guards
    told = asked.split(" & ")
    assert len(told) == len(set(told)) > 100  # the loss, and two of each layer
    assert all(re.fullmatch(r"truths\[\d+\]", each) for each in told)
