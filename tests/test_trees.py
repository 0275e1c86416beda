"""Flattening and rebuilding nested containers."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from typing import Any

import pytest

from nnkit.errors import ArgumentError
from nnkit.trees import flatten, rebuild

Pair = namedtuple("Pair", "left right")
TREES = [1, [], {}, (), [1, [2, (3,)]], {"a": {"b": 1}, "c": [2]}, {0: "x", 1: "y"}, Pair(1, [2])]


@pytest.mark.parametrize("tree", [*TREES, OrderedDict(z=1, a=2)], ids=repr)
def test_rebuilding_what_was_flattened(tree: Any) -> None:
    assert rebuild(tree, flatten(tree)) == tree
    assert type(rebuild([tree], flatten([tree]))[0]) is (dict if isinstance(tree, dict) else type(tree))


def test_paths_in_order() -> None:
    assert list(flatten({"b": [1, {"x": 2}], "a": 3})) == ["b.0", "b.1.x", "a"]
    assert flatten(5) == {"": 5}


@pytest.mark.parametrize("tree", [{"a.b": 1, "a": {"b": 2}}, {1: "x", "1": "y"}])
def test_paths_that_collide(tree: Any) -> None:
    with pytest.raises(ArgumentError, match=r"two leaves have the path '(a\.b|1)'; give them names that differ"):
        flatten(tree)
