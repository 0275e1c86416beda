"""Every loss with targets, and the same from another library: PyTorch, Keras on JAX, or a formula written out here.

Keras takes means in float32, whatever it is given: where it does, a formula stands beside it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from nnkit.losses import (
    BinaryFocal,
    CategoricalHinge,
    CrossEntropy,
    Focal,
    GaussianNLL,
    Huber,
    MarginRanking,
    MeanAbsolutePercentageError,
    Quantile,
    Triplet,
    get,
)
from nnkit.nn.activations import sigmoid, softmax
from nnkit.ops import namespace

RNG = np.random.default_rng(0)
ROWS, OUTPUTS = 7, 5
Z = RNG.normal(scale=3.0, size=(ROWS, OUTPUTS))
NUMBERS = RNG.normal(size=(ROWS, OUTPUTS))
BINARY = RNG.integers(2, size=(ROWS, OUTPUTS)).astype(np.float64)
COUNTS = RNG.integers(6, size=(ROWS, OUTPUTS)).astype(np.float64)
LABELS = RNG.integers(OUTPUTS, size=ROWS)
SHARES = RNG.dirichlet(np.ones(OUTPUTS), size=ROWS)
POSITIVE = np.abs(Z) + 0.1
NEAR = Z / 4  # its probabilities are none that Keras cuts off
GROUPS = np.asarray([0, 1, 0, 2, 1, 0, 9])
PAIRS = Z[:, :2]
SIGNS = np.where(BINARY[:, 0] > 0, 1.0, -1.0)
TWICE = np.concatenate([NUMBERS[:, 3:], Z[:, :2]], axis=1)


class Case(NamedTuple):
    """``ours`` and ``theirs`` are functions of z and the target; ``theirs`` gets the other library first, and gives the
    loss of each row or their mean."""

    loss: str
    ours: Callable[[Any, Any], Any]
    target: Any
    theirs: Callable[[Any, Any, Any], Any]
    z: Any = Z
    library: str = "torch"


def keras(loss, theirs, target, z, ours=None):
    return Case(loss, ours or get(loss), target, theirs, z, "keras")


def hot(labels):
    return np.eye(OUTPUTS)[labels]


def triplets(torch, z, labels, margin=1.0, mining="hard"):
    """Row by row and triplet by triplet."""
    losses = []
    for a in range(len(z)):
        distance = [(z[a] - z[b]).pow(2).sum().sqrt() if a != b else None for b in range(len(z))]
        same = [distance[b] for b in range(len(z)) if b != a and labels[b] == labels[a]]
        other = [distance[b] for b in range(len(z)) if labels[b] != labels[a]]
        if not same or not other:
            losses.append(z[a].sum() * 0)
        elif mining == "all":
            every = [torch.relu(margin + p - n) for p in same for n in other]
            losses.append(sum(every) / len(every))
        elif margin is None:
            losses.append(torch.nn.functional.softplus(max(same) - min(other)))
        else:
            losses.append(torch.relu(margin + max(same) - min(other)))
    return torch.stack(losses)


def focal(torch, z, t, gamma, alpha):
    """The binary form as in the paper, extended to answers between yes and no as in Keras."""
    p = 1 / (1 + (-z).exp())
    wrong = t * (1 - p) + (1 - t) * p
    entropy = -t * p.log() - (1 - t) * (1 - p).log()
    return ((alpha * t + (1 - alpha) * (1 - t)) * wrong.pow(gamma) * entropy).mean()


def wins(torch, z, t):
    """Crammer and Singer's margin, with one-hot targets."""
    others = torch.where(t > 0, -torch.inf, z).max(-1).values
    return torch.relu(1 + others - (t * z).sum(-1))


