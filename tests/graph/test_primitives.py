"""Every row of the table of primitives against NumPy, against finite differences, and on every array library."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnkit.functional import dtype_name
from nnkit.gradient_check import check_function
from nnkit.graph import Graph, Trace, TracedArray, gradients, interpret
from nnkit.graph.dtypes import kind
from nnkit.graph.primitives import PRIMITIVES
from nnkit.ops import namespace
from tests.graph.cases import Case
from tests.graph.table import TABLE
from tests.libraries import NAMES, Library, opened


def derived(case: Case, arrays: tuple[np.ndarray, ...]) -> Graph:
    """The case with its first and second derivatives along fixed directions as further outputs."""
    trace = Trace()
    inputs = [trace.input(str(i), "data", a.shape, str(a.dtype)) for i, a in enumerate(arrays)]
    outputs = {"value": case.call(trace.namespace, *inputs)}
    floats = [x for x in inputs if kind(x.dtype) == "float"]
    slopes = [outputs["value"]] if kind(outputs["value"].dtype) == "float" and floats else []
    for order in ("first", "second") if slopes else ():
        slopes = gradients(weighted(slopes), floats)
        outputs |= {f"{order} {i}": slope for i, slope in enumerate(slopes)}
    return trace.graph(outputs)


def weighted(arrays: list[TracedArray]) -> TracedArray:
    xp = arrays[0].trace.namespace
    total = xp.zeros((), dtype=arrays[0].dtype)
    for array in arrays:
        weights = np.random.default_rng(7).uniform(0.5, 1.5, array.shape)
        total = total + xp.sum(array * xp.asarray(weights, dtype=array.dtype))
    return total


def run(graph: Graph, library: Library, arrays: tuple[np.ndarray, ...]) -> dict[str, Any]:
    inputs = {str(i): library.array(a) for i, a in enumerate(arrays)}
    return interpret(graph, library.xp, inputs, library.device)


def test_every_primitive_has_a_case() -> None:
    assert {case.operation for case in TABLE} == PRIMITIVES.keys()


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_value_shape_and_dtype(case: Case) -> None:
    graph = derived(case, case.arrays)
    assert case.operation in {graph.nodes[i].operation for i in graph.ancestors([graph.output["value"]])}
    with opened("numpy") as library:
        outputs = run(graph, library, case.arrays)
    expected = case.reference(*case.arrays)
    np.testing.assert_allclose(outputs["value"], expected, rtol=1e-15)
    assert outputs["value"].dtype == np.asarray(expected).dtype
    for name, position in graph.outputs:
        node = graph.nodes[position]
        assert (outputs[name].shape, str(outputs[name].dtype)) == (node.shape, node.dtype), name


@pytest.mark.parametrize(
    "case", [c for c in TABLE if c.order and any(a.dtype == np.float64 for a in c.arrays)], ids=str
)
def test_derivatives(case: Case) -> None:
    probe = derived(case, case.arrays)
    if kind(probe.nodes[probe.output["value"]].dtype) == "float":
        check_function(lambda *arrays: case.call(namespace(arrays[0]), *arrays), *case.arrays, order=case.order)


# JAX compiles every operation for every shape, so that it gets one case for each row.
FIRST = {case.operation: case for case in reversed(TABLE)}
EVERYWHERE = [(name, case) for name in NAMES for case in (FIRST.values() if name == "jax" else TABLE)]


@pytest.mark.parametrize(("library", "case"), EVERYWHERE, ids=str, indirect=["library"])
def test_libraries_agree(library: Library, case: Case) -> None:
    arrays = tuple(library.narrow(array) for array in case.arrays)
    graph = derived(case, arrays)
    outputs = run(graph, library, arrays)
    with opened("numpy") as host:
        expected = run(graph, host, arrays)
    for name, position in graph.outputs:
        node = graph.nodes[position]
        value = library.numpy(outputs[name])
        assert value.shape == node.shape
        if library.name != "torch" or kind(node.dtype) != "unsigned":  # wider types stand for torch's unsigned ones
            assert dtype_name(outputs[name]) == node.dtype, name
        rounding = 3e-6 if node.dtype == "float32" else 1e-13
        np.testing.assert_allclose(value, expected[name], rtol=rounding, atol=rounding, err_msg=name)
