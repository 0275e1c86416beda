"""What each decision saved: the plan beside the plan without it, and beside the plan of a naive backward pass."""

from __future__ import annotations

from dataclasses import dataclass

from nnkit.graph.ir import Graph
from nnkit.names import listed
from nnkit.plan.cost import node_flops
from nnkit.plan.planner import DECISIONS, Plan, closest, part_offset, plan
from nnkit.plan.rounding import WIDE, read_as


@dataclass(frozen=True, slots=True)
class Size:
    """How large a plan is, or how much larger one is than another."""

    kernels: int
    flops: int
    nbytes: int
    arena_bytes: int
    seconds: float

    def __sub__(self, other: Size) -> Size:
        return Size(
            self.kernels - other.kernels,
            self.flops - other.flops,
            self.nbytes - other.nbytes,
            self.arena_bytes - other.arena_bytes,
            self.seconds - other.seconds,
        )


def size(made: Plan) -> Size:
    """Kernels, FLOPs, bytes moved, arena and predicted seconds of one run."""
    cost = made.cost
    return Size(len(made.kernels) + len(made.copies), cost.flops, cost.nbytes, made.arena_bytes, cost.seconds)


def naive(made: Plan) -> Plan:
    """The same graph with every decision switched off."""
    return plan(made.source, made.target, tuple(DECISIONS))


def savings(made: Plan) -> dict[str, Size]:
    """For each decision of the plan, how much larger the plan is when it alone is switched off.

    A limit on memory holds for that plan too; where it cannot be met without the decision, the smallest plan counts.
    """
    whole = size(made)
    return {
        name: size(closest(made.source, made.target, (*made.disabled, name), made.memory_limit)) - whole
        for name in DECISIONS
        if name not in made.disabled
    }


def remarks(made: Plan) -> dict[str, str]:
    """What each decision did in this plan, in words."""
    graph, slots = made.graph, made.slots
    fused = [step for step in made.steps if len(step.nodes) > 1]
    folded = sum(
        bool(node.options.get(flag))
        for _, node in graph
        if node.operation == "matmul"
        for flag in ("transpose_a", "transpose_b")
    )
    joined = [
        part
        for i, node in graph
        if node.operation == "concat"
        for part in node.inputs
        if part_offset(graph, part, slots) >= slots[i].offset >= 0
    ]
    states = [graph.nodes[slot.ref].options["name"] for slot in slots.values() if slot.kind == "state"]
    whole = sum(slot.nbytes for slot in slots.values() if slot.kind == "arena")
    return {
        "drop_unused": _dropped(made.source),
        "merge_common": f"values that were there already: {made.removed.get('merge_common', 0)}",
        "simplify": f"values that need no work: {made.removed.get('simplify', 0)}",
        "round_products": _rounded(made),
        "factor_sums": _factored(_terms(made.source), _terms(graph)),
        "fold_transposes": f"transposes that became flags: {folded}",
        "fuse": f"passes: {len(fused)}, for {sum(len(step.nodes) for step in fused)} operations",
        "tile": f"passes that work in tiles: {sum(step.tile > 0 for step in made.steps)}",
        "join_gradients": f"gradients that are written to their place in the flat vector: {len(joined)}",
        "in_place": f"new values over old: {listed(states, 3) or 'none'}",
        "share": _shared(made),
        "recompute": _recomputed(made),
        "reuse_memory": f"{whole:,} bytes of values in {made.arena_bytes:,} bytes of memory",
    }


def _terms(graph: Graph) -> int:
    """How many numbers are added up in sums that are needed."""
    needed = graph.ancestors(graph.output.values())
    sums = (node for i, node in graph if i in needed and node.operation == "sum")
    return sum(graph.nodes[node.inputs[0]].size for node in sums)


def _factored(before: int, after: int) -> str:
    """How much less is added up, if it is less."""
    instead = f" instead of {before:,}" if after != before else ": there is no factor to take out of them"
    return f"sums over {after:,} numbers{instead}"


def _rounded(made: Plan) -> str:
    """How many products read what."""
    asked = made.target.products
    if asked == WIDE:
        return f"products are in {WIDE}"
    products = [node for _, node in made.graph if node.operation == "matmul"]
    narrow = sum(read_as(made.graph, node) == asked for node in products)
    return f"products that read {asked} and add up in {WIDE}: {narrow} of {len(products)}"


def _shared(made: Plan) -> str:
    if made.threads == 1:
        return "one thread does every step"
    return f"steps that {made.threads} threads divide among them: {sum(step.shared for step in made.steps)}"


def _recomputed(made: Plan) -> str:
    """How many values are computed again, and for how much more work."""
    if made.memory_limit is None:
        return "no memory limit: everything is kept"
    again = [step for step in made.steps if step.phase == "recompute"]
    if not again:
        return f"everything fits the limit of {made.memory_limit:,} bytes"
    flops = sum(step.cost.flops for step in again)
    share = flops / max(made.cost.flops - flops, 1)
    return f"{sum(len(step.nodes) for step in again)} values are computed again, for {share:.0%} more FLOP"


def _dropped(source: Graph) -> str:
    """The costliest value that nobody needs, by name."""
    needed = source.ancestors(source.output.values())
    unused = [i for i, node in source if i not in needed and node.operation not in ("input", "constant")]
    if not unused:
        return "nothing was recorded in vain"
    worst = max(unused, key=lambda i: node_flops(source, i))
    node = source.nodes[worst]
    extent = "×".join(map(str, node.shape)) or "one number"
    return f"{len(unused)} values, the largest {node.operation} of {extent} in {node.origin.path or 'the step'}"
