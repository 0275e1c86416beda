"""Networks in one line: layers of neurons one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

from nnkit import nn
from nnkit.arguments import known_arguments
from nnkit.errors import ArgumentError
from nnkit.network import Network
from nnkit.nn import Dense, Dropout, Module
from nnkit.nn.activation import as_activation
from nnkit.nn.dense import check_units

DEEPEST = 100_000  # hidden layers
Act = str | Callable[..., Any] | Module


@known_arguments("FeedForward")
def FeedForward(  # noqa: N802  # reads as the kind of network that it makes
    inputs: int,
    outputs: int,
    hidden: Sequence[int] | int | None = None,
    *,
    hidden_layers: int | None = None,
    neurons: int | None = None,
    activation: Act | Sequence[Act] = "relu",
    output_activation: Act = "identity",
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    dtype: str = "float32",
    device: str = "cpu",
    seed: int | None = 0,
) -> Network:
    """A feed-forward network: inputs, hidden layers of neurons, outputs.

    Args:
        inputs: number of inputs.
        outputs: number of outputs.
        hidden: neurons of each hidden layer, such as ``[128, 64]``; instead, ``hidden_layers=2, neurons=64``.
        activation: one for all hidden layers, or a list with one for each: names, functions or layers.
        output_activation: of the output layer; ``"softmax"`` for classes, ``"sigmoid"`` for yes and no.
        dropout: share of the values after each hidden layer that :class:`nnkit.nn.Dropout` sets to 0 in training.
        l1: λ of λ Σ|w| over all weights (not biases), added to the loss.
        l2: λ of λ Σ w² likewise.
        dtype, device, seed: as for :class:`Network`; ``device="auto"`` is the GPU if one can be used.

    >>> import nnkit
    >>> net = nnkit.FeedForward(inputs=784, hidden=[128, 64], outputs=10,
    ...                         activation=["relu", "tanh"], output_activation="softmax")
    >>> sum(value.size for value in net.parameters().values())
    109386
    """
    check_units(inputs, "inputs")
    check_units(outputs, "outputs")
    widths = _widths(hidden, hidden_layers, neurons)
    layers: list[Module] = []
    for width, each in zip(widths, _activations(activation, len(widths)), strict=True):
        layers.append(Dense(width, each, l1=l1, l2=l2))
        if dropout:
            layers.append(Dropout(dropout))
    output = as_activation(output_activation, "output_activation")
    module = nn.Sequential([*layers, Dense(outputs, output, l1=l1, l2=l2)])
    return Network(module, (int(inputs),), dtype=dtype, device=device, seed=seed)


@known_arguments("Sequential")
def Sequential(  # noqa: N802
    layers: Sequence[Module],
    input_shape: tuple[int, ...],
    *,
    dtype: str = "float32",
    device: str = "cpu",
    seed: int | None = 0,
) -> Network:
    """A network of layers one after the other; arguments as for :class:`Network`, ``device="auto"`` among them.

    >>> import nnkit
    >>> from nnkit import nn
    >>> net = nnkit.Sequential([nn.Dense(48, activation="tanh"), nn.Dropout(0.2), nn.Dense(2)], input_shape=(12,))
    >>> net.output_shape
    (2,)
    """
    if not isinstance(layers, (list, tuple)):
        raise ArgumentError(f"layers must be a list of layers, got {layers!r}")
    return Network(nn.Sequential(layers), input_shape, dtype=dtype, device=device, seed=seed)


def _widths(hidden: Any, hidden_layers: Any, neurons: Any) -> list[int]:
    if hidden is not None:
        if hidden_layers is not None or neurons is not None:
            raise ArgumentError("give either hidden=[…] or hidden_layers= with neurons=, not both")
        given = [hidden] if isinstance(hidden, Integral) else hidden
        if isinstance(given, (str, bytes)) or not hasattr(given, "__iter__") or getattr(given, "ndim", 1) != 1:
            raise ArgumentError(f"hidden must be a list of numbers of neurons, such as [128, 64], got {hidden!r}")
        return [check_units(width, f"hidden[{number}]") for number, width in enumerate(given)]
    if hidden_layers is None and neurons is None:
        return []
    if hidden_layers is None or neurons is None:
        raise ArgumentError("hidden_layers= and neurons= go together: hidden_layers=2, neurons=64")
    if (
        isinstance(hidden_layers, bool)
        or not isinstance(hidden_layers, Integral)
        or not 0 <= int(hidden_layers) <= DEEPEST
    ):
        raise ArgumentError(f"hidden_layers must be a whole number from 0 to {DEEPEST:,}, got {hidden_layers!r}")
    return [check_units(neurons, "neurons")] * int(hidden_layers)


def _activations(activation: Any, layers: int) -> list[Any]:
    if isinstance(activation, (list, tuple)):
        if len(activation) != layers:
            raise ArgumentError(
                f"activation has {len(activation)} entries for {layers} hidden layers; "
                "give one for each, or one for all"
            )
        return list(activation)
    return [activation] * layers
