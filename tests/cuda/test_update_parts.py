"""Updates in two parts: the same bits, and a next step that begins after the first of them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import NnkitWarning
from nnkit.graph import Trace
from nnkit.optimizers import SGD, Adam, RMSprop
from nnkit.plan.planner import plan
from nnkit.training.planning import training_plan
from nnkit_cupy.device import TARGET, CupyBackend
from nnkit_cupy.source import launches, update_parts
from nnkit_cupy.source.launches import Launch, Module, module
from nnkit_cupy.source.order import Region, placed
from tests.cuda.stand_in import HostRuntime, selected

SIZES = (96, 512, 256, 10)
"""49,664 parameters, then 131,328, then 2,570: the second matrix begins behind a quarter."""
ROWS = 64
"""So many that the batch is gathered by a kernel of its own: among the small pieces it would wait for all of them."""
DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(96, SIZES[0])).astype(np.float32), DRAW.integers(0, 10, 96)


def network(*sizes: int, device: str = "cpu") -> nnkit.Network:
    hidden = list(sizes[1:-1])
    return nnkit.FeedForward(sizes[0], sizes[-1], hidden, output_activation="softmax", seed=0, device=device)


def code(*sizes: int, optimizer: Any = "adam", **options: Any) -> Module:
    graph = training_plan(network(*sizes)._model, ROWS, optimizer, "auto").graph
    return module(plan(graph, TARGET, **options))


def updates(made: Module) -> list[Launch]:
    """The launches that write weights."""
    return [each for each in made.launches if any(place.buffer == "b0" for place in each.touched.writes)]


def test_the_parts_meet_where_a_matrix_begins() -> None:
    first, second = updates(code(*SIZES))
    regions = [place for each in (first, second) for place in each.touched.writes if place.buffer == "b0"]
    middle = 4 * 49_664
    assert regions == [Region("b0", 0, middle), Region("b0", middle, 4 * 183_562)]
    assert first.blocks + second.blocks == pytest.approx(183_562 / 4 / 256, abs=2)


def test_the_next_step_waits_for_the_first_part() -> None:
    made = code(*SIZES)
    touched = [each.touched for each in made.launches]
    first, second = (made.launches.index(each) for each in updates(made))
    products = [k for k, each in enumerate(touched) if any(place.buffer == "b0" for place in each.reads) and k < first]
    waits = {k: {j for j in (first, second) if touched[j].before(touched[k])} for k in products[:2]}
    assert list(waits.values()) == [{first}, {second}]
    behind: list[set[int]] = []
    for number, (lane, after) in enumerate(places := placed(touched * 2)):
        direct = set(after) | {k for k in range(number) if places[k].lane == lane}
        behind.append(direct.union(*(behind[k] for k in direct)))
    of_next = [behind[len(touched) + k] & {first, second} for k in products[:2]]
    assert of_next == [{first}, {first, second}]


@pytest.mark.parametrize(
    "sizes",
    [
        (96, 128, 10),  # few
        (784, 256, 10),  # nearly all is in the first matrix
        (94, 511, 257, 10),  # no matrix begins at a vector of four
        (64, 2048, 2048, 10),  # many
    ],
)
def test_where_the_update_stays_whole(sizes: tuple[int, ...]) -> None:
    assert len(updates(code(*sizes))) == 1


def test_a_part_reads_all_of_what_it_looks_at_in_another_way() -> None:
    """The first half of an update that goes backwards through another state needs the second half of that."""
    trace, count = Trace(), 1 << 18
    xp = trace.namespace
    flat, other = (trace.input(name, "state", (count,), "float32") for name in ("parameter", "moment.m"))
    x = trace.input("x", "data", (16, 256), "float32")
    y = xp.matmul(x, xp.reshape(flat[count // 2 :], (256, 512)))
    graph = trace.graph({"y": y, "parameter": flat - xp.flip(other)})
    first, second = updates(module(plan(graph, TARGET)))
    half, (read,) = 2 * count, {i for i, node in enumerate(graph.nodes) if node.options.get("name") == "moment.m"}
    for part, place in ((first, Region("b0", 0, half)), (second, Region("b0", half, 2 * half))):
        assert place in part.touched.writes
        assert Region(f"b{read}") in part.touched.reads


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("optimizer", [Adam(0.01), SGD(0.1, momentum=0.9, nesterov=True), RMSprop(0.01)])
def test_trainings_have_the_same_bits(
    stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch, precision: str, optimizer: Any
) -> None:
    found = []
    for parts in (True, False):
        backend = CupyBackend("cuda", HostRuntime())
        with monkeypatch.context() as patch:
            selected(patch, backend)
            if not parts:
                patch.setattr(launches, "in_parts", lambda *_: ())
            net = network(*SIZES, device="cuda")
            net.fit(X, Y, epochs=3, batch_size=32, optimizer=optimizer, precision=precision, progress=False)
        kernels = [len(updates(each.code)) for each in backend._executables.values()]
        assert max(kernels) == (2 if parts else 1)
        found.append(net.parameters())
    for name, value in found[0].items():
        np.testing.assert_array_equal(value, found[1][name], err_msg=name)


def test_a_step_that_is_refused_leaves_both_parts(stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = CupyBackend("cuda", HostRuntime())
    selected(monkeypatch, backend)
    net = network(*SIZES, device="cuda")
    before = net.parameters()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NnkitWarning)
        net.fit(X, Y, epochs=2, batch_size=32, optimizer=SGD(1e38), progress=False)
    assert any((value != before[name]).any() for name, value in net.parameters().items())  # by the first step
    assert update_parts.LEAST <= sum(value.size for value in before.values()) <= update_parts.MOST
    assert all(np.isfinite(value).all() for value in net.parameters().values())
