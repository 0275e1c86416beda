"""The heart: tracing code written against the Array API standard into graphs, differentiating and interpreting them."""

from nnkit.graph.differentiate import differentiate, gradients
from nnkit.graph.interpret import interpret
from nnkit.graph.ir import Graph, Node, Origin
from nnkit.graph.tracing import Trace, TracedArray

__all__ = ["Graph", "Node", "Origin", "Trace", "TracedArray", "differentiate", "gradients", "interpret"]
