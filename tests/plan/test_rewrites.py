"""Rewrites: what each removes, and what it must leave alone."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit import ops
from nnkit.graph import Trace
from nnkit.plan import plan, rewrites
from tests.plan.running import TARGET, Bench, same_bits

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def recorded(build, **inputs):
    trace = Trace()
    given = {name: trace.input(name, "data", value.shape, str(value.dtype)) for name, value in inputs.items()}
    return trace.graph(build(trace.namespace, **given))


def operations(graph):
    return [node.operation for _, node in graph if node.operation not in ("input", "constant")]


NOTHING = {
    "x·1": lambda xp, x: x * 1.0,
    "1·x": lambda xp, x: 1.0 * x,
    "x/1": lambda xp, x: x / 1.0,
    "x+0": lambda xp, x: 0.0 + x + 0.0,
    "x−0": lambda xp, x: x - 0.0,
    "−−x": lambda xp, x: xp.negative(-x),
    "times ones": lambda xp, x: x * xp.ones_like(x),
    "plus zeros": lambda xp, x: xp.zeros_like(x) + x,
    "reshaped there and back": lambda xp, x: xp.reshape(xp.reshape(x, (2, 6)), (4, 3)),
    "transposed twice": lambda xp, x: x.T.T,
    "axes moved around": lambda xp, x: xp.permute_dims(xp.permute_dims(x[None, ...], (1, 2, 0)), (2, 0, 1))[0, ...],
    "cast to itself": lambda xp, x: x.trace.record("astype", (x,), dtype="float32"),
    "all of it": lambda xp, x: x.trace.record("slice", (x,), start=(0, 0), stop=(4, 3), step=(1, 1)),
    "order of axes kept": lambda xp, x: xp.permute_dims(x, (0, 1)),
}


@pytest.mark.parametrize("case", NOTHING)
def test_what_changes_nothing_is_removed(case):
    simple = rewrites.simplify(recorded(lambda xp, x: {"y": NOTHING[case](xp, x)}, x=X))
    rest = [operation for operation in operations(simple) if operation != "reshape"]
    assert rest == []
    assert simple.nodes[simple.output["y"]].shape == X.shape


KEPT = {
    "1/x": lambda xp, x: 1.0 / x,
    "0−x": lambda xp, x: 0.0 - x,
    "x−1": lambda xp, x: x - 1.0,
    "x·0": lambda xp, x: x * 0.0,  # NaN and infinity stay NaN
    "x/x": lambda xp, x: x / x,
    "wider by a neutral number": lambda xp, x: x * xp.asarray(1.0),
    "wider by neutral numbers": lambda xp, x: x + xp.zeros((4, 3)),
    "larger by a neutral array": lambda xp, x: x + xp.zeros((2, 4, 3), dtype="float32"),
    "reordered": lambda xp, x: xp.permute_dims(x[:3, :], (1, 0)),
    "a sum": lambda xp, x: xp.sum(x, axis=0),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_changes_something_stays(case):
    values = {"x": np.where(X > 0.5, np.inf, X)}
    bench = Bench(recorded(lambda xp, x: {"y": KEPT[case](xp, x)}, **values), values)
    expected = bench.expected()
    same_bits(bench.step(), expected)
    assert operations(bench.plan.graph)


def test_known_numbers_are_computed_in_their_own_data_type():
    def third(xp, x):
        one, three = (xp.asarray(value, dtype="float32") for value in (1.0, 3.0))
        return {"y": x * (one / three)}

    simple = rewrites.simplify(recorded(third, x=X))
    assert operations(simple) == ["multiply"]
    (constant,) = [node for _, node in simple if node.operation == "constant"]
    assert constant.options["value"] == float(np.float32(1) / np.float32(3))


@pytest.mark.parametrize(("number", "dtype"), [(2**32 - 1, "uint32"), (255, "uint8"), (-1, "int8")])
def test_known_integers_wrap_as_they_do_at_run_time(number, dtype):
    def more(xp, x):
        return {"y": xp.asarray(number, dtype=dtype) + xp.asarray(2, dtype=dtype) + xp.astype(x, dtype)}

    bench = Bench(recorded(more, x=np.ones(3)), {"x": np.ones(3)})
    expected = bench.expected()
    same_bits(bench.step(), expected)


def test_division_of_known_zeros_is_no_warning():
    graph = recorded(lambda xp, x: {"y": x + xp.asarray(0.0) / xp.asarray(0.0)}, x=X.astype("float64"))
    assert np.isnan(Bench(graph, {"x": X.astype("float64")}).step()["y"]).all()


def test_equal_operations_are_done_once():
    same = recorded(lambda xp, x: {"y": xp.tanh(x) * xp.exp(xp.tanh(x)), "z": xp.tanh(x)}, x=X)
    assert operations(rewrites.merge_common(same)) == ["tanh", "exp", "multiply"]


def test_equal_operations_with_other_attributes_are_not_equal():
    both = recorded(
        lambda xp, x: {"y": xp.sum(x, axis=0), "z": xp.sum(x[:3, :], axis=1), "w": xp.sum(x[:3, :], axis=0)}, x=X
    )
    assert operations(rewrites.merge_common(both)).count("sum") == 3


def test_zeros_of_both_signs_are_two_numbers():
    graph = recorded(
        lambda xp, x: {"y": xp.asarray(1.0) / (x * 0.0), "z": x + (-0.0), "w": x - 0.0}, x=X.astype("float64")
    )
    values = {"x": np.asarray([[-0.0, 0.0, 1.0]] * 4)}
    got = Bench(graph, values).step()
    assert np.signbit(got["z"])[0].tolist() == np.signbit(got["w"])[0].tolist() == [True, False, False]


TRANSPOSES = {
    "left": lambda x, y: x.T @ y,
    "right": lambda x, y: x @ y.T,
    "both": lambda x, y: x.T @ y.T,
    "twice": lambda x, y: x.T.T @ y,
    "of a product": lambda x, y: (x @ y).T @ x,
    "stacked": lambda x, y: x[None, ...].mT @ y[None, ...],
    "of itself": lambda x, y: x @ x.T,
    "neither": lambda x, y: x @ y,
}


@pytest.mark.parametrize("case", TRANSPOSES)
def test_transposes_become_flags(case):
    values = {"x": np.random.default_rng(1).normal(size=(4, 4)), "y": np.random.default_rng(2).normal(size=(4, 4))}
    graph = recorded(lambda xp, x, y: {"z": TRANSPOSES[case](x, y)}, **values)
    bench = Bench(graph, values)
    assert "permute_dims" not in operations(bench.plan.graph)
    expected = bench.expected()
    np.testing.assert_allclose(bench.step()["z"], expected["z"], rtol=1e-14)


def test_other_reorderings_stay_and_are_right():
    values = {"x": np.random.default_rng(1).normal(size=(2, 3, 4))}
    graph = recorded(lambda xp, x: {"z": xp.permute_dims(x, (1, 2, 0)) @ xp.permute_dims(x, (1, 0, 2))}, **values)
    bench = Bench(graph, values)
    assert operations(bench.plan.graph).count("permute_dims") == 2
    expected = bench.expected()
    np.testing.assert_allclose(bench.step()["z"], expected["z"], rtol=1e-14)


def test_two_reorderings_become_one():
    values = {"x": np.random.default_rng(1).normal(size=(2, 3, 4))}
    graph = recorded(lambda xp, x: {"z": xp.permute_dims(xp.permute_dims(x, (1, 2, 0)), (0, 2, 1)) * 2.0}, **values)
    bench = Bench(graph, values)
    assert operations(bench.plan.graph) == ["permute_dims", "multiply"]
    expected = bench.expected()
    same_bits(bench.step(), expected)


def test_sums_over_axes_of_size_one_are_reshapes():
    graph = recorded(lambda xp, x: {"y": xp.max(xp.sum(x[:1, :], axis=0, keepdims=True), axis=0)}, x=X)
    assert set(operations(rewrites.simplify(graph))) == {"slice", "reshape"}


def test_repetition_that_broadcasting_does_is_removed():
    graph = recorded(
        lambda xp, x: {"y": x * xp.broadcast_to(x[0, ...], (4, 3)) + xp.full((4, 3), 2, dtype="float32")}, x=X
    )
    assert "broadcast_to" not in operations(rewrites.simplify(graph))
    kept = recorded(lambda xp, x: {"y": xp.tanh(xp.broadcast_to(x[0, ...], (4, 3)))}, x=X)
    bench = Bench(kept, {"x": X})
    expected = bench.expected()
    same_bits(bench.step(), expected)


def test_what_the_device_lacks_is_spelled_out_and_marks_disappear():
    graph = recorded(lambda xp, x: {"y": ops.erf(ops.stop_gradient(x))}, x=X)
    made = plan(graph, TARGET)
    assert not {"erf", "stop_gradient"} & set(operations(made.graph))
    assert {"tanh", "divide"} <= set(operations(made.graph))


def test_inputs_stay_although_nobody_reads_them():
    graph = recorded(lambda xp, x, unused: {"y": x * 2.0}, x=X, unused=X)
    assert list(plan(graph, TARGET).graph.inputs) == ["x", "unused"]


def test_origins_survive_all_rewrites():
    trace = Trace()
    x = trace.input("x", "data", (4, 3), "float32")
    trace.path = "layers.0"
    y = trace.namespace.exp(x) * 1.0 + trace.namespace.exp(x)
    made = plan(trace.graph({"y": y}), TARGET)
    assert {node.origin.path for _, node in made.graph if node.operation != "input"} == {"layers.0"}
