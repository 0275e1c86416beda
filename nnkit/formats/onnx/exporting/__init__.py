"""A network as an ONNX file: each operation of its prediction as standard nodes."""

from nnkit.formats.onnx.exporting.file import export

__all__ = ["export"]
