"""JAX: the step under ``jit`` with its metrics, called from Python once a step, the data resident."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from contest.learning import Learner, Task
from contest.workloads import Workload
from nnkit.bench.frameworks.jax_jit import forward, losses, optimizers


def learner(task: Task, mode: str) -> Learner:
    """There is one mode."""
    draw = np.random.default_rng(task.seed)
    network = forward(Workload((784, task.hidden, 10), task.batch).job())
    entropy, (update, _) = losses()["classes"], optimizers()["adam"]
    x, y, x_test, y_test = (jnp.asarray(array) for array in task.data)
    sizes = ((784, task.hidden), (task.hidden, 10))
    weights = [(jnp.asarray(draw.normal(0, (2 / n) ** 0.5, (n, m)), jnp.float32), jnp.zeros(m)) for n, m in sizes]
    state = (weights, *(jax.tree.map(jnp.zeros_like, weights) for _ in range(2)), jnp.float32(0))

    def loss(weights: Any, x: Any, y: Any) -> Any:
        scores = network(weights, x)
        return entropy(scores, y), (scores.argmax(1) == y).sum()

    @jax.jit
    def step(state: Any, sums: Any, x: Any, y: Any, rows: Any) -> Any:
        (value, correct), g = jax.value_and_grad(loss, has_aux=True)(state[0], x[rows], y[rows])
        return update(state[0], g, *state[1:]), (sums[0] + value * len(rows), sums[1] + correct)

    @jax.jit
    def share(weights: Any, x: Any, y: Any) -> Any:
        return (network(weights, x).argmax(1) == y).mean()

    def epoch() -> tuple[float, float]:
        nonlocal state
        order = draw.permutation(len(x))
        sums = (jnp.float32(0), jnp.int32(0))
        for first in range(0, len(order), task.batch):
            state, sums = step(state, sums, x, y, order[first : first + task.batch])
        return float(sums[0]) / len(x), float(sums[1]) / len(x)

    return epoch, lambda: float(share(state[0], x_test, y_test))
