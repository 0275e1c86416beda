"""What a network is made with, checked, and the plan of its training step without data."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from nnkit import optimizers
from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_count
from nnkit.measure.units import parse_bytes
from nnkit.plan import Plan, plan
from nnkit.plan.limit import MemoryLimitError
from nnkit.training.graphs import training_graph
from nnkit.training.layout import lasting_bytes
from nnkit.training.limit import MemoryLimit
from nnkit.training.model import Model
from nnkit.training.objective import objective
from nnkit.training.precision import FULL, check_precision, rounded_to, scaled
from nnkit.training.targets import usual_signature


def training_plan(
    model: Model,
    batch_size: int,
    optimizer: Any,
    loss: Any,
    disable: tuple[str, ...] = (),
    memory_limit: int | str | None = None,
    native: bool = False,
    precision: str = FULL,
) -> Plan:
    """The plan of a step on so many rows, with targets of the usual kind."""
    check_count("explain", "batch_size", batch_size, at_least=1)
    goal = objective(model.module, loss)
    check_precision(precision, model.layout.dtype)
    chosen = scaled(optimizers.get(optimizer), precision, None).resolved(1)
    target = usual_signature(goal, model.layout)
    graph = training_graph(model.layout, goal, chosen, target, batch_size, weighted=False)
    given = None if memory_limit is None else parse_bytes("memory_limit", memory_limit)
    limit = MemoryLimit(given, lasting_bytes(model.layout, chosen))
    backend = model.backend
    device = (backend.native_target() if native else None) or backend.target()
    device = replace(device, products=rounded_to(precision, device))
    try:
        made = plan(graph, device, disable, limit.arena)
    except MemoryLimitError as reason:
        raise limit.refusal(reason, batch_size) from None
    if native:
        backend.compile(made)  # which says why, if there is no such form
    return made


def checked_seed(seed: object) -> int:
    """A seed that can be one; None draws it."""
    if seed is None:
        return secrets.randbits(32)
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or not 0 <= seed.__index__() < 2**64:
        raise ArgumentError(f"seed must be None or a whole number from 0 to 2⁶⁴ − 1, got {seed!r}")
    return int(seed.__index__())


def checked_shape(shape: object) -> tuple[int, ...]:
    """The shape of one row as a tuple of whole numbers."""
    given = (shape,) if hasattr(shape, "__index__") and not isinstance(shape, bool) else shape
    fine = isinstance(given, (tuple, list)) and all(
        hasattr(size, "__index__") and not isinstance(size, bool) and size.__index__() > 0 for size in given
    )
    if not fine:
        raise ArgumentError(f"input_shape must be a tuple of whole numbers from 1, such as (784,), got {shape!r}")
    return tuple(int(size.__index__()) for size in given)  # type: ignore[attr-defined]
