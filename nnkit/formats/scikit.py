"""Fitted networks of scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnkit.network import Network


def from_sklearn(estimator: Any, device: str = "cpu") -> Network:
    """The network of a fitted ``MLPClassifier`` or ``MLPRegressor``."""
    raise NotImplementedError
