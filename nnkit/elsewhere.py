"""Where names lead that things have in other libraries: what is here instead, for the error of an unknown attribute."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

_ACTIVATIONS = {
    "CELU": "celu",
    "ELU": "elu",
    "GELU": "gelu",
    "Hardsigmoid": "hard_sigmoid",
    "Hardswish": "hard_swish",
    "Hardtanh": "hard_tanh",
    "Identity": "identity",
    "LeakyReLU": "leaky_relu",
    "LogSigmoid": "log_sigmoid",
    "LogSoftmax": "log_softmax",
    "Mish": "mish",
    "ReLU": "relu",
    "ReLU6": "relu6",
    "SELU": "selu",
    "SiLU": "silu",
    "Sigmoid": "sigmoid",
    "Softmax": "softmax",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Tanh": "tanh",
}
_BATCH_NORMS = ("BatchNorm1d", "BatchNorm2d", "BatchNormalization")
_NOT_HERE = (
    *(f"{kind}{axes}" for kind in ("Conv", "MaxPool", "AvgPool") for axes in ("1d", "2d", "3d")),
    *(f"{kind}{axes}" for kind in ("Conv", "MaxPooling", "AveragePooling") for axes in ("1D", "2D", "3D")),
    *("RNN", "SimpleRNN", "LSTM", "GRU", "Embedding", "MultiheadAttention", "MultiHeadAttention", "Transformer"),
)
_LOSSES = ("MSELoss", "L1Loss", "CrossEntropyLoss", "NLLLoss", "BCELoss", "BCEWithLogitsLoss", "HuberLoss", "KLDivLoss")

LAYERS = {
    "Linear": "it is Dense(outputs) here; the inputs follow from what it is called with",
    **{
        name: f"it is Activation('{ours}') here, or Dense(…, activation='{ours}')"
        for name, ours in _ACTIVATIONS.items()
    },
    **dict.fromkeys(_BATCH_NORMS, "it is BatchNorm() here"),
    "LayerNormalization": "it is LayerNorm() here",
    "GroupNormalization": "it is GroupNorm(groups) here",
    "Input": "a network takes input_shape=(…,)",
    "InputLayer": "a network takes input_shape=(…,)",
    **dict.fromkeys(_NOT_HERE, "nnkit has no such layer; a class of your own derived from Module can be one"),
    **dict.fromkeys(_LOSSES, "losses are in nnkit.losses, and net.fit(…, loss='cross_entropy') takes their names"),
}
NETWORK = {
    "evaluate": "it is net.test(x, y) here",
    "score": "net.test(x, y) has accuracy, or r2",
    "compile": "net.fit takes optimizer, loss and metrics itself",
    "train": "it is net.fit(x, y) here, and layers know by themselves when training is",
    "eval": "net.predict and net.test need no switch",
    "forward": "it is net.predict(x) here",
    "predict_proba": "net.predict(x) gives the probabilities where the output activation is 'softmax' or 'sigmoid'",
    "predict_classes": "it is net.predict(x).argmax(axis=1) here",
    "history": "net.fit returns the run, and run.history is it",
    "layers": "net.module is the tree of layers, and net.summary() shows it",
    "weights": "it is net.parameters() here",
    "get_weights": "it is net.parameters() here",
    "set_weights": "it is net.set_parameters(mapping) here",
    "state_dict": "it is net.parameters() here",
    "load_state_dict": "it is net.set_parameters(mapping) here",
    "load_weights": "it is net.load_parameters(path) here",
    "save_weights": "net.save(path) writes the network, net.export('net.safetensors') its parameters",
    "load": "it is nnkit.load(path) here",
    "backward": "net.fit trains, and net.gradients(x, y) gives the gradients",
    "to": "the device is chosen when a network is made or loaded: nnkit.FeedForward(…, device='cuda')",
    "cuda": "the device is chosen when a network is made or loaded: nnkit.FeedForward(…, device='cuda')",
}
TOP = {
    "layers": "they are in nnkit.nn",
    "models": "they are nnkit.FeedForward, nnkit.Sequential and nnkit.Network",
    "Model": "it is nnkit.Network(module, input_shape) here",
    "load_model": "it is nnkit.load(path) here",
    "optim": "it is nnkit.optimizers here",
    "datasets": "nnkit.data.load(name) loads them",
    "sklearn": "write import nnkit.sklearn, which needs the extra of that name",
    "activations": "they go by name: nnkit.nn.Dense(8, 'relu')",
}


def missing(module: str, elsewhere: Mapping[str, str]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module: names that lead somewhere say where.

    >>> missing("nnkit.nn", LAYERS)("InputLayer")
    Traceback (most recent call last):
        ...
    AttributeError: module 'nnkit.nn' has no attribute 'InputLayer': a network takes input_shape=(…,)
    """

    def look(name: str) -> Any:
        raise unknown(f"module '{module}'", name, elsewhere, sys.modules[module])

    return look


def unknown(owner: str, name: str, elsewhere: Mapping[str, str], thing: object) -> AttributeError:
    """The error; where there is nothing to say, Python adds the attribute of ``thing`` that looks most like it."""
    text = f"{owner} has no attribute '{name}'"
    if name in elsewhere:
        return AttributeError(f"{text}: {elsewhere[name]}")
    return AttributeError(text, name=name, obj=thing)
