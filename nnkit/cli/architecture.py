"""Networks from flags: the layers, and what is inferred from the data."""

from __future__ import annotations

from argparse import Namespace
from typing import NamedTuple

from nnkit.data import Dataset
from nnkit.errors import ArgumentError, DeviceError, MissingExtraError
from nnkit.feedforward import sequential
from nnkit.names import lookup
from nnkit.network import Network
from nnkit.nn import Dense, Dropout, Flatten, Module
from nnkit.nn.activations import ACTIVATIONS, ALIASES
from nnkit.training.objective import objective


class Task(NamedTuple):
    """What a network is to learn: the shape of a row, and classes or so many numbers."""

    name: str
    input_shape: tuple[int, ...]
    outputs: int
    classes: tuple[str, ...] | None

    @classmethod
    def of(cls, data: Dataset) -> Task:
        """The task that a data set poses."""
        columns = data.y_train.shape[1] if data.y_train.ndim > 1 else 1
        outputs = columns if data.classes is None else len(data.classes)
        return cls(data.name, data.x_train.shape[1:], outputs, data.classes)

    @classmethod
    def plain(cls, inputs: int, outputs: int) -> Task:
        """A task of which only the numbers of inputs and outputs are known."""
        return cls("the network", (inputs,), outputs, None)


def build(flags: Namespace, task: Task, device: str) -> Network:
    """The network that the flags describe, fitted with inputs and outputs for the task."""
    activation = _output_activation(flags, task)
    yes_or_no = activation == "sigmoid" and task.classes is not None
    layers: list[Module] = [Flatten()] if len(task.input_shape) > 1 else []
    for width, each in zip(flags.hidden, _activations(flags), strict=True):
        layers.append(Dense(width, each, l2=flags.l2))
        if flags.dropout:
            layers.append(Dropout(flags.dropout))
    layers.append(Dense(1 if yes_or_no else task.outputs, activation, l2=flags.l2))
    network = sequential(layers, task.input_shape, device=device, seed=flags.seed)
    _check_loss(network, flags, task)
    network.classes = task.classes
    return network


def device(name: str) -> str:
    """The device that is meant; ``auto`` is cuda where its backend can be selected, and else cpu."""
    from nnkit.backend import select

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
    inputs = "×".join(map(str, network.input_shape))
    count = sum(value.size for value in network.parameters().values())
    layers = getattr(network.module, "layers", [network.module])
    names = [_layer(layer) for layer in layers]
    return f"{' → '.join([f'{inputs} inputs', *names])}, {count:,} parameters, {network.dtype}"


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


def _output_activation(flags: Namespace, task: Task) -> str:
    name = flags.output_activation
    if name == "auto":
        return "identity" if task.classes is None else "softmax"
    known = lookup("activation", name, ACTIVATIONS, ALIASES).name
    if known == "sigmoid" and task.classes is not None and len(task.classes) != 2:
        raise ArgumentError(
            f"--output-activation sigmoid answers yes or no, but {task.name} has {len(task.classes)} classes; "
            "leave it out, or write softmax"
        )
    return known


def _check_loss(network: Network, flags: Namespace, task: Task) -> None:
    """Refuse a loss for numbers where there are classes, and the other way round, before any row is looked at."""
    loss = objective(network.module, flags.loss).loss
    if (loss.targets == "numbers") == (task.classes is None) or loss.targets == "binary":
        return
    has = "numbers" if task.classes is None else f"{len(task.classes)} classes"
    raise ArgumentError(
        f"{task.name} has {has} to predict, and loss '{loss.name}' with output activation "
        f"'{network.module.output_activation()}' is for {loss.targets}; leave --loss and --output-activation out, "
        "or change them together"
    )
