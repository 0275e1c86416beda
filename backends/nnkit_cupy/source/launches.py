"""From a plan to the text of one module and the launches of a step, in their order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce

from nnkit.backend import NoNativeFormError
from nnkit.graph.ir import Node
from nnkit.plan import Plan, Step
from nnkit.plan.look import Look, fixed, looks, steps
from nnkit.plan.schedule import VIEWS
from nnkit_cupy.source.columns import by_columns
from nnkit_cupy.source.epilogs import Epilogs
from nnkit_cupy.source.guard import STATE, TRUTHS, Guard
from nnkit_cupy.source.heads import Heads
from nnkit_cupy.source.mirrors import mirrored
from nnkit_cupy.source.moves import among_zeros, copy, joined, moved, running_sum, scattered, sorted_places, taken
from nnkit_cupy.source.order import Region, Touched, region, touched, urgent_first
from nnkit_cupy.source.passes import FOLDS, aligned, ending, fused, is_one_loop
from nnkit_cupy.source.pieces import Piece, Product, indented
from nnkit_cupy.source.prelude import PRELUDE
from nnkit_cupy.source.products import product
from nnkit_cupy.source.random import random_bits
from nnkit_cupy.source.reductions import FOLD, folded, place_of_extreme
from nnkit_cupy.source.rows_taken import RowsTaken
from nnkit_cupy.source.scalars import has
from nnkit_cupy.source.together import side_by_side, together
from nnkit_cupy.source.types import HALVES, TYPES, literal

Emit = Callable[[Node, Look, list[Look], Sequence[str]], Sequence[Piece | Product]]
"""(node, where the result goes, where the operands are, their data types) → what does it."""
SCRATCH_BYTES = 1 << 12
SCRATCH = Region("scratch")
EMIT: dict[str, Emit] = {
    "scatter_add": scattered,
    "place": among_zeros,
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
    touched: Touched


@dataclass(frozen=True, slots=True)
class Module:
    """The text, and the launches and products of a step."""

    text: str
    launches: tuple[Launch | Product, ...]
    truths: dict[int, Look]
    """Values that stand in memory of their own."""
    first: tuple[Launch | Product, ...] = ()
    """What is launched before the first step, where somebody else may have written these states since the last."""
    mirrored: tuple[str, ...] = ()


def module(plan: Plan, may: Callable[[Product], bool] = lambda _: True) -> Module:
    """The code of a plan; ``NoNativeFormError`` where an operation has none.

    ``may`` says whether the library does a product with its bias and ReLU.
    """
    _check(plan)
    plan, early, states = mirrored(plan)
    guard = Guard(plan)
    elsewhere = guard.looks()
    found = by_columns(plan, looks(plan, literal, elsewhere))
    kernels = _Kernels(plan, guard.condition(found))
    every = range(len(plan.steps))
    work = list(_items(plan, found, elsewhere, [number for number in every if number not in early]))
    epilogs = Epilogs(plan, found, elsewhere, may)
    work, plan = epilogs.taken(work), epilogs.plan
    work = Heads(plan, found, partial(aligned, plan)).taken(work)
    copies = (_guarded(plan, item) for item in _copies(plan, found, elsewhere) if item.work)
    items = _ended(plan, found, [*guard.reset(), *work, *copies, *guard.counted(found)])
    launches = [launch for group in together(items) for launch in kernels.launches(group)]
    order = urgent_first([launch.touched for launch in launches])
    conversions = together(list(_items(plan, found, elsewhere, sorted(early))))
    first = [launch for group in conversions for launch in kernels.launches(group)]
    return Module(PRELUDE + kernels.text, tuple(launches[k] for k in order), elsewhere, tuple(first), states)


def _check(plan: Plan) -> None:
    for _, node in plan.graph:
        kept = node.operation in ("astype", "matmul", "concat", "input", *VIEWS)
        if node.dtype in HALVES and not kept:
            raise NoNativeFormError(f"'{node.operation}' of {node.dtype}, which is only converted and multiplied")


def _items(
    plan: Plan, found: dict[int, Look], elsewhere: dict[int, Look], numbers: Iterable[int]
) -> Iterator[Piece | Product]:
    """What the steps of these numbers do."""
    index = RowsTaken(plan, found)
    for number in numbers:
        step = plan.steps[number]
        if index.skipped.issuperset(step.nodes):
            continue
        inside, items = touched(plan, step.nodes, elsewhere), _step(plan, step, found, index)
        inside = inside.joined(Touched(index.reads(step.nodes[0])))
        if plan.graph.nodes[step.nodes[0]].operation in FOLD and len(items) > 1:
            inside = inside.joined(Touched((SCRATCH,), (SCRATCH,)))
        for item in items:
            if isinstance(item, Product) or item.work:
                yield _guarded(plan, replace(item, step=number, touched=inside))


def _guarded(plan: Plan, item: Piece | Product) -> Piece | Product:
    """What writes a state asks the guard."""
    if plan.guard is None or all(place.buffer in ("arena", "truths", "scratch") for place in item.touched.writes):
        return item
    return replace(item, commits=True, touched=item.touched.joined(Touched((STATE, TRUTHS))))


def _step(plan: Plan, step: Step, found: dict[int, Look], index: RowsTaken) -> Sequence[Piece | Product]:
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
    if node.operation == "take":
        return taken(node, found[i], operands[0], lambda at: index.code(i, at) or operands[1].at([at]))
    if node.operation == "matmul":
        return product(node, found[i], operands, dtypes, partial(aligned, plan))
    if node.operation not in EMIT:
        raise NoNativeFormError(f"the operation '{node.operation}' has no code for the GPU")
    return EMIT[node.operation](node, found[i], operands, dtypes)


def _copies(plan: Plan, found: dict[int, Look], elsewhere: dict[int, Look]) -> Iterator[Piece]:
    """New states into their places; those that exchange values go through the arena, before the first is written."""
    last = max(len(plan.steps) - 1, 0)
    staged: dict[int, tuple[Look, Region]] = {}
    for pair in plan.copies:
        if pair.stage >= 0:
            node = plan.graph.nodes[pair.new]
            shape = fixed(node.shape)
            at = pair.stage * max(node.size, 1) // max(node.nbytes, 1)
            place = Region("arena", pair.stage, pair.stage + node.nbytes)
            staged[pair.state] = (Look(f"a_{node.dtype}", at, shape, steps(shape)), place)
            moves = Touched(region(plan, pair.new, elsewhere), (place,))
            yield replace(copy(found[pair.new], staged[pair.state][0]), step=last, touched=moves)
    for pair in plan.copies:
        look, places = found[pair.new], region(plan, pair.new, elsewhere)
        if pair.state in staged:
            look, places = staged[pair.state][0], (staged[pair.state][1],)
        moves = Touched(places, region(plan, pair.state, elsewhere))
        yield replace(copy(look, found[pair.state]), step=last, touched=moves)


def _ended(plan: Plan, found: dict[int, Look], items: list[Piece | Product]) -> list[Piece | Product]:
    """Passes over the result of a product or of a sum of rows become its ending, where nothing is in the way.

    What converts the rows of a gather becomes a part of that.
    """
    result = list(items)
    for item in items:
        if not isinstance(item, Piece) or (item.ending is None and item.converting is None):
            continue
        (made,) = plan.steps[item.step].nodes
        at = result.index(item)
        other = next((k for k in range(at + 1, len(result)) if _reads(plan, result[k], made)), None)
        last = item if other is None else result[other]
        if other is None or not _may_end(plan, made, last, result[at + 1 : other]):
            continue
        if item.touched.overwritten(last.touched):  # other blocks would still read what it writes
            continue
        joined = _joined(plan, found, item, made, plan.steps[last.step].nodes)
        if joined is not None:
            result[at] = replace(joined, step=item.step, touched=item.touched.joined(last.touched))
            del result[other]
    return result


def _joined(plan: Plan, found: dict[int, Look], item: Piece, made: int, nodes: tuple[int, ...]) -> Piece | None:
    """What makes a value with the pass over it in the same piece; a gather only converts, if nobody else reads it."""
    if item.ending is not None:
        return item.ending(ending(plan, made, nodes, found, list(item.index)))
    last, alone = plan.graph.nodes[nodes[-1]], plan.graph.users[made] == nodes
    if item.converting is None or not alone or last.operation != "astype" or made in plan.graph.output.values():
        return None
    return item.converting(found[nodes[-1]], last.dtype)


def _reads(plan: Plan, item: Piece | Product, value: int) -> bool:
    """Whether the step of an item reads a value, or a view of it."""
    waiting = [value]
    while waiting:
        for user in plan.graph.users[waiting.pop()]:
            if user in plan.steps[item.step].nodes:
                return True
            if plan.slots[user].kind == "view":
                waiting.append(user)
    return False


def _may_end(plan: Plan, made: int, item: Piece | Product, between: Sequence[Piece | Product]) -> bool:
    """Whether a step is one loop over the elements of what was made before it, and may run where that is made."""
    nodes, step = plan.graph.nodes, plan.steps[item.step]
    if item.commits or not is_one_loop(plan, step):
        return False
    fits = all(nodes[i].operation in FOLDS or nodes[i].shape == nodes[made].shape for i in step.nodes)
    direct = not any(_reads(plan, item, user) for user in plan.graph.users[made] if plan.slots[user].kind == "view")
    return fits and direct and not any(each.touched.before(item.touched) for each in between)


_OFFSET = re.compile(r"OFFSET\((\d+)\)")
_BUFFER = re.compile(r"\bb(\d+)\b")
_ROWS = re.compile(r"\bn_b(\d+)\b")
_LOCAL = re.compile(r"\b([tvw])(\d+)\b")
_ARENA = re.compile(r"\ba_(\w+?)\b")


class _Kernels:
    """Collects kernels as functions of the places that they work on, so that layers of one shape share them."""

    def __init__(self, plan: Plan, guard: str) -> None:
        self._guard = guard
        self._dtypes = {i: node.dtype for i, node in plan.graph}
        self._names: dict[str, str] = {}

    @property
    def text(self) -> str:
        """The source of all kernels."""
        return "\n".join(rest.replace("NAME", name) for rest, name in self._names.items())

    def launches(self, group: list[Piece | Product]) -> list[Launch | Product]:
        """The launch of a kernel, or a product."""
        item = [piece for piece in group if isinstance(piece, Piece)]
        if not item:
            return [each for each in group if isinstance(each, Product)]
        body = "\n".join(side_by_side(item, self._guard))
        offsets = list(dict.fromkeys(_OFFSET.findall(body)))
        body = _OFFSET.sub(lambda found: f"o{offsets.index(found[1])}", body)
        rows = list(dict.fromkeys(int(i) for i in _ROWS.findall(body)))
        body = _ROWS.sub(lambda found: f"n{rows.index(int(found[1]))}", body)
        inputs = list(dict.fromkeys(int(i) for i in _BUFFER.findall(body)))
        body = _BUFFER.sub(lambda found: f"q{inputs.index(int(found[1]))}", body)
        locals_ = list(dict.fromkeys(found[1] for found in _LOCAL.findall(body)))
        body = _LOCAL.sub(lambda found: f"{found[1]}{locals_.index(found[2])}", body)
        views = [f"{TYPES[d]}* a_{d} = ({TYPES[d]}*)arena;" for d in dict.fromkeys(_ARENA.findall(body))]
        parameters = ["char* arena, int* state, bool* truths, char* scratch"]
        parameters += [f"{TYPES[self._dtypes[i]]}* q{k}" for k, i in enumerate(inputs)]
        parameters += [f"int64 n{k}" for k in range(len(rows))] + [f"int64 o{k}" for k in range(len(offsets))]
        bound = max(piece.threads for piece in item)
        blocks = item[0].blocks if len(item) == 1 else 1
        # Without the 1, registers are spilled to leave room for more blocks.
        bounds = f"{bound}, 1" if blocks == 1 or item[0].roomy else f"{bound}"
        head = f'extern "C" __global__ void __launch_bounds__({bounds}) NAME({", ".join(parameters)}) {{'
        shared = max(piece.shared for piece in item)
        memory = [f"__shared__ __align__(16) char shared[{shared}];"] if shared else []
        text = "\n".join([head, *indented([*memory, *views, *body.split("\n")]), "}"])
        name = self._names.setdefault(text, f"kernel{len(self._names)}")
        numbers = tuple(int(found) for found in offsets)
        inside = reduce(Touched.joined, (piece.touched for piece in item))
        return [Launch(name, blocks, bound, tuple(inputs), tuple(rows), numbers, item[0].step, inside)]
