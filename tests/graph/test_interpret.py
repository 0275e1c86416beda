"""The interpreter: memory, inlining, and what it refuses to evaluate."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
from array_api_compat import numpy as host

from nnkit.functional import trace
from nnkit.graph import Trace, differentiate, interpret
from nnkit.ops import namespace
from tests.libraries import Library


def test_values_are_dropped_after_their_last_use(monkeypatch: Any) -> None:
    """A chain of a hundred large values never holds more than a few at a time."""
    alive: list[weakref.ref[Any]] = []
    most = 0

    class Counting:
        def __getattr__(self, name: str) -> Any:
            function = getattr(host, name)

            def counted(*arguments: Any, **options: Any) -> Any:
                nonlocal most
                value = function(*arguments, **options)
                alive.append(weakref.ref(value))
                most = max(most, sum(ref() is not None and ref().ndim == 1 for ref in alive))
                return value

            return counted if callable(function) and not isinstance(function, type) else function

    def chain(x: Any) -> Any:
        for _ in range(100):
            x = namespace(x).exp(-x)
        return x

    x = np.zeros(10)
    graph = trace(chain, x)
    gc.collect()
    interpret(graph, Counting(), {"0": x})
    assert len(alive) == 200
    assert most <= 3


def test_what_no_output_needs_is_not_evaluated() -> None:
    def function(x: Any) -> Any:
        namespace(x).log(x)
        return x + 1.0

    x = np.asarray([-1.0, 0.0])  # whose logarithm would warn, and warnings are errors
    assert interpret(trace(function, x), host, {"0": x})["value"].tolist() == [0.0, 1.0]


def test_outputs_may_be_inputs_and_may_repeat() -> None:
    recorded = Trace()
    x = recorded.input("x", "data", (2,), "float64")
    y = -x
    graph = recorded.graph({"x": x, "y": y, "again": y})
    outputs = interpret(graph, host, {"x": np.asarray([1.0, 2.0]), "unknown": None})
    assert list(outputs) == ["x", "y", "again"]
    assert outputs["y"] is outputs["again"]


def test_a_graph_is_inlined_into_a_trace() -> None:
    inner = differentiate(trace(lambda x, y: namespace(x).sum(x * y), np.ones(3), np.ones(3)), "value", ["0"])
    outer = Trace()
    a = outer.input("a", "data", (3,), "float64")
    outputs = interpret(inner, outer.namespace, {"0": a * 2.0, "1": a})
    graph = outer.graph({"result": outputs["grad:0"] + outputs["value"]})
    x = np.asarray([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(interpret(graph, host, {"a": x})["result"], x + 28.0)


def test_inlining_into_an_empty_trace_gives_the_same_graph() -> None:
    graph = differentiate(trace(lambda x: namespace(x).sum(x**3), np.ones(3)), "value", ["0"])
    copy = Trace()
    given = {name: copy.input(**graph.nodes[i].options) for name, i in graph.inputs.items()}
    again = copy.graph(interpret(graph, copy.namespace, given))
    x = {"0": np.asarray([1.0, 2.0, 3.0])}
    for name, value in interpret(graph, host, x).items():
        np.testing.assert_array_equal(interpret(again, host, x)[name], value)
    assert differentiate(again, "value", []).fingerprint == differentiate(graph, "value", []).fingerprint


def test_unsigned_arithmetic_wraps_everywhere(library: Library) -> None:
    values = np.asarray([0, 1, 2**31, 2**32 - 1], "uint32")

    def function(x: Any) -> Any:
        return (x * 2654435761 + 12345 - (x << 3)) ^ ~x, (x >> 7) < 5, -x

    outputs = interpret(trace(function, values), library.xp, {"0": library.array(values)}, library.device)
    expected = function(values)
    for name, wanted in zip("012", expected, strict=True):
        np.testing.assert_array_equal(library.numpy(outputs[name]), wanted)


def test_sums_of_small_integers_do_not_overflow(library: Library) -> None:
    values = np.full((300,), 200, "uint8")
    outputs = interpret(
        trace(lambda x: namespace(x).sum(x), values), library.xp, {"0": library.array(values)}, library.device
    )
    assert int(library.numpy(outputs["value"])) == 60_000
