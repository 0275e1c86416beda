"""plan(graph, target): what to compute, in what order, fused with what, in which memory; pure data in and out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nnkit.graph.ir import Graph, describe
from nnkit.names import lookup
from nnkit.plan import recompute, rewrites
from nnkit.plan.checks import check_parts
from nnkit.plan.cost import Cost, group_cost
from nnkit.plan.extrema import compare_extrema
from nnkit.plan.gradients import narrow_gradients
from nnkit.plan.limit import MemoryLimitError
from nnkit.plan.passes import is_pass
from nnkit.plan.profile import Profile
from nnkit.plan.rounding import round_products
from nnkit.plan.schedule import GUARD, Schedule, schedule
from nnkit.plan.sharing import shared
from nnkit.plan.slopes import narrow_slopes
from nnkit.plan.step import Step
from nnkit.plan.storage import Copy, Slot, Storage, allocate, allocator
from nnkit.plan.sums import factor_sums
from nnkit.plan.target import Target

DECISIONS = {
    "drop_unused": "values that no output needs are not computed (the gradient of the input among them)",
    "merge_common": "equal operations on equal operands are computed once",
    "simplify": "arithmetic that changes nothing, repeated reshapes and known numbers are removed",
    "factor_sums": "a factor that the terms of a sum share is applied once; a sum that is known is not computed",
    "fold_transposes": "transposes become flags of the matrix product that reads them",
    "round_products": "where asked for, products read float16, bfloat16 or TF32, and add up in float32",
    "fuse": "elementwise operations of one shape, and what they need of each row, run as one pass over memory",
    "tile": "a fused pass works on pieces that fit the cache",
    "join_gradients": "parts of a joined array (the gradients of all parameters) are computed in their place in it",
    "in_place": "a result takes over the memory of an operand, or of the old state, that nobody reads afterwards",
    "share": "large steps are divided among the threads of the processor",
    "reuse_memory": "values whose lifetimes do not overlap share memory",
    "recompute": "under a memory limit, the cheapest values to compute again are not kept for the backward pass",
}


@dataclass(frozen=True)
class Plan:
    """What a backend compiles. The first ``computed`` steps write no state; the guard is read after them."""

    graph: Graph
    steps: tuple[Step, ...]
    threads: int
    computed: int
    slots: dict[int, Slot]
    arena_bytes: int
    copies: tuple[Copy, ...]
    target: Target
    disabled: frozenset[str]
    source: Graph = field(compare=False, repr=False)
    removed: Mapping[str, int] = field(compare=False, repr=False)
    memory_limit: int | None = None

    @property
    def kernels(self) -> tuple[Step, ...]:
        """The steps that do something: not the joining of parts that lie in their place already."""
        return tuple(step for step in self.steps if step.cost.nbytes or step.cost.flops)

    @property
    def unlike_kernels(self) -> int:
        """How many steps there are that differ in operations or shapes: each of them has to be compiled."""
        nodes = self.graph.nodes
        return len({tuple((nodes[i].operation, nodes[i].shape) for i in step.nodes) for step in self.steps})

    @property
    def guard(self) -> int | None:
        """Position of the value that allows the commit, if there is one."""
        return self.graph.output.get(GUARD)

    @cached_property
    def cost(self) -> Cost:
        """FLOPs, bytes and predicted seconds of one run."""
        moved = sum(2 * self.graph.nodes[copy.new].nbytes for copy in self.copies)
        call = len(self.copies) * self.target.call_s
        copied = Cost(0, moved, call + moved / self.target.bytes_per_s)
        return sum((step.cost for step in self.steps), copied)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that decides what the program computes and where."""
        text = f"{self.graph.fingerprint}{self.steps}{self.slots}{self.copies}{self.target.described()}"
        return hashlib.sha256(text.encode()).hexdigest()

    def __str__(self) -> str:
        lines = []
        for step in self.steps:
            lines += [f"{step.kernel} [{step.phase}] tile={step.tile}"]
            lines += [f"    %{i} = {describe(self.graph.nodes[i])} -> {self.slots[i]}" for i in step.nodes]
        return "\n".join(lines)


def plan(graph: Graph, target: Target, disable: Collection[str] = (), memory_limit: int | None = None) -> Plan:
    """The plan of a graph for a target; ``disable`` switches decisions off by name (see ``DECISIONS``).

    ``memory_limit`` is what the arena may take, in bytes: values of the forward pass are then computed again rather
    than kept, at the least predicted time; ``MemoryLimitError`` says what the least possible is.
    """
    made = closest(graph, target, disable, memory_limit)
    if memory_limit is not None and made.arena_bytes > memory_limit:
        raise MemoryLimitError(memory_limit, made.arena_bytes)
    return made


