"""The values of a chain where it is being walked: constants, sizes that are known so far, and blocks on given rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnkit.data.arrays import Array
from nnkit.formats.onnx.import_chain import Block, Chain
from nnkit.formats.onnx.import_graph import Node
from nnkit.formats.onnx.import_pieces import Row
from nnkit.names import clipped

Shape = tuple[int, ...]


class Values:
    """What is known of the values of a chain, for ``batch`` rows."""

    def __init__(self, chain: Chain, batch: int, row: Row) -> None:
        self.batch = batch
        self.chain = chain
        self._shapes: dict[str, Shape] = {chain.start: (batch, *row)}
        self._sizes: dict[str, Array] = {}

    def shape(self, name: str) -> Shape:
        """The shape of a value that has been passed by."""
        return self._shapes[name]

    def constant(self, name: str) -> Array | None:
        """The constant of a name, without NaN or infinity; None for what follows from the input, and for no name."""
        array = self.chain.constants.get(name)
        if array is not None and array.dtype.kind == "f" and array.size > 1 and not np.isfinite(array).all():
            raise ValueError(
                f"has NaN or infinity in '{clipped(name)}': its training went wrong, or it is damaged; use another copy"
            )
        return array

    def known(self, name: str) -> Array | None:
        """A constant, or what follows from sizes alone."""
        return self._sizes[name] if name in self._sizes else self.constant(name)

    def working(self, block: Block) -> list[Node]:
        """The nodes of a block that work on the rows, without those for sizes."""
        return [node for node in block.nodes if not self.chain.sizes.issuperset(node.outputs)]

    def evaluated(self, blocks: Sequence[Block], x: Array) -> list[Array]:
        """What blocks one after the other make of rows: the value at the end of each."""
        local = {blocks[0].start: x}
        for block in blocks:
            for node in block.nodes:
                found = self.chain.evaluator.outputs(node, [self._of(name, local) for name in node.inputs])
                local.update(zip(node.outputs, found, strict=False))
        self._shapes.update({name: value.shape for name, value in local.items() if name not in self._shapes})
        return [local[block.end] for block in blocks]

    def _of(self, name: str, local: dict[str, Array]) -> Array | None:
        if not name:
            return None
        if name in local:
            return local[name]
        if (known := self.known(name)) is not None:
            return known
        return np.broadcast_to(np.zeros(()), self._shapes[name])  # for its sizes; nothing else reaches back

    def pass_by(self, blocks: Sequence[Block], row: Row) -> None:
        """Go on to the end of blocks that have been recognised, with rows of this shape after them."""
        for block in blocks:
            before = self._shapes[blocks[0].start]
            for node in self.working(block):
                self._shapes.update({name: before for name in node.outputs if name not in self._shapes})
        self._shapes[blocks[-1].end] = (self.batch, *row)
        for block in blocks:
            self.learn_sizes(block)

    def learn_sizes(self, block: Block) -> None:
        """Compute what follows from sizes in a block, as far as these are known."""
        for node in block.nodes:
            names = [name for name in node.inputs if name]
            known = self._shapes if node.kind in ("Shape", "Size") else (*self._sizes, *self.chain.constants)
            if self.chain.sizes.issuperset(node.outputs) and all(name in known for name in names):
                found = self.chain.evaluator.outputs(node, [self._of(name, {}) for name in node.inputs])
                self._sizes.update(zip(node.outputs, found, strict=False))