CASES = {
    "mean_squared_error": Case("mean_squared_error", get("mse"), NUMBERS, lambda T, z, t: F(T).mse_loss(z, t)),
    "mean_absolute_error": Case("mean_absolute_error", get("mae"), NUMBERS, lambda T, z, t: F(T).l1_loss(z, t)),
    "huber": Case("huber", get("huber"), NUMBERS, lambda T, z, t: F(T).huber_loss(z, t)),
    "huber, delta 2.5": Case("huber", Huber(2.5), NUMBERS, lambda T, z, t: F(T).huber_loss(z, t, delta=2.5)),
    "percentage": keras(
        "mean_absolute_percentage_error", lambda K, z, t: K.mean_absolute_percentage_error(t, z), NUMBERS, Z
    ),
    "percentage, some zeros": Case(
        "mean_absolute_percentage_error",
        MeanAbsolutePercentageError(eps=0.5),
        COUNTS,
        lambda T, z, t: 100 * ((z - t).abs() / t.clamp_min(0.5)).mean(),
    ),
    "logarithmic": keras(
        "mean_squared_logarithmic_error", lambda K, z, t: K.mean_squared_logarithmic_error(t, z), COUNTS, POSITIVE
    ),
    "logarithmic, formula": Case(
        "mean_squared_logarithmic_error",
        get("msle"),
        COUNTS,
        lambda T, z, t: ((1 + z).log() - (1 + t).log()).pow(2).mean(),
        POSITIVE,
    ),
    "log_cosh, formula": Case("log_cosh", get("log_cosh"), NUMBERS, lambda T, z, t: (z - t).cosh().log().mean()),
    "log_cosh": keras("log_cosh", lambda K, z, t: K.log_cosh(t, z), NUMBERS, Z),
    "quantile": Case(
        "quantile",
        Quantile(0.8),
        NUMBERS,
        lambda T, z, t: T.maximum(0.8 * (t - z), (0.8 - 1) * (t - z)).mean(),
    ),
    "binary, probabilities": Case(
        "binary_cross_entropy",
        lambda z, t: get("bce")(sigmoid(z), t),
        BINARY,
        lambda T, z, t: F(T).binary_cross_entropy(F(T).sigmoid(z), t),
    ),
    "binary, paired": Case(
        "binary_cross_entropy",
        get("bce").paired["sigmoid"],
        BINARY,
        lambda T, z, t: F(T).binary_cross_entropy_with_logits(z, t),
    ),
    "focal, yes or no, formula": Case(
        "binary_focal", get("binary_focal").paired["sigmoid"], BINARY, lambda T, z, t: focal(T, z, t, 2, 0.25)
    ),
    "focal, between, formula": Case(
        "binary_focal",
        lambda z, t: BinaryFocal(0.7, alpha=None)(sigmoid(z), t),
        SHARES,
        lambda T, z, t: 2 * focal(T, z, t, 0.7, 0.5),
    ),
    "focal, yes or no": keras(
        "binary_focal",
        lambda K, z, t: K.binary_focal_crossentropy(t, z, apply_class_balancing=True, from_logits=True),
        BINARY,
        Z,
        get("binary_focal").paired["sigmoid"],
    ),
    "focal, yes or no, probabilities between": keras(
        "binary_focal",
        lambda K, z, t: K.binary_focal_crossentropy(t, z, gamma=0.7, from_logits=True),
        SHARES,
        Z,
        lambda z, t: BinaryFocal(gamma=0.7, alpha=None)(sigmoid(z), t),
    ),
    "focal, labels": keras(
        "focal",
        lambda K, z, t: K.categorical_focal_crossentropy(hot(LABELS), z, from_logits=True),
        LABELS,
        NEAR,
        get("focal").paired["softmax"],
    ),
    "focal, shares": keras(
        "focal",
        lambda K, z, t: K.categorical_focal_crossentropy(t, z, gamma=0.7, alpha=1.0, from_logits=True),
        SHARES,
        NEAR,
        Focal(gamma=0.7, alpha=1.0).paired["log_softmax"],
    ),
    "focal, probabilities": keras(
        "focal",
        lambda K, z, t: K.categorical_focal_crossentropy(hot(LABELS), z, from_logits=True),
        LABELS,
        NEAR,
        lambda z, t: get("focal")(softmax(z), t),
    ),
    "hinge": keras("hinge", lambda K, z, t: K.hinge(t, z), BINARY, Z),
    "hinge, -1 and 1": keras("hinge", lambda K, z, t: K.hinge(t, z), 2 * BINARY - 1, Z),
    "hinge, formula": Case("hinge", get("hinge"), BINARY, lambda T, z, t: (1 - z * (2 * t - 1)).clamp_min(0).mean()),
    "squared_hinge, formula": Case(
        "squared_hinge", get("squared_hinge"), BINARY, lambda T, z, t: (1 - z * (2 * t - 1)).clamp_min(0).pow(2).mean()
    ),
    "squared_hinge": keras("squared_hinge", lambda K, z, t: K.squared_hinge(t, z), BINARY, Z),
    "categorical_hinge": keras(
        "categorical_hinge", lambda K, z, t: K.categorical_hinge(hot(LABELS), z), LABELS, POSITIVE
    ),
    "categorical_hinge, any sign": Case("categorical_hinge", CategoricalHinge(), hot(LABELS), wins),
    "classes, probabilities": Case(
        "cross_entropy",
        lambda z, t: get("ce")(softmax(z), t),
        LABELS,
        lambda T, z, t: F(T).nll_loss(F(T).log_softmax(z, -1), t),
    ),
    "classes, labels": Case(
        "cross_entropy", get("ce").paired["softmax"], LABELS, lambda T, z, t: F(T).cross_entropy(z, t)
    ),
    "classes, shares": Case(
        "cross_entropy", get("ce").paired["log_softmax"], SHARES, lambda T, z, t: F(T).cross_entropy(z, t)
    ),
    "classes, smoothed labels": Case(
        "cross_entropy",
        CrossEntropy(label_smoothing=0.2).paired["softmax"],
        LABELS,
        lambda T, z, t: F(T).cross_entropy(z, t, label_smoothing=0.2),
    ),
    "classes, smoothed shares": Case(
        "cross_entropy",
        CrossEntropy(label_smoothing=0.2).paired["softmax"],
        SHARES,
        lambda T, z, t: F(T).cross_entropy(z, t, label_smoothing=0.2),
    ),
    "classes, smoothed probabilities": Case(
        "cross_entropy",
        lambda z, t: CrossEntropy(label_smoothing=0.2)(softmax(z), t),
        SHARES,
        lambda T, z, t: F(T).cross_entropy(z, t, label_smoothing=0.2),
    ),
    "divergence": Case(
        "kl_divergence",
        get("kl").paired["softmax"],
        SHARES,
        lambda T, z, t: F(T).kl_div(F(T).log_softmax(z, -1), t, reduction="batchmean"),
    ),
    "divergence, probabilities": Case(
        "kl_divergence",
        lambda z, t: get("kl")(softmax(z), t),
        hot(LABELS),
        lambda T, z, t: F(T).kl_div(F(T).log_softmax(z, -1), t, reduction="batchmean"),
    ),
    "poisson": Case(
        "poisson",
        lambda z, t: get("poisson")(namespace(z).exp(z), t),
        COUNTS,
        lambda T, z, t: F(T).poisson_nll_loss(z.exp(), t, log_input=False, eps=0),
    ),
    "poisson, paired": Case(
        "poisson", get("poisson").paired["exponential"], COUNTS, lambda T, z, t: F(T).poisson_nll_loss(z, t)
    ),
    "gaussian": Case(
        "gaussian_nll",
        GaussianNLL(eps=1e-3),
        NUMBERS[:, :2],
        lambda T, z, t: F(T).gaussian_nll_loss(z[:, :2], t, z[:, 2:].exp() + 1e-3, eps=1e-9),
        TWICE,
    ),
    "cosine": Case(
        "cosine_similarity",
        get("cosine_similarity"),
        NUMBERS,
        lambda T, z, t: F(T).cosine_embedding_loss(z, t, T.ones(len(z), dtype=z.dtype)),
    ),
    "triplet, hard": Case("triplet", Triplet(5.0), GROUPS, lambda T, z, t: triplets(T, z, t, 5.0)),
    "triplet, soft": Case("triplet", Triplet(None), GROUPS, lambda T, z, t: triplets(T, z, t, None)),
    "triplet, all": Case("triplet", Triplet(1.0, "all"), GROUPS, lambda T, z, t: triplets(T, z, t, 1.0, "all")),
    "ranking": Case(
        "margin_ranking",
        MarginRanking(1.5),
        SIGNS,
        lambda T, z, t: F(T).margin_ranking_loss(z[:, 0], z[:, 1], t, margin=1.5),
        PAIRS,
    ),
}


def F(torch):
    return torch.nn.functional
