"""The table of primitives, one row each, by family."""

from nnkit.graph.primitives import creation, elementwise, indexing, linalg, random, reduction, shape
from nnkit.graph.primitives.table import PRIMITIVES, Primitive, Type

__all__ = ["PRIMITIVES", "Primitive", "Type"]

FAMILIES = (creation, elementwise, indexing, linalg, random, reduction, shape)
