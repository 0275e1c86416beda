"""What follows a product of halves, done by the library as it writes the result: bias, ReLU and their derivatives.

Between two layers with ReLU nothing is then in float32: x·w + b, ReLU and rounding are one call, which also leaves a
bit for each element that says whether it was above zero; and the slopes of the layer, which are 0 where it was not, and
their rounding are another. The bits stand where the product would have left its result, which nobody writes now. The
gradient of weights reads all slopes, so that it adds up those of each bias on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from nnkit.plan import Plan
from nnkit.plan.look import Look, fixed, steps
from nnkit.plan.rounding import UNIT
from nnkit_cupy.source.epilog_patterns import Gradient, Layer, Slopes, gradients, layers, only, slopes
from nnkit_cupy.source.mirrors import alone
from nnkit_cupy.source.order import Region, Touched, region, touched
from nnkit_cupy.source.passes import fused, is_one_loop
from nnkit_cupy.source.pieces import Epilog, Piece, Product
from nnkit_cupy.source.types import HALVES

ROW_BITS = 128
"""What the bits of a row are a multiple of."""
Items = list[Piece | Product]


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
        asked = {each.of for each in slopes(self._graph)}
        masks: dict[int, tuple[Epilog, int]] = {}
        for layer in layers(self._graph):
            made = layer.members[-1]
            epilog = self._epilog(layer, made in asked)
            if self._with_layer(found, layer, epilog) and epilog.mask is not None:
                masks[made] = (Epilog("slopes", mask=epilog.mask, bits=epilog.bits), layer.product)
        for each in slopes(self._graph):
            if each.of in masks:
                epilog, source = masks[each.of]
                self._replaced(found, each, epilog, Touched(self._region(source), self._region(each.members[-1])))
        for gradient in gradients(self._graph):
            self._with_sum(found, gradient)
        return found

    def _epilog(self, layer: Layer, asked: bool) -> Epilog:
        """The bias, and bits if somebody asks for them and there is memory that is for nothing else."""
        rows, columns = fixed(self._graph.nodes[layer.product].shape)[-2:]
        bits, slot = -(-columns // ROW_BITS) * ROW_BITS, self.plan.slots[layer.product]
        shape, bias = (rows, bits // 8), self._looks[layer.bias]
        if not asked or not alone(self.plan, layer.product) or rows * shape[1] > slot.nbytes:
            return Epilog("layer", bias)
        return Epilog("layer", bias, Look("a_uint8", slot.offset, shape, steps(shape)), bits)

    def _with_layer(self, items: Items, layer: Layer, epilog: Epilog) -> bool:
        """Bias, ReLU and rounding; then nobody reads the bias as it was added, if it was for this sum alone."""
        beside = () if epilog.mask is None else self._region(layer.product)
        reads, writes = self._region(layer.bias), (*self._region(layer.members[-1]), *beside)
        if not reads or not self._replaced(items, layer, epilog, Touched(reads, writes)):
            return False
        at = self._place(items, layer.wide)
        unread = only(self._graph, (layer.wide, layer.members[0]))
        if at is not None and unread and self.plan.steps[items[at].step].nodes == (layer.wide,):
            del items[at]
        return True

    def _with_sum(self, items: Items, gradient: Gradient) -> None:
        """The gradient of a bias, if its place is one for the library and nobody reads it before the product."""
        at, others = self._place(items, gradient.product), [self._place(items, i) for i in gradient.members]
        if at is None or None in others:
            return
        product, sums = items[at], [items[other] for other in others if other is not None]
        own = all(self.plan.steps[s.step].nodes == (i,) for s, i in zip(sums, gradient.members, strict=True))
        if not isinstance(product, Product) or product.epilog is not None or not own:
            return
        place = self._looks[gradient.members[-1]]
        beside = Touched(sums[0].touched.reads, sums[-1].touched.writes)
        call = replace(product, epilog=Epilog("gradient", place), touched=product.touched.joined(beside))
        moves = all(_may_move(items, each, product, [*sums, product]) for each in sums)
        if place.contiguous and moves and self._fits(call, product.out) and self._may(call):
            items[at] = call
            for each in sums:
                items.remove(each)

    def _replaced(self, items: Items, found: Layer | Slopes, epilog: Epilog, beside: Touched) -> bool:
        """Put the call in the place of the product, and leave of the pass what else it does; whether that can be."""
        at, other = self._place(items, found.product), self._place(items, found.members[-1])
        if at is None or other is None or other < at:
            return False
        product, passed = items[at], items[other]
        if not isinstance(product, Product) or not isinstance(passed, Piece) or passed.commits:
            return False
        step = self.plan.steps[passed.step]
        if not is_one_loop(self.plan, step):
            return False
        made = self._looks[found.members[-1]]
        inside = Touched((*product.touched.reads, *beside.reads), beside.writes)
        call = replace(product, out=made, written=product.read, epilog=epilog, touched=inside)
        if not self._fits(call, made) or not set(step.nodes).issuperset(found.members):
            return False
        between = any(each.touched.before(inside) for each in items[at + 1 : other])
        if between or inside.overwritten(inside) or not self._may(call):
            return False
        items[at] = call
        rest = tuple(i for i in step.nodes if i not in found.members)
        self._leave(passed.step, rest)
        if rest:
            left = fused(self.plan, self.plan.steps[passed.step], self._looks)
            items[other] = replace(left, step=passed.step, touched=touched(self.plan, rest, self._elsewhere))
        else:
            del items[other]
        return True

    def _leave(self, number: int, nodes: tuple[int, ...]) -> None:
        """Nothing but these nodes in a step."""
        steps = list(self.plan.steps)
        steps[number] = replace(steps[number], nodes=nodes)
        self.plan = replace(self.plan, steps=tuple(steps))

    def _fits(self, call: Product, made: Look) -> bool:
        """Whether the library can read and write everything sixteen bytes at a time."""
        vector = call.epilog.vector if call.epilog is not None else None
        looks = [call.a, call.b, made] + ([] if vector is None else [vector])
        even = all(look.buffer.startswith("a_") and look.offset % UNIT == 0 for look in looks)
        whole = made.contiguous and call.lengths[2] == call.n and call.count == 1
        return even and whole and call.read in HALVES and all(n % UNIT == 0 for n in call.lengths)

    def _place(self, items: Items, i: int) -> int | None:
        """Where the step of a node is done."""
        return next((at for at, item in enumerate(items) if i in self.plan.steps[item.step].nodes), None)

    def _region(self, i: int) -> tuple[Region, ...]:
        return region(self.plan, i, self._elsewhere)


def _may_move(items: Items, item: Piece | Product, to: Product, along: Items) -> bool:
    """Whether an item may be done in the place of another, for all that lies in between and does not come along."""
    first, last = sorted((items.index(item), items.index(to)))
    between = [each.touched for each in items[first + 1 : last] if each not in along]
    if items[first] is item:
        return not any(item.touched.before(each) for each in between)
    return not any(each.before(item.touched) for each in between)
