"""Objects of scikit-learn by the names of their classes, and their attributes, without importing it."""

from __future__ import annotations

from typing import Any

from nnkit.errors import ArgumentError

HEADS = ("sklearn.", "imblearn.")


def kind(thing: Any, *names: str) -> str | None:
    """Which of these classes of scikit-learn the object is of, or one that is made of one of them; None without.

    >>> from sklearn.linear_model import LogisticRegression
    >>> kind(LogisticRegression(), "LogisticRegression"), kind("text", "str")
    ('LogisticRegression', None)
    """
    found = (base.__name__ for base in type(thing).__mro__ if base.__module__.startswith(HEADS))
    return next((name for name in found if name in names), None)


def fitted(thing: Any, name: str, advice: str = "call its fit(x, y) first") -> Any:
    """An attribute that the object has since it was fitted."""
    attributes = vars(thing)
    if name not in attributes:
        raise ArgumentError(f"{type(thing).__name__} is not fitted: it has no {name}; {advice}")
    return attributes[name]
