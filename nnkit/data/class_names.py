"""Classes that are given by their names: text as numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from nnkit.data.arrays import Array, as_numpy
from nnkit.errors import ArgumentError, DataError

Names = tuple[str, ...]
_SHOWN = 10


def numbered(y: Any, names: Names | None, count: int, argument: str = "y") -> tuple[Any, Names | None]:
    """``(numbers, names)`` where ``y`` is one text for each row: the place of each text in ``names``, int32 (rows,).

    Without ``names`` they are the different texts in sorted order, of which there must be ``count``. What is not text
    comes back as it is.

    Raises:
        DataError: another number of texts than ``count``; a text that is not among the names.
        ArgumentError: another number of names than ``count``.

    >>> numbers, names = numbered(["dog", "cat", "dog"], None, 2)
    >>> numbers.tolist(), names
    ([1, 0, 1], ('cat', 'dog'))
    """
    texts = _texts(as_numpy(y, argument))
    if texts is None:
        return y, names
    known = _learned(texts, count, argument) if names is None else names
    if len(known) != count:
        raise ArgumentError(_uneven(len(known), count))
    order = np.argsort(np.asarray(known), kind="stable")
    ranked = np.asarray(known)[order]
    places = np.minimum(np.searchsorted(ranked, texts), count - 1)
    strange = ranked[places] != texts
    if strange.any():
        row = int(np.argmax(strange))
        raise DataError(
            f"{argument} has the class {str(texts[row])!r} in row {row}, which the network does not know; "
            f"it knows {_listed(known)}"
        )
    return order[places].astype(np.int32), known


def checked(names: Any, count: int) -> Names:
    """Names of so many classes as plain text; ArgumentError says what is wrong with others.

    >>> checked(["cat", "dog"], 2)
    ('cat', 'dog')
    """
    unordered = isinstance(names, str | bytes | Mapping | Set) or not isinstance(names, Iterable)
    given = () if unordered else tuple(names)
    if not given or not all(isinstance(name, str) for name in given):
        raise ArgumentError(f"net.classes must be names such as ('cat', 'dog'), or None, got {names!r:.80}")
    known = tuple(map(str, given))
    if len(known) != count:
        raise ArgumentError(_uneven(len(known), count))
    name, times = Counter(known).most_common(1)[0]
    if times > 1:
        raise ArgumentError(f"net.classes has {name!r:.80} {times} times; give each class a name of its own")
    return known


def by_number(weights: Any, names: Names | None) -> Any:
    """Weights of classes by number where they are given by name; anything else as it is.

    >>> by_number({"dog": 2.0}, ("cat", "dog"))
    {1: 2.0}
    """
    if names is None or not isinstance(weights, Mapping):
        return weights
    for key in weights:
        if isinstance(key, str) and key not in names:
            raise ArgumentError(
                f"class_weight has the class {key!r}, which the network does not know; it knows {_listed(names)}"
            )
    return {names.index(key) if key in names else key: weight for key, weight in weights.items()}


def _uneven(names: int, count: int) -> str:
    return f"net.classes has {names} names and the network tells {count} classes apart; give one name for each"


def _texts(values: Array) -> Array | None:
    """One text for each row, or None."""
    if values.dtype.kind not in "UTO" or not values.size or values.shape not in ((len(values),), (len(values), 1)):
        return None
    items = values.reshape(len(values))
    if values.dtype.kind != "U":
        if not all(isinstance(item, str) for item in items.tolist()):
            return None
        items = np.array(items.tolist(), dtype=str)
    return items


def _learned(texts: Array, count: int, argument: str) -> Names:
    names = tuple(np.unique(texts).tolist())
    if len(names) != count:
        raise DataError(
            f"{argument} has {len(names)} different texts, {_listed(names)}, and the network tells {count} classes "
            f"apart; build it for {len(names)} classes, or name all of them first: net.classes = (…)"
        )
    return names


def _listed(names: Names) -> str:
    more = f", … ({len(names)} in all)" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more
