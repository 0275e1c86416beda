"""Which curves of a training are drawn together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def panels(history: Mapping[str, Sequence[float]]) -> dict[str, dict[str, Sequence[float]]]:
    """Name → curves: each figure of the training with its validation, where there are values.

    >>> panels({"loss": [1.0], "accuracy": [0.5], "val_loss": [1.1], "val_accuracy": []})
    {'loss': {'training': [1.0], 'validation': [1.1]}, 'accuracy': {'training': [0.5]}}
    """
    found: dict[str, dict[str, Sequence[float]]] = {}
    for name, values in history.items():
        if values:
            which = "validation" if name.startswith("val_") else "training"
            found.setdefault(name.removeprefix("val_"), {})[which] = values
    return found
