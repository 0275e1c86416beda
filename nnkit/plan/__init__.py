"""Plans: the decisions that turn the graph of a whole training step into kernels, an order and memory."""

from nnkit.plan.cost import Cost
from nnkit.plan.planner import DECISIONS, Plan, plan
from nnkit.plan.step import Step
from nnkit.plan.storage import Copy, Slot
from nnkit.plan.target import Target

__all__ = ["DECISIONS", "Copy", "Cost", "Plan", "Slot", "Step", "Target", "plan"]
