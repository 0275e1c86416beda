"""What a network is trained for: the loss on the values that suit it best, and how predictions count as correct."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nnkit import losses
from nnkit.errors import ShapeError
from nnkit.losses import Loss
from nnkit.nn import Module, Rescaling, Run
from nnkit.nn.activations import ACTIVATIONS
from nnkit.nn.module import UNKNOWN
from nnkit.ops import namespace

Array = Any


@dataclass(frozen=True)
class Objective:
    """A loss joined to a module. ``module`` computes what ``per_row`` reads: values before the output activation where
    loss and activation are a canonical pair, values before the last Rescaling for a loss of the error alone, else
    predictions."""

    loss: Loss
    module: Module
    activation: str
    paired: bool
    units: Rescaling | None = None
    """What gives the values their units, where the loss is taken without them."""

    @property
    def per_row(self) -> Callable[[Array, Array], Array]:
        """(values, target) → the loss of each row."""
        if self.units is not None:
            undone = self.units.undone
            return lambda values, target: self.loss(values, undone(target))
        return self.loss.paired[self.activation] if self.paired else self.loss

    def losses(self, values: Array, target: Array, run: Run) -> Array:
        """The loss of each row, with the penalties that modules added in this run."""
        found = self.per_row(values, target)
        self._check_rows(found, values.shape[0])
        for penalty in run.penalties:
            found = found + namespace(found).astype(penalty, found.dtype)
        return found

    def _check_rows(self, found: Array, rows: int) -> None:
        """Refuse what weights of rows would be spread over, or could not reach."""
        shape = getattr(found, "shape", None)
        if shape is not None and tuple(shape) == (rows,):
            return
        got = f"an array of shape {tuple(shape)}" if shape is not None else f"{found!r:.80}"
        advice = "return it before the mean over the rows, which nnkit takes" if shape == () else "average the others"
        raise ShapeError(
            f"loss '{self.loss.name}' returned {got} for {rows} rows; expected one value for each row, shape "
            f"({rows},): {advice}, as xp.mean(value, axis=-1) does over outputs"
        )

    @property
    def counts_correct(self) -> bool:
        """Whether there is an accuracy."""
        return self.loss.targets in ("binary", "classes")

    @property
    def threshold(self) -> float:
        """What a prediction that says yes is above."""
        return 0.0 if self.loss.domain == "signed" else 0.5

    def above_half(self, predictions: Array) -> Array:
        """Predictions of yes and no in their order, above a half for yes, as metrics read them."""
        if self.loss.targets != "binary" or not self.threshold < 0.5:
            return predictions
        return predictions + namespace(predictions).astype(predictions > self.threshold, predictions.dtype)

    def predictions(self, values: Array) -> Array:
        """The network's output from the values that ``per_row`` reads."""
        if self.units is not None:
            return self.units.applied(values)
        return ACTIVATIONS[self.activation].function(values) if self.paired else values

    def correct(self, values: Array, target: Array) -> Array:
        """Number of correct predictions, 0-d int64: the largest output for classes, else each by the threshold."""
        xp = namespace(values)
        if self.loss.targets == "binary":
            hit = (values > (0.0 if self.paired else self.threshold)) == (target > 0.5)
        else:
            chosen = target if target.ndim < values.ndim else xp.argmax(target, axis=-1)
            hit = xp.argmax(values, axis=-1) == xp.astype(chosen, "int64")
        return xp.sum(xp.astype(hit, "int64"))


def objective(module: Module, loss: str | Loss) -> Objective:
    """The objective for a loss by name, ``"auto"`` or as an object; one that cannot go with the module is refused."""
    activation = module.output_activation()
    chosen = losses.get(losses.default_for(activation) if loss == "auto" else loss)
    if activation != UNKNOWN:
        domain = ACTIVATIONS[activation].domain if activation in ACTIVATIONS else "any"
        losses.check_pair(chosen, activation, domain)
    bare = module.without_output_activation()
    last = module.outermost()
    if isinstance(last, Rescaling) and chosen.of_error:
        return Objective(chosen, bare, activation, False, last)
    paired = activation in chosen.paired and bare is not module
    return Objective(chosen, bare if paired else module, activation, paired)
