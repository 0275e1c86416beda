"""Which nodes of a plan are bias, ReLU, its derivative and the gradient of a bias, beside a product of halves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from nnkit.graph.ir import Graph
from nnkit.plan.rounding import followed, has_zero
from nnkit_cupy.source.types import HALVES


class Layer(NamedTuple):
    """A product, and the nodes that add a bias, cut off at zero and round to halves, which are the last of them."""

    product: int
    members: tuple[int, ...]
    bias: int
    """As halves, and as it is added."""
    wide: int


class Slopes(NamedTuple):
    """A product, and the nodes that keep of it what belongs to numbers of a value above zero, and round it."""

    product: int
    members: tuple[int, ...]
    of: int


class Gradient(NamedTuple):
    """The product that is the gradient of weights, and that of the bias: the sum over the rows of its right operand,
    and its rounding where that of the weights is rounded."""

    product: int
    members: tuple[int, ...]


def layers(graph: Graph) -> Iterator[Layer]:
    """Each that is followed by another product of halves, or by whoever else reads it as halves alone."""
    for i in _products(graph):
        chain = followed(graph, i, ("add", "maximum", "astype"))
        if not chain:
            continue
        added, cut, made = (graph.nodes[k] for k in chain)
        bias = _made_of(graph, added.inputs[added.inputs[0] == i], ("astype",))
        relu = has_zero(graph, cut.inputs) and made.dtype in HALVES
        if relu and bias and graph.nodes[bias[1]].dtype == made.dtype:
            yield Layer(i, chain, *reversed(bias))


def slopes(graph: Graph) -> Iterator[Slopes]:
    """Those of layers with ReLU."""
    for i in _products(graph):
        chain = followed(graph, i, ("multiply", "astype"))
        if not chain or graph.nodes[chain[-1]].dtype not in HALVES:
            continue
        passed = graph.nodes[chain[0]]
        mask = _made_of(graph, passed.inputs[passed.inputs[0] == i], ("astype", "greater", "astype"))
        if not mask or not has_zero(graph, graph.nodes[mask[1]].inputs[1:]):
            continue
        *members, of = mask
        if graph.nodes[of].shape == graph.nodes[i].shape and only(graph, (*reversed(members), chain[0])):
            yield Slopes(i, (*members, *chain), of)


def gradients(graph: Graph) -> Iterator[Gradient]:
    """Those of layers with a bias."""
    for i, node in enumerate(graph.nodes):
        one_row = node.operation == "sum" and node.dtype == "float32" and node.options["axis"] == (0,)
        if not one_row or len(node.shape) != 1 or graph.nodes[node.inputs[0]].dtype not in HALVES:
            continue
        for user in graph.users[node.inputs[0]]:
            product = graph.nodes[user]
            right = product.operation == "matmul" and product.inputs[1] == node.inputs[0] != product.inputs[0]
            members = (i, *(followed(graph, i, ("astype",)) if product.dtype in HALVES else ()))
            fits = product.shape[-1:] == node.shape and graph.nodes[members[-1]].dtype == product.dtype
            if right and fits and not product.options.get("transpose_b"):
                yield Gradient(user, members)
                break


def only(graph: Graph, chain: Sequence[int]) -> bool:
    """Whether each of these is read by the next one alone."""
    return all(graph.users[i] == (user,) and i not in graph.output.values() for i, user in pairwise(chain))


def _products(graph: Graph) -> Iterator[int]:
    return (i for i, node in graph if node.operation == "matmul" and node.dtype == "float32")


def _made_of(graph: Graph, i: int, operations: Sequence[str]) -> tuple[int, ...]:
    """A value and what it is made of, by these operations on one another; none if it is not."""
    found = [i]
    for operation in operations:
        if graph.nodes[found[-1]].operation != operation:
            return ()
        found.append(graph.nodes[found[-1]].inputs[0])
    return tuple(found)
