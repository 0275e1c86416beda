"""As much of cuBLASLt as the backend calls, on this processor: it checks what it is told, by the library's numbers."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

KINDS = {0: "float32", 2: "float16", 14: "bfloat16"}
SIZES = {3: 4, 4: 4, 7: 4, 8: 8, 11: 8, 12: 8}
"""Bytes of the attributes of a product: transposed (two), epilog, bias, mask, and bits of a row of the mask."""
WISHES = {1: 8, 3: 4, 5: 4, 6: 4, 7: 4, 8: 4}
"""Of what is asked: workspace, the type of parts of a sum (2: that of the sum), and alignments."""
REFUSED = 15


def narrow(values: np.ndarray, dtype: str) -> np.ndarray:
    """Rounded to the nearest, ties to even; bfloat16 stands there as its bits."""
    if dtype == "float32":
        return values
    if dtype == "bfloat16":
        bits = values.view(np.uint32).astype(np.uint64)
        near = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)
        return np.where(np.isnan(values), np.uint16(0x7FFF), near)
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def wide(matrix: np.ndarray) -> np.ndarray:
    """Halves as single precision; bfloat16, which NumPy lacks, stands there as its bits."""
    if matrix.dtype == np.uint16:
        return (matrix.astype(np.uint32) << 16).view(np.float32)
    return matrix.astype(np.float32) if matrix.dtype == np.float16 else matrix


def memory(place: int, nbytes: int, dtype: str) -> np.ndarray:
    """What stands at an address."""
    return np.frombuffer((ctypes.c_char * nbytes).from_address(place), "uint16" if dtype == "bfloat16" else dtype)


class FakeLt:
    """Gives zero, or a status of the library. Epilogs that are ``refused`` have no algorithm."""

    def __init__(self) -> None:
        self.objects: dict[int, dict[Any, Any]] = {}
        self.refused: set[int] = set()
        self.started: list[int] = []
        self._given = 0

    def cublasLtCreate(self, handle: Any) -> int:
        return self._new(handle, {})

    def cublasLtMatmulDescCreate(self, made: Any, compute: Any, scale: Any) -> int:
        assert (compute.value, scale.value) == (68, 0)  # sums, and what multiplies them, in float32
        return self._new(made, {3: 0, 4: 0, 7: 1})

    def cublasLtMatmulDescSetAttribute(self, made: Any, attribute: Any, value: Any, size: Any) -> int:
        assert ctypes.sizeof(value._obj) == size.value == SIZES[attribute.value]
        self.objects[made.value][attribute.value] = value._obj.value
        return 0

    def cublasLtMatrixLayoutCreate(self, made: Any, kind: Any, rows: Any, columns: Any, length: Any) -> int:
        assert length.value >= rows.value
        shape = {"kind": KINDS[kind.value], "shape": (rows.value, columns.value), "length": length.value}
        return self._new(made, shape)

    def cublasLtMatmulPreferenceCreate(self, made: Any) -> int:
        return self._new(made, {})

    def cublasLtMatmulPreferenceSetAttribute(self, made: Any, attribute: Any, value: Any, size: Any) -> int:
        assert ctypes.sizeof(value._obj) == size.value == WISHES[attribute.value]
        self.objects[made.value][attribute.value] = value._obj.value
        return 0

    def cublasLtMatmulAlgoGetHeuristic(
        self, _: Any, made: Any, a: Any, b: Any, c: Any, d: Any, wishes: Any, asked: Any, found: Any, count: Any
    ) -> int:
        told, out = self.objects[made.value], self.objects[d.value]
        assert set(self.objects[wishes.value]) == set(WISHES)
        assert min(self.objects[wishes.value][k] for k in (5, 6, 7, 8)) >= 16
        assert self.objects[wishes.value][3] == 2
        assert c.value == d.value
        self._check(told, *(self.objects[each.value] for each in (a, b, d)))
        if 11 in told and (told[11] % 128 or told[12] % 128 or told[12] < out["shape"][0]):
            return REFUSED
        if told[7] in self.refused:
            return REFUSED
        count._obj.value = asked.value
        found._obj.algorithm[0] = made.value
        return 0

    def cublasLtMatmul(self, _: Any, made: Any, alpha: Any, a: Any, of_a: Any, b: Any, of_b: Any, *rest: Any) -> int:
        beta, c, of_c, d, of_d, algorithm, workspace, size, _ = rest
        assert (alpha._obj.value, beta._obj.value, c.value, of_c.value) == (1, 0, d.value, of_d.value)
        assert algorithm._obj.algorithm[0] == made.value  # chosen for this product
        assert (workspace.value, size.value) == (4096, 32 << 20)
        told, out = self.objects[made.value], self.objects[of_d.value]
        self.started.append(told[7])
        left, right = self._operand(a.value, of_a.value, told[3]), self._operand(b.value, of_b.value, told[4])
        with np.errstate(all="ignore"):
            found = (right.T @ left.T).T  # as rows, in the order of the stand-in's other products
            if told[7] in (6, 134):
                found = found + wide(memory(told[8], 2 * len(found), out["kind"]))[:, None]
            if told[7] == 256:  # one term after the other, as the kernels do it
                size = (4 if out["kind"] == "float32" else 2) * len(left)
                sums = np.cumsum(left, axis=1, dtype=np.float32)[:, -1]
                memory(told[8], size, out["kind"])[:] = narrow(np.ascontiguousarray(sums), out["kind"])
            if told[7] == 134:
                self._bits(told, out["shape"][1])[:, : len(found)] = (found > 0).T
                self._keep(told)
            found = np.maximum(found, 0) if told[7] in (6, 134) else found
            if told[7] == 136:
                found = found * self._bits(told, out["shape"][1])[:, : len(found)].T
        self._matrix(d.value, of_d.value)[...] = narrow(np.ascontiguousarray(found, np.float32), out["kind"])
        return 0

    def cublasLtMatmulDescDestroy(self, made: Any) -> int:
        del self.objects[made.value]
        return 0

    def cublasLtMatrixLayoutDestroy(self, made: Any) -> int:
        return self.cublasLtMatmulDescDestroy(made)

    def cublasLtMatmulPreferenceDestroy(self, made: Any) -> int:
        return self.cublasLtMatmulDescDestroy(made)

    def _new(self, made: Any, what: dict[Any, Any]) -> int:
        self._given += 1
        made._obj.value = self._given
        self.objects[self._given] = what
        return 0

    def _check(self, told: dict[Any, Any], a: Any, b: Any, d: Any) -> None:
        (m, k), (q, n) = (each["shape"][:: -1 if flag else 1] for each, flag in ((a, told[3]), (b, told[4])))
        assert (m, n, k) == (*d["shape"], q)
        assert a["kind"] == b["kind"]
        assert d["kind"] == a["kind"] or (told[7], d["kind"]) == (256, "float32")
        assert (8 in told, 11 in told) == {6: (1, 0), 134: (1, 1), 136: (0, 1), 256: (1, 0)}[told[7]]

    def _matrix(self, place: int, layout: int) -> np.ndarray:
        """By columns."""
        told = self.objects[layout]
        (rows, columns), length = told["shape"], told["length"]
        size = 4 if told["kind"] == "float32" else 2
        flat = memory(place, size * ((columns - 1) * length + rows), told["kind"])
        return np.lib.stride_tricks.as_strided(flat, (rows, columns), (size, size * length))

    def _operand(self, place: int, layout: int, transposed: int) -> np.ndarray:
        found = wide(self._matrix(place, layout))
        return found.T if transposed else found

    def _bits(self, told: dict[Any, Any], columns: int) -> np.ndarray:
        """Of each column of the result, one for each of its elements."""
        self._mask = memory(told[11], columns * told[12] // 8, "uint8")
        self._unpacked = np.unpackbits(self._mask, bitorder="little").reshape(columns, told[12])
        return self._unpacked

    def _keep(self, told: dict[Any, Any]) -> None:
        self._mask[:] = np.packbits(self._unpacked.reshape(-1), bitorder="little")
