"""Which loss goes with which output activation."""

from __future__ import annotations

from nnkit.errors import ArgumentError
from nnkit.losses.loss import Loss

_DEFAULTS = {
    "identity": "mean_squared_error",
    "sigmoid": "binary_cross_entropy",
    "softmax": "cross_entropy",
    "log_softmax": "cross_entropy",
    "exponential": "poisson",
}

# Domain that a loss needs → domains of values that satisfy it, and how to say so.
_ACCEPTED = {
    "positive": ("positive", "probability", "distribution"),
    "probability": ("probability", "distribution"),
    "distribution": ("distribution",),
    "signed": ("any",),
}
_ONE_SIDED = ("relu", "relu6", "log_sigmoid")  # values of any size, but of one sign
_NEEDS = {
    "positive": "positive predictions (output_activation='exponential' or 'softplus')",
    "probability": "probabilities (output_activation='sigmoid')",
    "distribution": "class probabilities (output_activation='softmax')",
    "signed": "values of either sign (output_activation='identity')",
}


def default_for(activation: str) -> str:
    """The name of the loss that ``loss="auto"`` stands for: that of the canonical pair, else the mean squared error.

    >>> default_for("softmax"), default_for("relu")
    ('cross_entropy', 'mean_squared_error')
    """
    return _DEFAULTS.get(activation, "mean_squared_error")


def activation_for(loss: Loss) -> str:
    """The output activation that suits a loss best: that of its first canonical pair, else none.

    >>> from nnkit.losses import BinaryCrossEntropy, Hinge
    >>> activation_for(BinaryCrossEntropy()), activation_for(Hinge())
    ('sigmoid', 'identity')
    """
    return next(iter(loss.paired), "identity")


def check_pair(loss: Loss, activation: str, domain: str) -> None:
    """Refuse a loss whose predictions must be what the output activation, with values of this domain, does not give.

    >>> from nnkit.losses import CrossEntropy
    >>> check_pair(CrossEntropy(), "softmax", "distribution")
    >>> check_pair(CrossEntropy(), "relu", "any")
    Traceback (most recent call last):
        ...
    nnkit.errors.ArgumentError: loss 'cross_entropy' needs class probabilities (output_activation='softmax'), but the \
output activation is 'relu'; build the network with what it needs, or take a loss for 'relu', such as \
'mean_squared_error'
    """
    one_sided = loss.domain == "signed" and activation in _ONE_SIDED
    if loss.domain == "any" or activation in loss.paired or (domain in _ACCEPTED[loss.domain] and not one_sided):
        return
    raise ArgumentError(
        f"loss '{loss.name}' needs {_NEEDS[loss.domain]}, but the output activation is '{activation}'; "
        f"build the network with what it needs, or take a loss for '{activation}', such as '{default_for(activation)}'"
    )
