"""The traced namespace: the standard's signatures, and its composed functions against NumPy."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nnkit.functional import trace
from nnkit.gradient_check import check_function
from nnkit.graph import Trace, TracedArray, interpret
from nnkit.graph.namespace import Namespace
from nnkit.ops import namespace
from tests.graph.cases import bools, integers, spread
from tests.libraries import Library
from tests.peers import peer

# What the standard has and a trace has not, and why.
ABSENT = {
    "shapes that depend on values": {"nonzero", "unique_all", "unique_counts", "unique_inverse", "unique_values"},
    "complex numbers": {"conj", "imag", "real", "complex64", "complex128"},
    "other libraries' memory": {"from_dlpack", "__array_namespace_info__"},
    "extensions": {"fft", "linalg"},
    "no use in networks so far": {
        "can_cast", "copysign", "count_nonzero", "cumulative_prod", "diff", "isin", "linspace", "meshgrid",
        "nextafter", "prod", "searchsorted", "signbit", "tile",
    },
}  # fmt: skip
STRICT_ONLY = ("ArrayAPIStrictFlags", "Device", "__version__")
OURS = {"getitem", "place", "scatter_add", "stop_gradient", "erf", "bfloat16", "float16"}


def of_the_standard() -> dict[str, Any]:
    strict = peer("array_api_strict")
    return {
        name: getattr(strict, name)
        for name in strict.__all__
        if not name.endswith("_array_api_strict_flags") and name not in STRICT_ONLY
    }


def test_every_name_of_the_standard_is_there_or_its_absence_explained() -> None:
    there = {name for name in dir(Namespace) if not name.startswith("_") or name == "__array_api_version__"}
    explained = set().union(*ABSENT.values())
    assert of_the_standard().keys() - there == explained
    assert there - of_the_standard().keys() == OURS


def parameters(function: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


def test_signatures_are_the_standard_s() -> None:
    xp = Trace().namespace
    for name, function in of_the_standard().items():
        if not inspect.isfunction(function) or name not in dir(xp):
            continue
        expected = parameters(function)
        if name == "astype":  # where None and "not given" are the same, since traced arrays have one device
            expected[-1] = ("device", inspect.Parameter.KEYWORD_ONLY, None)
        ours = parameters(getattr(xp, name))
        if name == "expand_dims":  # older versions of the standard have axis=0
            ours[-1] = (*ours[-1][:2], inspect.Parameter.empty)
        assert ours == expected, name


M, C, V = spread((2, 3)), spread((2, 3, 4)), spread((3,), seed=1)
N = integers((2, 3), low=-5, high=5)
INDICES = np.asarray([[0, -2, 1, -1], [2, 0, -1, -3]])

# call(xp, *arrays), NumPy's own, operands
COMPOSED = [
    (lambda xp, x: xp.mean(x), np.mean, C),
    (lambda xp, x: xp.mean(x, axis=(0, -1), keepdims=True), lambda x: x.mean((0, -1), keepdims=True), C),
    (lambda xp, x: xp.var(x, axis=1), lambda x: x.var(1), C),
    (lambda xp, x: xp.var(x, axis=0, correction=0.5, keepdims=True), lambda x: x.var(0, ddof=0.5, keepdims=True), C),
    (lambda xp, x: xp.std(x, correction=1), lambda x: x.std(ddof=1), C),
    (lambda xp, x: xp.sort(x), np.sort, C),
    (lambda xp, x: xp.sort(x, axis=0, descending=True), lambda x: -np.sort(-x, 0), C),
    (lambda xp, x: xp.cumulative_sum(x), np.cumsum, V),
    (lambda xp, x: xp.clip(x, -0.6, 0.9), lambda x: np.clip(x, -0.6, 0.9), C),
    (lambda xp, x, y: xp.clip(x, max=y), lambda x, y: np.minimum(x, y), C[..., 0], V),
    (lambda xp, x: xp.clip(x), lambda x: x, C),
    (lambda xp, x: xp.reciprocal(x), np.reciprocal, M),
    (lambda xp, x: xp.positive(x), np.positive, M),
    (lambda xp, x: x**0 + 0 * x, np.ones_like, M),
    (lambda xp, x, y: xp.vecdot(x, y), lambda x, y: (x * y).sum(-1), M, V),
    (lambda xp, x, y: xp.vecdot(x, y, axis=-2), lambda x, y: (x * y).sum(-2), C, spread((3, 1), seed=1)),
    (lambda xp, x, y: xp.tensordot(x, y), np.tensordot, C, spread((3, 4, 2), seed=1)),
    (lambda xp, x, y: xp.tensordot(x, y, axes=0), lambda x, y: np.tensordot(x, y, 0), M, V),
    (
        lambda xp, x, y: xp.tensordot(x, y, axes=((0, -1), (2, 0))),
        lambda x, y: np.tensordot(x, y, ((0, -1), (2, 0))),
        C,
        spread((4, 3, 2), seed=1),
    ),
    (lambda xp, x, y: xp.broadcast_arrays(x, y)[1], lambda x, y: np.broadcast_arrays(x, y)[1], M, V),
    (lambda xp, x: xp.stack([x, 2 * x], axis=-1), lambda x: np.stack([x, 2 * x], -1), M),
    (lambda xp, x: xp.unstack(x, axis=1)[2], lambda x: x[:, 2], C),
    (lambda xp, x: xp.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, 0, -1), C),
    (lambda xp, x: xp.moveaxis(x, (0, 2), (1, 0)), lambda x: np.moveaxis(x, (0, 2), (1, 0)), C),
    (lambda xp, x: xp.repeat(x, 3), lambda x: np.repeat(x, 3), M),
    (lambda xp, x: xp.repeat(x, 2, axis=-1), lambda x: np.repeat(x, 2, -1), M),
    (lambda xp, x: xp.roll(x, 2), lambda x: np.roll(x, 2), M),
    (lambda xp, x: xp.roll(x, (-1, 7), axis=(0, 2)), lambda x: np.roll(x, (-1, 7), (0, 2)), C),
    (lambda xp, x: xp.roll(x, 1, axis=(0, 1)), lambda x: np.roll(x, (1, 1), (0, 1)), C),
    (lambda xp, x: xp.tril(x, k=-1), lambda x: np.tril(x, -1), C),
    (lambda xp, x: xp.triu(x), np.triu, C),
    (lambda xp, x: xp.take_along_axis(x, xp.asarray(INDICES)), lambda x: np.take_along_axis(x, INDICES, -1), M),
    (
        lambda xp, x: xp.take_along_axis(x, xp.asarray(INDICES[:1, :3]), axis=0),
        lambda x: np.take_along_axis(x, INDICES[:1, :3], 0),
        spread((3, 3)),
    ),
    (lambda xp, x: xp.vecdot(x, x), lambda x: (x * x).sum(-1, dtype="int32"), N),
    (lambda xp, x: xp.sum(x, dtype="int32"), lambda x: x.sum(dtype="int32"), N),
    (lambda xp, x: xp.tril(x), np.tril, bools((3, 3))),
    (lambda xp, x: xp.eye(3, 4, k=1), lambda x: np.eye(3, 4, k=1), M),
    (lambda xp, x: xp.eye(2, dtype=xp.int32), lambda x: np.eye(2, dtype="int32"), M),
    (lambda xp, x: xp.arange(0.5, 2.0, 0.25), lambda x: np.arange(0.5, 2.0, 0.25), M),
    (lambda xp, x: xp.arange(4, dtype=xp.float32), lambda x: np.arange(4, dtype="float32"), M),
    (lambda xp, x: xp.zeros((2, 0, 3)), lambda x: np.zeros((2, 0, 3)), M),
    (lambda xp, x: xp.empty((), dtype=xp.int8), lambda x: np.zeros((), "int8"), M),
    (lambda xp, x: xp.empty_like(x), np.zeros_like, N),
    (lambda xp, x: xp.ones(np.int64(3)), lambda x: np.ones(3), M),
    (lambda xp, x: xp.full((2,), True), lambda x: np.full(2, True), M),
    (lambda xp, x: xp.full(2, 7), lambda x: np.full(2, 7), M),
    (lambda xp, x: xp.full((2, 2), x[0, 0]), lambda x: np.full((2, 2), x[0, 0]), M),
    (lambda xp, x: xp.full_like(x, -3), lambda x: np.full_like(x, -3), N),
    (lambda xp, x: xp.asarray([1, 2], dtype=xp.float32), lambda x: np.asarray([1, 2], "float32"), M),
    (lambda xp, x: xp.asarray(x, dtype=xp.float32), lambda x: x.astype("float32"), M),
    (lambda xp, x: xp.asarray(2**63, dtype=xp.uint64), lambda x: np.asarray(2**63, "uint64"), M),
    (lambda xp, x: xp.reshape(x, (np.int64(3), -1)), lambda x: x.reshape(3, -1), M),
]  # fmt: skip


@pytest.mark.parametrize("row", COMPOSED, ids=range(len(COMPOSED)))
def test_composed_functions_agree_with_numpy(row: tuple[Any, ...]) -> None:
    call, reference, *arrays = row
    graph = trace(lambda *traced: call(namespace(traced[0]), *traced), *arrays)
    value = interpret(graph, np_compat(), {str(i): array for i, array in enumerate(arrays)})["value"]
    expected = np.asarray(reference(*arrays))
    np.testing.assert_allclose(value, expected, rtol=1e-14, atol=1e-16)
    assert value.dtype == expected.dtype
    if {a.dtype for a in arrays} == {np.dtype("float64")} and value.dtype == np.float64:
        check_function(lambda *traced: call(namespace(traced[0]), *traced), *arrays)


def np_compat() -> Any:
    return namespace(np.zeros(1))


def test_composed_functions_run_everywhere(library: Library) -> None:
    if library.single or library.name == "jax":
        pytest.skip("some of the constants are float64" if library.single else "JAX compiles every operation")
    for call, reference, *arrays in COMPOSED:
        if library.name == "torch" and "uint64" in inspect.getsource(call):
            continue
        graph = trace(lambda *traced, call=call: call(namespace(traced[0]), *traced), *arrays)
        inputs = {str(i): library.array(array) for i, array in enumerate(arrays)}
        value = interpret(graph, library.xp, inputs, library.device)["value"]
        np.testing.assert_allclose(library.numpy(value), reference(*arrays), rtol=1e-13, atol=1e-15)


@pytest.fixture
def x() -> TracedArray:
    return Trace().input("x", "data", (2, 3), "float32")


def test_a_mean_of_equal_numbers_is_that_number() -> None:
    for count in (3, 10, 49, 1000):
        x = np.full(count, 0.1, "float32")
        graph = trace(lambda x: namespace(x).mean(x), x)
        assert interpret(graph, np_compat(), {"0": x})["value"] == x.mean()


def test_the_mean_of_nothing_is_nan_as_in_numpy() -> None:
    x = np.zeros((0, 3))
    graph = trace(lambda x: (namespace(x).mean(x, axis=0), namespace(x).mean(x, axis=1), namespace(x).var(x)), x)
    with np.errstate(invalid="ignore"):
        outputs = interpret(graph, np_compat(), {"0": x})
    assert np.isnan(outputs["0"]).tolist() == [True] * 3
    assert outputs["1"].shape == (0,)
    assert np.isnan(outputs["2"])


def test_causal_masks_hold_no_nan() -> None:
    x = np.full((3, 3), -np.inf)
    graph = trace(lambda x: namespace(x).triu(x, k=1), x)
    np.testing.assert_array_equal(interpret(graph, np_compat(), {"0": x})["value"], np.triu(x, 1))


def test_types_and_their_names(x: TracedArray) -> None:
    xp = x.trace.namespace
    assert (xp.float32, xp.bool, xp.bfloat16) == ("float32", "bool", "bfloat16")
    assert xp.isdtype(x.dtype, "real floating")
    assert xp.isdtype(x.dtype, (xp.int8, xp.float32))
    assert xp.isdtype(xp.uint8, "integral")
    assert xp.isdtype(xp.uint8, "numeric")
    assert xp.isdtype(xp.bool, "bool")
    assert not xp.isdtype(xp.int8, "unsigned integer")
    assert not xp.isdtype(x.dtype, "complex floating")
    assert xp.result_type(x, xp.float64) == "float64"
    assert xp.result_type(x, 1.0, 2) == "float32"
    assert xp.iinfo(xp.int32).max == 2**31 - 1
    assert xp.finfo(x).dtype == "float32"
    assert xp.broadcast_shapes((2, 1), (3,), ()) == (2, 3)
    assert (xp.pi, xp.e, xp.inf, xp.newaxis) == (math.pi, math.e, math.inf, None)
    assert math.isnan(xp.nan)


def test_what_changes_nothing_records_nothing(x: TracedArray) -> None:
    xp = x.trace.namespace
    same = (x[...], x[:, :], xp.reshape(x, (2, -1)), xp.astype(x, "float32"), xp.broadcast_to(x, (2, 3)), xp.asarray(x))
    assert all(value is x for value in (*same, xp.positive(x), xp.clip(x), xp.squeeze(x, axis=())))
    assert len(x.trace.nodes) == 1


def test_equal_constants_are_equal_and_changing_the_source_changes_nothing() -> None:
    source = np.asarray([1.0, 2.0])
    x = Trace().input("x", "data", (2,), "float64")
    xp = x.trace.namespace
    one, two = xp.asarray(source), xp.asarray(source.copy())
    source[0] = 7.0
    nodes = x.trace.nodes
    assert nodes[one.position] == nodes[two.position]
    assert nodes[one.position] != nodes[xp.asarray(source).position]
    assert nodes[one.position] != nodes[xp.asarray([[1.0, 2.0]]).position]
    assert hash(nodes[one.position]) == hash(nodes[two.position])
    assert nodes[one.position].options["value"].array.tolist() == [1.0, 2.0]
