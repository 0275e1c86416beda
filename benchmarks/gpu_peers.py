"""Trainings with Adam in another framework on the GPU: python benchmarks/gpu_peers.py NAME JOBS

JOBS is JSON, as gpu.py makes it. Prints the seconds of a step, or of an epoch, one for each block, by the names of the
jobs, as JSON. With the name ``ceilings`` what the GPU does at best.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

BLOCKS, BLOCK_S, WARM, EPOCHS, FEWEST = 9, 0.05, 3, 3, 4


def timed(run: Callable[[int], None], guess_s: float) -> list[float]:
    """Seconds of a step in each of some blocks; ``run`` does so many steps and waits.

    A block has as many as fit its time by the guess, or by what the first steps took if that is longer.
    """
    for _ in range(WARM):
        run(FEWEST)
    began = time.perf_counter()
    run(FEWEST)
    took_s = (time.perf_counter() - began) / FEWEST
    count = max(FEWEST, int(BLOCK_S / max(guess_s, took_s)))
    run(count)
    found = []
    for _ in range(BLOCKS):
        began = time.perf_counter()
        run(count)
        found.append((time.perf_counter() - began) / count)
    return found


def torch_network(sizes: list[int], mode: str) -> tuple[Any, Any]:
    """Layers with ReLU between them, and Adam: fused but in the mode eager."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    layers: list[Any] = []
    for a, b in pairwise(sizes):
        layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers[:-1]).cuda()
    options = {} if mode == "eager" else {"fused": True, "capturable": True}
    return net, torch.optim.Adam(net.parameters(), lr=1e-3, **options)


def pytorch(
    sizes: list[int], batch: int, arrays: tuple[Any, Any, Any], mode: str, half: bool = False
) -> Callable[[int], None]:
    """``mode``: eager, fused, compile (CUDA graphs of torch.compile), or graph (one captured by hand)."""
    import torch

    x, y, order = (torch.from_numpy(array).cuda() for array in arrays)
    y = y.long()
    net, optimizer = torch_network(sizes, mode)
    entropy = torch.nn.functional.cross_entropy

    def loss(x: Any, y: Any) -> Any:
        with torch.autocast("cuda", torch.bfloat16, enabled=half):
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
            loss(x[rows], y[rows]).backward()
            optimizer.step()

        with torch.cuda.stream(side):
            for _ in range(3):
                once()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            loss(x[rows], y[rows]).backward()
            optimizer.step()

        def step(number: int) -> None:
            rows.copy_(order[number % batches * batch :][:batch])
            graph.replay()

    def run(count: int) -> None:
        for number in range(count):
            step(number)
        torch.cuda.synchronize()

    return run


def jax_state(sizes: list[int], draw: Any) -> tuple[Any, Any, Any, Any]:
    """Weights, Adam's two moments, and how many steps there were."""
    import jax
    import jax.numpy as jnp

    params = [
        (jnp.asarray(draw.normal(size=(a, b)).astype("float32") * (2 / a) ** 0.5), jnp.zeros(b))
        for a, b in pairwise(sizes)
    ]
    first, second = (jax.tree.map(jnp.zeros_like, params) for _ in range(2))
    return params, first, second, jnp.zeros((), jnp.int32)


def jax_forward(params: Any, x: Any, kind: Any) -> Any:
    """Layers with ReLU between them, in a data type; the result is in float32."""
    import jax
    import jax.numpy as jnp

    def dense(x: Any, weight: Any, bias: Any) -> Any:
        return jnp.dot(x.astype(kind), weight.astype(kind), precision="highest") + bias.astype(kind)

    for weight, bias in params[:-1]:
        x = jax.nn.relu(dense(x, weight, bias))
    return dense(x, *params[-1]).astype(jnp.float32)


def jax_jit(
    sizes: list[int], batch: int, arrays: tuple[Any, Any, Any], mode: str, half: bool = False
) -> Callable[[int], None]:
    """``mode``: jit (a call for each step), or scan (all steps of a block in one call)."""
    import jax
    import jax.numpy as jnp

    from nnkit.bench.frameworks.jax_jit import losses, optimizers

    entropy, (adam, _) = losses()["classes"], optimizers()["adam"]
    x, y, order = (jnp.asarray(array) for array in arrays)
    held = [jax_state(sizes, np.random.default_rng(0))]
    batches = len(order) // batch

    def loss(params: Any, x: Any, y: Any) -> Any:
        return entropy(jax_forward(params, x, jnp.bfloat16 if half else jnp.float32), y)

    def step(state: Any) -> Any:
        params, m, v, t = state
        rows = jax.lax.dynamic_slice(order, (t % batches * batch,), (batch,))
        slopes = jax.grad(loss)(params, x[rows], y[rows])
        return adam(params, slopes, m, v, t)

    jitted = jax.jit(step, donate_argnums=0)
    many = jax.jit(lambda state, n: jax.lax.fori_loop(0, n, lambda _, s: step(s), state), donate_argnums=0)

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


def epochs(name: str, job: dict[str, Any]) -> list[float]:
    """Seconds of each of some epochs with shuffling, and with the mean loss and accuracy of each."""
    _, mode = PEERS[name]
    draw, (rows, sizes) = np.random.default_rng(0), (job["rows"], job["sizes"])
    x = draw.random((rows, sizes[0]), dtype=np.float32)
    y = draw.integers(0, sizes[-1], rows)
    make = {"eager": torch_loader, "compile": torch_resident, "jit": jax_resident}[mode]
    epoch = make(sizes, job["batch"], x, y)
    epoch()
    found = []
    for _ in range(EPOCHS):
        began = time.perf_counter()
        epoch()
        found.append(time.perf_counter() - began)
    return found


