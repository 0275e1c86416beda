"""JAX: the whole step under ``jit``, its state donated, the data resident."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from contest.workloads import Block, Workload


def block(workload: Workload, mode: str) -> Block:
    """The step is called from Python once a step."""
    draw = np.random.default_rng(0)
    weights = [
        (jnp.asarray(draw.normal(0, (2 / n) ** 0.5, (n, m)).astype(np.float32)), jnp.zeros(m))
        for n, m in pairwise(workload.sizes)
    ]
    x, y, order = (jnp.asarray(array) for array in workload.data())

    def loss(weights: Any, x: Any, y: Any) -> Any:
        for weight, bias in weights[:-1]:
            x = jax.nn.relu(x @ weight + bias)
        weight, bias = weights[-1]
        return -jnp.take_along_axis(jax.nn.log_softmax(x @ weight + bias), y[:, None], 1).mean()

    def step(state: Any, x: Any, y: Any, order: Any, first: Any) -> Any:
        weights, m, v, t = state
        rows = jax.lax.dynamic_slice(order, (first,), (workload.batch,))
        value, g = jax.value_and_grad(loss)(weights, x[rows], y[rows])
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        c1, c2 = 1 - 0.9**t, 1 - 0.999**t
        weights = jax.tree.map(lambda w, m, v: w - 1e-3 * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), weights, m, v)
        return (weights, m, v, t), value

    compiled = jax.jit(step, donate_argnums=0)
    state = (weights, *(jax.tree.map(jnp.zeros_like, weights) for _ in range(2)), jnp.float32(0))
    firsts = [jnp.asarray(i * workload.batch) for i in range(workload.batches)]

    def run() -> None:
        nonlocal state
        for number in range(workload.steps):
            state, _ = compiled(state, x, y, order, firsts[number % workload.batches])
        jax.block_until_ready(state)

    return run
