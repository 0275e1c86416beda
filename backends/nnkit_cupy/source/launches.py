"""From a plan to the text of one module and the launches of a step, in their order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from nnkit.backend import NoNativeFormError
from nnkit.graph.ir import Node
from nnkit.plan import Plan, Step
from nnkit.plan.look import Look, fixed, looks, steps
from nnkit.plan.schedule import VIEWS
from nnkit_cupy.source.moves import copy, joined, moved, placed, running_sum, scattered, sorted_places, taken
from nnkit_cupy.source.passes import FOLDS, fused
from nnkit_cupy.source.pieces import Lines, Piece, Product, block, indented
from nnkit_cupy.source.prelude import PRELUDE
from nnkit_cupy.source.products import product
from nnkit_cupy.source.random import random_bits
from nnkit_cupy.source.reductions import FOLD, folded, place_of_extreme
from nnkit_cupy.source.scalars import has
from nnkit_cupy.source.types import TYPES, literal

Emit = Callable[[Node, Look, list[Look], Sequence[str]], Sequence[Piece | Product]]
"""(node, where the result goes, where the operands are, their data types) → what does it."""
SMALL = 4096
"""Elements that one block does at least as soon as another kernel would have started."""
ALLOWED, STOPPED, DONE = range(3)
"""Places in the state of a program: whether this step may commit, whether one was refused, and how many did."""
SCRATCH_BYTES = 1 << 12
EMIT: dict[str, Emit] = {
    "take": taken,
    "scatter_add": scattered,
    "place": placed,
    "cumulative_sum": running_sum,
    "argsort": sorted_places,
    "random_bits": random_bits,
    **dict.fromkeys(VIEWS, moved),
}


@dataclass(frozen=True, slots=True)
class Launch:
    """A kernel with its grid. It gets the addresses of arena, state, truths and scratch memory, then those of the
    inputs by their places in the graph, then numbers of rows of such, then offsets in elements."""

    kernel: str
    blocks: int
    threads: int
    inputs: tuple[int, ...]
    rows: tuple[int, ...]
    offsets: tuple[int, ...]
    step: int


@dataclass(frozen=True, slots=True)
class Module:
    """The text, the launches and products of a step, and what stands in the truths before each step."""

    text: str
    launches: tuple[Launch | Product, ...]
    truths: int


def module(plan: Plan) -> Module:
    """The code of a plan; ``NoNativeFormError`` where an operation has none."""
    _check(plan)
    passes = [i for step in plan.steps if step.kernel == "fused" for i in step.nodes]
    told = [i for i in passes if plan.graph.nodes[i].operation in FOLDS]
    elsewhere = {
        i: Look("truths", place, fixed(plan.graph.nodes[i].shape), steps(fixed(plan.graph.nodes[i].shape)))
        for place, i in enumerate(told)
    }
    found = looks(plan, literal, elsewhere)
    starts = [FOLDS[plan.graph.nodes[i].operation] for i in told]
    kernels = _Kernels(plan)
    for item in _together(list(_items(plan, found, starts))):
        kernels.add(item)
    return Module(PRELUDE + kernels.text, tuple(kernels.launches), len(told))


def _check(plan: Plan) -> None:
    for _, node in plan.graph:
        if node.dtype not in TYPES:
            raise NoNativeFormError(f"{node.dtype} has no arithmetic in these kernels yet")


def _items(plan: Plan, found: dict[int, Look], starts: list[str]) -> Iterator[Piece | Product]:
    """Everything that a step does."""
    if starts:
        yield Piece([f"if (TID == 0) truths[{k}] = {start};" for k, start in enumerate(starts)], 1, 32, 1)
    for number, step in enumerate(plan.steps):
        if number == plan.computed:
            yield from _gate(plan, found)
        for item in _step(plan, step, found):
            if isinstance(item, Product) or item.work:
                yield replace(item, step=number, commits=number >= plan.computed)
    if plan.computed == len(plan.steps):
        yield from _gate(plan, found)
    last = len(plan.steps) - 1
    for item in _copies(plan, found):
        if item.work:
            yield replace(item, step=last, commits=True)


def _gate(plan: Plan, found: dict[int, Look]) -> Iterator[Piece]:
    """Whether the step may commit: it is allowed, and none before it was refused in this run."""
    if plan.guard is None:
        return
    allowed = found[plan.guard].at([])
    lines = [
        f"state[{ALLOWED}] = ({allowed}) && !state[{STOPPED}];",
        f"if (state[{ALLOWED}]) state[{DONE}]++; else state[{STOPPED}] = 1;",
    ]
    yield Piece(block("if (TID == 0)", lines), 1, 32, 1, step=max(plan.computed - 1, 0))


def _step(plan: Plan, step: Step, found: dict[int, Look]) -> Sequence[Piece | Product]:
    if step.kernel == "fused":
        for i in step.nodes:
            operation = plan.graph.nodes[i].operation
            if not has(operation) and operation not in FOLD:
                raise NoNativeFormError(f"the operation '{operation}' has no code for the GPU")
        return [fused(plan, step, found)]
    (i,) = step.nodes
    node = plan.graph.nodes[i]
    operands, dtypes = [found[o] for o in node.inputs], [plan.graph.nodes[o].dtype for o in node.inputs]
    if node.operation == "concat":
        return joined(plan, i, found)
    if node.operation in FOLD:
        return folded(node, found[i], operands, dtypes, "scratch")
    if node.operation in ("argmax", "argmin"):
        return [place_of_extreme(node, found[i], operands, dtypes)]
    if node.operation == "matmul":
        return product(node, found[i], operands, dtypes, partial(_aligned, plan))
    if node.operation not in EMIT:
        raise NoNativeFormError(f"the operation '{node.operation}' has no code for the GPU")
    return EMIT[node.operation](node, found[i], operands, dtypes)


def _aligned(plan: Plan, look: Look) -> bool:
    """Whether a value's buffer begins at an address for vectors, as the arena, data and the parameters do."""
    if look.buffer.startswith("a_"):
        return True
    node = plan.graph.nodes[int(look.buffer[1:])]
    return node.operation != "input" or node.options["role"] == "data" or node.options["name"] == "parameter"


