"""Networks in the formats that other tools read and write; each format has a file or folder of its own here."""

from nnkit.formats.dispatch import export, load, load_parameters
from nnkit.formats.scikit import from_sklearn

__all__ = ["export", "from_sklearn", "load", "load_parameters"]
