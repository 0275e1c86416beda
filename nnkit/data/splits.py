"""Which rows train and which validate, and the order of the rows in an epoch: functions of the seed alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnkit.data.arrays import Array
from nnkit.errors import ArgumentError, DataError, ShapeError

Indices = NDArray[np.int64]

_SPLIT, _EPOCH = 1, 2  # tags that keep the two uses of one seed apart


def split_indices(
    rows: int, fraction: float, seed: int, labels: Array | None = None, shuffle: bool = True
) -> tuple[Indices, Indices]:
    """Split the rows 0 … rows − 1 into training and validation rows; both sorted, disjoint, and together all rows.

    The second has ``rows · fraction`` rows, rounded, and at least one unless ``fraction`` is 0. With ``labels`` (one
    for each row) every class gives its share, by largest remainder. A class with two rows or more is in both parts,
    even where that makes the second larger or smaller than its fraction; a class with one row stays in training.
    ``shuffle=False`` takes the last rows, for data ordered in time; labels have no influence then.

    Raises:
        ArgumentError: ``fraction`` outside [0, 1); a seed that is not a whole number from 0 up.
        DataError: nothing would be left for training.
        ShapeError: labels of another length.

    >>> train, validation = split_indices(10, 0.2, seed=0)
    >>> len(train), len(validation)
    (8, 2)
    """
    if isinstance(fraction, bool) or not 0 <= fraction < 1:
        raise ArgumentError(f"the fraction to split off is {fraction!r}, expected a number from 0 up to, but not, 1")
    everything = np.arange(rows, dtype=np.int64)
    count = max(1, int(rows * fraction + 0.5)) if fraction else 0
    if count >= rows:
        raise DataError(
            f"splitting {fraction:g} off {rows} rows leaves nothing for training; use more rows or a smaller fraction"
        )
    if count == 0 or not shuffle:
        return everything[: rows - count], everything[rows - count :]
    order = _order(rows, seed, _SPLIT)
    if labels is None:
        chosen = order[:count]
    else:
        chosen = _stratified(order, _class_numbers(labels, rows), count)
    taken = np.zeros(rows, dtype=bool)
    taken[chosen] = True
    return everything[~taken], everything[taken]


def epoch_order(indices: Indices, seed: int, epoch: int) -> Indices:
    """Return ``indices`` in the order of an epoch (0, 1, …): a permutation that depends on (seed, epoch) only.

    >>> sorted(epoch_order(np.arange(5), seed=1, epoch=0).tolist())
    [0, 1, 2, 3, 4]
    """
    return indices[_order(len(indices), seed, _EPOCH, epoch)]


def _order(n: int, seed: int, *tags: int) -> Indices:
    """A random permutation of 0 … n − 1: sorting the raw output of Philox, which NumPy promises never to change."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ArgumentError(f"seed is {seed!r}, expected a whole number from 0 up")
    raw = np.random.Philox(np.random.SeedSequence([int(seed), *tags])).random_raw(n)
    return np.argsort(raw, kind="stable").astype(np.int64, copy=False)


def _class_numbers(labels: Array, rows: int) -> Indices:
    if labels.shape != (rows,):
        raise ShapeError(f"labels have shape {labels.shape}, expected ({rows},): one class for each row to stratify by")
    return np.unique(labels, return_inverse=True)[1].astype(np.int64, copy=False)


def _stratified(order: Indices, classes: Indices, count: int) -> Indices:
    """The first rows of each class in random order, as many as its share."""
    sizes = np.bincount(classes)
    wanted = _shares(sizes, count)
    by_class = order[np.argsort(classes[order], kind="stable")]
    starts = np.cumsum(sizes) - sizes
    return np.concatenate([by_class[a : a + n] for a, n in zip(starts.tolist(), wanted.tolist(), strict=True)])


def _shares(sizes: Indices, count: int) -> Indices:
    """How many rows each class gives: by largest remainder, between 1 and all but one where a class has two or more."""
    low, high = np.minimum(sizes - 1, 1), sizes - 1
    exact = sizes * (count / sizes.sum())
    shares: Indices = np.clip(np.floor(exact).astype(np.int64), low, high)
    while (missing := min(count, int(high.sum())) - int(shares.sum())) > 0:
        shares[_leaders(exact - shares, shares < high, missing)] += 1
    while (surplus := int(shares.sum()) - max(count, int(low.sum()))) > 0:
        shares[_leaders(shares - exact, shares > low, surplus)] -= 1
    return shares


def _leaders(need: Array, allowed: NDArray[np.bool_], n: int) -> Indices:
    """The up to ``n`` classes with the greatest need among those allowed to change."""
    ranked = np.argsort(-need, kind="stable")
    return ranked[allowed[ranked]][:n]
