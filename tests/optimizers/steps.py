"""Running optimisers by hand: the loop that the training step is elsewhere."""

import numpy as np
from array_api_compat import device as device_of

from nnkit.functional import dtype_name
from nnkit.graph import Trace, interpret


def settings_of(optimizer, dtype):
    return {name: np.asarray(value, dtype=dtype) for name, value in optimizer.settings().items()}


def run(optimizer, parameter, gradient_of, steps):
    """The parameter after each of ``steps`` updates, eagerly; ``gradient_of(parameter, step)`` is its gradient."""
    settings = settings_of(optimizer, parameter.dtype)
    moments = {name: np.zeros_like(parameter) for name in optimizer.moments}
    history = []
    for step in range(1, steps + 1):
        number = np.asarray(float(step), dtype=parameter.dtype)
        gradient = gradient_of(parameter, step)
        parameter, moments = optimizer.update(parameter, gradient, moments, settings, number)
        assert moments.keys() == set(optimizer.moments)
        history.append(parameter)
    return history


def traced_update(optimizer, size, dtype):
    """The graph of one update, with every array an input."""
    trace = Trace()

    def array(name):
        return trace.input(name, "state", (size,), dtype)

    moments = {name: array(f"moment.{name}") for name in optimizer.moments}
    settings = {name: trace.input(f"setting.{name}", "setting", (), dtype) for name in optimizer.settings()}
    step = trace.input("step", "state", (), dtype)
    parameter, moments = optimizer.update(array("parameter"), array("gradient"), moments, settings, step)
    return trace.graph({"parameter": parameter} | {f"moment.{name}": value for name, value in moments.items()})


def run_graph(optimizer, parameter, gradient, steps, namespace):
    """The parameter after ``steps`` updates with one gradient, by interpreting the graph of the update."""
    graph = traced_update(optimizer, parameter.shape[0], dtype_name(parameter))
    state = {"parameter": parameter, "gradient": gradient}
    state |= {f"moment.{name}": parameter * 0.0 for name in optimizer.moments}
    settings = {
        f"setting.{name}": namespace.asarray(value, dtype=parameter.dtype, device=device_of(parameter))
        for name, value in optimizer.settings().items()
    }
    for step in range(1, steps + 1):
        number = namespace.asarray(float(step), dtype=parameter.dtype, device=device_of(parameter))
        state |= interpret(graph, namespace, state | settings | {"step": number}, device_of(parameter))
    return state["parameter"]
