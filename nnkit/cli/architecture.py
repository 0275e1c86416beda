"""Networks from flags: the layers, and what is inferred from the data."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from nnkit import losses
from nnkit.backend import select
from nnkit.cli.rows import preprocessing
from nnkit.data import Dataset
from nnkit.data.load import is_file
from nnkit.data.scaling import Scaling
from nnkit.errors import ArgumentError
from nnkit.feedforward import Sequential
from nnkit.losses import Loss
from nnkit.names import lookup
from nnkit.network import Network
from nnkit.nn import Dense, Dropout, Flatten, Module, Rescaling
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
    activation = output_activation(flags, "identity" if data.classes is None else "softmax")
    loss = losses.get(losses.default_for(activation) if flags.loss == "auto" else flags.loss)
    _check_loss(loss, activation, data)
    standardized = data.features is not None or ("standardize" in flags and flags.standardize)
    units = _units(loss, activation, data) if standardized else []
    network = build(flags, data.x_train.shape[1:], _outputs(loss, data), activation, device, units)
    objective(network.module, loss)  # refuses an activation that does not go with it
    network.classes = data.classes
    network.preprocessing = preprocessing(data, "time_ordered" in flags and flags.time_ordered and is_file(flags.data))
    return network


def build(
    flags: Namespace,
    input_shape: tuple[int, ...],
    outputs: int,
    activation: str,
    device: str,
    units: Sequence[Module] = (),
) -> Network:
    """The network that the flags describe; ``activation`` is that of its output, and ``units`` come after it."""
    layers: list[Module] = [Flatten()] if len(input_shape) > 1 else []
    for width, each in zip(flags.hidden, _activations(flags), strict=True):
        layers.append(Dense(width, each, l2=flags.l2))
        if flags.dropout:
            layers.append(Dropout(flags.dropout))
    layers += [Dense(outputs, activation, l2=flags.l2), *units]
    return Sequential(layers, input_shape, device=device, seed=flags.seed)


def device(name: str) -> str:
    """The device that is meant; ``auto`` is cuda where it can be used, and else cpu."""
    return select(name).name


def described(network: Network) -> str:
    """``64 inputs → 32 relu → 10 softmax, 2,410 parameters, float32``."""
    from nnkit.training.describe import sized

    count = sum(value.size for value in network.parameters().values())
    layers = getattr(network.module, "layers", [network.module])
    names = [_layer(layer) for layer in layers]
    return f"{' → '.join([sized(network.input_shape, 'input'), *names])}, {count:,} parameters, {network.dtype}"


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


def output_activation(flags: Namespace, default: str) -> str:
    """The one that is given, else the one that suits the loss that is given, else the default."""
    if flags.output_activation != "auto":
        return lookup("activation", flags.output_activation, ACTIVATIONS, ALIASES).name
    return default if flags.loss == "auto" else losses.activation_for(losses.get(flags.loss))


def _outputs(loss: Loss, data: Dataset) -> int:
    if data.classes is not None:
        return 1 if loss.targets == "binary" else len(data.classes)
    return loss.outputs_for(data.y_train.shape[1] if data.y_train.ndim > 1 else 1)


def _units(loss: Loss, activation: str, data: Dataset) -> list[Rescaling]:
    """The units of targets that are numbers, where the loss can be taken without them; figures of the training rows."""
    if data.classes is not None or activation != "identity" or not loss.of_error:
        return []
    found = Scaling.fit(data.y_train.reshape(len(data.y_train), -1))
    return [Rescaling(found.scale, found.mean)]


def _check_loss(loss: Loss, activation: str, data: Dataset) -> None:
    """Refuse a loss for numbers where there are classes, and the other way round, before any row is looked at."""
    with_activation = f"loss '{loss.name}' with output activation '{activation}'"
    if data.classes is not None and len(data.classes) != 2 and loss.targets == "binary":
        raise ArgumentError(
            f"{with_activation} answers yes or no, but {data.name} has {len(data.classes)} classes; leave out --loss "
            "and --output-activation, or write --loss cross_entropy or categorical_hinge"
        )
    if loss.targets in ({"classes", "binary"} if data.classes is not None else {"numbers", "binary"}):
        return
    has = "numbers" if data.classes is None else f"{len(data.classes)} classes"
    instead = (
        f"train it in Python: net.fit(x, y, loss='{loss.name}')"
        if loss.targets in ("signs", "groups")
        else "leave out --loss and --output-activation, or change them together"
    )
    raise ArgumentError(
        f"{data.name} has {has} to predict, and {with_activation} is for {KINDS[loss.targets]}; {instead}"
    )