def _copies(plan: Plan, found: dict[int, Look]) -> Iterator[Piece]:
    """New states into their places; those that exchange values go through the arena, before the first is written."""
    staged: dict[int, Look] = {}
    for pair in plan.copies:
        if pair.stage >= 0:
            node = plan.graph.nodes[pair.new]
            shape = fixed(node.shape)
            at = pair.stage * max(node.size, 1) // max(node.nbytes, 1)
            staged[pair.state] = Look(f"a_{node.dtype}", at, shape, steps(shape))
            yield copy(found[pair.new], staged[pair.state])
    for pair in plan.copies:
        yield copy(staged.get(pair.state, found[pair.new]), found[pair.state])


def _together(items: list[Piece | Product]) -> Iterator[Product | list[Piece]]:
    """Small pieces that follow each other as one kernel."""
    waiting: list[Piece] = []
    for item in items:
        small = isinstance(item, Piece) and item.work <= SMALL
        if waiting and not small:
            yield waiting
            waiting = []
        if isinstance(item, Product):
            yield item
        elif small:
            waiting.append(item)
        else:
            yield [item]
    if waiting:
        yield waiting


_OFFSET = re.compile(r"OFFSET\((\d+)\)")
_BUFFER = re.compile(r"\bb(\d+)\b")
_ROWS = re.compile(r"\bn_b(\d+)\b")
_LOCAL = re.compile(r"\bv(\d+)\b")
_ARENA = re.compile(r"\ba_(\w+?)\b")


class _Kernels:
    """Collects kernels as functions of the places that they work on, so that layers of one shape share them."""

    def __init__(self, plan: Plan) -> None:
        self._dtypes = {i: node.dtype for i, node in plan.graph}
        self._names: dict[str, str] = {}
        self.launches: list[Launch | Product] = []

    @property
    def text(self) -> str:
        """The source of all kernels."""
        return "\n".join(rest.replace("NAME", name) for rest, name in self._names.items())

    def add(self, item: Product | list[Piece]) -> None:
        """The launch of a kernel, or a product."""
        if isinstance(item, Product):
            self.launches.append(item)
            return
        body = "\n".join(_body(item))
        offsets = list(dict.fromkeys(_OFFSET.findall(body)))
        body = _OFFSET.sub(lambda found: f"o{offsets.index(found[1])}", body)
        rows = list(dict.fromkeys(int(i) for i in _ROWS.findall(body)))
        body = _ROWS.sub(lambda found: f"n{rows.index(int(found[1]))}", body)
        inputs = list(dict.fromkeys(int(i) for i in _BUFFER.findall(body)))
        body = _BUFFER.sub(lambda found: f"q{inputs.index(int(found[1]))}", body)
        locals_ = list(dict.fromkeys(_LOCAL.findall(body)))
        body = _LOCAL.sub(lambda found: f"v{locals_.index(found[1])}", body)
        views = [f"{TYPES[d]}* a_{d} = ({TYPES[d]}*)arena;" for d in dict.fromkeys(_ARENA.findall(body))]
        parameters = ["char* arena, int* state, bool* truths, char* scratch"]
        parameters += [f"{TYPES[self._dtypes[i]]}* q{k}" for k, i in enumerate(inputs)]
        parameters += [f"int64 n{k}" for k in range(len(rows))] + [f"int64 o{k}" for k in range(len(offsets))]
        bound = max(piece.threads for piece in item)
        head = f'extern "C" __global__ void __launch_bounds__({bound}) NAME({", ".join(parameters)}) {{'
        text = "\n".join([head, *indented([*views, *body.split("\n")]), "}"])
        name = self._names.setdefault(text, f"kernel{len(self._names)}")
        blocks = item[0].blocks if len(item) == 1 else 1
        numbers = tuple(int(found) for found in offsets)
        self.launches.append(Launch(name, blocks, bound, tuple(inputs), tuple(rows), numbers, item[0].step))


def _body(pieces: list[Piece]) -> Lines:
    """One piece after the other by the threads of a block, each behind the guard if it commits."""
    lines: Lines = []
    for number, piece in enumerate(pieces):
        lines += ["__syncthreads();"] if number else []
        lines += block(f"if (state[{ALLOWED}])" if piece.commits else "", piece.lines)
    return lines
