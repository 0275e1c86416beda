"""States: a new value may be written over the old one only after the last reader of that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnkit.graph import Trace
from nnkit.plan import DECISIONS
from tests.plan.memory import check_memory
from tests.plan.running import TARGET, Bench, same_bits

A, B, C = (np.random.default_rng(seed).normal(size=(6, 6)) for seed in range(3))
TINY = replace(TARGET, tile_bytes=128)


def bench_of(build, disable=(), target=TARGET, **states):
    """A step whose states are ``states``; ``build(xp, **states)`` gives its outputs."""
    trace = Trace()
    inputs = {name: trace.input(name, "state", value.shape, str(value.dtype)) for name, value in states.items()}
    return Bench(trace.graph(build(trace.namespace, **inputs)), states, disable, target)


STEPS = {
    "exchange": lambda xp, a, b, c: {"a": b, "b": a},
    "rotate": lambda xp, a, b, c: {"a": b, "b": c, "c": a},
    "rotate and scale": lambda xp, a, b, c: {"a": b * 1.5, "b": c * 2.0, "c": a * 3.0},
    "exchange by arithmetic": lambda xp, a, b, c: {"a": b + 1.0, "b": a + 1.0},
    "the same value for all": lambda xp, a, b, c: dict.fromkeys("abc", a + b * c),
    "the old value of another": lambda xp, a, b, c: {"a": a * 2.0, "b": a},
    "the new value of another": lambda xp, a, b, c: {"a": a * 2.0, "b": a * 2.0 + b},
    "the new value of another, reversed": lambda xp, a, b, c: {"a": a * 2.0, "b": xp.flip(a * 2.0)},
    "the old value of another, reversed": lambda xp, a, b, c: {"a": a * 2.0, "b": xp.flip(a)},
    "its own transpose": lambda xp, a, b, c: {"a": a.T},
    "itself reversed": lambda xp, a, b, c: {"a": xp.flip(a, axis=0)},
    "plus its transpose": lambda xp, a, b, c: {"a": a + a.T},
    "plus itself reversed": lambda xp, a, b, c: {"a": xp.flip(a) * 0.5 + a},
    "plus its first row": lambda xp, a, b, c: {"a": a - a[:1, :]},
    "plus its last row": lambda xp, a, b, c: {"a": a - a[-1:, :]},
    "read by a product after its update": lambda xp, a, b, c: {"a": a - 0.5 * b, "b": a @ b},
    "read as a transpose after its update": lambda xp, a, b, c: {"a": a * 0.5, "b": a.T @ b, "c": xp.sum(a) + c},
    "read as a row after its update": lambda xp, a, b, c: {"a": a * 0.5, "b": b + a[2], "c": c * a[:, 1:2]},
    "kept": lambda xp, a, b, c: {"a": a, "b": b + 0.0, "c": c * 1.0},
    "as the first choice": lambda xp, a, b, c: {"a": xp.where(b > 0.0, a, b)},
    "as the second choice": lambda xp, a, b, c: {"a": xp.where(b > 0.0, b, a)},
    "as both choices": lambda xp, a, b, c: {"a": xp.where(b > 0.0, a, a)},
    "an output too": lambda xp, a, b, c: {"a": a * 2.0, "new": a * 2.0},
    "its old value an output": lambda xp, a, b, c: {"a": a * 2.0, "old": a},
    "a view of its old value an output": lambda xp, a, b, c: {"a": a * 2.0, "old": xp.flip(a)[1:, ...], "b": a},
    "a view of its new value an output": lambda xp, a, b, c: {"a": a * 2.0, "new": xp.flip(a * 2.0)},
}


@pytest.mark.parametrize("target", [TARGET, TINY], ids=["", "tiles"])
@pytest.mark.parametrize("disable", [(), *((name,) for name in DECISIONS), tuple(DECISIONS)], ids=str)
@pytest.mark.parametrize("step", STEPS)
def test_readers_see_the_old_value(step, disable, target):
    bench = bench_of(STEPS[step], disable, target, a=A, b=B, c=C)
    check_memory(bench.plan)
    for _ in range(3):
        expected = bench.expected_bits()
        same_bits(bench.step(), expected)


def test_a_condition_that_is_the_state_itself():
    bench = bench_of(lambda xp, a, b: {"a": xp.where(a, b, xp.where(b, b, ~a))}, a=A > 0, b=B > 0)
    expected = bench.expected()
    same_bits(bench.step(), expected)


def test_the_known_trap():
    """One step of w ← w − x·(x·w), and what the backward pass still reads of the old w."""
    build = lambda xp, w, x, slope: {"w": w - (x @ w) * x, "slope": slope * 0.0 + (x @ w) * w}  # noqa: E731
    start, x = np.asarray([2.0, 0.0]), np.asarray([1.0, 1.0])
    bench = bench_of(build, w=start, x=x, slope=np.zeros(2))
    got = bench.step()
    assert got["w"].tolist() == [0.0, -2.0]
    assert got["slope"].tolist() == [4.0, 0.0]


def test_a_state_is_updated_in_place_when_it_can_be():
    plan = bench_of(lambda xp, a, b: {"a": a * 0.9 + b, "b": b * 0.5}, a=A, b=B).plan
    assert plan.copies == ()
    assert {plan.slots[new].kind for new in plan.graph.state.values()} == {"state"}
    assert plan.arena_bytes <= 2 * A.nbytes + 64


def guarded(xp, a, b, c, x):
    """Every way in which a state can change: over itself, by a copy, by an exchange, computed before the guard."""
    norm = xp.sum(xp.square(a * x))
    return {"a": a * x, "b": c, "c": b, "guard": xp.isfinite(norm) & xp.isfinite(xp.sum(xp.sqrt(b))), "seen": norm}


@pytest.mark.parametrize("bad", ["a", "b", "x"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_step_that_the_guard_refuses_changes_nothing(bad, value):
    states = {"a": A.copy(), "b": np.abs(B), "c": C, "x": np.ones((6, 6))}
    states[bad][3, 4] = value
    bench = bench_of(guarded, **states)
    before = {leaf.name: bench.store.array(leaf.name).tobytes() for leaf in bench.store.leaves()}
    assert bench.program.run(3) == 0
    assert {leaf.name: bench.store.array(leaf.name).tobytes() for leaf in bench.store.leaves()} == before


def test_a_program_tells_how_many_steps_it_committed():
    bench = bench_of(lambda xp, n: {"n": n + 1.0, "guard": n < 3.0}, n=np.asarray(0.0))
    assert bench.program.run(2) == 2
    assert bench.program.run(9) == 1
    assert bench.program.run(9) == 0
    assert bench.store.read(["n"])["n"] == 3.0
