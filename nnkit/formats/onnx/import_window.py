"""A run of blocks as one function: its constants, and what it gives for single numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np

from nnkit.data.arrays import Array
from nnkit.formats.onnx.import_activations import Found, found, scales_in, tried_at
from nnkit.formats.onnx.import_blocks import Values
from nnkit.formats.onnx.import_chain import Block
from nnkit.formats.onnx.import_graph import Node
from nnkit.formats.onnx.import_pieces import spreads, uniform
from nnkit.formats.onnx.import_pointwise import LINEAR, POINTWISE


class Window:
    """Some blocks one after the other."""

    def __init__(self, values: Values, blocks: Sequence[Block]) -> None:
        self._values = values
        self._blocks = blocks

    @cached_property
    def arrays(self) -> list[Array]:
        """The constant arrays of numbers in it."""
        inputs = (name for block in self._blocks for node in block.nodes for name in node.inputs)
        known = (self._values.known(name) for name in dict.fromkeys(inputs))
        return [array for array in known if array is not None and array.dtype.kind == "f"]

    @cached_property
    def numbers(self) -> list[float]:
        """The single numbers in it: constants that are the same all over, and attributes."""
        even = (uniform(array) for array in self.arrays)
        attributes = (value for block in self._blocks for node in block.nodes for value in node.attributes.values())
        return _numbers([array for array in even if array.ndim == 0], attributes)

    def pointwise(self) -> Pointwise:
        """The longest part from its beginning that acts on each number by itself, alike."""
        steps: list[list[Node]] = []
        constants: dict[str, Array] = {}
        for block in self._blocks:
            self._values.learn_sizes(block)
            working = self._values.working(block)
            inside = {block.start, *(name for node in working for name in node.outputs)}
            if (found := self._constants(working, inside)) is None:
                break
            constants |= found
            steps.append(working)
        return Pointwise(self._values, self._blocks[: len(steps)], steps, constants)

    def _constants(self, nodes: list[Node], inside: set[str]) -> dict[str, Array] | None:
        """The constants of nodes as single numbers; None if they do not all act on each number alike."""
        shape = self._values.shape(self._blocks[0].start)
        found: dict[str, Array] = {}
        for node in nodes:
            if node.kind not in POINTWISE:
                return None
            for name in node.inputs:
                if not name or name in inside:
                    continue
                array = self._values.known(name)
                single = np.zeros(1) if array is None else uniform(array)
                if array is None or single.ndim or not spreads(array.shape, shape):
                    return None
                found[name] = single
        return found


class Pointwise:
    """A function of one number, as the blocks of a chain."""

    def __init__(
        self, values: Values, blocks: Sequence[Block], steps: list[list[Node]], constants: dict[str, Array]
    ) -> None:
        self._evaluator = values.chain.evaluator
        self._blocks = blocks
        self._steps = steps
        self._constants = constants

    @cached_property
    def key(self) -> Any:
        """Equal for functions that are written alike, with the same constants."""
        names: dict[str, Any] = {name: ("constant", float(value)) for name, value in self._constants.items()}
        if self._blocks:
            names[self._blocks[0].start] = "x"
        lines = []
        for block, nodes in zip(self._blocks, self._steps, strict=True):
            for node in nodes:
                inputs = tuple(names.get(name, name) for name in node.inputs)
                attributes = tuple(sorted((name, repr(value)) for name, value in node.attributes.items()))
                lines.append((node.kind, inputs, attributes))
                names.update({name: len(names) for name in node.outputs})
            lines.append(("end", names[block.end], ()))
        return tuple(lines)

    def longest(self) -> tuple[int, Found] | None:
        """The activation that the most blocks from the beginning are, and how many; None if they are none."""
        if not self._blocks:
            return None
        attributes = (value for nodes in self._steps for node in nodes for value in node.attributes.values())
        numbers = _numbers(self._constants.values(), attributes)
        scales = scales_in(numbers)
        tried = tried_at(scales)
        values = self._at(tried.ravel(), len(self._blocks))
        for count in range(len(self._blocks), 0, -1):
            if all(node.kind in LINEAR for nodes in self._steps[:count] for node in nodes):
                return None
            value = values[count - 1].reshape(tried.shape)
            if (result := found(value, partial(self._last, count), scales, numbers)) is not None:
                return count, result
        return None

    def _last(self, count: int, x: Array) -> Array:
        return self._at(x, count)[-1]

    def _at(self, x: Array, count: int) -> list[Array]:
        """The values after each of the first blocks."""
        local = self._constants | {self._blocks[0].start: x}
        for nodes in self._steps[:count]:
            for node in nodes:
                made = self._evaluator.outputs(node, [local[name] if name else None for name in node.inputs])
                local[node.outputs[0]] = np.broadcast_to(made[0], x.shape)
        return [local[block.end] for block in self._blocks[:count]]


def _numbers(constants: Any, attributes: Any) -> list[float]:
    """The finite ones, in order."""
    found = [
        float(number) for number in (*constants, *attributes) if np.ndim(number) == 0 and not isinstance(number, str)
    ]
    return sorted({number for number in found if np.isfinite(number)})
