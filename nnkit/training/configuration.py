"""What a training was started with, as plain data: what must be the same for it to go on to the same bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import numpy.typing as npt

from nnkit import metrics
from nnkit.data.dataset import content_hash
from nnkit.errors import ArgumentError
from nnkit.losses import Loss
from nnkit.measure.environment import environment
from nnkit.metrics import Metric
from nnkit.optimizers import Optimizer
from nnkit.plan import Target
from nnkit.training.asked import Asked
from nnkit.training.compiling import Compiler
from nnkit.training.data import Rows, TrainingData
from nnkit.training.options import Options
from nnkit.training.programs import Walk

PLAIN = (
    "epochs", "batch_size", "validation_split", "shuffle", "compile", "memory_limit", "time_ordered", "standardize",
    "precision",
)  # fmt: skip
"""Options of ``fit`` that are plain values."""
GIVEN = ("validation_data", "sample_weight", "class_weight")
"""Options that are data, and must be given again."""
WHOLE = ("tile_bytes", "near_bytes", "threads", "run_steps", "lanes")
REAL = (
    "call_s", "bytes_per_s", "cached_bytes_per_s", "flops_per_s", "near_bytes_per_s", "operation_s", "meet_s",
    "start_s",
)  # fmt: skip
"""Numbers of a target that a profile may say, and by which plans are made."""
MACHINE = ("python", "numpy", "nnkit", "blas", "cpu", "gpu", "driver")


class Started(NamedTuple):
    """A training as it was started, for its checkpoints."""

    configuration: Mapping[str, Any]
    hashes: Callable[[], dict[str, str]]
    """Those of the data."""
    loss: Loss
    optimizer: Optimizer
    """As it was given: schedules without their ends."""


def configuration(
    options: Options, asked: Asked, compiler: Compiler, walks: Sequence[Walk | None], before: int, fresh: bool
) -> dict[str, Any]:
    """All of it but the hashes of the data.

    ``before`` are the updates of the optimiser before this training; ``fresh``: the network was as it is drawn.
    """
    known = environment()
    return {
        "options": {name: _plain(getattr(options, name)) for name in PLAIN},
        "given": {name: getattr(options, name) is not None for name in GIVEN},
        "metrics": [{"name": metric.name, "own": _is_own(metric)} for metric in asked.metrics],
        "before": before,
        "fresh": fresh,
        "rows": [0 if walk is None else len(walk.rows.indices) for walk in walks],
        "device": compiler.model.backend.name,
        "targets": [None if target is None else rates(target) for target in compiler.targets()],
        "programs": [[] if walk is None else [plan.fingerprint for plan, _ in walk.plans()] for walk in walks],
        "machine": {name: known[name] for name in MACHINE},
    }


def data_hashes(data: TrainingData) -> Callable[[], dict[str, str]]:
    """A function that gives the SHA-256 of each part of the data; it takes them once."""

    @cache
    def hashes() -> dict[str, str]:
        found = _hashes("", data.train)
        return found if data.validation is None else found | _hashes("validation ", data.validation)

    return hashes


def rates(target: Target) -> dict[str, Any]:
    """The numbers of a target by which plans are made."""
    numbers = {name: getattr(target, name) for name in (*WHOLE, *REAL)}
    pairs = [list(pair) for pair in target.element_s]
    return {"name": target.name, **numbers, "element_s": pairs, "profile": target.profile}


def _hashes(part: str, rows: Rows) -> dict[str, str]:
    arrays: Mapping[str, npt.NDArray[Any]] = rows.arrays | {"rows": rows.indices}
    return {f"{part}{name}": content_hash(array) for name, array in arrays.items()}


def _is_own(metric: Metric) -> bool:
    """Whether its name alone does not bring it back."""
    try:
        known = metrics.get(metric.name)
    except ArgumentError:
        return True
    return (_parts(known.function), known.weighted) != (_parts(metric.function), metric.weighted)


def _parts(function: Any) -> Any:
    """What a function is made of, where that is another one with some arguments."""
    return (function.func, function.args, function.keywords) if isinstance(function, partial) else function


def _plain(value: Any) -> Any:
    """Numbers of NumPy as Python's."""
    return value.item() if type(value).__module__ == "numpy" else value
