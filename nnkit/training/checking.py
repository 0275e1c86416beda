"""A network's gradients compared with finite differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnkit.data.checks import features
from nnkit.graph import Trace, TracedArray
from nnkit.nn import Run
from nnkit.nn.leaves import Declared
from nnkit.nn.tracing import call_module
from nnkit.training.objective import objective
from nnkit.training.targets import signature, targets

if TYPE_CHECKING:
    from nnkit.network import Network


def check_gradients(net: Network, x: Any, y: Any, loss: Any = "auto", order: int = 2, rtol: float = 1e-6) -> None:
    """Compare derivatives of the mean loss by each parameter with finite differences: AssertionError if they differ.

    In float64 and as in training (batch statistics, dropout with one fixed mask), along one random direction for each
    parameter, to the second order. The error names the parameter, what differentiation gave and what was expected. The
    network does not change. For a module of your own, or for the rule of a new primitive.

    >>> import nnkit
    >>> net = nnkit.FeedForward(inputs=2, hidden=[3], outputs=1, activation="tanh", seed=0)
    >>> nnkit.check_gradients(net, [[0.5, -1.0], [0.2, 0.7]], [1.0, 2.0])
    """
    from nnkit.gradient_check import check_graph

    model = net._model
    layout = model.layout
    goal = objective(model.module, loss)
    inputs = features(x, layout.input_shape, "float64", "x")
    target = targets(goal, layout, y, len(inputs))
    target = target.astype(np.float64) if target.dtype.kind == "f" else target
    trace = Trace()
    leaves: dict[str, TracedArray] = {}

    def give_leaf(path: str, leaf: Declared, shape: tuple[int, ...]) -> TracedArray:
        leaves[path] = trace.input(path, "state", shape, "float64")
        return leaves[path]

    seeds = {name: trace.input(name, "setting", (), "uint32") for name in ("seed_low", "seed_high", "step")}
    run = Run(trace, give_leaf, training=True, randomness=tuple(seeds.values()))  # type: ignore[arg-type]
    traced_x = trace.input("x", "data", inputs.shape, "float64")
    traced_y = trace.input("y", "data", (len(inputs), *signature(target)[0]), str(target.dtype))
    xp = trace.namespace
    total = xp.mean(goal.losses(call_module(goal.module, traced_x, run), traced_y, run))
    for path, penalty in layout.penalties.items():
        total = total + penalty.l1 * xp.sum(xp.abs(leaves[path])) + penalty.l2 * xp.sum(xp.square(leaves[path]))
    values: dict[str, Any] = {name: np.asarray(7, dtype=np.uint32) for name in seeds}
    values |= {path: value.astype(np.float64) for path, value in model.values().items()}
    values |= {"x": inputs, "y": target}
    check_graph(trace.graph({"loss": total}), "loss", values, list(layout.parameters), order=order, rtol=rtol)
