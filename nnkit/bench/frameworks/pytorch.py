"""PyTorch, with the shortest loop that does the same work: eager, with its fused optimiser, and compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnkit.bench.contestant import Block
from nnkit.bench.frameworks.calls import calls
from nnkit.bench.job import Job
from nnkit.names import lookup

ACTIVATIONS = {
    "identity": "Identity",
    "relu": "ReLU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "gelu": "GELU",
    "elu": "ELU",
    "selu": "SELU",
    "silu": "SiLU",
    "softplus": "Softplus",
    "leaky_relu": "LeakyReLU",
}
OUTPUTS: dict[str, Callable[[Any], Any]] = {
    "softmax": lambda z: z.softmax(-1),
    "sigmoid": lambda z: z.sigmoid(),
    "identity": lambda z: z,
}
LOSSES = {
    "classes": "cross_entropy",
    "numbers": "mse_loss",
    "binary": "binary_cross_entropy_with_logits",
}
OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "rmsprop": "RMSprop"}


def step(job: Job, mode: str) -> tuple[Block, int]:
    """``mode`` is "eager", "fused" (the update as one kernel) or "compile" (that, and loss and gradient compiled)."""
    import torch

    network = model(job)
    fused = {} if mode == "eager" else {"fused": True}
    optimizer = getattr(torch.optim, lookup("optimizer", job.optimizer, OPTIMIZERS))(
        network.parameters(), lr=1e-3, **fused
    )
    x, y, order = (torch.from_numpy(array) for array in job.flat_data())
    y = y.long() if job.targets == "classes" else y
    entropy = getattr(torch.nn.functional, LOSSES[job.targets])

    def loss(x: Any, y: Any) -> Any:
        return entropy(network(x), y)

    if mode == "compile":
        loss = torch.compile(loss)

    def run() -> None:
        for number in range(job.steps):
            first = number % job.batches * job.batch
            rows = order[first : first + job.batch]
            optimizer.zero_grad()
            loss(x[rows], y[rows]).backward()
            optimizer.step()

    return run, job.steps


def predict(job: Job, mode: str, rows: int) -> tuple[Block, int]:
    """From a NumPy array to a NumPy array, under ``inference_mode``."""
    import torch

    network, output = model(job), OUTPUTS[job.dense_layers()[-1][1]]
    x = job.rows(rows).reshape(rows, -1)

    def forward(x: Any) -> Any:
        return output(network(x))

    if mode == "compile":
        forward = torch.compile(forward)

    def call() -> Any:
        with torch.inference_mode():
            return forward(torch.from_numpy(x)).numpy()

    return calls(job, rows, call)


def model(job: Job) -> Any:
    """The network up to the values before its output activation."""
    import torch

    torch.manual_seed(0)
    *hidden, (outputs, _) = job.dense_layers()
    layers: list[Any] = []
    inputs = job.inputs
    for units, activation in hidden:
        layers += [torch.nn.Linear(inputs, units), getattr(torch.nn, lookup("activation", activation, ACTIVATIONS))()]
        inputs = units
    return torch.nn.Sequential(*layers, torch.nn.Linear(inputs, outputs))
