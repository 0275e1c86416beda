"""Targets of the user's own files: text and whole numbers become classes with names, everything else stays numbers."""

from __future__ import annotations

import re
from collections.abc import Sized

import numpy as np

from nnkit.data.arrays import Array, to_host
from nnkit.data.checks.common import convert
from nnkit.errors import DataError

FEW = 20  # whole numbers with at most this many different values are taken for classes
TEXT = "USOT"  # NumPy's kinds of text
_PADDED = re.compile(r"[+-]?0\d+")
_CODE = re.compile(r"[+-]?(0\d+|\d+[eE]\+?\d+|\d{16,})")
Encoded = tuple[Array, tuple[str, ...] | None]


def encode_target(values: Array, name: str, counted: bool = False) -> Encoded:
    """Return (labels int32, names of the classes), or (numbers float32, None).

    Text is classes, sorted by name. One-hot rows are classes by position. Whole numbers (of an integer type) are
    classes when they have at most 20 different values, and each occurs twice on average; with ``counted``, also when
    they are exactly 0 … k − 1 for any k. Everything else is numbers.

    Raises:
        DataError: one class only; nearly as many texts as rows; NaN, infinity, or numbers beyond float32.

    >>> encode_target(np.array(["cat", "dog", "cat"]), "animal")
    (array([0, 1, 0], dtype=int32), ('cat', 'dog'))
    """
    values = values.reshape(len(values)) if values.ndim == 2 and values.shape[1] == 1 else values
    if values.dtype.kind in TEXT:
        return _from_text(values, name)
    values = to_host(values, name)
    as_numbers = convert(values, "float32", name, "leave those rows out")
    if _is_one_hot(values):
        return values.argmax(axis=1).astype(np.int32), tuple(str(i) for i in range(values.shape[1]))
    if values.ndim == 1 and values.dtype.kind in "biu":
        whole = values.astype(np.int64) if values.dtype.kind == "b" else values
        different, labels = np.unique(whole, return_inverse=True)
        few = len(different) <= FEW or (counted and different[0] == 0 and different[-1] == len(different) - 1)
        if few and 2 * len(different) <= len(values):
            return _classes(labels, [str(v) for v in different.tolist()], name)
    return as_numbers, None


def numbers_or_text(cells: list[str]) -> Array:
    """The target's cells as integers if all are whole, as floats if all are numbers, or else as they are.

    Codes stay text: whole numbers that recur, of which a number would change the writing (``007``, ``1e3``).

    >>> numbers_or_text(["1", "2.0"]), numbers_or_text(["1", "x"]).tolist()
    (array([1, 2]), ['1', 'x'])
    >>> numbers_or_text(["007", "010", "007", "010"]).tolist()
    ['007', '010', '007', '010']
    """
    try:
        numbers = np.array([float(cell) for cell in cells])
    except ValueError:
        return np.array(cells)
    if any("_" in cell for cell in cells) or _are_codes(cells, numbers):
        return np.array(cells)
    return whole_or_not(numbers)


def whole_or_not(numbers: Array) -> Array:
    """Numbers as integers, if all of them are whole."""
    whole = (np.abs(numbers) < 2**53) & (numbers == np.round(numbers))
    return numbers.astype(np.int64) if whole.all() else numbers


def are_many(different: Sized, rows: int) -> bool:
    """Whether so many different texts are no classes to learn."""
    return len(different) > FEW and 2 * len(different) > rows


def _are_codes(cells: list[str], numbers: Array) -> bool:
    """Whether these numbers are names of classes: with many values only zeros in front, which no measurement has."""
    different = set(cells)
    if 2 * len(different) > len(cells) or not (np.isfinite(numbers) & (numbers == np.round(numbers))).all():
        return False
    code = _CODE if len(different) <= FEW else _PADDED
    return any(map(code.fullmatch, different))


def _from_text(values: Array, name: str) -> Encoded:
    texts = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values.ravel().tolist()]
    odd = next((v for v in texts if not isinstance(v, str)), None)
    if odd is not None or values.ndim != 1:
        raise DataError(f"{name} holds text of shape {values.shape} with {odd!r} in it; expected one text for each row")
    different, labels = np.unique(np.array(texts, dtype=str), return_inverse=True)
    if are_many(different, len(texts)):
        raise DataError(
            f"{name} has {len(different)} different texts, such as {texts[0]!r}, in {len(texts)} rows; "
            f"that is no class to learn: choose another target"
        )
    return _classes(labels, different.tolist(), name)


def _classes(labels: Array, names: list[str], name: str) -> Encoded:
    if len(names) == 1:
        raise DataError(f"{name} is {names[0]!r} in every row; there is nothing to tell apart: choose another target")
    return labels.astype(np.int32), tuple(names)


def _is_one_hot(values: Array) -> bool:
    if values.ndim != 2 or values.shape[1] < 2:
        return False
    return bool(((values == 0) | (values == 1)).all() and (values.sum(axis=1) == 1).all())
