"""Products with a bias and ReLU by cuBLASLt, which cuBLAS itself does not offer."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence
from ctypes import byref, c_float, c_int, c_int64, c_size_t, c_uint32, c_uint64, c_void_p, sizeof
from typing import Any

from nnkit.errors import DeviceError
from nnkit_cupy.blas import KIND, SUMS, WORKSPACE, call
from nnkit_cupy.source.pieces import Product

# The library's numbers: attributes of a product, of what is asked of it, and the epilog.
TRANSPOSED, EPILOG, BIAS, RELU_BIAS = (3, 4), 7, 8, 6
MOST_WORKSPACE, PARTS, ALIGNMENTS = 1, 3, (5, 6, 7, 8)
AS_SUMS = 2
"""Of the parts of a sum that is divided: in the type of the sums, also where the result is narrower."""
ALIGNED = 256
"""Bytes: nothing asks for more."""
SOMEWHERE = 16
"""Stands for an address that is not known yet, with the alignment that it will have at least."""


class _Algorithm(ctypes.Structure):
    """What the library found best for a product."""

    _fields_ = (
        ("algorithm", c_uint64 * 8),
        ("workspace", c_size_t),
        ("status", c_int),
        ("waves", c_float),
        ("reserved", c_int * 4),
    )


class BlasLt:
    """The library with a handle, for all streams of a GPU."""

    def __init__(self, library: Any) -> None:
        self._library = library
        handle = c_void_p()
        self._call("cublasLtCreate", byref(handle))
        self._handle = handle

    def can(self, product: Product) -> bool:
        """Whether the library does a product with its bias and ReLU."""
        return self._made(product, [SOMEWHERE] * 4) is not None

    def prepared(self, product: Product, places: Sequence[int]) -> Call:
        """The product on these addresses: of operands, result and bias."""
        made = self._made(product, places)
        if made is None:
            raise DeviceError(
                f"cuBLASLt has no algorithm for {product.m}×{product.k} @ {product.k}×{product.n} in {product.read} "
                "with its bias and ReLU; update the GPU's driver and CuPy together"
            )
        return made

    def start(self, call: Call, stream: int, workspace: int) -> None:
        """Start it on a stream. Rows are the library's columns: it computes outᵀ = bᵀ · aᵀ."""
        one, zero = c_float(1), c_float(0)
        a, b, out = call.places
        (of_b, of_a, of_out), algorithm = call.layouts, byref(call.algorithm)
        given = [byref(one), b, of_b, a, of_a, byref(zero), out, of_out, out, of_out]
        self._call(
            "cublasLtMatmul",
            self._handle,
            call.description,
            *given,
            algorithm,
            c_void_p(workspace),
            c_size_t(WORKSPACE),
            c_void_p(stream),
        )

    def _made(self, product: Product, places: Sequence[int]) -> Call | None:
        call = Call(self._library, places)
        description, sums = c_void_p(), c_int(SUMS[product.dtype])
        self._call("cublasLtMatmulDescCreate", byref(description), sums, c_int(KIND[product.dtype]))
        call.owns("cublasLtMatmulDescDestroy", description)
        call.description = description
        for attribute, flag in zip(TRANSPOSED, product.transposed[::-1], strict=True):
            self._set("cublasLtMatmulDescSetAttribute", description, attribute, c_int(flag))
        for attribute, value in ((EPILOG, c_uint32(RELU_BIAS)), (BIAS, c_void_p(places[3]))):
            self._set("cublasLtMatmulDescSetAttribute", description, attribute, value)
        call.layouts = self._layouts(call, product)
        return call if self._chosen(call, places) else None

    def _layouts(self, call: Call, product: Product) -> list[c_void_p]:
        """Of b, a and out, as the library sees them: the other way round."""
        (ta, tb), (la, lb, lo) = product.transposed, product.lengths
        m, n, k = product.m, product.n, product.k
        stored = [(k, n) if tb else (n, k), (m, k) if ta else (k, m), (n, m)]
        kinds = (product.read, product.read, product.written)
        found = []
        for kind, (rows, columns), length in zip(kinds, stored, (lb, la, lo), strict=True):
            layout = c_void_p()
            numbers = (c_int(KIND[kind]), c_uint64(rows), c_uint64(columns), c_int64(length))
            self._call("cublasLtMatrixLayoutCreate", byref(layout), *numbers)
            call.owns("cublasLtMatrixLayoutDestroy", layout)
            found.append(layout)
        return found

    def _chosen(self, call: Call, places: Sequence[int]) -> bool:
        """Whether there is an algorithm, which the call then has."""
        wishes = c_void_p()
        self._call("cublasLtMatmulPreferenceCreate", byref(wishes))
        try:
            set_ = "cublasLtMatmulPreferenceSetAttribute"
            self._set(set_, wishes, MOST_WORKSPACE, c_uint64(WORKSPACE))
            self._set(set_, wishes, PARTS, c_uint32(AS_SUMS))
            a, b, out = places[:3]
            for attribute, place in zip(ALIGNMENTS, (b, a, out, out), strict=True):
                self._set(set_, wishes, attribute, c_uint32(min(place & -place, ALIGNED)))
            of_b, of_a, of_out = call.layouts
            asked = [self._handle, call.description, of_b, of_a, of_out, of_out, wishes]
            count = c_int(0)
            find = self._library.cublasLtMatmulAlgoGetHeuristic
            status = find(*asked, c_int(1), byref(call.algorithm), byref(count))
            return not status and bool(count.value) and not call.algorithm.status
        finally:
            self._call("cublasLtMatmulPreferenceDestroy", wishes)

    def _set(self, name: str, what: c_void_p, attribute: int, value: Any) -> None:
        self._call(name, what, c_int(attribute), byref(value), c_size_t(sizeof(value)))

    def _call(self, name: str, *arguments: Any) -> None:
        call(self._library, "cuBLASLt", name, *arguments)


class Call:
    """A product that is ready to be started, with the library's objects that describe it, which go with it."""

    def __init__(self, library: Any, places: Sequence[int]) -> None:
        self._library = library
        self.places = [c_void_p(place) for place in places[:3]]
        self.description = c_void_p()
        self.layouts: list[c_void_p] = []
        self.algorithm = _Algorithm()

    def owns(self, destroy: str, what: c_void_p) -> None:
        """Let go of an object of the library with this call."""
        weakref.finalize(self, getattr(self._library, destroy), what).atexit = False  # the process takes it along
