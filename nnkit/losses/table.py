"""The losses by the names that users know."""

from __future__ import annotations

from nnkit.losses.binary import BinaryCrossEntropy
from nnkit.losses.classes import CrossEntropy
from nnkit.losses.counts import Poisson
from nnkit.losses.divergence import KLDivergence
from nnkit.losses.embeddings import CosineSimilarity
from nnkit.losses.focal import BinaryFocal, Focal
from nnkit.losses.gaussian import GaussianNLL
from nnkit.losses.loss import Loss
from nnkit.losses.margins import CategoricalHinge, Hinge, SquaredHinge
from nnkit.losses.ranking import MarginRanking
from nnkit.losses.regression import Huber, MeanAbsoluteError, MeanSquaredError
from nnkit.losses.relative import MeanAbsolutePercentageError, MeanSquaredLogarithmicError
from nnkit.losses.robust import LogCosh, Quantile
from nnkit.losses.triplet import Triplet

_NUMBERS = (MeanSquaredError, MeanAbsoluteError, Huber, LogCosh, Quantile, Poisson, GaussianNLL, CosineSimilarity)
_RELATIVE = (MeanAbsolutePercentageError, MeanSquaredLogarithmicError)
_BINARY = (BinaryCrossEntropy, BinaryFocal, Hinge, SquaredHinge)
_CLASSES = (CrossEntropy, Focal, CategoricalHinge, KLDivergence)
_PAIRS = (Triplet, MarginRanking)

LOSSES: dict[str, type[Loss]] = {made.name: made for made in (*_NUMBERS, *_RELATIVE, *_BINARY, *_CLASSES, *_PAIRS)}
ALIASES = {
    "mseloss": "mean_squared_error",
    "mse": "mean_squared_error",
    "squared_error": "mean_squared_error",
    "l2": "mean_squared_error",
    "mae": "mean_absolute_error",
    "absolute_error": "mean_absolute_error",
    "l1": "mean_absolute_error",
    "l1loss": "mean_absolute_error",
    "smooth_l1": "huber",
    "smoothl1loss": "huber",
    "huberloss": "huber",
    "logcosh": "log_cosh",
    "pinball": "quantile",
    "mean_pinball_loss": "quantile",
    "poisson_nll": "poisson",
    "gaussian": "gaussian_nll",
    "cosine": "cosine_similarity",
    "cosine_distance": "cosine_similarity",
    "cosine_embedding": "cosine_similarity",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "mean_squared_log_error": "mean_squared_logarithmic_error",
    "bce": "binary_cross_entropy",
    "binary_crossentropy": "binary_cross_entropy",
    "sigmoid_cross_entropy": "binary_cross_entropy",
    "bceloss": "binary_cross_entropy",
    "bcewithlogitsloss": "binary_cross_entropy",
    "bce_with_logits": "binary_cross_entropy",
    "binary_cross_entropy_with_logits": "binary_cross_entropy",
    "binary_focal_crossentropy": "binary_focal",
    "binary_focal_cross_entropy": "binary_focal",
    "sigmoid_focal_loss": "binary_focal",
    "hinge_loss": "hinge",
    "ce": "cross_entropy",
    "crossentropy": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "categorical_cross_entropy": "cross_entropy",
    "sparse_categorical_crossentropy": "cross_entropy",
    "sparse_categorical_cross_entropy": "cross_entropy",
    "softmax_cross_entropy": "cross_entropy",
    "softmax_cross_entropy_with_logits": "cross_entropy",
    "cross_entropy_with_logits": "cross_entropy",
    "crossentropyloss": "cross_entropy",
    "nll": "cross_entropy",
    "nll_loss": "cross_entropy",
    "nllloss": "cross_entropy",
    "negative_log_likelihood": "cross_entropy",
    "focal_loss": "focal",
    "categorical_focal_crossentropy": "focal",
    "categorical_focal_cross_entropy": "focal",
    "kl": "kl_divergence",
    "kld": "kl_divergence",
    "kl_div": "kl_divergence",
    "kldivloss": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "triplet_margin": "triplet",
    "triplet_loss": "triplet",
    "margin_ranking_loss": "margin_ranking",
}
