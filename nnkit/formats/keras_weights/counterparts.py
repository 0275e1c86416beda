"""Which layer of Keras a layer is, and which of its variables are which leaves: the table of what both have."""

from __future__ import annotations

from typing import NamedTuple

from nnkit.nn import (
    Activation,
    ActivityRegularization,
    AlphaDropout,
    BatchNorm,
    Dense,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    GroupNorm,
    LayerNorm,
    Module,
    PReLU,
    Rescaling,
    RMSNorm,
    Sequential,
)


class Counterpart(NamedTuple):
    """A class of ``keras.layers``, what its groups in a file are called, and its variables in their order."""

    keras: str
    group: str
    variables: tuple[tuple[str, str], ...] = ()
    """(name of the leaf, name in Keras)."""


_SCALED = (("weight", "gamma"), ("bias", "beta"))

COUNTERPARTS: dict[type[Module], Counterpart] = {
    Activation: Counterpart("Activation", "activation"),
    ActivityRegularization: Counterpart("ActivityRegularization", "activity_regularization"),
    AlphaDropout: Counterpart("AlphaDropout", "alpha_dropout"),
    BatchNorm: Counterpart(
        "BatchNormalization",
        "batch_normalization",
        (*_SCALED, ("mean", "moving_mean"), ("variance", "moving_variance")),
    ),
    Dense: Counterpart("Dense", "dense", (("weight", "kernel"), ("bias", "bias"))),
    Dropout: Counterpart("Dropout", "dropout"),
    Flatten: Counterpart("Flatten", "flatten"),
    GaussianDropout: Counterpart("GaussianDropout", "gaussian_dropout"),
    GaussianNoise: Counterpart("GaussianNoise", "gaussian_noise"),
    GroupNorm: Counterpart("GroupNormalization", "group_normalization", _SCALED),
    LayerNorm: Counterpart("LayerNormalization", "layer_normalization", _SCALED),
    PReLU: Counterpart("PReLU", "p_re_lu", (("slope", "alpha"),)),
    Rescaling: Counterpart("Rescaling", "rescaling"),
    RMSNorm: Counterpart("RMSNormalization", "rms_normalization", (("weight", "scale"),)),
    Sequential: Counterpart("Sequential", "sequential"),
}
"""All layers of nnkit that Keras has too."""

LACKING = {
    "SpectralNorm": "Keras's SpectralNormalization divides its kernel itself in training and never in predictions",
    "WeightNorm": "Keras has no weight normalisation",
}
"""Layers of nnkit that it does not have, and why."""

LACKING_ACTIVATIONS = {
    "maxout": "Keras has none",
    "sparsemax": "Keras 3.15 adds up the wrong values in its own, which is no distribution",
}
"""Activations that it does not have, and why."""

FIXED_ACTIVATIONS = {"hard_tanh": "Keras's has the bounds −1 and 1"}
"""Activations that it has with the default parameters alone."""

WITHOUT_VARIABLES = {
    *(found.group for found in COUNTERPARTS.values() if not found.variables),
    *("re_lu", "leaky_re_lu", "elu", "softmax", "input_layer", "identity"),
}
"""Groups of the layers of Keras that keep nothing in a file and of which networks of nnkit have the like."""
