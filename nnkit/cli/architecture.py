"""Networks from flags: the layers, and what is inferred from the data."""

from __future__ import annotations

from argparse import Namespace

from nnkit.backend import select
from nnkit.cli.rows import preprocessing
from nnkit.data import Dataset
from nnkit.data.load import is_file
from nnkit.errors import ArgumentError, DeviceError, MissingExtraError
from nnkit.feedforward import sequential
from nnkit.names import lookup
from nnkit.network import Network
from nnkit.nn import Dense, Dropout, Flatten, Module
from nnkit.nn.activations import ACTIVATIONS, ALIASES
from nnkit.training.objective import objective

KINDS = {
    "numbers": "numbers",
    "binary": "yes-or-no answers",
    "classes": "classes",
    "signs": "the order of two outputs",
    "groups": "rows that belong together",
}


def for_data(flags: Namespace, data: Dataset, device: str) -> Network:
    """The network that the flags describe, with inputs, outputs and classes as the data have them."""
    columns = data.y_train.shape[1] if data.y_train.ndim > 1 else 1
    activation = _output_activation(flags.output_activation, data)
    if data.classes is None:
        outputs = columns
    else:
        outputs = 1 if activation == "sigmoid" else len(data.classes)
    network = build(flags, data.x_train.shape[1:], outputs, activation, device)
    _check_loss(network, flags.loss, data)
    network.classes = data.classes
    network.preprocessing = preprocessing(data, "time_ordered" in flags and flags.time_ordered and is_file(flags.data))
    return network


def build(flags: Namespace, input_shape: tuple[int, ...], outputs: int, activation: str, device: str) -> Network:
    """The network that the flags describe; ``activation`` is that of its output."""
    layers: list[Module] = [Flatten()] if len(input_shape) > 1 else []
    for width, each in zip(flags.hidden, _activations(flags), strict=True):
        layers.append(Dense(width, each, l2=flags.l2))
        if flags.dropout:
            layers.append(Dropout(flags.dropout))
    layers.append(Dense(outputs, activation, l2=flags.l2))
    return sequential(layers, input_shape, device=device, seed=flags.seed)


def device(name: str) -> str:
    """The device that is meant; ``auto`` is cuda where its backend can be selected, and else cpu."""
    if name != "auto":
        select(name)
        return name
    try:
        select("cuda")
    except (DeviceError, MissingExtraError, ImportError):
        return "cpu"
    return "cuda"


def described(network: Network) -> str:
    """``64 inputs → 32 relu → 10 softmax, 2,410 parameters, float32``."""
    inputs = "×".join(map(str, network.input_shape)) + (" input" if network.input_shape == (1,) else " inputs")
    count = sum(value.size for value in network.parameters().values())
    layers = getattr(network.module, "layers", [network.module])
    names = [_layer(layer) for layer in layers]
    return f"{' → '.join([inputs, *names])}, {count:,} parameters, {network.dtype}"


def _layer(layer: Module) -> str:
    if isinstance(layer, Dense):
        name = getattr(layer.activation, "name", type(layer.activation).__name__.lower())
        return f"{layer.units} {name}"
    return f"dropout {layer.rate:g}" if isinstance(layer, Dropout) else type(layer).__name__.lower()


def _activations(flags: Namespace) -> list[str]:
    names, layers = flags.activation, len(flags.hidden)
    if len(names) == 1:
        return list(names) * layers
    if len(names) != layers:
        raise ArgumentError(
            f"--activation has {len(names)} names for {layers} hidden layers; give one for each, or one for all"
        )
    return list(names)


def _output_activation(name: str, data: Dataset) -> str:
    if name == "auto":
        return "identity" if data.classes is None else "softmax"
    known = lookup("activation", name, ACTIVATIONS, ALIASES).name
    if known == "sigmoid" and data.classes is not None and len(data.classes) != 2:
        raise ArgumentError(
            f"--output-activation sigmoid answers yes or no, but {data.name} has {len(data.classes)} classes; "
            "leave it out, or write softmax"
        )
    return known


def _check_loss(network: Network, name: str, data: Dataset) -> None:
    """Refuse a loss for numbers where there are classes, and the other way round, before any row is looked at."""
    loss = objective(network.module, name).loss
    wanted = {"classes"} if network.output_shape != (1,) else {"binary"}
    if loss.targets in (wanted if data.classes is not None else {"numbers", "binary"}):
        return
    has = "numbers" if data.classes is None else f"{len(data.classes)} classes"
    raise ArgumentError(
        f"{data.name} has {has} to predict, and loss '{loss.name}' with output activation "
        f"'{network.module.output_activation()}' is for {KINDS[loss.targets]}; leave out --loss and "
        "--output-activation, or change them together"
    )
