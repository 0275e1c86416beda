"""Networks in the formats that other tools read and write; each format has a file or folder of its own here."""

from nnkit.formats.dispatch import check_own, export, load, load_parameters
from nnkit.formats.scikit import from_sklearn

__all__ = ["check_own", "export", "from_sklearn", "load", "load_parameters"]
