"""Fixed units: columns multiplied and shifted by numbers that are not trained."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from nnkit.errors import ArgumentError, ShapeError
from nnkit.nn.activation import Activation
from nnkit.nn.module import Module
from nnkit.ops import namespace

if TYPE_CHECKING:
    from nnkit.nn.tracing import Run

Array = Any
Factor = float | tuple[float, ...]


class Rescaling(Module):
    """x · scale + offset with fixed numbers: one for all columns, or one for each.

    As the last layer, or as the activation of the last, it gives predictions in the units of the targets, so that these
    need not be standardised by hand. A loss that depends on the error alone (``loss.of_error``: squared, absolute,
    Huber, log-cosh, quantile) is then taken before it, against (target − offset) / scale: the network learns as it does
    from targets of mean 0 and deviation 1, and the loss is that of these. Metrics are in the units of the targets.

    Args:
        scale: a number that is not 0, or one for each column: ``y.std(axis=0)`` for targets y.
        offset: likewise, 0 allowed: ``y.mean(axis=0)``.

    Keras has a layer of this name, which leaves losses in the units of the targets.

    >>> import numpy as np, nnkit
    >>> x = np.linspace(-1, 1, 200)[:, None]
    >>> price = 250_000 + 90_000 * x[:, 0]
    >>> layers = [nnkit.nn.Dense(8, "tanh"), nnkit.nn.Dense(1), Rescaling(price.std(), price.mean())]
    >>> net = nnkit.Sequential(layers, input_shape=(1,))
    >>> run = net.fit(x, price, epochs=60, learning_rate=0.01, progress=False)
    >>> net.test(x, price).r2 > 0.99
    True
    """

    def __init__(self, scale: Any, offset: Any = 0.0) -> None:
        self.scale, self.offset = _factor("scale", scale), _factor("offset", offset)
        if not np.all(self.scale):
            raise ArgumentError(
                f"Rescaling: scale is {scale!r}, with which nothing can be told apart; expected no 0, and 1 for a "
                "column that is constant"
            )

    def __call__(self, x: Array, run: Run) -> Array:
        """The output for x, whose first axis is the batch, in its dtype."""
        return self.applied(x)

    def applied(self, x: Array) -> Array:
        """x · scale + offset, in the dtype of x."""
        return x * self._beside(x, "scale") + self._beside(x, "offset")

    def undone(self, y: Array) -> Array:
        """(y − offset) / scale: what gives y."""
        return (y - self._beside(y, "offset")) / self._beside(y, "scale")

    def _beside(self, x: Array, name: str) -> Any:
        """The number, or an array of one for each column of x."""
        factor = vars(self)[name]
        _check_range(name, factor, x)
        if not isinstance(factor, tuple):
            return factor
        if x.ndim < 2 or x.shape[-1] != len(factor):
            columns = x.shape[-1] if x.ndim > 1 else 1
            raise ShapeError(
                f"Rescaling: {name} has {len(factor)} numbers, and its input has {columns} columns; give one number "
                "for each, or one for all"
            )
        return namespace(x).asarray(factor, dtype=x.dtype)

    def __repr__(self) -> str:
        return f"Rescaling(scale={_shown(self.scale)}, offset={_shown(self.offset)})"

    def config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {name: list(f) if isinstance(f, tuple) else f for name, f in vars(self).items()}

    def without_output_activation(self) -> Module:
        """The identity: losses of the error are taken before the units."""
        return Activation("identity")


def _factor(name: str, given: Any) -> Factor:
    try:
        found = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        found = np.asarray(np.nan)
    if found.ndim > 1 or not found.size or isinstance(given, bool) or not all(map(isfinite, found.ravel())):
        raise ArgumentError(f"Rescaling: {name} is {given!r}, expected a finite number, or one for each column")
    return float(found.item()) if found.size == 1 else tuple(found.tolist())


def _check_range(name: str, factor: Factor, x: Array) -> None:
    """Refuse what would be 0 or infinite in the dtype of x."""
    info = namespace(x).finfo(x.dtype)
    least = float(info.smallest_normal) if name == "scale" else 0.0
    for number in factor if isinstance(factor, tuple) else (factor,):
        if not least <= abs(number) <= float(info.max):
            raise ArgumentError(
                f"Rescaling: {name} is {number!r}, which {x.dtype} has no place for; use dtype='float64', or another "
                "unit for the targets"
            )


def _shown(factor: Factor) -> str:
    if not isinstance(factor, tuple):
        return f"{factor:g}"
    shown = [f"{number:g}" for number in factor[:4]]
    return f"[{', '.join([*shown, '…'] if len(factor) > 4 else shown)}]"
