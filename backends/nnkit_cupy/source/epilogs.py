"""What follows a product of halves, done by the library before it writes the result: bias, ReLU and its derivative.

Between two layers with ReLU nothing is then in float32: x·w + b, ReLU and rounding are one call, which also leaves a
bit for each element that says whether it was above zero; and the slopes of the layer, which are 0 where it was not, and
their rounding are another. The bits stand where the product would have left its result, which nobody writes now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from nnkit.plan import Plan
from nnkit.plan.look import Look, fixed, steps
from nnkit.plan.passes import phases
from nnkit.plan.rounding import UNIT, followed, has_zero
from nnkit_cupy.source.mirrors import alone
from nnkit_cupy.source.order import Region, Touched, region, touched
from nnkit_cupy.source.passes import fused
from nnkit_cupy.source.pieces import Epilog, Piece, Product
from nnkit_cupy.source.types import HALVES

ROW_BITS = 128
"""What the bits of a row are a multiple of."""
Items = list[Piece | Product]


class _Layer(NamedTuple):
    """A product, and the nodes that add a bias, cut off at zero and round to halves, which are the last of them."""

    product: int
    members: tuple[int, ...]
    bias: int
    """As halves, and as it is added."""
    wide: int


class _Slopes(NamedTuple):
    """A product, and the nodes that keep of it what belongs to numbers of a value above zero, and round it."""

    product: int
    members: tuple[int, ...]
    of: int


class Epilogs:
    """Finds such calls in the steps of a plan."""

    def __init__(
        self, plan: Plan, looks: dict[int, Look], elsewhere: Mapping[int, Look], may: Callable[[Product], bool]
    ) -> None:
        self._plan, self._nodes, self._looks, self._elsewhere = plan, plan.graph.nodes, looks, elsewhere
        self._may = may

    def taken(self, items: Items) -> Items:
        """The items of a step with these calls in the place of products and passes, where the library ``may`` do so."""
        found = list(items)
        slopes = list(self._slopes())
        asked = {each.of for each in slopes}
        masks: dict[int, tuple[Epilog, int]] = {}
        for layer in self._layers():
            made = layer.members[-1]
            epilog = self._epilog(layer, made in asked)
            beside = () if epilog.mask is None else self._region(layer.product)
            reads, writes = self._region(layer.bias), (*self._region(made), *beside)
            if reads and self._replaced(found, layer, epilog, Touched(reads, writes)):
                self._drop(found, layer)
                if epilog.mask is not None:
                    masks[made] = (Epilog(epilog.mask, bits=epilog.bits), layer.product)
        for each in slopes:
            if each.of in masks:
                epilog, source = masks[each.of]
                self._replaced(found, each, epilog, Touched(self._region(source), self._region(each.members[-1])))
        return found

    # -- what is looked for

    def _layers(self) -> Iterator[_Layer]:
        for i in self._products():
            chain = followed(self._plan.graph, i, ("add", "maximum", "astype"))
            if not chain:
                continue
            added, cut, made = (self._nodes[k] for k in chain)
            bias = self._made_of(added.inputs[added.inputs[0] == i], ("astype",))
            relu = has_zero(self._plan.graph, cut.inputs) and made.dtype in HALVES
            if relu and bias and self._nodes[bias[1]].dtype == made.dtype:
                yield _Layer(i, chain, *reversed(bias))

    def _slopes(self) -> Iterator[_Slopes]:
        for i in self._products():
            chain = followed(self._plan.graph, i, ("multiply", "astype"))
            if not chain or self._nodes[chain[-1]].dtype not in HALVES:
                continue
            passed = self._nodes[chain[0]]
            mask = self._made_of(passed.inputs[passed.inputs[0] == i], ("astype", "greater", "astype"))
            if not mask or not has_zero(self._plan.graph, self._nodes[mask[1]].inputs[1:]):
                continue
            *members, of = mask
            if self._nodes[of].shape == self._nodes[i].shape and self._only((*reversed(members), chain[0])):
                yield _Slopes(i, (*members, *chain), of)

    def _products(self) -> Iterator[int]:
        return (i for i, node in self._plan.graph if node.operation == "matmul" and node.dtype == "float32")

    def _made_of(self, i: int, operations: Sequence[str]) -> tuple[int, ...]:
        """A value and what it is made of, by these operations on one another; none if it is not."""
        found = [i]
        for operation in operations:
            if self._nodes[found[-1]].operation != operation:
                return ()
            found.append(self._nodes[found[-1]].inputs[0])
        return tuple(found)

    def _only(self, chain: Sequence[int]) -> bool:
        """Whether each of these is read by the next one alone."""
        outputs, users = self._plan.graph.output.values(), self._plan.graph.users
        return all(users[i] == (user,) and i not in outputs for i, user in pairwise(chain))

    # -- what takes its place

    def _epilog(self, layer: _Layer, asked: bool) -> Epilog:
        """The bias, and bits if somebody asks for them and there is memory that is for nothing else."""
        rows, columns = fixed(self._nodes[layer.product].shape)[-2:]
        bits, slot = -(-columns // ROW_BITS) * ROW_BITS, self._plan.slots[layer.product]
        shape = (rows, bits // 8)
        if not asked or not alone(self._plan, layer.product) or rows * shape[1] > slot.nbytes:
            return Epilog(None, self._looks[layer.bias])
        return Epilog(Look("a_uint8", slot.offset, shape, steps(shape)), self._looks[layer.bias], bits)

    def _replaced(self, items: Items, found: _Layer | _Slopes, epilog: Epilog, beside: Touched) -> bool:
        """Put the call in the place of the product, and leave of the pass what else it does; whether that can be."""
        at, other = self._place(items, found.product), self._place(items, found.members[-1])
        if at is None or other is None or other < at:
            return False
        product, passed = items[at], items[other]
        if not isinstance(product, Product) or not isinstance(passed, Piece) or passed.commits:
            return False
        step = self._plan.steps[passed.step]
        if step.kernel != "fused" or len(phases(self._plan.graph, step.nodes)) > 1:
            return False
        made = self._looks[found.members[-1]]
        inside = Touched((*product.touched.reads, *beside.reads), beside.writes)
        call = replace(product, out=made, epilog=epilog, touched=inside)
        if not self._fits(call, made) or not set(step.nodes).issuperset(found.members):
            return False
        between = any(each.touched.before(inside) for each in items[at + 1 : other])
        if between or inside.overwritten(inside) or not self._may(call):
            return False
        items[at] = call
        rest = tuple(i for i in step.nodes if i not in found.members)
        if rest:
            left = fused(self._plan, replace(step, nodes=rest), self._looks)
            items[other] = replace(left, step=passed.step, touched=touched(self._plan, rest, self._elsewhere))
        else:
            del items[other]
        return True

    def _fits(self, call: Product, made: Look) -> bool:
        """Whether the library can read and write everything sixteen bytes at a time."""
        looks = [call.a, call.b, made] + ([call.epilog.bias] if call.epilog and call.epilog.bias else [])
        even = all(look.buffer.startswith("a_") and look.offset % UNIT == 0 for look in looks)
        whole = made.contiguous and call.lengths[2] == call.n and call.count == 1
        return even and whole and call.read in HALVES and all(n % UNIT == 0 for n in call.lengths)

    def _drop(self, items: Items, layer: _Layer) -> None:
        """Nobody reads the bias any more as it was added, if it was for this sum alone."""
        if self._only((layer.wide, layer.members[0])):
            at = self._place(items, layer.wide)
            if at is not None and self._plan.steps[items[at].step].nodes == (layer.wide,):
                del items[at]

    def _place(self, items: Items, i: int) -> int | None:
        """Where the step of a node is done."""
        return next((at for at, item in enumerate(items) if i in self._plan.steps[item.step].nodes), None)

    def _region(self, i: int) -> tuple[Region, ...]:
        return region(self._plan, i, self._elsewhere)
