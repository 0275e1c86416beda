"""cuBLAS with a handle of its own: through CuPy's it refuses to be recorded into a graph (cupy issue 6290)."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_double, c_float, c_int, c_longlong, c_size_t, c_void_p
from typing import Any

from nnkit.errors import DeviceError
from nnkit_cupy.source.pieces import Product

WORKSPACE = 32 << 20
"""Bytes for the library: what it recommends for Hopper."""
NUMBER = {"float32": c_float, "float64": c_double}
KIND = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 14}
"""The library's numbers of data types."""
SUMS = {"float32": 68, "float64": 70}
"""Its numbers of ways to add up; and that of float32 whose operands may be rounded to TF32."""
SUMS_TF32 = 77
ANY_ALGORITHM = -1
PARTS_AS_SUMS = 16
"""Its mode in which the parts of a sum that is divided are of the sum's type, also where the result is narrower."""


class Blas:
    """Products on one stream. The workspace is set after the stream, which resets it."""

    def __init__(self, cupy: Any, stream: int) -> None:
        self._library = library("cublas")
        handle = c_void_p()
        self._call("cublasCreate_v2", byref(handle))
        self._handle = handle
        self._workspace = cupy.empty(WORKSPACE, "uint8")
        self._call("cublasSetStream_v2", handle, c_void_p(stream))
        self._call("cublasSetWorkspace_v2", handle, c_void_p(self.workspace), c_size_t(WORKSPACE))
        self._call("cublasSetMathMode", handle, c_int(PARTS_AS_SUMS))

    @property
    def workspace(self) -> int:
        """Where products on this stream may write what they like."""
        return int(self._workspace.data.ptr)

    def multiply(self, product: Product, a: int, b: int, out: int) -> None:
        """Rows are the library's columns: it computes outᵀ = bᵀ · aᵀ."""
        number = NUMBER[product.dtype]
        one, zero = number(1), number(0)
        (ta, tb), lengths = product.transposed, map(c_int, product.lengths)
        read, written = c_int(KIND[product.read]), c_int(KIND[product.written])
        sides = zip(map(c_void_p, (a, b, out)), (read, read, written), lengths, strict=True)
        parts = [list(side) for side in sides]
        if product.count > 1:
            for part, apart in zip(parts, product.apart, strict=True):
                part.append(c_longlong(apart))
        left, right, result = parts
        sizes = [c_int(product.n), c_int(product.m), c_int(product.k)]
        given = [c_int(tb), c_int(ta), *sizes, byref(one), *right, *left, byref(zero), *result]
        how = [c_int(SUMS_TF32 if product.tf32 else SUMS[product.dtype]), c_int(ANY_ALGORITHM)]
        if product.count == 1:
            self._call("cublasGemmEx", self._handle, *given, *how)
        else:
            self._call("cublasGemmStridedBatchedEx", self._handle, *given, c_int(product.count), *how)

    def _call(self, name: str, *arguments: Any) -> None:
        call(self._library, "cuBLAS", name, *arguments)


def call(library: Any, title: str, name: str, *arguments: Any) -> None:
    """Call a function of a library; the error where it refuses says so."""
    status = getattr(library, name)(*arguments)
    if status:
        raise DeviceError(f"{title} refused {name} with status {status}; update the GPU's driver and CuPy together")


def library(name: str) -> Any:
    """The library of this name that CuPy has loaded, or another that the system has."""
    from importlib.util import find_spec
    from pathlib import Path

    places = [f"lib{name}.so.13", f"lib{name}.so.12"]
    spec = find_spec("nvidia")
    for folder in list(spec.submodule_search_locations or ()) if spec else []:
        places += map(str, Path(folder).glob(f"**/lib{name}.so.1[23]"))
    reasons = []
    for place in places:
        try:
            return ctypes.CDLL(place)
        except OSError as error:
            reasons.append(str(error))
    raise DeviceError(f"{name} was not found ({reasons[0]}); install it: pip install nvidia-cublas")
