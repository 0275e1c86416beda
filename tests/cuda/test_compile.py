"""Every generated kernel compiles for all generations of GPUs, and those of common networks keep to their registers.

Each program is compiled for one architecture by turns, the smaller ones to PTX; the long test compiles all for all.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from gpu import SIZES, half

from nnkit import nn
from nnkit.graph import Graph
from nnkit.nn import Module
from nnkit.optimizers import (
    FULL_BATCH,
    LAMB,
    OPTIMIZERS,
    SGD,
    VARIANTS,
    Accumulate,
    Adam,
    ClipByGlobalNorm,
    ClipByNorm,
    ClipByValue,
    ExponentialMovingAverage,
    Optimizer,
    WeightDecay,
)
from nnkit.parity.check import cases
from nnkit.plan import Plan, plan
from nnkit.training.graphs import evaluation_graph, prediction_graph, scoring_graph
from nnkit.training.layout import Layout
from nnkit.training.objective import objective
from nnkit.training.planning import training_plan
from nnkit.training.precision import FULL, PRECISIONS
from nnkit.training.targets import usual_signature
from nnkit_cupy.device import TARGET, CupyBackend
from nnkit_cupy.source.launches import module
from nnkit_cupy.source.prelude import PRELUDE
from tests.backends.test_native import together, value
from tests.cuda.nvrtc import ARCHITECTURES, required
from tests.cuda.stand_in import HostRuntime
from tests.graph.table import TABLE
from tests.graph.test_primitives import derived
from tests.plan.random_graphs import RandomGraph

BACKEND = CupyBackend("cuda", HostRuntime())
Program, Text = Callable[[], Plan], Callable[[], str]


def step(
    network: Module,
    width: int,
    rows: int,
    optimizer: str | Optimizer = "adam",
    loss: str = "auto",
    precision: str = FULL,
    dtype: str = "float32",
) -> Program:
    """A training step, planned without weights."""

    def made() -> Plan:
        model: Any = SimpleNamespace(module=network, layout=Layout.of(network, (width,), dtype), backend=BACKEND)
        return training_plan(model, rows, optimizer, loss, precision=precision)

    return made


def dense(*sizes: int, activation: str = "relu", last: str = "softmax") -> Module:
    """Dense layers of these widths."""
    return nn.Sequential([*(nn.Dense(size, activation) for size in sizes[:-1]), nn.Dense(sizes[-1], last)])


def without_steps(graph: Callable[[Layout, Any, Any, int], Graph], rows: int) -> Program:
    """What a network does beside training."""
    layers = [nn.Dense(65, "gelu"), nn.Dropout(0.2), nn.BatchNorm(), nn.LayerNorm(), nn.Dense(10, "softmax")]

    def made() -> Plan:
        network = nn.Sequential(layers)
        goal, layout = objective(network, "auto"), Layout.of(network, (33,), "float32")
        return plan(graph(layout, goal, usual_signature(goal, layout), rows), TARGET)

    return made


COMMON: dict[str, Program] = {
    name: step(dense(*sizes[1:]), sizes[0], rows, precision="mixed_bfloat16" if half(name) else FULL)
    for name, (sizes, rows) in SIZES.items()
}
TINY: dict[str, str | Optimizer] = {
    **{name: name for name in (*OPTIMIZERS, *VARIANTS, *FULL_BATCH)},
    "clipped, decayed": ClipByGlobalNorm(WeightDecay(Adam(0.01), 0.1), 0.7),
    "clipped by parts, averaged": ExponentialMovingAverage(ClipByNorm(SGD(0.1, momentum=0.9), 0.3), 0.9),
    "accumulated": Accumulate(ClipByValue(LAMB(0.01), 0.1), 2),
}
WIDE: dict[str, Program] = {
    "a single layer": step(nn.Sequential([nn.Dense(1)]), 1, 1, "sgd"),
    "a single row": step(dense(33, 3), 17, 1),
    "odd sizes": step(dense(65, 129, 7, activation="tanh"), 513, 37),
    "many rows": step(dense(31, 5, activation="elu"), 100, 5000),
    "wide": step(dense(1000, 1000), 20, 100),
    "float64": step(dense(64, 10), 100, 64, dtype="float64"),
    "float64, odd sizes": step(dense(13, 9, activation="gelu"), 7, 23, "lamb", dtype="float64"),
    "regularised": step(
        nn.Sequential(
            [
                *(nn.Dense(128, "relu"), nn.Dropout(0.2), nn.BatchNorm()),
                *(nn.Dense(64, "gelu"), nn.LayerNorm(), nn.Dense(10, "softmax")),
            ]
        ),
        784,
        64,
        "adamw",
    ),
    "other layers": step(
        nn.Sequential(
            [
                *(nn.WeightNorm(nn.Dense(48)), nn.PReLU(), nn.GroupNorm(4), nn.SpectralNorm(nn.Dense(32, "selu"))),
                *(nn.AlphaDropout(0.1), nn.RMSNorm(), nn.GaussianNoise(0.1), nn.Dense(3, "identity")),
            ]
        ),
        20,
        48,
        "sgd",
        "huber",
    ),
    "regression": step(dense(100, 50, 1, activation="silu", last="identity"), 13, 256, "rmsprop", "mean_squared_error"),
    "yes or no": step(dense(40, 4, activation="mish", last="sigmoid"), 30, 100, "nadam", "binary_crossentropy"),
    "evaluation": without_steps(
        lambda layout, goal, target, rows: evaluation_graph(layout, goal, target, rows, True), 200
    ),
    "prediction": without_steps(lambda layout, goal, target, rows: prediction_graph(layout, goal.module, rows), 129),
    "scoring": without_steps(scoring_graph, 64),
    **{f"in {name}": step(dense(96, 64, 10), 200, 100, precision=name) for name in PRECISIONS if name != FULL},
}
OPTIMISED: dict[str, Program] = {
    f"with {name}": step(dense(4, 2, activation="tanh"), 3, 8, optimizer) for name, optimizer in TINY.items()
}
PARITY: dict[str, Program] = {
    f"{case.kind} {case.name}": lambda case=case: plan(case.graph("float32"), TARGET) for case in cases()
}
ROWS: dict[str, Program] = {
    f"rows {part} {graph_of.__name__}": lambda part=part, graph_of=graph_of, parts=parts: plan(
        together(TABLE[part::parts], graph_of)[0], TARGET
    )
    for graph_of, parts in ((value, 4), (derived, 8))
    for part in range(parts)
}
DRAWN: dict[str, Program] = {
    f"drawn {seed}": lambda seed=seed: plan(RandomGraph(seed, 1 + seed % 60).graph, TARGET) for seed in range(24)
}
NAMED = re.compile(r"(__launch_bounds__\([^)]*\)) \w+\(")


def joined(programs: Iterable[Program]) -> str:
    """The kernels of some programs in one module, those that they share once."""
    kernels: dict[str, None] = {}
    for program in programs:
        pieces = module(program()).text.removeprefix(PRELUDE).split('extern "C"')[1:]
        kernels |= dict.fromkeys(NAMED.sub(r"\1 NAME(", piece, count=1) for piece in pieces)
    return PRELUDE + "".join(f'extern "C"{each.replace("NAME", f"kernel{i}", 1)}' for i, each in enumerate(kernels))


def in_groups(programs: dict[str, Program], count: int) -> dict[str, Text]:
    """So many modules of programs that are small, which takes less time."""
    names = list(programs)
    groups = [names[start::count] for start in range(count)]
    return {", ".join(group): lambda group=group: joined(programs[name] for name in group) for group in groups}


def alone(programs: dict[str, Program]) -> dict[str, Text]:
    """A module for each, as it runs."""
    return {name: lambda program=program: module(program()).text for name, program in programs.items()}


def compiled(texts: dict[str, Text], architectures: Iterable[str] = (), assembled: bool = True) -> list[str]:
    """Compile for all of these, or for one by turns, side by side; gives what is spilled."""
    compiler, chosen = required(), tuple(architectures)

    def one(number: int, name: str) -> list[str]:
        text = texts[name]()
        found = []
        for architecture in chosen or (ARCHITECTURES[number % len(ARCHITECTURES)],):
            try:
                found += compiler.compiled(text, architecture, assembled)
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}") from None
        return [f"{name}: {said}" for said in found]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [said for found in pool.map(one, *zip(*enumerate(texts), strict=True)) for said in found]


def test_common_networks_spill_no_registers() -> None:
    assert compiled(alone(COMMON), ["sm_90"]) == []


@pytest.mark.slow
def test_networks() -> None:
    compiled(alone(WIDE))


@pytest.mark.slow
def test_optimizers() -> None:
    compiled(in_groups(OPTIMISED, 5), assembled=False)


@pytest.mark.slow  # a C++ compiler reads the same code in tests/parity
def test_what_is_computed_for_the_check_of_a_device() -> None:
    compiled(in_groups(PARITY, 10), assembled=False)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_everything(architecture: str) -> None:
    spilled = compiled(alone(COMMON), [architecture])
    others = compiled(alone(WIDE | OPTIMISED | PARITY | ROWS | DRAWN), [architecture])
    print(*others, sep="\n")  # a few numbers of kernels that do all by themselves; -rP shows them
    assert spilled == []


def test_what_does_not_compile_is_said() -> None:
    with pytest.raises(
        AssertionError, match=r'it: the kernels do not compile for sm_75:\n.*identifier "y" is undefined'
    ):
        compiled({"it": lambda: 'extern "C" __global__ void k(float* x) { *x = y; }'})


def test_what_is_spilled_is_said() -> None:
    """More numbers at once than a thread has registers."""
    numbers = range(300)
    text = "".join(
        [
            'extern "C" __global__ void __launch_bounds__(1024) kernel0(volatile float* x) {',
            *(f"float x{i} = x[{i}];" for i in numbers),
            *(f"x[{i}] = x{i};" for i in numbers),
            "}",
        ]
    )
    (said,) = compiled({"it": lambda: text})
    assert re.fullmatch(r"it: kernel0 spills \d+ bytes for sm_75", said)
