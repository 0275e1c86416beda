"""What users call things, and how each is found: the names that are usual in the field, aliases after a slash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnkit import callbacks, constraints, initializers, losses, metrics, nn, optimizers
from nnkit.optimizers import schedules


def wrapper(name: str) -> Any:
    return optimizers.WRAPPERS[name]


def layer(name: str) -> Any:
    return getattr(nn, name)


def penalty(name: str) -> Any:
    return nn.Dense(1, **dict.fromkeys(name.split("+"), 0.1)).penalty


WORDS: dict[str, tuple[Callable[[str], Any], str]] = {
    "activations": (
        lambda name: nn.Dense(2, name).activation,
        "identity/linear relu relu6 leaky_relu prelu elu celu selu gelu/gelu_exact gelu_tanh silu/swish mish "
        "sigmoid/logistic hard_sigmoid hard_swish tanh hard_tanh softplus softsign softmax log_softmax log_sigmoid "
        "tanh_shrink soft_shrink hard_shrink threshold exponential squareplus sparsemax glu maxout",
    ),
    "losses": (
        losses.get,
        "mean_squared_error mean_absolute_error mean_absolute_percentage_error mean_squared_logarithmic_error huber "
        "log_cosh quantile/pinball binary_cross_entropy cross_entropy focal binary_focal hinge squared_hinge "
        "categorical_hinge kl_divergence poisson gaussian_nll cosine_similarity triplet margin_ranking",
    ),
    "optimisers": (
        optimizers.get,
        "SGD RMSprop Adagrad Adadelta Adam AMSGrad AdamW Adamax NAdam RAdam Lion LAMB Adafactor Rprop Muon Ftrl "
        "L-BFGS/LBFGS schedule-free/schedule-free-AdamW",
    ),
    "wrappers": (
        wrapper,
        "clip_by_value clip_by_norm clip_by_global_norm weight_decay accumulate exponential_moving_average loss_scale",
    ),
    "schedules": (
        schedules.get,
        "constant step multi-step exponential polynomial inverse-time cosine cosine-restarts one-cycle cyclic linear "
        "sequence/chained",
    ),
    "initialisers": (
        initializers.get,
        "zeros ones constant uniform normal truncated_normal variance_scaling glorot/xavier "
        "glorot_uniform/xavier_uniform glorot_normal/xavier_normal he/kaiming he_normal/kaiming_normal "
        "he_uniform/kaiming_uniform lecun lecun_normal lecun_uniform orthogonal identity",
    ),
    "regularisation": (layer, "ActivityRegularization Dropout AlphaDropout GaussianDropout GaussianNoise"),
    "penalties": (penalty, "l1 l2 l1+l2"),
    "constraints": (constraints.get, "max-norm/maxnorm unit-norm/unitnorm non-negative/non_neg min-max/min_max_norm"),
    "normalisation": (layer, "BatchNorm LayerNorm GroupNorm RMSNorm WeightNorm SpectralNorm"),
    "metrics": (
        metrics.get,
        "accuracy/binary_accuracy/categorical_accuracy top_k_accuracy top_3_accuracy precision recall F1 F2 F0.5 "
        "ROC-AUC/AUC average_precision/PR-AUC matthews_correlation/MCC cohen_kappa/kappa "
        "balanced_accuracy log_loss Brier MSE/mean_squared_error RMSE/root_mean_squared_error MAE/mean_absolute_error "
        "MAPE/mean_absolute_percentage_error R2 explained_variance Pearson Spearman",
    ),
    "metrics with parameters": (lambda name: getattr(metrics, name), "FBeta TopK confusion_matrix"),
    "callbacks": (
        lambda name: getattr(callbacks, name),
        "EarlyStopping BestCheckpoint PeriodicCheckpoint LearningRateSchedule ReduceOnPlateau CSVLog TensorBoardLog "
        "TimeLimit Every",
    ),
}
NOT_YET: dict[str, dict[str, str]] = {}
"""Names that users expect and that have no meaning yet; they leave this list with the day they get one."""
