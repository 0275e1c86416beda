"""Fused passes: elements of one shape in one loop, and rows in phases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

from nnkit.graph.dtypes import itemsize
from nnkit.graph.ir import Node
from nnkit.plan import Plan, Step
from nnkit.plan.look import Extents, Look, merged
from nnkit.plan.passes import is_elementwise, phases
from nnkit_cupy.source.pieces import ALLOWED, LONG, VECTORS, WIDTH, Lines, Piece, block, elements, indices, names, rows
from nnkit_cupy.source.registers import held, may_be_held
from nnkit_cupy.source.scalars import expression
from nnkit_cupy.source.types import TYPES

FOLDS = {"all": "true", "any": "false"}
"""Reductions to one truth that a pass does on its way, and what stands there before the step."""
AHEAD = 4
"""How many times as much a thread reads in a loop that writes nothing."""
SEGMENTS = ("parameter", "moment.")
"""How the inputs are called that begin a segment of the store."""
ROW_FOLDS = {"sum": "Sum", "max": "Max", "min": "Min"}


def fused(plan: Plan, step: Step, looks: Mapping[int, Look]) -> Piece:
    """One loop over the elements, or for each row one phase after the other by the threads of a block."""
    parts = phases(plan.graph, step.nodes)
    if len(parts) == 1:
        shape, at = _in_place(plan, parts[0], looks)
        width = _width(plan, shape, at)
        if width:
            return _vectors(plan, parts[0], shape, at, looks, width)
        return elements(prod(shape), [*indices(shape), *_body(plan, parts[0], at, names(len(shape)), looks)])
    outer, inner = looks[step.nodes[0]].shape[0], prod(looks[step.nodes[0]].shape[1:])
    if may_be_held(plan, parts, looks):
        return rows(outer, inner, held(plan, parts, looks))
    lines: Lines = []
    for part in parts:
        node = plan.graph.nodes[part[0]]
        lines += _phase(plan, part, looks) if is_elementwise(node) else _row_fold(plan, part[0], looks)
        lines.append("MEET;")
    return rows(outer, inner, lines)


def is_one_loop(plan: Plan, step: Step) -> bool:
    """Whether it is a pass over elements of one shape, without rows that are folded in between."""
    return step.kernel == "fused" and len(phases(plan.graph, step.nodes)) == 1


def _in_place(plan: Plan, part: tuple[int, ...], looks: Mapping[int, Look]) -> tuple[Extents, dict[int, Look]]:
    """The shape of the loop over a part, and the looks of its values in memory as the loop goes over them."""
    shape, values = looks[part[0]].shape, _in_memory(plan, part, looks)
    loops, placed = merged(shape, [looks[i].spread(shape) for i in values])
    return loops, dict(zip(values, placed, strict=True))


def _width(plan: Plan, shape: Extents, at: Mapping[int, Look]) -> int:
    """How many elements a long loop goes over at a time, if it can: large arrays are then read and written sooner.

    Sixteen bytes of the widest of them, which are eight where all are halves.
    """
    if not shape or prod(shape) < LONG:
        return 0
    full = [i for i, look in at.items() if not look.text and look.strides[-1]]
    largest = max((itemsize(plan.graph.nodes[i].dtype) for i in full), default=0)
    widths = (2 * WIDTH, WIDTH) if largest == 2 else (WIDTH,)
    return next((width for width in widths if _in_vectors(plan, shape, {i: at[i] for i in full}, width)), 0)


def _in_vectors(plan: Plan, shape: Extents, full: Mapping[int, Look], width: int) -> bool:
    """Whether all of these can be read and written so many elements at a time."""
    if len(shape) > 1 and shape[-1] % width:
        return False
    whole = all(width * itemsize(plan.graph.nodes[i].dtype) in VECTORS for i in full)
    return whole and all(
        look.strides[-1] == 1
        and all(stride % width == 0 for stride in (look.offset, *look.strides[:-1]))
        and aligned(plan, look)
        for look in full.values()
    )


def aligned(plan: Plan, look: Look) -> bool:
    """Whether a value's buffer begins at an address for vectors, as the arena, data and whole segments do."""
    if look.buffer.startswith("a_"):
        return True
    node = plan.graph.nodes[int(look.buffer[1:])]
    options = node.options
    return node.operation != "input" or options["role"] == "data" or options["name"].startswith(SEGMENTS)


