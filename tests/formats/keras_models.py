"""The network of Keras that is equivalent to one of nnkit's, as the table in nnkit.formats.keras_weights says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import nnkit
from nnkit import nn
from tests.peers import keras

# Nothing here waits for it: Keras converts JAX's arrays with a call that NumPy 2 has deprecated.
NOISE = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"

NAMES = {"gelu_tanh": "gelu", "hard_swish": "hard_silu", "identity": "linear"}
PARAMETERS = {"slope": "negative_slope", "value": "default_value"}
DEFAULTS = {
    "leaky_relu": {"slope": 0.01},
    "gelu_tanh": {"approximate": True},
    "threshold": {"threshold": 1.0, "value": 0.0},
}


def activation(module: nn.Activation) -> Callable[..., Any]:
    """The function of Keras."""
    function = getattr(keras("activations"), NAMES.get(module.name, module.name))
    options = {PARAMETERS.get(k, k): v for k, v in (DEFAULTS.get(module.name, {}) | module.parameters).items()}
    return lambda x: function(x, **options)


def layers(module: nn.Module, axes: int, dtype: str) -> list[Any]:
    """The layers of Keras for one of nnkit's, for inputs of so many axes."""
    made = keras("layers")
    options = {"dtype": dtype}
    match module:
        case nn.Sequential():
            return [keras("models").Sequential(chain(module, axes, dtype))]
        case nn.Dense():
            own = module.activation
            dense = {"units": module.units, "use_bias": module.bias is not None, **options}
            if isinstance(own, nn.Activation):
                return [made.Dense(activation=activation(own), **dense)]
            return [made.Dense(**dense), *layers(own, axes, dtype)]
        case nn.BatchNorm():
            return [made.BatchNormalization(momentum=1 - module.momentum, epsilon=module.eps, **options)]
        case nn.LayerNorm():
            return [made.LayerNormalization(epsilon=module.eps, **options)]
        case nn.RMSNorm():
            return [made.RMSNormalization(epsilon=module.eps, **options)]
        case nn.GroupNorm():
            return [made.GroupNormalization(module.groups, epsilon=module.eps, **options)]
        case nn.PReLU():
            return [made.PReLU(shared_axes=list(range(1, axes - 1)) or None, **options)]
        case nn.Activation():
            return [made.Activation(activation(module), **options)]
        case nn.GaussianNoise():
            return [made.GaussianNoise(module.std, **options)]
        case nn.Dropout() | nn.GaussianDropout() | nn.AlphaDropout():
            return [getattr(made, type(module).__name__)(module.rate, **options)]
        case nn.ActivityRegularization():
            return [made.ActivityRegularization(module.penalty.l1, module.penalty.l2, **options)]
        case nn.Rescaling():
            return [made.Rescaling(module.scale, module.offset, **options)]
        case nn.Flatten():
            return [made.Flatten(**options)]
    raise AssertionError(module)


def chain(module: nn.Sequential, axes: int, dtype: str) -> list[Any]:
    """The layers of Keras for those of a Sequential."""
    found = []
    for layer in module.layers:
        found += layers(layer, axes, dtype)
        axes = 2 if any(isinstance(part, nn.Flatten) for part in _all(layer)) else axes
    return found


def _all(module: nn.Module) -> list[nn.Module]:
    inner = module.layers if isinstance(module, nn.Sequential) else []
    return [module, *(part for layer in inner for part in _all(layer))]


def equivalent(network: nnkit.Network) -> Any:
    """The ``keras.Sequential``, with its variables."""
    module = network.module if isinstance(network.module, nn.Sequential) else nn.Sequential([network.module])
    start = keras("layers").Input(network.input_shape, dtype=network.dtype)
    return keras("models").Sequential([start, *chain(module, 1 + len(network.input_shape), network.dtype)])


def shaken(model: Any, seed: int = 0) -> Any:
    """The model with other values in all its variables, as training might have left them."""
    generator = np.random.default_rng(seed)
    for variable in model.variables:
        if "seed" not in variable.path:
            variable.assign(generator.uniform(0.5, 1.5, variable.shape) * generator.choice([-1, 1]) ** (seed % 2))
        if "variance" in variable.path:
            variable.assign(abs(np.asarray(variable.value)))
    return model


def rows(network: nnkit.Network, count: int = 7, seed: int = 0) -> Any:
    """Inputs for it."""
    return np.random.default_rng(seed).normal(size=(count, *network.input_shape)).astype(network.dtype)


def predicted(model: Any, x: Any) -> Any:
    """What a model of Keras predicts; without its loop over batches, which is compiled anew for each model."""
    return np.asarray(model(x, training=False))
