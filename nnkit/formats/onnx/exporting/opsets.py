"""Which versions of ONNX's operators can be written, and the library that knows them."""

from __future__ import annotations

from typing import Any

from nnkit.errors import ArgumentError, MissingExtraError

OLDEST, NEWEST = 13, 28
"""Those that the tests run through onnxruntime."""


def library() -> Any:
    """The module ``onnx``."""
    try:
        import onnx
        import onnx.checker
        import onnx.helper
    except ImportError as error:
        raise MissingExtraError('ONNX files are written with onnx: pip install "nnkit[onnx]"') from error
    return onnx


def checked_opset(onnx: Any, opset: Any) -> int:
    """A version that nnkit and the installed library both know."""
    newest = min(NEWEST, onnx.defs.onnx_opset_version())
    whole = hasattr(opset, "__index__") and not isinstance(opset, bool)
    if not whole or not OLDEST <= int(opset) <= newest:
        limit = "" if newest == NEWEST else f" ({NEWEST} with a newer onnx than {onnx.__version__})"
        raise ArgumentError(f"export: opset is {opset!r}, expected a whole number from {OLDEST} to {newest}{limit}")
    return int(opset)
