"""Where a value lives: in an input, as a view, in the arena by lifetime, or over a state whose last reader has run."""

from __future__ import annotations

from dataclasses import dataclass, field

from nnkit.graph.ir import Graph, Node
from nnkit.plan.passes import goes_along, is_elementwise, phases, space
from nnkit.plan.schedule import Schedule
from nnkit.plan.target import Target
from nnkit.plan.tiles import pieces, tile


@dataclass(frozen=True, slots=True)
class Slot:
    """``kind`` is 'input', 'constant', 'view' (of ``ref``), 'arena' (at ``offset``) or 'state' (over input ``ref``).

    ``tiled`` marks a value that exists one tile at a time: its slot holds one tile.
    """

    kind: str
    ref: int = -1
    offset: int = 0
    nbytes: int = 0
    tiled: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """At the end, the value ``new`` goes into the input ``state``.

    States that exchange values go through the arena first, all of them before the first is written, at offset ``stage``
    (-1: not needed).
    """

    state: int
    new: int
    stage: int


@dataclass(frozen=True, slots=True)
class Storage:
    """Slots by node, the size of the arena, the tile of each group (0: all at once), and what is copied at the end."""

    slots: dict[int, Slot]
    arena_bytes: int
    tiles: tuple[int, ...]
    copies: tuple[Copy, ...]


@dataclass(slots=True)
class _Block:
    """A piece of the arena in the making."""

    nbytes: int
    first: int
    last: int
    offset: int = 0
    inside: tuple[int, int] | None = None  # (root of the enclosing block, offset within it)


