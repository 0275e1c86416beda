"""JAX: the whole step under ``jit``, its state donated, the data resident."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnkit.bench.contestant import Block
from nnkit.bench.frameworks.calls import calls
from nnkit.bench.job import Job
from nnkit.names import lookup

ACTIVATIONS = ("identity", "relu", "tanh", "sigmoid", "gelu", "elu", "selu", "silu", "softplus", "leaky_relu")


def step(job: Job, mode: str) -> tuple[Block, int]:
    """The step is called from Python once a step."""
    import jax
    import jax.numpy as jnp

    network, loss_of = forward(job), losses()[job.targets]
    update, moments = lookup("optimizer", job.optimizer, optimizers())
    x, y, order = (jnp.asarray(array) for array in job.flat_data())

    def step(state: Any, x: Any, y: Any, order: Any, first: Any) -> Any:
        weights, *rest = state
        rows = jax.lax.dynamic_slice(order, (first,), (job.batch,))
        value, g = jax.value_and_grad(lambda weights: loss_of(network(weights, x[rows]), y[rows]))(weights)
        return update(weights, g, *rest), value

    compiled = jax.jit(step, donate_argnums=0)
    first_weights = weights(job)
    state = (first_weights, *(jax.tree.map(jnp.zeros_like, first_weights) for _ in range(moments)), jnp.float32(0))
    firsts = [jnp.asarray(i * job.batch) for i in range(job.batches)]

    def run() -> None:
        nonlocal state
        for number in range(job.steps):
            state, _ = compiled(state, x, y, order, firsts[number % job.batches])
        jax.block_until_ready(state)

    return run, job.steps


def predict(job: Job, mode: str, rows: int) -> tuple[Block, int]:
    """The compiled network, from a NumPy array to a NumPy array."""
    import jax
    import numpy as np

    network, values, x = forward(job), weights(job), job.rows(rows).reshape(rows, -1)
    output = {"softmax": jax.nn.softmax, "sigmoid": jax.nn.sigmoid, "identity": lambda z: z}[job.dense_layers()[-1][1]]
    compiled = jax.jit(lambda values, x: output(network(values, x)))
    return calls(job, rows, lambda: np.asarray(compiled(values, x)))


def weights(job: Job) -> Any:
    """First weights and biases of every layer."""
    import jax.numpy as jnp
    import numpy as np

    draw = np.random.default_rng(0)
    made, inputs = [], job.inputs
    for units, _ in job.dense_layers():
        weight = draw.normal(0, (2 / inputs) ** 0.5, (inputs, units)).astype(np.float32)
        made.append((jnp.asarray(weight), jnp.zeros(units)))
        inputs = units
    return made


def forward(job: Job) -> Callable[[Any, Any], Any]:
    """The network up to the values before its output activation."""
    import jax

    known = {name: getattr(jax.nn, name) for name in ACTIVATIONS}
    known |= {"identity": lambda z: z, "gelu": lambda z: jax.nn.gelu(z, approximate=False)}
    functions = [lookup("activation", name, known) for _, name in job.dense_layers()[:-1]]

    def network(weights: Any, x: Any) -> Any:
        for (weight, bias), function in zip(weights[:-1], functions, strict=True):
            x = function(x @ weight + bias)
        weight, bias = weights[-1]
        return x @ weight + bias

    return network


def losses() -> dict[str, Callable[[Any, Any], Any]]:
    """The mean loss of the values before the output activation, by the kind of the targets."""
    import jax
    import jax.numpy as jnp

    return {
        "classes": lambda z, y: -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1).mean(),
        "numbers": lambda z, y: jnp.square(z - y).mean(),
        "binary": lambda z, y: (jax.nn.softplus(z) - y * z).mean(),
    }


def optimizers() -> dict[str, tuple[Callable[..., Any], int]]:
    """The update of (weights, gradient, moments…, count of updates), and how many moments it has."""
    import jax
    import jax.numpy as jnp

    def adam(weights: Any, g: Any, m: Any, v: Any, t: Any) -> Any:
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        c1, c2 = 1 - 0.9**t, 1 - 0.999**t
        weights = jax.tree.map(lambda w, m, v: w - 1e-3 * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), weights, m, v)
        return weights, m, v, t

    def sgd(weights: Any, g: Any, t: Any) -> Any:
        return jax.tree.map(lambda w, g: w - 1e-3 * g, weights, g), t + 1

    return {"adam": (adam, 2), "sgd": (sgd, 0)}
