"""Running optimisers by hand: the loop that the training step is elsewhere."""

import numpy as np
from array_api_compat import device as device_of

from nnkit.functional import dtype_name
from nnkit.graph import Trace, interpret
from nnkit.optimizers import Parts


def settings_of(optimizer, dtype):
    return {name: np.asarray(value, dtype=dtype) for name, value in optimizer.settings().items()}


def parts_of(parameter, parts=None):
    """Where each parameter lies in a flat one; all of it is one vector unless told otherwise."""
    return parts or Parts((parameter.shape,))


def states(optimizer, parameter, gradient_of, steps, parts=None):
    """The parameter and the moments after each of ``steps`` updates, eagerly.

    ``gradient_of(parameter, step)`` is its gradient.
    """
    parts, settings = parts_of(parameter, parts), settings_of(optimizer, parameter.dtype)
    shapes = optimizer.moment_shapes(parts)
    assert shapes.keys() <= set(optimizer.moments)
    moments = {name: np.zeros(shape, parameter.dtype) for name, shape in shapes.items()}
    for step in range(1, steps + 1):
        number = np.asarray(float(step), dtype=parameter.dtype)
        gradient = gradient_of(parameter, step)
        parameter, moments = optimizer.update_parts(parts, parameter, gradient, moments, settings, number)
        assert {name: (value.shape, value.dtype) for name, value in moments.items()} == {
            name: (shape, parameter.dtype) for name, shape in shapes.items()
        }
        yield parameter, moments


def run(optimizer, parameter, gradient_of, steps, parts=None):
    """The parameter after each of ``steps`` updates, eagerly."""
    return [parameter for parameter, _ in states(optimizer, parameter, gradient_of, steps, parts)]


def finals(optimizer, parameter, gradient_of, steps, parts=None):
    """The weights that a network would have after each of ``steps`` updates."""
    settings = settings_of(optimizer, parameter.dtype)
    found = enumerate(states(optimizer, parameter, gradient_of, steps, parts), start=1)
    return [optimizer.final(parameter, moments, settings, step) for step, (parameter, moments) in found]


def traced_update(optimizer, parts, dtype):
    """The graph of one update, with every array an input."""
    trace = Trace()

    def array(name, shape=(parts.count,)):
        return trace.input(name, "state", shape, dtype)

    shapes = optimizer.moment_shapes(parts)
    moments = {name: array(f"moment.{name}", shape) for name, shape in shapes.items()}
    settings = {name: trace.input(f"setting.{name}", "setting", (), dtype) for name in optimizer.settings()}
    step = trace.input("step", "state", (), dtype)
    parameter, moments = optimizer.update_parts(parts, array("parameter"), array("gradient"), moments, settings, step)
    return trace.graph({"parameter": parameter} | {f"moment.{name}": value for name, value in moments.items()})


def run_graph(optimizer, parameter, gradient, steps, namespace, parts=None):
    """The parameter after ``steps`` updates with one gradient, by interpreting the graph of the update."""
    parts, device = parts_of(parameter, parts), device_of(parameter)
    graph = traced_update(optimizer, parts, dtype_name(parameter))
    state = {"parameter": parameter, "gradient": gradient}
    state |= {
        f"moment.{name}": namespace.zeros(shape, dtype=parameter.dtype, device=device)
        for name, shape in optimizer.moment_shapes(parts).items()
    }
    settings = {
        f"setting.{name}": namespace.asarray(value, dtype=parameter.dtype, device=device)
        for name, value in optimizer.settings().items()
    }
    for step in range(1, steps + 1):
        number = namespace.asarray(float(step), dtype=parameter.dtype, device=device)
        state |= interpret(graph, namespace, state | settings | {"step": number}, device)
    return state["parameter"]