def closest(graph: Graph, target: Target, disable: Collection[str] = (), memory_limit: int | None = None) -> Plan:
    """The same, but where a limit cannot be met the smallest plan."""
    for name in disable:
        lookup("decision", name, DECISIONS)
    enabled = frozenset(DECISIONS) - frozenset(disable)
    if target.lanes > 1 and memory_limit is None:
        enabled -= {"reuse_memory"}
    rewritten, removed = _rewritten(graph, target, enabled)

    # Under a limit, forward and backward stay apart: what lies between them may be computed again.
    crosses = target.crosses and memory_limit is None

    def lay_out(ready: Graph) -> Plan:
        order = _order(ready, target, enabled, crosses)
        storage = allocate(ready, order, target, enabled)
        steps = _steps(ready, order, storage, target)
        threads, steps = shared(steps, target) if "share" in enabled else (1, steps)
        return Plan(
            ready,
            steps,
            threads,
            order.computed,
            storage.slots,
            storage.arena_bytes,
            storage.copies,
            target,
            frozenset(disable),
            graph,
            removed,
            memory_limit,
        )

    made = lay_out(rewritten)
    if memory_limit is None or made.arena_bytes <= memory_limit or "recompute" not in enabled:
        return made
    order = _order(rewritten, target, enabled, crosses)
    memory = allocator(rewritten, order, target, enabled)
    return recompute.within(made, Profile(rewritten, order, memory.run(), memory, target), lay_out, memory_limit)


def _order(graph: Graph, target: Target, enabled: frozenset[str], crosses: bool = False) -> Schedule:
    return schedule(graph, target, "fuse" in enabled, "fold_transposes" in enabled, crosses)


def _rewritten(graph: Graph, target: Target, enabled: frozenset[str]) -> tuple[Graph, dict[str, int]]:
    """The graph after all rewrites that are switched on, and how many values each of them removed."""
    passes = [
        ("drop_unused", rewrites.swept),
        ("merge_common", rewrites.merge_common),
        ("simplify", rewrites.simplify),
        ("merge_common", rewrites.merge_common),
        ("factor_sums", factor_sums),
        ("simplify", rewrites.simplify),
        ("merge_common", rewrites.merge_common),
        ("simplify", compare_extrema),
        ("fold_transposes", rewrites.fold_transposes),
    ]
    if "drop_unused" not in enabled:
        graph = rewrites.keep_unused(graph)
    removed = dict.fromkeys(enabled, 0)
    graph = rewrites.expand(graph, target)
    if target.lanes > 1:
        graph = check_parts(graph)
    last: dict[Callable[[Graph], Graph], Graph] = {}
    for name, apply in passes:
        if name in enabled and last.get(apply) is not graph:  # twice in a row is once
            before, graph = len(graph), apply(graph)
            last[apply] = graph
            removed[name] += before - len(graph)
    if "round_products" in enabled:
        graph = round_products(graph, target, lasting="reuse_memory" not in enabled)
        graph = narrow_gradients(narrow_slopes(graph, target), target)
    return rewrites.copy_old_states(graph), removed


def _steps(graph: Graph, order: Schedule, storage: Storage, target: Target) -> tuple[Step, ...]:
    joined = {i for i, node in graph if node.operation == "concat" and _all_in_place(graph, i, storage)}
    steps = []
    for number, (group, tile) in enumerate(zip(order.groups, storage.tiles, strict=True)):
        members = set(group)
        escaping = {i for i in group if i in graph.output.values() or any(u not in members for u in graph.users[i])}
        cost = Cost() if group[0] in joined else group_cost(graph, group, escaping, tile, target)
        kernel = "fused" if is_pass(graph, group) else graph.nodes[group[0]].operation
        phase = graph.nodes[group[0]].origin.phase.partition(" ")[0] if number < order.computed else "update"
        steps.append(Step(kernel, group, tile, phase, cost))
    return tuple(steps)


def _all_in_place(graph: Graph, i: int, storage: Storage) -> bool:
    """Whether every part of a concatenation is computed at its place, so that there is nothing to do."""
    offset = storage.slots[i].offset
    for part in graph.nodes[i].inputs:
        if part_offset(graph, part, storage.slots) != offset:
            return False
        offset += graph.nodes[part].nbytes
    return True


def part_offset(graph: Graph, i: int, slots: dict[int, Slot]) -> int:
    """Where in the arena a part of a concatenation lies, looking through reshapes; -1 if it lies elsewhere."""
    while slots[i].kind == "view" and graph.nodes[i].operation == "reshape":
        i = slots[i].ref
    return slots[i].offset if slots[i].kind == "arena" and not slots[i].tiled else -1
