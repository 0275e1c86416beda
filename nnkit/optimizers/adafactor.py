"""Adafactor: the mean square of a matrix of gradients kept as one number for each row and each column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_number
from nnkit.ops import namespace
from nnkit.optimizers import varying
from nnkit.optimizers.optimizer import ByParts, as_schedule, check_rate
from nnkit.optimizers.parts import Parts, Shape
from nnkit.optimizers.schedules import Schedule
from nnkit.optimizers.varying import Varying

Array = Any


@dataclass(frozen=True)
class Adafactor(ByParts):
    """w ← (1 − η λ) w − ρ max(ε₂, rms(w)) u / max(1, rms(u) / d), with u = g / √v, ρ = min(η, 1/√t), each w by itself.

    v ← v + (g² − v) t^c for vectors, c being ``beta2_decay``. For matrices only the means r and k of such a v over
    its columns and its rows are kept, and v is r kᵀ / mean(r): n + m numbers for n · m weights, where Adam has 2 n m.
    Arrays of more dimensions are stacks of matrices. ``eps`` is (ε₁, ε₂); √v is at least ε₁, and None is the precision
    of the data type. Shazeer, Stern, "Adafactor: adaptive learning rates with sublinear memory cost", ICML 2018,
    without momentum, as in PyTorch.

    >>> import numpy as np
    >>> method = Adafactor(0.5)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> weight, slope = np.ones((2, 2)), np.asarray([[3.0, 3.0], [-7.0, 7.0]])
    >>> shapes = method.moment_shapes(Parts(((2, 2),)))
    >>> zeros = {name: np.zeros(shape) for name, shape in shapes.items()}
    >>> method.update(weight, slope, zeros, settings, np.asarray(1.0))[0].round(6)
    array([[0.5, 0.5],
           [1.5, 0.5]])
    >>> shapes
    {'rows': (2,), 'columns': (2,)}
    """

    learning_rate: float | Schedule = 0.01
    beta2_decay: float = -0.8
    eps: tuple[float | None, float] = (None, 1e-3)
    d: float = 1.0
    weight_decay: Varying = 0.0

    name: ClassVar[str] = "adafactor"
    moments: ClassVar[tuple[str, ...]] = ("rows", "columns", "square")

    def __post_init__(self) -> None:
        check_rate("Adafactor", self.learning_rate)
        check_number("Adafactor", "beta2_decay", self.beta2_decay, "(-inf, 0)")
        if not isinstance(self.eps, tuple) or len(self.eps) != 2:
            raise ArgumentError(f"Adafactor: eps is {self.eps!r}, expected a pair such as (None, 0.001)")
        if self.eps[0] is not None:
            check_number("Adafactor", "eps[0]", self.eps[0], "(0, inf)")
        check_number("Adafactor", "eps[1]", self.eps[1], "[0, inf)")
        check_number("Adafactor", "d", self.d, "(0, inf)")
        varying.check("Adafactor", "weight_decay", self.weight_decay, "[0, inf)")

    def moment_shapes(self, parts: Parts) -> dict[str, Shape]:
        """Rows and columns of all matrices, and the numbers of all vectors, flat, where there are any."""
        found = {name: kept.count for name, kept in _kept(parts).items()}
        return {name: (count,) for name, count in found.items() if count}

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        least, scale = self.eps
        own = {"beta2_decay": float(self.beta2_decay), "smallest_weight": float(scale), "d": float(self.d)}
        own |= {} if least is None else {"eps": float(least)}
        decay = varying.settings("weight_decay", self.weight_decay) if self.weight_decay else {}
        return as_schedule(self.learning_rate).settings() | own | decay

    def update_parts(
        self,
        parts: Parts,
        parameter: Array,
        gradient: Array,
        moments: Mapping[str, Array],
        settings: Mapping[str, Array],
        step: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """One update by the formula of the class; arguments as in :class:`Optimizer`."""
        xp, rate = namespace(gradient), self.rate(step, settings)
        least = settings.get("eps", float(xp.finfo(gradient.dtype).eps))
        share = xp.exp(xp.log(step) * settings["beta2_decay"])
        kept = _kept(parts)
        old = {name: iter(kept[name].split(value)) for name, value in moments.items()}
        new: dict[str, list[Array]] = {name: [] for name in moments}
        changes = []
        for weight, slope in zip(parts.split(parameter), parts.split(gradient), strict=True):
            square = xp.square(slope)
            fresh = {"square": square} if slope.ndim < 2 else {"rows": _mean(square, -1), "columns": _mean(square, -2)}
            means = {}
            for name, value in fresh.items():
                before = next(old[name])
                means[name] = before + (value - before) * share
                new[name].append(means[name])
            change = slope / xp.maximum(xp.sqrt(_estimate(means, least)), least)
            scale = xp.maximum(_rms(weight), settings["smallest_weight"])
            changes.append(change * (scale / xp.maximum(_rms(change) / settings["d"], 1.0)))
        pace = xp.minimum(rate, 1.0 / xp.sqrt(step))
        if self.weight_decay:
            parameter = parameter * (1.0 - rate * varying.at("weight_decay", self.weight_decay, step, settings))
        moved = {name: kept[name].join(values) for name, values in new.items()}
        return parameter - parts.join(changes) * pace, moved


def _kept(parts: Parts) -> dict[str, Parts]:
    """What is kept of each parameter, by the name of the moment."""
    matrices = [shape for shape in parts.shapes if len(shape) > 1]
    return {
        "rows": Parts(tuple(shape[:-1] for shape in matrices)),
        "columns": Parts(tuple((*shape[:-2], shape[-1]) for shape in matrices)),
        "square": Parts(tuple(shape for shape in parts.shapes if len(shape) < 2)),
    }


def _estimate(means: Mapping[str, Array], least: Array | float) -> Array:
    """v, from the means over its columns and rows if it is a matrix."""
    if "square" in means:
        return means["square"]
    rows, columns = means["rows"], means["columns"]
    xp = namespace(rows)
    rows = rows / xp.maximum(xp.mean(rows, axis=-1, keepdims=True), least)
    return xp.expand_dims(rows, axis=-1) * xp.expand_dims(columns, axis=-2)


def _mean(array: Array, axis: int) -> Array:
    return namespace(array).mean(array, axis=axis)


def _rms(array: Array) -> Array:
    """The root of the mean square of all numbers, 0-d."""
    xp = namespace(array)
    return xp.sqrt(xp.mean(xp.square(array)))
