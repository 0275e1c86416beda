"""Halves with rows of odd lengths, stored by columns: scores of ten classes, their slopes and their weights.

Tensor cores read eight halves at a time. Where a row has ten of them, but a column some multiple of eight, products
read whole columns.
"""

from __future__ import annotations

from nnkit.plan import Plan
from nnkit.plan.look import Look, fixed
from nnkit.plan.rounding import UNIT
from nnkit_cupy.source.types import HALVES


def by_columns(plan: Plan, looks: dict[int, Look]) -> dict[int, Look]:
    """The looks of a plan, with such halves stored so."""
    return looks | {i: _turned(look) for i, look in looks.items() if _is_odd(plan, i)}


def _is_odd(plan: Plan, i: int) -> bool:
    node, slot = plan.graph.nodes[i], plan.slots[i]
    if node.operation != "astype" or node.dtype not in HALVES or slot.kind != "arena" or slot.tiled:
        return False
    shape, users = fixed(node.shape), plan.graph.users[i]
    odd = len(shape) == 2 and shape[1] % UNIT != 0 and shape[0] % UNIT == 0
    inside = all(plan.graph.nodes[user].operation in ("matmul", "sum") for user in users)
    return odd and inside and i not in plan.graph.output.values()


def _turned(look: Look) -> Look:
    return Look(look.buffer, look.offset, look.shape, (1, look.shape[0]))
