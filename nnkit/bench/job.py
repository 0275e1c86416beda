"""What is measured, as plain data that another process can read: a network, its batch and its optimiser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from math import prod
from typing import Any

import numpy as np

from nnkit import losses
from nnkit.errors import ArgumentError
from nnkit.network import Network
from nnkit.nn.serial import from_config, to_config
from nnkit.training.objective import objective
from nnkit.training.planning import training_plan

BLOCK_S, MOST_STEPS = 0.1, 1024
"""A block of steps should take about so long, by prediction, and has at most so many steps."""
MOST_CALLS = 500
CALL_S, ROW_S, FLOPS_PER_S = 1e-4, 5e-7, 1e11
"""The same for predictions: a call of any framework, a row, and the products of a row at the rate of one core."""
PAIRS = {"softmax": "cross_entropy", "identity": "mean_squared_error", "sigmoid": "binary_cross_entropy"}
"""The output activations that peers know, and the loss of each."""


@dataclass(frozen=True)
class Job:
    """A network by its description, and one block of its training: ``epochs`` passes over ``batches`` batches.

    >>> import nnkit
    >>> job = Job.of(nnkit.FeedForward(inputs=784, hidden=[128], outputs=10, output_activation="softmax"), batch=64)
    >>> job.name, job.targets, job.dense_layers()
    ('784-128-10 b64', 'classes', [(128, 'relu'), (10, 'softmax')])
    """

    name: str
    module: Mapping[str, Any]
    input_shape: tuple[int, ...]
    outputs: int
    values: int
    dtype: str
    device: str
    batch: int
    optimizer: str
    loss: str
    targets: str
    epochs: int
    batches: int

    @classmethod
    def of(cls, network: Network, batch: int, optimizer: str = "adam", loss: str = "auto") -> Job:
        """The job of a network, with blocks that are long enough for the clock."""
        step_s = training_plan(network._model, batch, optimizer, loss).cost.seconds
        batches = int(np.clip(BLOCK_S / step_s, 2, 16))
        epochs = int(np.clip(BLOCK_S / step_s / batches, 1, MOST_STEPS / batches))
        chosen = objective(network.module, loss).loss
        sizes = [prod(network.input_shape), *_widths(network)]
        return cls(
            name=f"{shape_text(sizes)} b{batch}",
            module=to_config(network.module),
            input_shape=network.input_shape,
            outputs=network.output_shape[0],
            values=sum(value.size for value in network.parameters().values()),
            dtype=network.dtype,
            device=network.device,
            batch=batch,
            optimizer=optimizer,
            loss=chosen.name,
            targets=chosen.targets,
            epochs=epochs,
            batches=batches,
        )

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Job:
        """What ``to_dict`` gave, after JSON."""
        return cls(**{**found, "input_shape": tuple(found["input_shape"])})

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @property
    def steps(self) -> int:
        """Steps in a block."""
        return self.epochs * self.batches

    @property
    def inputs(self) -> int:
        """Numbers in one row of the input."""
        return prod(self.input_shape)

    def calls(self, rows: int) -> int:
        """Calls in a block of predictions of so many rows each."""
        return int(np.clip(BLOCK_S / (CALL_S + rows * (ROW_S + 2 * self.values / FLOPS_PER_S)), 1, MOST_CALLS))

    def network(self) -> Network:
        """The network with its first weights."""
        return Network(from_config(self.module), self.input_shape, dtype=self.dtype, device=self.device, seed=0)

    def rows(self, count: int) -> Any:
        """Random rows of the input."""
        return np.random.default_rng(1).normal(size=(count, *self.input_shape)).astype(self.dtype)

    def data(self) -> tuple[Any, Any, Any]:
        """Rows, what they are trained towards, and an order of the rows."""
        draw = np.random.default_rng(0)
        rows = self.batches * self.batch
        columns = losses.get(self.loss).targets_for(self.outputs)
        if self.targets == "classes":
            y = draw.integers(0, self.outputs, rows).astype(np.int32)
        elif self.targets == "groups":
            y = draw.integers(0, rows // 4 + 1, rows).astype(np.int32)
        elif self.targets in ("binary", "signs"):
            y = draw.integers(0, 2, (rows, columns)).astype(self.dtype)
        else:  # not negative, as a loss for counts wants it
            y = draw.random((rows, columns)).astype(self.dtype)
        return self.rows(rows), y, draw.permutation(rows)

    def flat_data(self) -> tuple[Any, Any, Any]:
        """The same, each row of the input as one vector."""
        x, y, order = self.data()
        return x.reshape(len(x), -1), y, order

    def dense_layers(self) -> list[tuple[int, str]]:
        """Neurons and activation of every layer, for peers; what they would have to compute otherwise is refused."""
        found = [_dense(layer) for layer in _layers(self.module) if layer.get("layer") not in ("Flatten", "Rescaling")]
        activation = found[-1][1]
        if PAIRS.get(activation) != losses.get(self.loss).name or self.dtype != "float32":
            pairs = ", ".join(f"{activation} with {loss}" for activation, loss in PAIRS.items())
            raise ArgumentError(
                f"peers train float32 networks that end in {pairs}; got {self.dtype}, {activation} with {self.loss}; "
                "leave out the peers"
            )
        return found


def _layers(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(config["layers"]) if config["layer"] == "Sequential" else [config]


def shape_text(sizes: Sequence[int]) -> str:
    """Sizes of the layers in one word; three and more of a kind are counted.

    >>> shape_text([64, 96, 96, 96, 4]), shape_text([784, 512, 512, 10])
    ('64-(96×3)-4', '784-512-512-10')
    """
    runs = [(size, len(list(group))) for size, group in groupby(sizes)]
    return "-".join("-".join([str(size)] * count) if count < 3 else f"({size}×{count})" for size, count in runs)


def _dense(layer: Mapping[str, Any]) -> tuple[int, str]:
    kind = layer.get("layer", "a layer in several places")
    if kind != "Dense" or not layer["bias"] or layer["l1"] or layer["l2"]:
        what = kind if kind != "Dense" else "a Dense layer with a penalty or without a bias"
        raise ArgumentError(f"peers train plain Dense layers, and this network has {what}; leave out the peers")
    activation = layer["activation"] or {"layer": "identity"}
    return layer["units"], activation.get("function", activation["layer"])


def _widths(network: Network) -> list[int]:
    """Neurons of each layer that has some, at least those of the output."""
    units = [layer["units"] for layer in _layers(to_config(network.module)) if "units" in layer]
    return units or list(network.output_shape)
