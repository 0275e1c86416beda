"""``fit(memory_limit=…)``: the same bits in less memory, an exact prediction, refusals that say what is possible."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.backend import NoNativeFormError
from nnkit.errors import ArgumentError
from nnkit.measure import check_layout
from nnkit.optimizers import Adam
from nnkit.plan import Target
from nnkit.plan.limit import MemoryLimitError
from nnkit.training.compiling import Compiler
from nnkit.training.layout import lasting_bytes
from nnkit.training.planning import training_plan
from tests.training.small import same, values

DRAW = np.random.default_rng(3)
X = DRAW.normal(size=(2200, 64)).astype("float32")
Y = DRAW.normal(size=(2200, 4)).astype("float32")
LEAST = re.compile(r"give ([\d,]+) bytes")


def twelve() -> nnkit.Network:
    return nnkit.FeedForward(inputs=64, hidden=[96] * 12, outputs=4, seed=2)


def small() -> nnkit.Network:
    return nnkit.FeedForward(inputs=64, hidden=[24] * 4, outputs=4, seed=2)


def mixed() -> nnkit.Network:
    hidden = [part for _ in range(4) for part in (nn.Dense(32, "gelu"), nn.BatchNorm(), nn.Dropout(0.2))]
    return nnkit.Sequential([*hidden, nn.LayerNorm(), nn.Dense(4)], input_shape=(64,), seed=2)


def fit(net: nnkit.Network, **options: Any) -> Any:
    return net.fit(X, Y, **({"epochs": 2, "batch_size": 1024, "compile": "off", "progress": False} | options))


def peak(run: Any) -> int:
    return int(run.record.resources["plan"]["predicted_peak_bytes"])


def least(net: nnkit.Network, **options: Any) -> int:
    with pytest.raises(ArgumentError) as refusal:
        fit(net, memory_limit=1, **options)
    found = LEAST.search(str(refusal.value))
    assert found
    return int(found[1].replace(",", ""))


@pytest.mark.parametrize("make", [twelve, mixed])
def test_the_same_bits_in_half_the_memory(make: Any) -> None:
    """The last, smaller batch of 152 rows included."""
    free, limited = make(), make()
    whole = fit(free)
    half = fit(limited, memory_limit=peak(whole) // 2)
    assert peak(half) <= peak(whole) // 2
    assert same(values(free), values(limited))
    assert whole.history == half.history
    assert half.record.training["program"]["fingerprint"] != whole.record.training["program"]["fingerprint"]


@pytest.mark.slow
def test_the_same_bits_in_half_the_memory_natively() -> None:
    pytest.importorskip("llvmlite")
    free, limited = twelve(), twelve()
    whole = fit(free, compile="first")
    half = fit(limited, compile="first", memory_limit=peak(whole) // 2)
    assert half.record.training["program"]["kind"] == whole.record.training["program"]["kind"] == "native"
    assert peak(half) <= peak(whole) // 2
    assert same(values(free), values(limited))


def test_a_limit_with_room_changes_no_plan() -> None:
    plain, roomy = fit(small()), fit(small(), memory_limit="1 GB")
    assert roomy.record.training["program"] == plain.record.training["program"]


def test_it_is_in_the_record() -> None:
    run = fit(small(), memory_limit="1.5 MB", epochs=1)
    assert run.to_dict()["training"]["memory_limit"] == 1_500_000
    assert check_layout(run.to_dict()) == []
    assert fit(small(), epochs=1).to_dict()["training"]["memory_limit"] is None


@pytest.mark.parametrize("make", [small, mixed])
def test_the_predicted_peak_is_what_store_and_program_take(make: Any) -> None:
    net = make()
    seen = []

    def look(training: Any) -> None:
        store = net._model.store
        segments = {id(part): part.nbytes for parts in store._segments.values() for part in parts}
        seen.append(sum(segments.values()))

    limit = least(make())
    run = fit(net, memory_limit=limit, callbacks=look)
    (plan, code) = next(iter(net._model._plans.values()))
    data = {"x": X, "y": Y, "order": np.arange(len(X))}
    program = code.bind(net._model.store, data)
    assert peak(run) == limit == program.memory() + seen[0] == program._arena.nbytes + net._model.store.nbytes()
    assert plan.memory_limit == limit - seen[0]


def test_the_smallest_limit_is_met_and_one_byte_less_is_refused() -> None:
    smallest = least(small())
    assert peak(fit(small(), memory_limit=smallest)) == smallest < peak(fit(small()))
    assert peak(fit(small(), memory_limit=str(smallest))) == smallest
    net = small()
    lasting = lasting_bytes(net._model.layout, Adam())
    text = (
        f"memory_limit: a training in batches of 1024 needs at least {smallest:,} bytes, {lasting:,} of them for "
        f"parameters, moments and the like; got {smallest - 1:,}; give {smallest:,} bytes, or a smaller batch_size, "
        "or use fewer neurons"
    )
    with pytest.raises(ArgumentError, match=re.escape(text)):
        fit(net, memory_limit=smallest - 1)


def test_a_refusal_changes_nothing() -> None:
    net = small()
    fit(net, epochs=1)
    before, optimizer = values(net), net._model.optimizer
    moments = net._model.store.array("moment").copy()
    with pytest.raises(ArgumentError, match="memory_limit: a training in batches of 1024 needs at least"):
        fit(net, memory_limit="10 kB")
    assert same(before, values(net))
    assert net._model.optimizer is optimizer
    assert (net._model.store.array("moment") == moments).all()


def test_batches_of_one_row_have_no_smaller_ones() -> None:
    with pytest.raises(
        ArgumentError, match=r"in batches of 1 needs at least .* give [\d,]+ bytes, or use fewer neurons"
    ):
        fit(small(), memory_limit=1, batch_size=1)


def test_a_smaller_batch_needs_less() -> None:
    assert least(small(), batch_size=64) < least(small())


def test_validation_keeps_to_it_in_smaller_batches() -> None:
    options: dict[str, Any] = {"validation_data": (-X, Y), "batch_size": 16}
    smallest = least(small(), **options)
    limited, free = small(), small()
    tight, whole = fit(limited, memory_limit=smallest, **options), fit(free, **options)
    kept = [made for made, _ in limited._model._plans.values()]
    assert max(made.arena_bytes for made in kept) + limited._model.store.nbytes() <= smallest
    assert max(made.arena_bytes for made, _ in free._model._plans.values()) + free._model.store.nbytes() > smallest
    assert same(values(limited), values(free))
    np.testing.assert_allclose(tight.history["val_loss"], whole.history["val_loss"], rtol=1e-5)


def test_validation_that_needs_more_than_training_is_refused_when_one_row_does() -> None:
    """A network that is wide for one row: its training in batches of one row fits exactly."""
    net = small()
    options: dict[str, Any] = {"batch_size": 1, "epochs": 1}
    smallest = least(net, **options)
    fit(net, memory_limit=smallest, **options)
    assert least(small(), validation_data=(-X, Y), **options) >= smallest


@pytest.mark.parametrize(
    "value", [0, -5, True, 1.5, "", "much", "200 XB", "-3 MB", "1e6", "0 MB", "0.5", [1], "9" * 40]
)
def test_nonsense_is_refused(value: Any) -> None:
    text = "memory_limit must be a number of bytes from 1 to 10¹⁸, or text such as '200MB', '1.5 GB' or '64MiB', got "
    with pytest.raises(ArgumentError, match=re.escape(text)):
        fit(small(), memory_limit=value)


def test_explain_shows_the_plan_of_the_training() -> None:
    net = small()
    limit = least(small())
    assert "RECOMPUTE" in net.explain(1024, memory_limit=limit)
    assert net.explain(1024, memory_limit="1 GB").count("RECOMPUTE") == 0
    plan = training_plan(net._model, 1024, "adam", "auto", memory_limit=limit)
    assert plan.fingerprint == fit(net, memory_limit=limit).record.training["program"]["fingerprint"]
    with pytest.raises(ArgumentError, match=f"in batches of 1024 needs at least {limit:,} bytes"):
        net.explain(1024, memory_limit=limit - 1)


def test_what_lasts_is_what_the_store_has() -> None:
    for net in (small(), mixed()):
        fit(net, epochs=1)
        assert lasting_bytes(net._model.layout, Adam()) == net._model.store.nbytes()


class Sizes:
    """A model whose plain and native plans need so many bytes."""

    def __init__(self, **least: int | Exception) -> None:
        self.least = least
        self.backend = self

    def target(self) -> Target:
        return Target("plain", 0.0, 1.0, 1.0, 1.0, 1)

    def native_target(self) -> Target:
        return replace(self.target(), name="native")

    def compile_s(self, plan: Any) -> float:
        return 0.0

    def planned(self, key: Any, graph: Any, target: Target, memory_limit: int = 0) -> Any:
        needed = self.least[target.name]
        if isinstance(needed, Exception):
            raise needed
        if needed > memory_limit:
            raise MemoryLimitError(memory_limit, needed)
        return (type("Plan", (), {"cost": type("Cost", (), {"seconds": 1.0})}), target.name)


def chosen(limit: int, mode: str, **least: int | Exception) -> tuple[str, list[str]]:
    compiler = Compiler(Sizes(**least), mode, limit)  # type: ignore[arg-type]
    return compiler.choose("key", lambda: None, 10)[1], compiler.fallbacks  # type: ignore


def test_the_form_that_fits_is_taken() -> None:
    assert chosen(10, "first", plain=9, native=8) == ("native", [])
    assert chosen(10, "auto", plain=11, native=8) == ("native", [])
    form, reasons = chosen(10, "first", plain=9, native=11)
    assert form == "plain"
    assert reasons == ["memory_limit: the values of one step need at least 11 bytes, got 10"]


@pytest.mark.parametrize(("mode", "expected"), [("off", 12), ("auto", 11), ("first", 11)])
def test_a_refusal_names_the_smaller_form(mode: str, expected: int) -> None:
    with pytest.raises(MemoryLimitError, match=f"at least {expected} bytes"):
        chosen(10, mode, plain=12, native=11)


def test_without_a_native_form_the_plain_one_must_fit() -> None:
    with pytest.raises(MemoryLimitError, match="at least 12 bytes"):
        chosen(10, "auto", plain=12, native=NoNativeFormError("no"))
