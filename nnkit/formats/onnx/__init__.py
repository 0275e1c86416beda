"""ONNX: a network's graph as standard nodes, and networks of standard nodes as layers."""

from nnkit.formats.onnx.exporting import export
from nnkit.formats.onnx.importing import load

__all__ = ["export", "load"]