@dataclass(slots=True)
class Allocator:
    """Assigns slots for one schedule. ``join``, ``in_place`` and ``reuse`` are the decisions of these names."""

    graph: Graph
    schedule: Schedule
    target: Target
    join: bool
    in_place: bool
    reuse: bool
    tile: bool
    order: dict[int, int] = field(default_factory=dict)
    span: dict[int, tuple[int, int]] = field(default_factory=dict)
    part_of: dict[int, tuple[int, int]] = field(default_factory=dict)
    tiles: list[int] = field(default_factory=list)
    blocks: dict[int, _Block] = field(default_factory=dict)
    alias: dict[int, int] = field(default_factory=dict)
    over: dict[int, int] = field(default_factory=dict)
    parts: dict[int, list[int]] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    end: int = 0

    def run(self) -> Storage:
        """All slots."""
        self._number()
        self.tiles = [self._tile(group) for group in self.schedule.groups]
        self.ends = {self.order[i]: self.span[i][1] for i in self.order if self._tiled(i)}
        if self.in_place:
            self._write_over_states()
        self._lifetimes()
        if self.join:
            self._join_concatenations()
        if self.in_place:
            self._reuse_dying_operands()
        size = self._assign()
        copies = []
        for state, new in self.graph.state.items():
            if self._needs_copy(state, new):
                exchanged = self.graph.nodes[self.root(new)].operation == "input"
                copies.append(Copy(state, new, size if exchanged else -1))
                size += self._padded(self.graph.nodes[new].nbytes) if exchanged else 0
        groups = zip(self.schedule.groups, self.tiles, strict=True)
        tiles = tuple(pieces(self.graph, group, rows, self.target) for group, rows in groups)
        return Storage({i: self._slot(i) for i in range(len(self.graph))}, size, tiles, tuple(copies))

    # -- order and readers

    def _number(self) -> None:
        step = 0
        for number, group in enumerate(self.schedule.groups):
            for i in group:
                self.order[i] = step
                step += 1
            for place, part in enumerate(phases(self.graph, group)):
                self.part_of |= dict.fromkeys(part, (number, place))
        for group in self.schedule.groups:
            for i in group:
                self.span[i] = (self.order[group[0]], self.order[group[-1]])
        self.end = step

    def root(self, i: int) -> int:
        """The value whose memory a view looks at."""
        while i in self.schedule.views:
            i = self.graph.nodes[i].inputs[0]
        return i

    def _tiled(self, i: int) -> bool:
        return i in self.part_of and self.tiles[self.part_of[i][0]] > 0

    def _reads(self, i: int) -> list[tuple[int, bool]]:
        """(when, whether as itself, row by row) of every read of a value, also through views."""
        found, waiting = [], [(i, True)]
        while waiting:
            value, direct = waiting.pop()
            for user in self.graph.users[value]:
                if user in self.schedule.views:
                    waiting.append((user, False))
                elif user in self.order:
                    group = self.schedule.groups[self.part_of[user][0]]
                    along = direct and (not self._tiled(user) or goes_along(self.graph, group, user, value))
                    late = self._tiled(user) and not along
                    found.append((self.span[user][1] if late else self.order[user], along))
        return found

    def _outlives(self, i: int) -> bool:
        """Whether a value, or a view of it, is an output that must be there after the last step."""
        return any(self.root(o) == i and not (o == i and i in self.over) for o in self.graph.output.values())

    # -- tiles

    def _tile(self, group: tuple[int, ...]) -> int:
        members = set(group)
        kept = [i for i in group if self._outlives(i) or any(u not in members for u in self.graph.users[i])]
        return tile(self.graph, group, kept, self.target, self.tile)

    # -- states

    def _write_over_states(self) -> None:
        """A new state is written over the old one when every reader of the old one has run.

        Where steps run side by side, a number is copied at the end: so a pass that computes it, and what others wait
        for, need not wait for the guard.
        """
        taken: set[int] = set()
        committed = {i for group in self.schedule.groups[self.schedule.computed :] for i in group}
        for state, new in self.graph.state.items():
            node = self.graph.nodes[new]
            fits = new in committed and is_elementwise(node) and (node.shape, node.dtype) == self._type(state)
            fits = fits and (state in _spare(node) or state not in node.inputs)
            fits = fits and (self.target.lanes == 1 or node.size > 1)
            now = self.order.get(new, -1)
            free = all(when < now or (when == now and direct) for when, direct in self._reads(state))
            if fits and free and new not in taken and not self._outlives(state):
                self.over[new] = state
                taken.add(new)

    def _type(self, i: int) -> tuple[object, str]:
        return self.graph.nodes[i].shape, self.graph.nodes[i].dtype

    def _needs_copy(self, state: int, new: int) -> bool:
        return new != state and self.over.get(new) != state

    # -- lifetimes

    def _lifetimes(self) -> None:
        for i in self.order:
            if i in self.over:
                continue
            reads = [when for when, _ in self._reads(i)]
            escapes = self._outlives(i) or i in self.graph.output.values()
            last = self.end if escapes else max(reads, default=self.order[i])
            self.blocks[i] = self._block(i, last)

    def _block(self, i: int, last: int) -> _Block:
        first, final = self.span[i]
        if not self._tiled(i):
            return _Block(self._padded(self.graph.nodes[i].nbytes), self.order[i], self._until(last))
        if last <= final and self._passes(i):  # lives inside one tiled group: one tile of memory
            return _Block(self._tile_bytes(i), self.order[i], last)
        return _Block(self._padded(self.graph.nodes[i].nbytes), first, self._until(last))

    def _passes(self, i: int) -> bool:
        """Whether no more is needed of a value within its pass than a tile. Those of rows are few and kept."""
        if self.target.loops:  # a tile is one number
            return all(self.part_of.get(user) == self.part_of[i] for user in self.graph.users[i])
        return self.graph.nodes[i].shape == space(self.graph, self.schedule.groups[self.part_of[i][0]])

    def _tile_bytes(self, i: int) -> int:
        node = self.graph.nodes[i]
        rows = node.shape[0] or 1
        return 0 if self.target.loops else self._padded(node.nbytes // rows * self.tiles[self.part_of[i][0]])

    def _until(self, last: int) -> int:
        """Readers in a tiled group come back for every tile: the value lives until the group's end."""
        return self.ends.get(last, last)

    def _padded(self, nbytes: int) -> int:
        unit = self.target.alignment
        return max(1, -(-nbytes // unit)) * unit

    def _whole(self, i: int) -> bool:
        """Whether the value has its own block of full size."""
        return i in self.blocks and self.blocks[i].nbytes >= self.graph.nodes[i].nbytes and i not in self.alias

    # -- joining

    def _join_concatenations(self) -> None:
        """The parts of a concatenation along the first axis are computed at their place in it."""
        for i, node in self.graph:
            if node.operation != "concat" or node.options["axis"] != 0 or i not in self.blocks:
                continue
            if any(self.graph.nodes[part].dtype != node.dtype for part in node.inputs):
                continue
            offset = 0
            for part in node.inputs:
                if self._may_join(part):
                    block, own = self.blocks[self.root(part)], self.blocks[i]
                    block.inside = (i, offset)
                    self.parts.setdefault(i, []).append(self.root(part))
                    own.first = min(own.first, block.first)
                    own.last = max(own.last, block.last)
                offset += self.graph.nodes[part].nbytes

    def _may_join(self, part: int) -> bool:
        root = self.root(part)
        viewed = part
        while viewed in self.schedule.views:
            if self.graph.nodes[viewed].operation != "reshape":
                return False
            viewed = self.graph.nodes[viewed].inputs[0]
        return self._whole(root) and self.blocks[root].inside is None and root not in self.graph.output.values()

    # -- in place

    def _reuse_dying_operands(self) -> None:
        """An elementwise result takes over the memory of an operand that nobody reads afterwards."""
        for i in sorted(self.order, key=self.order.__getitem__):
            node = self.graph.nodes[i]
            if i not in self.blocks or not is_elementwise(node) or self.blocks[i].inside is not None:
                continue
            for operand in _spare(node):
                if self._may_take_over(i, operand):
                    holder = self.alias.get(operand, operand)
                    self.alias[i] = holder
                    block = self.blocks[holder]
                    block.first = min(block.first, self.blocks[i].first)
                    block.last = max(block.last, self.blocks[i].last)
                    break

    def _may_take_over(self, i: int, operand: int) -> bool:
        if operand not in self.blocks or self._type(operand) != self._type(i) or self._outlives(operand):
            return False
        holder = self.alias.get(operand, operand)
        block = self.blocks[holder]
        if block.inside is not None or block.nbytes != self.blocks[i].nbytes or operand in self.graph.output.values():
            return False  # a tile never moves into whole memory: it would leave the cache
        if any(self.blocks[part].last >= self.order[i] for part in self.parts.get(holder, ())):
            return False  # a part of a joined array may be read on its own after the whole
        reads = self._reads(operand)
        return all(when < self.order[i] or (when == self.order[i] and direct) for when, direct in reads)

    # -- addresses

    def _assign(self) -> int:
        """Offsets, largest block first, each at the lowest place that is free during its life."""
        placed: list[_Block] = []
        top = 0
        own = [b for i, b in self.blocks.items() if i not in self.alias and b.inside is None]
        for block in sorted(own, key=lambda b: (-b.nbytes, b.first)):
            if self.reuse:
                block.offset = _lowest_gap(block, placed)
                placed.append(block)
            else:
                block.offset = top
            top = max(top, block.offset + block.nbytes)
        return top

    def _slot(self, i: int) -> Slot:
        node = self.graph.nodes[i]
        if node.operation == "input":
            return Slot("input")
        if node.operation in ("constant", "arange"):
            return Slot("constant")
        if i in self.schedule.views:
            return Slot("view", ref=node.inputs[0])
        if i in self.over:
            return Slot("state", ref=self.over[i])
        block, offset = self.blocks[self.alias.get(i, i)], 0
        tiled = block.nbytes < node.nbytes
        nbytes = min(block.nbytes, node.nbytes)
        while block.inside is not None:
            whole, start = block.inside
            block, offset = self.blocks[whole], offset + start
        return Slot("arena", offset=block.offset + offset, nbytes=nbytes, tiled=tiled)


def _spare(node: Node) -> tuple[int, ...]:
    """Operands whose memory the result may take: of a selection only the last, with whose copy it begins."""
    if node.operation == "where":
        return () if node.inputs[2] in node.inputs[:2] else node.inputs[2:]
    return node.inputs


def _lowest_gap(block: _Block, placed: list[_Block]) -> int:
    rivals = sorted((b for b in placed if b.first <= block.last and block.first <= b.last), key=lambda b: b.offset)
    offset = 0
    for rival in rivals:
        if offset + block.nbytes <= rival.offset:
            break
        offset = max(offset, rival.offset + rival.nbytes)
    return offset


def allocate(graph: Graph, schedule: Schedule, target: Target, enabled: frozenset[str]) -> Storage:
    """Slots for every value under the decisions that are switched on."""
    return allocator(graph, schedule, target, enabled).run()


def allocator(graph: Graph, schedule: Schedule, target: Target, enabled: frozenset[str]) -> Allocator:
    """What assigns the slots, and knows when each block of memory is in use."""
    return Allocator(
        graph,
        schedule,
        target,
        join="join_gradients" in enabled,
        in_place="in_place" in enabled,
        reuse="reuse_memory" in enabled,
        tile="tile" in enabled,
    )
