"""Training steps with Adam in another framework on the GPU, its data resident: python benchmarks/gpu_peers.py NAME JOBS

JOBS is JSON, as gpu.py makes it. Prints the seconds of a step, one for each block, by the names of the jobs, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

BLOCKS, BLOCK_S, WARM = 9, 0.05, 3


def timed(run: Callable[[int], None], guess_s: float) -> list[float]:
    """Seconds of a step in each of some blocks; ``run`` does so many steps and waits."""
    count = max(4, int(BLOCK_S / guess_s))
    for _ in range(WARM):
        run(count)
    found = []
    for _ in range(BLOCKS):
        began = time.perf_counter()
        run(count)
        found.append((time.perf_counter() - began) / count)
    return found


def pytorch(sizes: list[int], batch: int, arrays: tuple[Any, Any, Any], mode: str) -> Callable[[int], None]:
    """``mode``: eager, fused, compile (CUDA graphs of torch.compile), or graph (one captured by hand)."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    x, y, order = (torch.from_numpy(array).cuda() for array in arrays)
    y = y.long()
    layers: list[Any] = []
    for a, b in pairwise(sizes):
        layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers[:-1]).cuda()
    options = {} if mode == "eager" else {"fused": True, "capturable": True}
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, **options)
    entropy = torch.nn.functional.cross_entropy

    def loss(x: Any, y: Any) -> Any:
        return entropy(net(x), y)

    if mode == "compile":
        loss = torch.compile(loss, mode="reduce-overhead")
    batches = len(order) // batch

    def step(number: int) -> None:
        rows = order[number % batches * batch :][:batch]
        optimizer.zero_grad()
        loss(x[rows], y[rows]).backward()
        optimizer.step()

    if mode == "graph":
        rows = order[:batch].clone()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())

        def once() -> None:
            optimizer.zero_grad(set_to_none=True)
            entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()

        with torch.cuda.stream(side):
            for _ in range(3):
                once()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()

        def step(number: int) -> None:
            rows.copy_(order[number % batches * batch :][:batch])
            graph.replay()

    def run(count: int) -> None:
        for number in range(count):
            step(number)
        torch.cuda.synchronize()

    return run


def jax_jit(sizes: list[int], batch: int, arrays: tuple[Any, Any, Any], mode: str) -> Callable[[int], None]:
    """``mode``: jit (a call for each step), or scan (all steps of a block in one call)."""
    import jax
    import jax.numpy as jnp

    from nnkit.bench.frameworks.jax_jit import losses, optimizers

    entropy, (adam, _) = losses()["classes"], optimizers()["adam"]
    x, y, order = (jnp.asarray(array) for array in arrays)
    draw = np.random.default_rng(0)
    params = [
        (jnp.asarray(draw.normal(size=(a, b)).astype("float32") * (2 / a) ** 0.5), jnp.zeros(b))
        for a, b in pairwise(sizes)
    ]
    zeros = jax.tree.map(jnp.zeros_like, params)
    batches = len(order) // batch

    def loss(params: Any, x: Any, y: Any) -> Any:
        for weight, bias in params[:-1]:
            x = jax.nn.relu(jnp.dot(x, weight, precision="highest") + bias)
        z = jnp.dot(x, params[-1][0], precision="highest") + params[-1][1]
        return entropy(z, y)

    def step(state: Any) -> Any:
        params, m, v, t = state
        rows = jax.lax.dynamic_slice(order, (t % batches * batch,), (batch,))
        slopes = jax.grad(loss)(params, x[rows], y[rows])
        return adam(params, slopes, m, v, t)

    jitted = jax.jit(step, donate_argnums=0)
    many = jax.jit(lambda state, n: jax.lax.fori_loop(0, n, lambda _, s: step(s), state), donate_argnums=0)
    held = [(params, zeros, jax.tree.map(jnp.zeros_like, params), jnp.zeros((), jnp.int32))]

    def run(count: int) -> None:
        if mode == "scan":
            held[0] = many(held[0], count)
        else:
            for _ in range(count):
                held[0] = jitted(held[0])
        jax.block_until_ready(held[0])

    return run


PEERS: dict[str, tuple[Callable[..., Callable[[int], None]], str]] = {
    "PyTorch eager": (pytorch, "eager"),
    "PyTorch, fused Adam": (pytorch, "fused"),
    "torch.compile": (pytorch, "compile"),
    "PyTorch, CUDA graph": (pytorch, "graph"),
    "JAX jit": (jax_jit, "jit"),
    "JAX, loop in one call": (jax_jit, "scan"),
}


def measured(name: str, job: dict[str, Any]) -> list[float]:
    """Seconds of a step of one job."""
    make, mode = PEERS[name]
    draw = np.random.default_rng(0)
    rows = job["batches"] * job["batch"]
    arrays = (
        draw.normal(size=(rows, job["sizes"][0])).astype("float32"),
        draw.integers(0, job["sizes"][-1], rows).astype("int32"),
        draw.permutation(rows).astype("int32" if make is jax_jit else "int64"),
    )
    return timed(make(job["sizes"], job["batch"], arrays, mode), job["guess_s"])


def main() -> None:
    name, jobs = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps({job["name"]: measured(name, job) for job in jobs}))


if __name__ == "__main__":
    main()
