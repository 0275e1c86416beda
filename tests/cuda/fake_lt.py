"""As much of cuBLASLt as the backend calls, on this processor: it checks what it is told, by the library's numbers."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

KINDS = {0: "float32", 2: "float16", 14: "bfloat16"}
SIZES = {3: 4, 4: 4, 7: 4, 8: 8}
"""Bytes of the attributes of a product: transposed (two), epilog, and bias."""
RELU_BIAS = 6
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
    """Gives zero, or a status of the library. If it is ``refused``, the epilog has no algorithm."""

    def __init__(self) -> None:
        self.objects: dict[int, dict[Any, Any]] = {}
        self.refused = False
        self.started = 0
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
        told = self.objects[made.value]
        assert set(self.objects[wishes.value]) == set(WISHES)
        assert min(self.objects[wishes.value][k] for k in (5, 6, 7, 8)) >= 16
        assert self.objects[wishes.value][3] == 2
        assert c.value == d.value
        self._check(told, *(self.objects[each.value] for each in (a, b, d)))
        if self.refused:
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
        self.started += 1
        left, right = self._operand(a.value, of_a.value, told[3]), self._operand(b.value, of_b.value, told[4])
        with np.errstate(all="ignore"):  # as the library, which says nothing of infinite numbers
            # As rows, in the order of the stand-in's other products.
            found = (right.T @ left.T).T + wide(memory(told[8], 2 * len(left), out["kind"]))[:, None]
        relu = np.ascontiguousarray(np.maximum(found, 0), np.float32)
        self._matrix(d.value, of_d.value)[...] = narrow(relu, out["kind"])
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
        assert d["kind"] == a["kind"]
        assert (told[7], told[8] % 16) == (RELU_BIAS, 0)

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
