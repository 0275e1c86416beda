"""Nodes evaluated with NumPy, in float64 and within a budget: to fold constants, and to try what functions are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnkit.data.arrays import Array
from nnkit.formats.onnx.import_graph import Node
from nnkit.formats.onnx.import_pointwise import POINTWISE
from nnkit.formats.onnx.import_rearranging import REARRANGING, enlarged
from nnkit.formats.onnx.import_reducing import REDUCING

EVALUATED = frozenset((*POINTWISE, *REARRANGING, *REDUCING))
_ALWAYS = 2_000_000  # numbers that may be made at a time, whatever the size of the file
_WORK = 60_000_000  # numbers in all


class Evaluator:
    """Evaluates nodes of one graph; ``file_numbers`` is how many numbers the file has."""

    def __init__(self, opset: int, file_numbers: int) -> None:
        self.opset = opset
        self._largest = _ALWAYS + 2 * file_numbers
        self._left = _WORK + 8 * file_numbers

    def outputs(self, node: Node, inputs: Sequence[Array | None]) -> list[Array]:
        """What a node makes of its inputs; what is only moved keeps its type. ValueError says what is wrong with it."""
        exact = node.kind in REARRANGING
        given = [part if part is None or exact else _wide(part) for part in inputs]
        while given and given[-1] is None:
            given.pop()
        try:
            self.check_size(self._size(node, given), node)
            with np.errstate(all="ignore"):
                found = self._found(node, given)
        except _TooLargeError:
            raise
        except Exception as error:  # anything can stand in a file, and NumPy sees it first
            text = " ".join(str(error).split()) or type(error).__name__
            shapes = ", ".join("nothing" if part is None else str(list(part.shape)) for part in given)
            raise ValueError(
                f"has {node.place}, which cannot be computed for inputs of shape {shapes or '()'}: {text}; "
                "export the network again"
            ) from error
        self._left -= sum(part.size for part in found)
        return found

    def check_size(self, numbers: int, node: Node) -> None:
        """Refuse what takes too much memory, or more work than all of a network should."""
        if numbers > self._largest or self._left < 0:
            raise _TooLargeError(
                f"has {node.place}, which works on {numbers:,} numbers, more than this file should need; export the "
                "network with a free batch size, and without parts that only enlarge arrays"
            )

    def _size(self, node: Node, given: list[Array | None]) -> int:
        there = [part for part in given if part is not None]
        if node.kind in POINTWISE:
            return int(np.prod(np.broadcast_shapes(*(part.shape for part in there)), dtype=np.float64))
        return max(sum(part.size for part in there), enlarged(node.kind, given, node.attributes))

    def _found(self, node: Node, given: list[Array | None]) -> list[Array]:
        if node.kind in POINTWISE:
            return [POINTWISE[node.kind](node.attributes, *given)]
        table = REARRANGING if node.kind in REARRANGING else REDUCING
        options = {"parts": len(node.outputs)} if node.kind == "Split" else {}
        found = table[node.kind](node.attributes, self.opset, *given, **options)
        return found if isinstance(found, list) else [found]


class _TooLargeError(ValueError):
    """What takes too much."""


def _wide(array: Array) -> Array:
    """Floating-point numbers in float64."""
    return array.astype(np.float64, copy=False) if array.dtype.kind == "f" else array
