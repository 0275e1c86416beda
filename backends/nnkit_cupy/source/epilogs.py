"""What follows a product of halves, done by the library as it writes the result: a bias, ReLU and rounding.

Between two layers with ReLU nothing is then in float32. The library also has epilogs for the derivative of ReLU and the
gradient of a bias, but runs them as kernels of their own, which take several times as long as a pass of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from nnkit.graph.ir import Graph
from nnkit.plan import Plan
from nnkit.plan.look import Look
from nnkit.plan.rounding import UNIT, followed, has_zero
from nnkit_cupy.source.order import Region, Touched, region, touched
from nnkit_cupy.source.passes import fused, is_one_loop
from nnkit_cupy.source.pieces import Piece, Product
from nnkit_cupy.source.types import HALVES

Items = list[Piece | Product]


class Layer(NamedTuple):
    """A product, and the nodes that add a bias, cut off at zero and round to halves, which are the last of them."""

    product: int
    members: tuple[int, ...]
    bias: int
    """As halves, and as it is added."""
    wide: int


class Epilogs:
    """Puts such calls in the place of products and passes of a plan, where the library ``may`` do so."""

    def __init__(
        self, plan: Plan, looks: dict[int, Look], elsewhere: Mapping[int, Look], may: Callable[[Product], bool]
    ) -> None:
        self.plan, self._graph, self._looks, self._elsewhere = plan, plan.graph, looks, elsewhere
        self._may = may

    def taken(self, items: Items) -> Items:
        """The items of a step with these calls; ``plan`` has the passes as they are then, without what these do."""
        found = list(items)
        for layer in layers(self._graph):
            if self._replaced(found, layer):
                self._drop_wide(found, layer)
        return found

    def _replaced(self, items: Items, layer: Layer) -> bool:
        """Put the call in the place of the product, and leave of the pass what else it does; whether that can be."""
        at, other = self._place(items, layer.product), self._place(items, layer.members[-1])
        beside = self._region(layer.bias)
        if at is None or other is None or other < at or not beside:
            return False
        product, passed = items[at], items[other]
        if not isinstance(product, Product) or not isinstance(passed, Piece) or passed.commits:
            return False
        step = self.plan.steps[passed.step]
        if not is_one_loop(self.plan, step):
            return False
        made, bias = self._looks[layer.members[-1]], self._looks[layer.bias]
        inside = Touched((*product.touched.reads, *beside), self._region(layer.members[-1]))
        call = replace(product, out=made, written=product.read, bias=bias, touched=inside)
        if not _fits(call, bias) or not set(step.nodes).issuperset(layer.members):
            return False
        between = any(each.touched.before(inside) for each in items[at + 1 : other])
        if between or inside.overwritten(inside) or not self._may(call):
            return False
        items[at] = call
        rest = tuple(i for i in step.nodes if i not in layer.members)
        self._leave(passed.step, rest)
        if rest:
            left = fused(self.plan, self.plan.steps[passed.step], self._looks)
            items[other] = replace(left, step=passed.step, touched=touched(self.plan, rest, self._elsewhere))
        else:
            del items[other]
        return True

    def _drop_wide(self, items: Items, layer: Layer) -> None:
        """Nobody reads the bias as it was added, if it was for this sum alone."""
        at = self._place(items, layer.wide)
        unread = self._graph.users[layer.wide] == layer.members[:1] and layer.wide not in self._graph.output.values()
        if at is not None and unread and self.plan.steps[items[at].step].nodes == (layer.wide,):
            del items[at]

    def _leave(self, number: int, nodes: tuple[int, ...]) -> None:
        """Nothing but these nodes in a step."""
        steps = list(self.plan.steps)
        steps[number] = replace(steps[number], nodes=nodes)
        self.plan = replace(self.plan, steps=tuple(steps))

    def _place(self, items: Items, i: int) -> int | None:
        """Where the step of a node is done."""
        return next((at for at, item in enumerate(items) if i in self.plan.steps[item.step].nodes), None)

    def _region(self, i: int) -> tuple[Region, ...]:
        return region(self.plan, i, self._elsewhere)


def layers(graph: Graph) -> Iterator[Layer]:
    """Each that is followed by another product of halves, or by whoever else reads it as halves alone."""
    for i, node in graph:
        wide = node.operation == "matmul" and node.dtype == "float32"
        chain = followed(graph, i, ("add", "maximum", "astype")) if wide else ()
        if not chain:
            continue
        added, cut, made = (graph.nodes[k] for k in chain)
        bias = added.inputs[added.inputs[0] == i]
        halves = graph.nodes[bias].inputs[0] if graph.nodes[bias].operation == "astype" else bias
        relu = has_zero(graph, cut.inputs) and made.dtype in HALVES
        if relu and graph.nodes[halves].dtype == made.dtype:
            yield Layer(i, chain, halves, bias)


def _fits(call: Product, bias: Look) -> bool:
    """Whether the library can read and write everything sixteen bytes at a time."""
    even = all(look.buffer.startswith("a_") and look.offset % UNIT == 0 for look in (call.a, call.b, call.out, bias))
    whole = call.out.contiguous and call.lengths[2] == call.n and call.count == 1
    return even and whole and call.read in HALVES and all(n % UNIT == 0 for n in call.lengths)
