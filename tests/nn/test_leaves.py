"""Leaves of modules: shared ones, those in containers, widths that the first call resolves, and what is refused."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest

from nnkit.errors import ArgumentError, ShapeError
from nnkit.gradient_check import check_graph
from nnkit.nn import Activation, BatchNorm, Dense, Module, Parameter, Sequential, State
from nnkit.nn.module import declared
from nnkit.nn.tracing import trace_shapes
from nnkit.ops import namespace
from tests.nn.calling import Called, Custom


def test_a_shared_leaf_is_one_leaf_and_its_gradients_add_up():
    shared = Parameter((3,), "ones")
    module = Custom(lambda self, x, run: x * self.first + x * x * self.second, first=shared, second=shared)
    assert list(declared(module)) == ["first"]
    called = Called(module, (2, 3), slopes=True)
    alone = Custom(
        lambda self, x, run: x * self.first + x * x * self.second, first=Parameter((3,)), second=Parameter((3,))
    )
    apart = Called(alone, (2, 3), slopes=True)
    same = {"first": called.values["first"], "second": called.values["first"]}
    expected = apart.run(x=called.values["x"], **same)
    np.testing.assert_allclose(called.run()["grad:first"], expected["grad:first"] + expected["grad:second"])
    check_graph(called.graph, "total", called.values, called.floats())


def test_a_leaf_that_two_layers_share_has_the_path_of_the_first():
    first, second = Dense(3), Dense(3)
    second.weight = first.weight
    module = Sequential([first, second])
    assert list(trace_shapes(module, (3,), "float32")[0]) == ["layers.0.weight", "layers.0.bias", "layers.1.bias"]
    called = Called(module, (2, 3))
    v = called.values
    expected = (v["x"] @ v["layers.0.weight"] + v["layers.0.bias"]) @ v["layers.0.weight"] + v["layers.1.bias"]
    np.testing.assert_allclose(called.run()["y"], expected)


def test_a_layer_in_two_places_has_one_set_of_leaves():
    layer = Dense(3, "tanh")
    module = Sequential([layer, Activation("relu"), layer])
    assert list(declared(module)) == ["layers.0.weight", "layers.0.bias"]
    called = Called(module, (2, 3), slopes=True)
    v = called.values
    step = lambda x: np.tanh(x @ v["layers.0.weight"] + v["layers.0.bias"])  # noqa: E731
    np.testing.assert_allclose(called.run()["y"], step(np.maximum(step(v["x"]), 0.0)))
    check_graph(called.graph, "total", v, called.floats(), order=1)


def test_a_layer_in_two_places_must_fit_both():
    layer = Dense(4)
    with pytest.raises(ShapeError, match=r"layer 'layers.0' \(Dense\) expects 3 inputs, got 4"):
        Called(Sequential([layer, layer]), (2, 3))


def test_lists_tuples_and_dictionaries_hold_layers_and_leaves():
    pair = namedtuple("Pair", ["gain", "offset"])
    module = Custom(
        lambda self, x, run: (
            self.blocks["b"][0](self.blocks["a"](x, run), run) * self.scales[1] * self.pair.gain
            + self.pair.offset
            + self.scales[0]
        ),
        blocks={"a": Dense(5, "tanh"), "b": [Dense(3, bias=False)]},
        scales=(Parameter((1,)), Parameter(("inputs",))),
        pair=pair(Parameter((3,)), Parameter((3,))),
    )
    paths = ["blocks.a.weight", "blocks.a.bias", "blocks.b.0.weight", "scales.0", "scales.1", "pair.0", "pair.1"]
    assert list(trace_shapes(module, (3,), "float32")[0]) == paths
    called = Called(module, (2, 3), slopes=True)
    check_graph(called.graph, "total", called.values, called.floats(), order=1)


def test_two_leaves_of_one_path_are_refused():
    module = Custom(lambda self, x, run: x, parts={1: Parameter((3,)), "1": Parameter((3,))})
    with pytest.raises(ArgumentError, match=r"two leaves have the path 'parts.1'; give their places names that differ"):
        declared(module)


def test_a_tree_that_contains_itself_is_refused():
    inner = Custom(lambda self, x, run: x)
    module = Custom(lambda self, x, run: x, inner=inner)
    inner.parent = module
    with pytest.raises(ArgumentError, match=r"layer 'inner.parent' \(Custom\) contains itself; a network is a tree"):
        declared(module)


def test_widths_are_resolved_by_the_call():
    module = Sequential([Dense(7), BatchNorm(), Dense(2)])
    shapes, output = trace_shapes(module, (4,), "float32")
    assert output == (2,)
    assert shapes["layers.0.weight"] == (4, 7)
    assert shapes["layers.1.mean"] == (7,)
    assert shapes["layers.2.weight"] == (7, 2)
    assert trace_shapes(module, (9,), "float32")[0]["layers.0.weight"] == (9, 7)


def test_wrong_widths_name_the_layer():
    class Branches(Module):
        def __init__(self):
            self.layers = [Dense(8), Dense(128)]

        def __call__(self, x, run):
            xp = namespace(x)
            small, large = (
                self.layers[1](xp.concat([x] * 8, axis=1), run),
                self.layers[1](xp.concat([x] * 16, axis=1), run),
            )
            return small + large

    with pytest.raises(ShapeError, match=r"layer 'layers.1' \(Dense\) expects 64 inputs, got 128"):
        Called(Branches(), (2, 8))


def test_a_layer_that_needs_a_width_needs_rows_and_columns():
    with pytest.raises(
        ShapeError,
        match=r"the network's module \(Dense\): the shape of 'weight' needs an input of rows and columns, got \(3,\)",
    ):
        Called(Dense(2), (3,))


def test_a_leaf_of_unknown_shape_whose_layer_is_never_called_is_refused():
    module = Custom(lambda self, x, run: x, spare=Dense(3))
    with pytest.raises(ArgumentError, match=r"leaf 'spare\.weight' is declared, but its module is never called"):
        trace_shapes(module, (3,), "float32")
    known = Custom(lambda self, x, run: x, spare=Parameter((4, 2)), count=State(()))
    assert trace_shapes(known, (3,), "float32")[0] == {"spare": (4, 2), "count": ()}


def test_the_first_axis_must_stay():
    module = Custom(lambda self, x, run: x[0, :])
    with pytest.raises(
        ShapeError, match=r"module Custom must keep the first axis, the batch: 2 rows went in, \(3,\) came out"
    ):
        trace_shapes(module, (3,), "float32")
    with pytest.raises(ShapeError, match=r"must keep the first axis, the batch: 2 rows went in, \(\) came out"):
        trace_shapes(Custom(lambda self, x, run: namespace(x).sum(x)), (3,), "float32")


@pytest.mark.parametrize("kind", [Parameter, State])
@pytest.mark.parametrize("shape", [3, [3], (3.0,), (True,), (-1,), ("rows",), None])
def test_shapes_of_leaves_are_checked(kind, shape):
    with pytest.raises(
        ArgumentError, match=rf"{kind.__name__}: shape must be a tuple of whole numbers or 'inputs', got"
    ):
        kind(shape)


def test_errors_inside_a_layer_name_it():
    module = Sequential([Dense(4), Custom(lambda self, x, run: x + namespace(x).zeros((3, 5)))])
    with pytest.raises(
        ShapeError, match=r"layer 'layers.1': add: shapes \(2, 4\) and \(3, 5\) do not broadcast.*test_leaves.py"
    ):
        Called(module, (2, 3))


def test_operations_know_their_layer():
    called = Called(Sequential([Dense(4, "tanh"), Dense(2)]), (2, 3))
    where = {node.operation: node.origin.path for _, node in called.graph if node.operation in ("tanh", "matmul")}
    assert where == {"matmul": "layers.1", "tanh": "layers.0.activation"}
