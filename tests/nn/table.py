"""Every layer with what all tests of layers need: how it is made, on what it acts, and what PyTorch computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nnkit import nn


@dataclass(frozen=True)
class Row:
    """A layer, the shape of a batch for it, and the same in PyTorch.

    ``torch`` is called with the library, the layer, leaves by path as tensors, x, and whether it is training. It
    returns y and changes states in place. ``order`` is how far derivatives follow from differences.
    """

    make: Callable[[], nn.Module]
    torch: Callable[..., Any] | None
    shape: tuple[int, ...] = (6, 8)
    order: int = 2
    random: bool = False


def dense(t, layer, v, x, training):
    return t.tanh(t.nn.functional.linear(x, v["weight"].T, v["bias"]))


def batch_norm(t, layer, v, x, training):
    states = (v["mean"], v["variance"])
    last = (v["weight"], v["bias"], training, layer.momentum, layer.eps)
    return t.nn.functional.batch_norm(x.reshape(-1, x.shape[-1]), *states, *last).reshape(x.shape)


def layer_norm(t, layer, v, x, training):
    return t.nn.functional.layer_norm(x, x.shape[-1:], v["weight"], v["bias"], layer.eps)


def group_norm(t, layer, v, x, training):
    channels = t.movedim(x, -1, 1)
    y = t.nn.functional.group_norm(channels, layer.groups, v["weight"], v["bias"], layer.eps)
    return t.movedim(y, 1, -1)


def rescaling(t, layer, v, x, training):
    return x * t.arange(1, 9) + t.arange(8)


def rms_norm(t, layer, v, x, training):
    return t.nn.functional.rms_norm(x, x.shape[-1:], v["weight"], layer.eps)


def prelu(t, layer, v, x, training):
    return t.movedim(t.nn.functional.prelu(t.movedim(x, -1, 1), v["slope"]), 1, -1)


def weight_norm(t, layer, v, x, training):
    around = t.nn.utils.parametrizations.weight_norm(t.nn.Linear(1, 1)).parametrizations.weight[0]
    weight = around(v["length"][:, None], v["module.weight"].T)
    return t.tanh(t.nn.functional.linear(x, weight, v["module.bias"]))


def spectral_norm(t, layer, v, x, training):
    rows, columns = v["module.weight"].T.shape
    linear = t.nn.Linear(columns, rows, dtype=t.float64)
    wrapped = t.nn.utils.parametrizations.spectral_norm(linear, "weight", layer.iterations, layer.eps)
    around = wrapped.parametrizations.weight[0].train(training)
    around._u.copy_(v["u"])
    around._v.copy_(v["v"])
    y = t.tanh(t.nn.functional.linear(x, around(v["module.weight"].T), v["module.bias"]))
    v["u"].copy_(around._u)
    v["v"].copy_(around._v)
    return y


def sequential(t, layer, v, x, training):
    hidden = t.nn.functional.linear(x, v["layers.0.weight"].T, v["layers.0.bias"])
    return t.nn.functional.linear(t.tanh(hidden), v["layers.2.weight"].T, v["layers.2.bias"])


def activation(t, layer, v, x, training):
    return t.nn.functional.elu(x, alpha=layer.parameters["alpha"])


def same(t, layer, v, x, training):
    return x * 1.0


def flat(t, layer, v, x, training):
    return x.reshape(x.shape[0], -1)


def wrapped():
    return nn.Dense(5, "tanh")


# With options that are not the defaults, so that they must survive. What draws random numbers has tests of its own.
ROWS: dict[str, Row] = {
    "activation": Row(lambda: nn.Activation("elu", alpha=0.5), activation),
    "activity regularization": Row(lambda: nn.ActivityRegularization(0.1, 0.2), same),
    "activity regularization, more axes": Row(lambda: nn.ActivityRegularization(l2=0.2), same, (4, 3, 8)),
    "alpha dropout": Row(lambda: nn.AlphaDropout(0.3), None, random=True),
    "batch norm": Row(lambda: nn.BatchNorm(0.3, 0.1), batch_norm),
    "batch norm, more axes": Row(lambda: nn.BatchNorm(0.3, 0.1), batch_norm, (4, 3, 8)),
    "dense": Row(lambda: nn.Dense(5, "tanh", l2=0.1, constraint="max_norm", bias_constraint="unit_norm"), dense),
    "dense, l1 and l2": Row(lambda: nn.Dense(5, "tanh", l1=0.2, l2=0.1), dense),
    "dropout": Row(lambda: nn.Dropout(0.3), None, random=True),
    "flatten": Row(lambda: nn.Flatten(), flat, (4, 3, 8)),
    "gaussian dropout": Row(lambda: nn.GaussianDropout(0.3), None, random=True),
    "gaussian noise": Row(lambda: nn.GaussianNoise(0.3), None, random=True),
    "group norm": Row(lambda: nn.GroupNorm(4, 0.1), group_norm),
    "group norm, more axes": Row(lambda: nn.GroupNorm(2, 0.1), group_norm, (4, 3, 2, 8)),
    "layer norm": Row(lambda: nn.LayerNorm(0.1), layer_norm),
    "layer norm, more axes": Row(lambda: nn.LayerNorm(0.1), layer_norm, (4, 3, 8)),
    "prelu": Row(lambda: nn.PReLU(0.1), prelu),
    "rescaling": Row(lambda: nn.Rescaling(2.0, -3.0), lambda t, layer, v, x, training: x * 2.0 - 3.0),
    "rescaling, by column": Row(lambda: nn.Rescaling(range(1, 9), range(8)), rescaling),
    "rms norm": Row(lambda: nn.RMSNorm(0.1), rms_norm),
    "rms norm, more axes": Row(lambda: nn.RMSNorm(0.1), rms_norm, (4, 3, 8)),
    "sequential": Row(lambda: nn.Sequential([nn.Dense(4), nn.Activation("tanh"), nn.Dense(3)]), sequential),
    "spectral norm": Row(lambda: nn.SpectralNorm(wrapped()), spectral_norm, order=0),
    # Its derivative is that of σ where the vectors have converged.
    "spectral norm, converged": Row(
        lambda: nn.SpectralNorm(wrapped(), iterations=80, eps=1e-10), spectral_norm, order=1
    ),
    "weight norm": Row(lambda: nn.WeightNorm(wrapped()), weight_norm),
    "weight norm, more axes": Row(lambda: nn.WeightNorm(wrapped()), weight_norm, (4, 3, 8)),
}
