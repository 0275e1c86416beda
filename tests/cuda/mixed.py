"""Networks in mixed precision, their plans, and trainings on a stand-in of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.plan import Plan, known
from nnkit.plan.planner import plan
from nnkit.training.planning import training_plan
from nnkit_cupy.device import TARGET, CupyBackend
from nnkit_cupy.source.launches import module
from tests.cuda.stand_in import HostRuntime, selected

DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(120, 24)).astype(np.float32), DRAW.integers(0, 10, 120)
ROWS = 64
"""Of a batch that is planned."""


def network(*widths: int, activation: str = "relu") -> nn.Sequential:
    return nn.Sequential([*(nn.Dense(width, activation) for width in widths), nn.Dense(10, "softmax")])


def planned(module_: nn.Module, dtype: str = "bfloat16", optimizer: Any = "adam") -> Plan:
    graph = training_plan(nnkit.Network(module_, (24,), seed=0)._model, ROWS, optimizer, "auto").graph
    return plan(graph, replace(TARGET, products=dtype))


def fitted(
    monkeypatch: pytest.MonkeyPatch, module_: nn.Module, patches: Mapping[str, Any], **options: Any
) -> tuple[dict[str, np.ndarray], list[Plan]]:
    """Parameters after two epochs with something else in the place of some of the library, and the plans compiled."""
    plans: list[Plan] = []

    def kept(made: Plan, may: Any) -> Any:
        plans.append(made)
        return module(made, may)

    with monkeypatch.context() as patch:
        selected(patch, CupyBackend("cuda", HostRuntime()))
        patch.setattr("nnkit_cupy.program.module", kept)
        for place, other in patches.items():
            patch.setattr(place, other)
        known._made.cache_clear()
        net = nnkit.Network(module_, (24,), device="cuda", seed=1)
        net.fit(X, Y, epochs=2, precision="mixed_bfloat16", progress=False, **options)
    known._made.cache_clear()
    return net.parameters(), plans
