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
LETTER = {"float32": "S", "float64": "D"}


class Blas:
    """Products on one stream. The workspace is set after the stream, which resets it."""

    def __init__(self, cupy: Any, stream: int) -> None:
        self._library = _library()
        handle = c_void_p()
        self._call("cublasCreate_v2", byref(handle))
        self._handle = handle
        self._workspace = cupy.empty(WORKSPACE, "uint8")
        self._call("cublasSetStream_v2", handle, c_void_p(stream))
        self._call("cublasSetWorkspace_v2", handle, c_void_p(self._workspace.data.ptr), c_size_t(WORKSPACE))

    def multiply(self, product: Product, a: int, b: int, out: int) -> None:
        """Rows are the library's columns: it computes outᵀ = bᵀ · aᵀ."""
        number = NUMBER[product.dtype]
        one, zero = number(1), number(0)
        (ta, tb), (la, lb, lo) = product.transposed, product.lengths
        head = [self._handle, c_int(tb), c_int(ta), c_int(product.n), c_int(product.m), c_int(product.k), byref(one)]
        if product.count == 1:
            tail = [c_void_p(b), c_int(lb), c_void_p(a), c_int(la), byref(zero), c_void_p(out), c_int(lo)]
            self._call(f"cublas{LETTER[product.dtype]}gemm_v2", *head, *tail)
            return
        aa, ab, ao = map(c_longlong, product.apart)
        tail = [c_void_p(b), c_int(lb), ab, c_void_p(a), c_int(la), aa, byref(zero), c_void_p(out), c_int(lo), ao]
        self._call(f"cublas{LETTER[product.dtype]}gemmStridedBatched", *head, *tail, c_int(product.count))

    def _call(self, name: str, *arguments: Any) -> None:
        status = getattr(self._library, name)(*arguments)
        if status:
            raise DeviceError(f"cuBLAS refused {name} with status {status}; update the GPU's driver and CuPy together")


def _library() -> Any:
    """The library that CuPy has loaded, or another that the system has."""
    from importlib.util import find_spec
    from pathlib import Path

    places = ["libcublas.so.13", "libcublas.so.12"]
    spec = find_spec("nvidia")
    for folder in list(spec.submodule_search_locations or ()) if spec else []:
        places += map(str, Path(folder).glob("**/libcublas.so.1[23]"))
    reasons = []
    for place in places:
        try:
            return ctypes.CDLL(place)
        except OSError as error:
            reasons.append(str(error))
    raise DeviceError(f"cuBLAS was not found ({reasons[0]}); install it: pip install nvidia-cublas")
