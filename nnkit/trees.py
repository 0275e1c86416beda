"""Nested lists, tuples and dictionaries of arrays as flat dictionaries from path to array, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnkit.errors import ArgumentError


def flatten(tree: Any) -> dict[str, Any]:
    """Leaves by dotted path, in order; a lone leaf has the empty path.

    >>> flatten({"a": [1, 2], "b": 3})
    {'a.0': 1, 'a.1': 2, 'b': 3}
    """
    leaves: dict[str, Any] = {}
    for path, leaf in _leaves(tree, ""):
        if path in leaves:
            raise ArgumentError(f"two leaves have the path '{path}'; give them names that differ, without dots")
        leaves[path] = leaf
    return leaves


def _leaves(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    children = _children(tree)
    if children is None:
        yield path, tree
        return
    for name, child in children:
        yield from _leaves(child, f"{path}.{name}" if path else name)


def _children(tree: Any) -> list[tuple[str, Any]] | None:
    if isinstance(tree, dict):
        return [(str(name), child) for name, child in tree.items()]
    if isinstance(tree, (list, tuple)):
        return [(str(number), child) for number, child in enumerate(tree)]
    return None


def rebuild(tree: Any, leaves: Mapping[str, Any], path: str = "") -> Any:
    """The same structure with its leaves replaced by path; named tuples stay what they are.

    >>> rebuild({"a": [1, 2]}, {"a.0": 10, "a.1": 20})
    {'a': [10, 20]}
    """
    children = _children(tree)
    if children is None:
        return leaves[path]
    new = [(name, rebuild(child, leaves, f"{path}.{name}" if path else name)) for name, child in children]
    if isinstance(tree, dict):
        return dict(zip(tree, (child for _, child in new), strict=True))
    make = getattr(type(tree), "_make", type(tree))
    return make(child for _, child in new)
