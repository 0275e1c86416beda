"""The doctor: what is unhealthy about a training, each with its figure and a remedy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nnkit.diagnosis.vitals import Vitals

DEAD = 0.6
SATURATED = 0.5
VANISHING, GONE = 1e-3, 1e-5
"""The gradient of a layer as a share of that of the last one, and the largest of all as a share of its weights."""
EXPLODING = 1e2
FAR, NOT_FAR = 0.1, 1e-5
"""An update that changes weights by so much of their size is large, and one by so little small."""
GROWN = 5.0
"""How much larger than at first weights are that were thrown about."""
GAP, PATIENCE = 1.4, 5
HARDLY = 0.02
"""What a loss must fall by, as a share of its first value, to have fallen."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be. ``where`` is a layer, or what else it concerns."""

    name: str
    where: str
    figure: float
    text: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name}: {self.text}. {self.remedy}"


def findings(seen: Vitals, history: Mapping[str, Sequence[float]]) -> list[Finding]:
    """The most telling first."""
    units, gradients = [*_dead(seen), *_saturated(seen)], _gradients(seen, history)
    return [*_rate(seen, history), *units, *gradients, *_overfitting(history)]


def _dead(seen: Vitals) -> Iterator[Finding]:
    for path, share in seen.dead.items():
        if share >= DEAD:
            yield Finding(
                "dead units",
                path,
                share,
                f"{share:.0%} of the units of '{path}' give 0 for every row that was looked at",
                "Try leaky_relu or a smaller learning rate, and standardise the inputs",
            )


def _saturated(seen: Vitals) -> Iterator[Finding]:
    for path, share in seen.saturated.items():
        if share >= SATURATED:
            yield Finding(
                "saturated units",
                path,
                share,
                f"{share:.0%} of the answers of '{path}' are at an end of its range, where it has no slope",
                "Try smaller initial weights, standardised inputs, a normalisation before it, or relu",
            )


def _gradients(seen: Vitals, history: Mapping[str, Sequence[float]]) -> Iterator[Finding]:
    sizes = list(seen.gradients.items())
    if not sizes:
        return
    (least, small), (last, large) = min(sizes, key=lambda pair: pair[1]), sizes[-1]
    worst = max(seen.gradients, key=lambda path: seen.gradients[path] / max(seen.weights[path], 1e-30))
    ratio = seen.gradients[worst] / max(seen.weights[worst], 1e-30)
    blocked = any(share == 1.0 for share in seen.dead.values())  # for a reason that has a name already
    if len(sizes) > 2 and not blocked and small < VANISHING * large:
        share = small / large
        yield _vanishing(least, share, f"the gradient of '{least}' is {share:.1g} of that of '{last}'")
    elif not blocked and ratio < GONE and not _fell(history.get("loss", [])):
        yield _vanishing(worst, ratio, f"the largest gradient, of '{worst}', is {ratio:.1g} of the size of its weights")
    if not ratio <= EXPLODING:
        size = f"{ratio:.1g} times as large as its weights" if math.isfinite(ratio) else "no longer finite"
        yield Finding(
            "exploding gradient",
            worst,
            ratio,
            f"the gradient of '{worst}' is {size}",
            "Try ClipByGlobalNorm, smaller initial weights, scaled targets, or a normalisation between the layers",
        )


def _vanishing(where: str, figure: float, text: str) -> Finding:
    remedy = "Try relu instead of sigmoid or tanh, a normalisation between the layers, larger initial weights, or fewer"
    return Finding("vanishing gradient", where, figure, text, f"{remedy} layers")


def _fell(losses: Sequence[float]) -> bool:
    """Whether a loss is clearly less than at first."""
    return len(losses) > 1 and losses[-1] < losses[0] - HARDLY * abs(losses[0])


def _rate(seen: Vitals, history: Mapping[str, Sequence[float]]) -> Iterator[Finding]:
    """Whether the learning rate is far off: by the size of an update, and by what became of the loss."""
    ratio = _middle(seen.updates[path] / max(seen.weights[path], 1e-30) for path in seen.updates)
    losses = history.get("loss", [])
    if not losses or not seen.updates:
        return
    first, last, least = losses[0], losses[-1], min(losses)
    worse = not math.isfinite(last) or (len(losses) > 1 and last > max(1.5 * least, (1 - HARDLY) * first))
    grown = _middle(seen.weights[path] / size for path, size in seen.before.items() if size)
    if grown > GROWN:
        yield _too_high(grown, f"the weights have grown to {grown:.3g} times their size at first")
    elif ratio > FAR or (worse and ratio > 1e-3):
        rose = ", and the loss rose" if worse else ""
        yield _too_high(ratio, f"one update changes the weights by {ratio:.0%} of their size{rose}")
    elif len(losses) > 1 and last <= first and not _fell(losses) and ratio < NOT_FAR:
        yield Finding(
            "learning rate too low",
            "update",
            ratio,
            f"one update changes the weights by {ratio:.1g} of their size, and the loss fell by "
            f"{(first - last) / max(abs(first), 1e-30):.1%} in all",
            "Try ten times as much",
        )


def _too_high(figure: float, text: str) -> Finding:
    return Finding("learning rate too high", "update", figure, text, "Try a tenth of it")


def _middle(figures: Iterable[float]) -> float:
    """The median, 0 of none."""
    found = sorted(figures)
    return found[len(found) // 2] if found else 0.0


def _overfitting(history: Mapping[str, Sequence[float]]) -> Iterator[Finding]:
    losses, others = history.get("loss", []), history.get("val_loss", [])
    if len(others) <= PATIENCE or not all(map(math.isfinite, others)):
        return
    best = min(range(len(others)), key=others.__getitem__)
    ratio = _middle(others[-PATIENCE:]) / max(others[best], 1e-30)
    if len(others) - 1 - best >= PATIENCE and ratio > GAP and losses[-1] < losses[best]:
        yield Finding(
            "over-fitting",
            "validation",
            ratio,
            f"since epoch {best + 1} the validation loss has risen to {ratio:.3g} times its least, while that of the "
            "training fell",
            "Try EarlyStopping, Dropout, l2, a smaller network, or more data",
        )
