"""Fitted networks of scikit-learn, alone or behind scalers in a pipeline; it is not imported for that."""

from nnkit.formats.scikit.networks import from_sklearn

__all__ = ["from_sklearn"]