def torch_loader(sizes: list[int], batch: int, x: Any, y: Any) -> Callable[[], tuple[float, float]]:
    """The usual loop: a DataLoader on the host, each batch copied to the GPU."""
    import torch

    net, optimizer = torch_network(sizes, "eager")
    data = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    loader = torch.utils.data.DataLoader(data, batch_size=batch, shuffle=True)
    entropy = torch.nn.functional.cross_entropy

    def epoch() -> tuple[float, float]:
        total = hits = 0.0
        for rows, target in loader:
            a, b = rows.cuda(), target.cuda()
            optimizer.zero_grad()
            out = net(a)
            loss = entropy(out, b)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(a)
            hits += (out.argmax(1) == b).sum().item()
        return total / len(x), hits / len(x)

    return epoch


def torch_resident(sizes: list[int], batch: int, x: Any, y: Any) -> Callable[[], tuple[float, float]]:
    """The data on the GPU, shuffled there; torch.compile with CUDA graphs; sums read once an epoch."""
    import torch

    net, optimizer = torch_network(sizes, "compile")
    xs, ys = torch.from_numpy(x).cuda(), torch.from_numpy(y).cuda()
    entropy = torch.nn.functional.cross_entropy

    @torch.compile(mode="reduce-overhead")  # type: ignore[untyped-decorator]
    def forward(a: Any, b: Any) -> Any:
        out = net(a)
        return entropy(out, b), (out.argmax(1) == b).sum()

    def epoch() -> tuple[float, float]:
        total, hits = torch.zeros((), device="cuda"), torch.zeros((), device="cuda")
        for chosen in torch.randperm(len(xs), device="cuda").split(batch):
            optimizer.zero_grad()
            loss, right = forward(xs[chosen], ys[chosen])
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(chosen)
            hits += right
        return float(total) / len(x), float(hits) / len(x)

    return epoch


def jax_resident(sizes: list[int], batch: int, x: Any, y: Any) -> Callable[[], tuple[float, float]]:
    """The data on the GPU; one jitted call for each batch of a shuffled order, which also adds up the figures."""
    import jax
    import jax.numpy as jnp

    from nnkit.bench.frameworks.jax_jit import optimizers

    adam, _ = optimizers()["adam"]
    xs, ys, draw = jnp.asarray(x), jnp.asarray(y.astype("int32")), np.random.default_rng(0)
    held = [jax_state(sizes, draw)]

    def loss(params: Any, a: Any, b: Any) -> Any:
        z = jax_forward(params, a, jnp.float32)
        each = jax.nn.logsumexp(z, 1) - jnp.take_along_axis(z, b[:, None], 1)[:, 0]
        return each.mean(), (z.argmax(1) == b).sum()

    def step(state: Any, sums: Any, order: Any, first: Any, count: int) -> Any:
        params, m, v, t = state
        chosen = jax.lax.dynamic_slice(order, (first,), (count,))
        (value, right), slopes = jax.value_and_grad(loss, has_aux=True)(params, xs[chosen], ys[chosen])
        return adam(params, slopes, m, v, t), (sums[0] + value * count, sums[1] + right)

    jitted = jax.jit(step, static_argnums=4, donate_argnums=(0, 1))

    def epoch() -> tuple[float, float]:
        order = jnp.asarray(draw.permutation(len(x)).astype("int32"))
        sums = (jnp.zeros(()), jnp.zeros((), jnp.int32))
        for first in range(0, len(x), batch):
            held[0], sums = jitted(held[0], sums, order, first, min(batch, len(x) - first))
        return float(sums[0]) / len(x), float(sums[1]) / len(x)

    return epoch


def ceilings() -> dict[str, float]:
    """What the GPU does at best: products and copies of large arrays, and one more kernel in a graph."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    found = {}
    for name, side in (("float32", 8192), ("bfloat16", 8192)):
        a, b = (torch.randn(side, side, device="cuda", dtype=getattr(torch, name)) for _ in range(2))
        found[f"{name}_flops_per_s"] = 2 * side**3 / _best(lambda a=a, b=b: torch.mm(a, b))
    source = torch.zeros(1 << 28, device="cuda")
    target = torch.empty_like(source)
    found["bytes_per_s"] = 2 * source.nbytes / _best(lambda: target.copy_(source))
    one, count, side_stream = torch.zeros(1, device="cuda"), 1000, torch.cuda.Stream()
    with torch.cuda.stream(side_stream):
        one.add_(1)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(count):
            one.add_(1)
    found["launch_s"] = _best(graph.replay) / count
    return found


def _best(action: Callable[[], Any]) -> float:
    """The shortest of several times of the device, in seconds."""
    import torch

    times = []
    for _ in range(12):
        began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        began.record()
        action()
        ended.record()
        ended.synchronize()
        times.append(began.elapsed_time(ended) * 1e-3)
    return min(times[2:])


def measured(name: str, job: dict[str, Any]) -> list[float]:
    """Seconds of a step of one job, or of an epoch."""
    if "rows" in job:
        return epochs(name, job)
    make, mode = PEERS[name]
    draw = np.random.default_rng(0)
    rows = job["batches"] * job["batch"]
    arrays = (
        draw.random((rows, job["sizes"][0]), dtype="float32"),
        draw.integers(0, job["sizes"][-1], rows).astype("int32"),
        draw.permutation(rows).astype("int32" if make is jax_jit else "int64"),
    )
    return timed(make(job["sizes"], job["batch"], arrays, mode, job["half"]), job["guess_s"])


def main() -> None:
    name, jobs = sys.argv[1], json.loads(sys.argv[2])
    if name == "ceilings":
        print(json.dumps(ceilings()))
        return
    found = {}
    for job in jobs:
        if "rows" not in job or PEERS[name][1] in ("eager", "compile", "jit"):
            found[job["name"]] = measured(name, job)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
