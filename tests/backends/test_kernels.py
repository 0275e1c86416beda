"""Every row of the table of primitives, with its derivatives, as a program of the cpu backend."""

from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import numpy as host

from nnkit.graph import Trace, interpret
from nnkit.graph.primitives import PRIMITIVES
from nnkit.nn import Dense
from nnkit.optimizers import SGD
from nnkit.plan import DECISIONS, plan
from nnkit.plan.schedule import VIEWS
from nnkit_numpy import kernels
from tests.graph.table import TABLE
from tests.graph.test_primitives import derived
from tests.plan.running import BACKEND, TARGET, Bench, close
from tests.training.steps import Job

# A matrix that is stored in another order, and the view of it that puts it right.
LAYOUTS = {
    "transposed": (np.transpose, lambda xp, x: x.T),
    "reversed": (np.flip, lambda xp, x: xp.flip(x)),
}


def bench_of(case, arrays, disable=()):
    return Bench(derived(case, arrays), {str(i): array for i, array in enumerate(arrays)}, disable)


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_value_and_derivatives(case):
    bench = bench_of(case, case.arrays)
    expected = bench.expected()
    for _ in range(2):
        close(bench.step(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_with_every_decision_switched_off(case):
    bench = bench_of(case, case.arrays, tuple(DECISIONS))
    expected = bench.expected()
    close(bench.step(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", TABLE, ids=str)
def test_operands_that_are_views(case, layout):
    store, look = LAYOUTS[layout]
    trace = Trace()
    inputs, values = [], {}
    for name, array in zip("abc", case.arrays, strict=False):
        matrix = array.ndim == 2
        values[name] = np.array(store(array) if matrix else array, order="C")
        given = trace.input(name, "data", values[name].shape, str(array.dtype))
        inputs.append(look(trace.namespace, given) if matrix else given)
    bench = Bench(trace.graph({"y": case.call(trace.namespace, *inputs)}), values)
    expected = bench.expected()
    close(bench.step(), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(bench.step()["y"], case.reference(*case.arrays), rtol=1e-12, atol=1e-12)


def test_there_is_a_kernel_for_every_row():
    """A ufunc of NumPy's by the standard's name, or a row of the table of kernels."""
    for name, row in PRIMITIVES.items():
        spelled_out = name in ("stop_gradient", "erf")
        if row.family == "elementwise" and name not in kernels.KERNELS and not spelled_out:
            assert isinstance(getattr(np, kernels.UFUNCS.get(name, name)), np.ufunc), name
        elif row.family != "creation" and not spelled_out:
            assert name in kernels.KERNELS, name
    assert set(VIEWS) <= kernels.KERNELS.keys()


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32"])
def test_sums_stay_in_their_data_type_and_wrap(dtype):
    values = {"x": np.full((3, 100), 127, dtype=dtype)}
    trace = Trace()
    x = trace.input("x", "data", (3, 100), dtype)
    record = trace.record
    outputs = {
        "sum": record("sum", (x,), axis=(0, 1), keepdims=False),
        "rows": record("sum", (x,), axis=(1,), keepdims=True),
        "running": record("cumulative_sum", (x,), axis=1),
        "product": x @ x.T,
        "no axes": record("sum", (x,), axis=(), keepdims=False),
    }
    bench = Bench(trace.graph(outputs), values)
    with np.errstate(all="ignore"):
        expected = interpret(bench.graph, host, values)
    got = bench.step()
    for name, value in expected.items():
        np.testing.assert_array_equal(got[name], value, strict=True)


@pytest.mark.parametrize("indices", [[0, 2, 2], [-1, -3, 1], [2, -1, 0, 0, -2], []])
@pytest.mark.parametrize("axis", [0, 1])
def test_indices_count_from_both_ends(indices, axis):
    x = np.random.default_rng(0).normal(size=(3, 3, 2))

    def build(xp, x, i):
        taken = xp.take(x, i, axis=axis)
        return {"taken": taken, "back": xp.scatter_add(taken, i, (3, 3, 2), axis)}

    trace = Trace()
    given = [trace.input("x", "data", x.shape, "float64"), trace.input("i", "data", (len(indices),), "int64")]
    bench = Bench(trace.graph(build(trace.namespace, *given)), {"x": x, "i": np.asarray(indices, dtype="int64")})
    expected = bench.expected()
    close(bench.step(), expected)


def test_the_source_can_be_read():
    """One line of NumPy for each primitive; tiles are a loop; the guard stands between the phases."""
    graph = Job(Dense(3, "softmax"), (4,), "auto", SGD(0.1), "classes").graph(5)
    source = BACKEND.compile(plan(graph, TARGET)).source
    assert source.startswith("def step():\n    ")
    assert source.count("matmul(") == 2
    assert source.count("return False") == 1
    before, after = source.split("return False")
    assert "isfinite" in before
    assert "subtract" in after
