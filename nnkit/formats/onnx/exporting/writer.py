"""The nodes and initialisers of an ONNX graph in the making."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nnkit.errors import ArgumentError
from nnkit.formats.onnx.exporting.rows import Extent

Array = npt.NDArray[Any]
INPUT, OUTPUT = "input", "output"
FEW = 8
"""A list of so many numbers is its own name."""
TYPES = {"bool": "BOOL", "bfloat16": "BFLOAT16", "float16": "FLOAT16", "float32": "FLOAT", "float64": "DOUBLE"}


class Writer:
    """Names are given once; equal constants are one initialiser; nodes stand in the order in which they are made."""

    def __init__(self, onnx: Any, opset: int, taken: set[str]) -> None:
        self.opset = opset
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._onnx = onnx
        self._names = {INPUT, OUTPUT, *taken}
        self._known: dict[Any, str] = {}

    def type_of(self, dtype: str) -> int:
        """ONNX's number of a data type."""
        return int(getattr(self._onnx.TensorProto, TYPES.get(dtype, dtype.upper())))

    def name(self, wanted: str) -> str:
        """This name, or the first of it with a number that nothing else has."""
        _check_name(wanted)
        number, found = 1, wanted
        while found in self._names:
            found, number = f"{wanted}_{number}", number + 1
        self._names.add(found)
        return found

    def node(self, operation: str, *inputs: str, where: str = "", outputs: int = 1, **attributes: Any) -> str:
        """One more node, in a layer, and its output: the last one, if there are several."""
        name = self.name(f"{where}/{operation}")
        results = [*(self.name(f"{name}_unused") for _ in range(outputs - 1)), name]
        self.nodes.append(self._onnx.helper.make_node(operation, list(inputs), results, name=name, **attributes))
        return name

    def values(self, name: str, array: Array) -> str:
        """An initialiser."""
        _check_name(name)
        tensor = self._onnx.TensorProto(name=name, dims=array.shape, data_type=self.type_of(str(array.dtype)))
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        tensor.raw_data = np.ascontiguousarray(little).tobytes()
        self.initializers.append(tensor)
        return name

    def constant(self, value: Any, dtype: str) -> str:
        """A number or an array that is part of the graph; one that depends on the number of rows is computed."""
        if isinstance(value, Extent):
            return self.cast(self.node("Squeeze", self._extent(value)), dtype)
        if dtype == "bfloat16":  # which NumPy lacks
            return self.cast(self.constant(value, "float32"), dtype)
        with np.errstate(over="ignore"):  # a number beyond float32 is infinity there, as in the graph
            array = np.asarray(value, dtype=dtype)
        key = (dtype, array.shape, array.tobytes())
        if key not in self._known:
            label = str(value) if array.ndim == 0 else "x".join(map(str, array.shape))
            label = f"[{','.join(map(str, array.tolist()))}]" if array.ndim == 1 and array.size <= FEW else label
            self._known[key] = self.values(self.name(f"constant_{label}_{dtype}"), array)
        return self._known[key]

    def sizes(self, values: tuple[Any, ...]) -> str:
        """A shape or a list of places, int64, in which numbers may depend on the number of rows."""
        if not any(isinstance(value, Extent) for value in values):
            return self.constant(np.asarray(values, dtype="int64"), "int64")
        parts = [
            self._extent(value) if isinstance(value, Extent) else self.constant([value], "int64") for value in values
        ]
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=0)

    def cast(self, name: str, dtype: str, where: str = "") -> str:
        """The value in another data type."""
        return self.node("Cast", name, where=where, to=self.type_of(dtype))

    def finish(self, value: str) -> None:
        """Give the last value the name of the output."""
        last = next((node for node in self.nodes if value in node.output), None)
        if last is None:  # it is what comes in
            self.node("Identity", value)
            last = self.nodes[-1]
            value = last.output[0]
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [OUTPUT if name == value else name for name in names]

    def _extent(self, extent: Extent) -> str:
        """An array of one number; fractions in float64, whole numbers in int64."""
        wide = "float64" if isinstance(extent.per_row, float) else "int64"
        key = ("rows", extent, wide)
        if key not in self._known:
            self._known[key] = self._computed(extent, wide)
        return self._known[key]

    def _computed(self, extent: Extent, wide: str) -> str:
        if ("rows", wide) not in self._known:
            first = self.node("Gather", self.node("Shape", INPUT), self.constant([0], "int64"), axis=0)
            self._known["rows", wide] = first if wide == "int64" else self.cast(first, wide)
        value = self._known["rows", wide]
        if extent.per_row != 1:
            value = self.node("Mul", value, self.constant([extent.per_row], wide))
        return self.node("Add", value, self.constant([extent.fixed], wide)) if extent.fixed else value


def _check_name(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ArgumentError(
            f"export: the name {name!r} cannot be written as UTF-8; give the attribute or the key another name"
        ) from None
