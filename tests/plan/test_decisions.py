"""Each decision can be switched off by its name; what it saves is what ``savings`` and ``explain`` say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from nnkit import nn
from nnkit.errors import ArgumentError
from nnkit.graph import Trace
from nnkit.optimizers import Adam, ClipByGlobalNorm
from nnkit.plan import DECISIONS, plan
from nnkit.plan.explain import explain, explain_html, explain_json
from nnkit.plan.savings import naive, savings, size
from tests.plan.running import TARGET
from tests.training.steps import Job

SMALL = replace(TARGET, tile_bytes=2048)


@pytest.fixture(scope="module")
def graph():
    """A whole training step in which every decision has something to do."""
    hidden = [nn.Dense(24, "gelu"), nn.BatchNorm(), nn.Dropout(0.2), nn.Dense(16, "mish", l2=0.01)]
    module = nn.Sequential([*hidden, nn.LayerNorm(), nn.Dense(5, "softmax")])
    return Job(module, (12,), "auto", ClipByGlobalNorm(Adam(), 1.0), "classes", rows=64).graph(32)


@pytest.fixture(scope="module")
def made(graph):
    return plan(graph, SMALL)


def work(made):
    return sorted(node.operation for _, node in made.graph if node.operation not in ("input", "constant"))


def test_unknown_decisions_are_refused(graph):
    with pytest.raises(ArgumentError, match=r"unknown decision 'fusion'. Did you mean 'fuse'\?"):
        plan(graph, SMALL, ("fusion",))


@pytest.fixture(scope="module")
def saved(made):
    return savings(made)


@pytest.mark.parametrize("name", DECISIONS)
def test_savings_are_the_difference_of_two_plans(made, saved, graph, name):
    without = plan(graph, SMALL, (name,))
    assert saved[name].kernels == len(without.kernels) + len(without.copies) - len(made.kernels) - len(made.copies)
    assert saved[name].flops == without.cost.flops - made.cost.flops
    assert saved[name].nbytes == without.cost.nbytes - made.cost.nbytes
    assert saved[name].arena_bytes == without.arena_bytes - made.arena_bytes
    assert saved[name].seconds == pytest.approx(without.cost.seconds - made.cost.seconds)


SAVED = {
    "drop_unused": ("kernels", "flops", "nbytes"),
    "merge_common": ("flops", "nbytes"),
    "simplify": ("flops", "nbytes"),
    "factor_sums": ("kernels", "flops", "nbytes"),
    "fold_transposes": ("kernels", "nbytes"),
    "round_products": (),
    "fuse": ("kernels", "nbytes"),
    "tile": (),
    "join_gradients": ("kernels", "nbytes"),
    "in_place": ("arena_bytes",),
    "share": (),
    "reuse_memory": ("arena_bytes",),
    "recompute": (),
}


def test_every_decision_is_tested():
    assert SAVED.keys() == DECISIONS.keys()


@pytest.mark.parametrize("name", SAVED)
def test_every_decision_saves_what_it_is_for(saved, name):
    for figure in SAVED[name]:
        assert getattr(saved[name], figure) > 0, figure


def test_tiles_pay_where_memory_is_slow():
    """For arrays that fit the cache they would only cost calls."""
    trace = Trace()
    x = trace.input("x", "data", (1_000_000,), "float32")
    made = plan(trace.graph({"y": (x * 2.0 + 1.0) * x}), TARGET)
    assert [step.tile > 0 for step in made.steps] == [True]
    assert made.cost.nbytes == 2 * 4_000_000
    assert (
        savings(made)["tile"].nbytes == 5 * 4_000_000
    )  # two intermediate values are written and read, x is read again
    assert savings(made)["tile"].seconds > 0


@pytest.mark.parametrize("size", [12_000, 17_000, 21_000, 23_000, 40_000])
def test_a_pass_that_writes_new_values_over_old_ones_fits_the_cache_with_them_once(size):
    """Whether in tiles or all at once, its bytes are those of what it reads from outside and writes."""
    trace = Trace()
    states = [trace.input(name, "state", (size,), "float32") for name in ("value", "first", "second")]
    gradient = trace.input("gradient", "data", (size,), "float32")
    value, first, second = states
    moved = first * 0.9 + gradient * 0.1
    squares = second * 0.99 + gradient * gradient * 0.01
    new = value - moved / (trace.namespace.sqrt(squares) + 1e-8)
    made = plan(trace.graph({"value": new, "first": moved, "second": squares}), TARGET)
    (step,) = made.steps
    assert step.cost.nbytes == 7 * 4 * size
    assert made.cost.seconds < naive(made).cost.seconds


def test_sums_without_a_common_factor_are_called_so():
    trace = Trace()
    x = trace.input("x", "data", (6, 4), "float32")
    made = plan(trace.graph({"y": trace.namespace.sum(x * x, axis=0)}), TARGET)
    text = re.sub(r" +", " ", str(explain(made)))
    assert "sums over 24 numbers: there is no factor to take out of them" in text


def test_switching_off_one_decision_switches_off_nothing_else(graph, made):
    """What only moves memory changes no operation; what only changes operations costs what the rows say."""
    for name in ("fuse", "tile", "join_gradients", "in_place", "reuse_memory"):
        assert work(plan(graph, SMALL, (name,))) == work(made), name
    assert all(step.tile == 0 for step in plan(graph, SMALL, ("tile",)).steps)
    assert all(len(step.nodes) == 1 for step in plan(graph, SMALL, ("fuse",)).steps)
    unfolded = plan(graph, SMALL, ("fold_transposes",)).graph
    assert not any(value for _, n in unfolded for key, value in n.attributes if key.startswith("transpose_"))
    kinds = {slot.kind for slot in plan(graph, SMALL, ("in_place",)).slots.values()}
    assert "state" not in kinds


def test_without_reuse_no_two_values_share_memory(graph):
    made = plan(graph, SMALL, ("reuse_memory", "in_place", "join_gradients"))
    taken = sorted((slot.offset, slot.nbytes) for slot in made.slots.values() if slot.kind == "arena")
    for (offset, nbytes), (following, _) in pairwise(taken):
        assert offset + nbytes <= following


def test_the_naive_plan_has_no_decision(made):
    plain = naive(made)
    assert plain.disabled == set(DECISIONS)
    assert size(plain).kernels > 2 * size(made).kernels
    assert size(plain).arena_bytes > size(made).arena_bytes
    assert savings(plain) == {}


def test_costs_are_sums_of_steps(made):
    copied = sum(2 * made.graph.nodes[copy.new].nbytes for copy in made.copies)
    assert made.cost.flops == sum(step.cost.flops for step in made.steps)
    assert made.cost.nbytes == sum(step.cost.nbytes for step in made.steps) + copied
    assert made.cost.seconds >= sum(step.cost.seconds for step in made.steps) > 0


def test_states_that_are_copied_cost_what_they_read_and_write():
    trace = Trace()
    a, b = (trace.input(name, "state", (10,), "float32") for name in "ab")
    made = plan(trace.graph({"a": b, "b": a}), TARGET)
    assert (made.cost.flops, made.cost.nbytes) == (0, 2 * 2 * 40)
    assert made.cost.seconds > 2 * TARGET.call_s


def test_flops_and_bytes_of_a_dense_layer():
    """(32×12)·(12×24): 2·32·12·24 FLOP; it reads both operands and writes the product, once each."""
    trace = Trace()
    x, w, b = (trace.input(name, "data", shape, "float32") for name, shape in DENSE.items())
    step, added = plan(trace.graph({"y": trace.namespace.tanh(x @ w + b)}), TARGET).steps
    assert step.cost.flops == 2 * 32 * 12 * 24
    assert step.cost.nbytes == 4 * (32 * 12 + 12 * 24 + 32 * 24)
    assert added.cost.nbytes == 4 * (32 * 24 + 24 + 32 * 24)


DENSE = {"x": (32, 12), "w": (12, 24), "b": (24,)}


def test_the_phases_of_the_steps_are_in_order(made):
    phases = [step.phase for step in made.steps]
    assert set(phases) == {"forward", "backward", "update"}
    assert phases.index("forward") < phases.index("backward") < phases.index("update")
    assert set(phases[made.computed :]) == {"update"}
    for step in made.steps:
        assert len({made.graph.nodes[i].origin.phase for i in step.nodes}) == 1


def test_the_same_graph_gives_the_same_plan(graph, made):
    again = plan(graph, SMALL)
    assert again == made
    assert again.fingerprint == made.fingerprint
    assert len({plan(graph, SMALL, (name,)).fingerprint for name in DECISIONS} | {made.fingerprint}) == 11
    assert plan(graph, replace(SMALL, tile_bytes=4096)).fingerprint != made.fingerprint


def test_another_process_gives_the_same_fingerprint():
    """Where sets of words have another order."""
    code = (
        "from tests.plan.rows import bench_of, layer_norm\n"
        "from nnkit.plan import plan\nfrom nnkit_numpy.device import NATIVE\n"
        "graph = bench_of(lambda xp, x: {'y': layer_norm(xp, x)}).graph\nprint(plan(graph, NATIVE).fingerprint)"
    )
    found = set()
    for seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        found.add(done.stdout)
    assert len(found) == 1


def test_explain_names_every_kernel_and_decision(made, saved):
    text = explain(made)
    for name, figures in saved.items():
        line = next(line for line in text.splitlines() if line.startswith(name))
        assert line.split()[1] == str(figures.kernels)
    assert f"{size(made).kernels} kernels" in text
    for word in ("FORWARD", "BACKWARD", "UPDATE", "layers.0", "(32×16)ᵀ @ 32×5"):
        assert word in text
    assert re.search(r"new values over old: \S+, \S+, \S+ and \d+ more$", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 150
    assert "switched off: fuse" in explain(plan(made.source, SMALL, ("fuse",)))


def test_short_steps_have_a_digit_more(made):
    short = plan(
        made.source, replace(TARGET, call_s=1e-9, element_s=(), cached_bytes_per_s=1e13, flops_per_s=1e13, loops=True)
    )
    assert re.search(r"memory, \d\.\d µs predicted\.$", explain(short), re.MULTILINE)
    assert re.search(r"^ {3}1 .* 0\.0\d$", explain(short), re.MULTILINE)


def test_a_decision_says_how_often_it_was_taken(made):
    assert re.search(r"passes that work in tiles: [1-9]\d*$", explain(made), re.MULTILINE)
    assert "one thread does every step" in explain(made)
    several = plan(made.source, replace(SMALL, threads=2, divisible=frozenset({"matmul"})))
    count = sum(step.shared for step in several.steps)
    assert f"steps that 2 threads divide among them: {count}" in explain(several)


TENSOR = replace(TARGET, rounded=(("tf32", 2e13), ("float16", 4e13), ("bfloat16", 4e13)))


@pytest.fixture(scope="module")
def single():
    """A small step in float32, with five products."""
    module = nn.Sequential([nn.Dense(24, "tanh"), nn.Dense(5, "softmax")])
    return Job(module, (12,), "auto", Adam(), "classes", rows=64, dtype="float32").graph(32)


def products(made):
    return [node for _, node in made.graph if node.operation == "matmul"]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_products_read_halves_and_nothing_else_does(single, dtype):
    """Each value is rounded once, however many products read it; all else is what it is without."""
    made, plain = plan(single, replace(TENSOR, products=dtype)), plan(single, TENSOR)
    nodes = made.graph.nodes
    assert {nodes[o].dtype for node in products(made) for o in node.inputs} == {dtype}
    rounded = [node for _, node in made.graph if node.dtype == dtype and node.operation == "astype"]
    assert len({node.inputs for node in rounded}) == len(rounded)
    if dtype == "float16":
        assert {node.dtype for node in products(made)} == {"float32"}
        assert {node.operation for _, node in made.graph if node.dtype == dtype} == {"astype"}
        assert sorted(work(made)) == sorted(work(plain) + ["astype"] * len(rounded))
    text = explain(made)
    assert re.search(rf"products that read {dtype} and add up in float32: 5 of 5$", text, re.MULTILINE)
    assert f"32×12 @ 12×24 in {dtype}" in text
    without = plan(single, replace(TENSOR, products=dtype), ("round_products",))
    assert [node.dtype for _, node in without.graph] == [node.dtype for _, node in plain.graph]
    assert without.cost == plain.cost


def test_a_gradient_in_bfloat16_is_joined_as_such(single):
    """The product with rows of 24 writes it so; each of the others is rounded once, and whoever reads it converts."""
    made, plain = plan(single, replace(TENSOR, products="bfloat16")), plan(single, TENSOR)
    nodes = made.graph.nodes
    assert [(node.shape, node.dtype) for node in products(made) if node.dtype != "float32"] == [((12, 24), "bfloat16")]
    (joined,) = (node for node in nodes if node.operation == "concat")
    assert joined.dtype == "bfloat16"
    made_of = [nodes[o] for o in joined.inputs]
    made_of = [nodes[node.inputs[0]] if node.operation == "reshape" else node for node in made_of]
    parts = [(node.operation, node.shape) for node in made_of]
    assert parts == [("matmul", (12, 24)), ("astype", (24,)), ("astype", (24, 5)), ("astype", (5,))]
    readers = [node for node in nodes if any(nodes[o] is joined for o in node.inputs)]
    assert {(node.operation, node.dtype) for node in readers} == {("astype", "float32")}
    assert sorted(w for w in work(made) if w != "astype") == sorted(w for w in work(plain) if w != "astype")


def test_products_in_tf32_read_what_is_there(single):
    made, plain = plan(single, replace(TENSOR, products="tf32")), plan(single, TENSOR)
    assert work(made) == work(plain)
    assert all(node.options["tf32"] for node in products(made))
    assert "32×12 @ 12×24 in tf32" in explain(made)


def test_products_are_faster_where_operands_are_narrow():
    """The rate is that of the data type they read, and halves are half as many bytes."""
    trace = Trace()
    a, b = (trace.input(name, "data", (2000, 2000), "float32") for name in "ab")
    graph = trace.graph({"y": a @ b})
    seconds, fast = {}, replace(TENSOR, bytes_per_s=1e13, near_bytes=0)
    for dtype in ("float32", "tf32", "bfloat16"):
        made = plan(graph, replace(fast, products=dtype))
        (step,) = [step for step in made.steps if made.graph.nodes[step.nodes[0]].operation == "matmul"]
        seconds[dtype] = step.cost.seconds - TENSOR.call_s
        assert step.cost.flops == 2 * 2000**3
        assert step.cost.nbytes == 2000**2 * (4 + (4 if dtype == "bfloat16" else 8))
    assert seconds["tf32"] == pytest.approx(2 * 2000**3 / 2e13)
    assert seconds["bfloat16"] < seconds["tf32"] < seconds["float32"]


def test_nothing_is_rounded_where_nobody_asks_or_nothing_can_be(graph, single):
    """By default, on a device without such products, and in float64."""
    for found, target in ((single, TENSOR), (single, replace(TARGET, products="bfloat16"))):
        assert {node.dtype for _, node in plan(found, target).graph} <= {"float32", "bool", *WHOLE, "float64"}
        assert not any(node.options.get("tf32") for node in products(plan(found, target)))
    asked, plain = plan(graph, replace(TENSOR, products="bfloat16")), plan(graph, TENSOR)
    assert [node.dtype for _, node in asked.graph] == [node.dtype for _, node in plain.graph]
    assert "products are in float32" in explain(plan(single, TENSOR))


WHOLE = ("int32", "int64", "uint32")


def test_explain_as_data_adds_up(made):
    data = json.loads(json.dumps(explain_json(made)))
    assert data["total"]["flops"] == sum(row["flops"] for row in data["steps"]) == made.cost.flops
    assert data["total"]["nbytes"] >= sum(row["bytes"] for row in data["steps"]) > 0
    assert data["total"]["kernels"] == len(data["steps"]) + len(made.copies)
    assert data["total"]["arena_bytes"] == made.arena_bytes
    assert [row["name"] for row in data["decisions"]] == list(DECISIONS)
    assert data["fingerprint"] == made.fingerprint
    assert explain(made).data == data


def test_explain_as_a_page_stands_alone(made):
    page = explain_html(made)
    assert page.count("<tr>") == 2 + len(made.kernels) + len(DECISIONS)
    assert "http" not in page
    assert "src=" not in page


def test_nine_thousand_operations_in_a_chain():
    trace = Trace()
    x = y = trace.input("x", "data", (4,), "float32")
    for _ in range(3000):
        y = trace.namespace.tanh(y)
        y = trace.namespace.flip(y) + x
    made = plan(trace.graph({"y": y}), TARGET)
    assert made.arena_bytes <= 4 * 64


def test_arrays_without_elements_need_no_care():
    trace = Trace()
    x = trace.input("x", "data", (0, 3), "float32")
    made = plan(trace.graph({"y": trace.namespace.sum(x * 2.0, axis=0)}), SMALL)
    assert np.isfinite(made.cost.seconds)