def _vectors(
    plan: Plan, part: tuple[int, ...], shape: Extents, at: Mapping[int, Look], looks: Mapping[int, Look], width: int
) -> Piece:
    """So many elements in a row: read together, computed each, and written together; what is left over one by one."""
    nodes, members = plan.graph.nodes, set(part)
    index = [*names(len(shape) - 1), "j"]
    first: Lines = []
    lines: Lines = []
    known: dict[int, str] = {}

    def vector(i: int) -> str:
        return VECTORS[width * itemsize(nodes[i].dtype)]

    for i, look in at.items():
        kind = TYPES[nodes[i].dtype]
        if look.text:
            continue
        if not look.strides[-1]:
            # One number for all is read before the loop: nobody writes it, which a compiler cannot know.
            (first if not any(look.strides) else lines).append(f"const {kind} v{i} = {look.at(index)};")
            known[i] = f"v{i}"
        elif i not in members:
            lines.append(f"{kind} w{i}[{width}]; nn_read<{vector(i)}>(w{i}, &{look.at(index)});")
            known[i] = f"w{i}[u]"
        else:
            lines.append(f"{kind} w{i}[{width}];")
    stored = [i for i in at if i in members]
    told = [] if stored else [i for i in part if nodes[i].operation in FOLDS]
    read = {i: look for i, look in at.items() if i not in members}
    body = _body(plan, part, read, ["u"], looks, known, told)
    body += [f"w{i}[u] = v{i};" for i in stored]
    lines += ["#pragma unroll", *block(f"for (int u = 0; u < {width}; u++)", body)]
    lines += [f"{ALLOWED}nn_write<{vector(i)}>(&{at[i].at(index)}, w{i});" for i in stored]
    wide = (*shape[:-1], shape[-1] // width)
    places = [*indices(wide), f"const int64 j = {width} * i{len(shape) - 1};"]
    piece = replace(elements(prod(wide), [*places, *lines]), late=True, work=prod(shape))
    if told:
        piece = _told_at_last(plan, piece, told, looks)
    piece = replace(piece, lines=[*first, *piece.lines])
    rest = shape[-1] % width
    if not rest:
        return piece
    last = _body(plan, part, at, [f"({shape[-1] - rest} + u)"], looks)
    left = block(f"if (BID == 0) for (int u = TID; u < {rest}; u += THREADS)", last)
    return replace(piece, lines=[*piece.lines, *left])


def _told_at_last(plan: Plan, piece: Piece, told: Sequence[int], looks: Mapping[int, Look]) -> Piece:
    """A loop that writes nothing, so that threads, which have more to do then, read ahead; what they saw comes last."""
    before = [*(f"bool t{i} = false;" for i in told), f"#pragma unroll {AHEAD}"]
    after = [_told(plan.graph.nodes[i], f"t{i}", looks[i]) for i in told]
    return replace(piece, lines=[*before, *piece.lines, *after], blocks=-(-piece.blocks // AHEAD))


def ending(plan: Plan, made: int, part: tuple[int, ...], looks: Mapping[int, Look], index: Lines) -> Lines:
    """What a pass does with the element ``found``, at an index, of the value that was made before it."""
    shape = looks[part[0]].shape
    at = {i: looks[i].spread(shape) for i in _in_memory(plan, part, looks)}
    inside = any(user not in part for user in plan.graph.users[made]) or made in plan.graph.output.values()
    kept = [f"{looks[made].at(index)} = found;"] if inside else []
    return kept + _body(plan, part, at, index, looks, {made: "found"})


def _in_memory(plan: Plan, part: tuple[int, ...], looks: Mapping[int, Look]) -> list[int]:
    """The values of a part that it reads from outside, and those that it stores: what only it reads is a variable."""

    def stored(i: int) -> bool:
        return not plan.slots[i].tiled or looks[i].buffer == "truths"

    nodes, members = plan.graph.nodes, set(part)
    outer = [o for o in dict.fromkeys(o for i in part for o in nodes[i].inputs) if o not in members]
    return outer + [i for i in part if stored(i) and nodes[i].operation not in FOLDS]


def _body(
    plan: Plan,
    part: tuple[int, ...],
    at: Mapping[int, Look],
    index: Lines,
    looks: Mapping[int, Look],
    known: Mapping[int, str] | None = None,
    told: Sequence[int] = (),
) -> Lines:
    """The code of the element at an index; ``at`` has the looks of the values in memory.

    Those that are ``known`` stand in code already; of folds that are ``told`` later it is remembered what was seen.
    """
    nodes = plan.graph.nodes
    outer = [o for o in at if o not in part]
    read = [o for o in outer if not at[o].text and o not in (known or {})]
    lines = [f"const {TYPES[nodes[o].dtype]} v{o} = {at[o].at(index)};" for o in read]
    local = {o: at[o].text or f"v{o}" for o in outer} | {i: f"v{i}" for i in part} | dict(known or {})
    for i in part:
        node = nodes[i]
        if node.operation in FOLDS:
            seen = _unusual(node, local[node.inputs[0]])
            lines.append(f"t{i} |= {seen};" if i in told else _told(node, seen, looks[i]))
            continue
        types = [nodes[o].dtype for o in node.inputs]
        lines.append(f"const {TYPES[node.dtype]} v{i} = {expression(node, [local[o] for o in node.inputs], types)};")
        if i in at:
            lines.append(f"{ALLOWED}{at[i].at(index)} = v{i};")
    return lines


def _unusual(node: Node, value: str) -> str:
    """What decides a fold to one truth."""
    return f"!{value}" if node.operation == "all" else value


def _told(node: Node, seen: str, out: Look) -> str:
    """Whoever has seen what decides the fold writes it down; before the step it stands as if nobody had."""
    return f"if ({seen}) {out.at(['0'] * len(out.shape))} = {'false' if node.operation == 'all' else 'true'};"


def _phase(plan: Plan, part: tuple[int, ...], looks: Mapping[int, Look]) -> Lines:
    """The elements of row r: the first axis is the row, the others are divided among the threads."""
    shape = looks[part[0]].shape
    whole = {i: looks[i].spread(shape) for i in _in_memory(plan, part, looks)}
    within, placed = merged(shape[1:], [_of_row(look) for look in whole.values()])
    at = {i: _with_row(look, whole[i]) for i, look in zip(whole, placed, strict=True)}
    body = _body(plan, part, at, ["r", *names(len(within))], looks)
    return block(f"for (int i = LANE; i < {prod(within)}; i += WIDTH)", [*indices(within), *body])


def _of_row(look: Look) -> Look:
    return Look(look.buffer, look.offset, look.shape[1:], () if look.text else look.strides[1:], look.text)


def _with_row(look: Look, whole: Look) -> Look:
    strides = () if look.text else (whole.strides[0], *look.strides)
    return Look(look.buffer, look.offset, (1, *look.shape), strides, look.text)


def _row_fold(plan: Plan, i: int, looks: Mapping[int, Look]) -> Lines:
    """Row r, or each row along the last axis of it, into one number, by all threads of the block."""
    node = plan.graph.nodes[i]
    x, out = looks[node.inputs[0]], looks[i]
    between = x.shape[1:-1]
    index = ["r", *names(len(between), 1)]
    place = out.at([*index, "0"] if node.options["keepdims"] else index)
    fold, kind = ROW_FOLDS[node.operation], TYPES[node.dtype]
    first = f"({kind})0" if node.operation == "sum" else f"({kind}){x.at([*index, '0'])}"
    one = f"found = {fold}<{kind}>::of(found, ({kind}){x.at([*index, 'k'])});"
    body = [
        *indices(between, "s", 1),
        f"{kind} found = {first};",
        f"for (int k = LANE; k < {x.shape[-1]}; k += WIDTH) {one}",
        f"found = FOLD<{kind}, {fold}>(found);",
        f"if (LANE == 0) {place} = found;",
    ]
    return block(f"for (int s = 0; s < {prod(between)}; s++)", body)
