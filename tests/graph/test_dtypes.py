"""Data types: kinds, limits and the standard's promotion."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nnkit.errors import DtypeError
from nnkit.graph import Trace
from nnkit.graph.dtypes import FLOATS, KNOWN, SIGNED, UNSIGNED, itemsize, kind, limits, promote, typed
from tests.peers import peer

IN_NUMPY = sorted(KNOWN - {"bfloat16"})


@pytest.mark.parametrize("dtype", IN_NUMPY)
def test_kind_and_size_agree_with_numpy(dtype: str) -> None:
    letters = {"f": "float", "i": "signed", "u": "unsigned", "b": "bool"}
    assert (kind(dtype), itemsize(dtype)) == (letters[np.dtype(dtype).kind], np.dtype(dtype).itemsize)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_limits_agree_with_numpy_and_are_python_numbers(dtype: str) -> None:
    ours, theirs = vars(limits(dtype)), np.finfo(dtype)
    for name in ("bits", "eps", "max", "min", "smallest_normal"):
        assert ours[name] == getattr(theirs, name)
        assert type(ours[name]) in (int, float)
    x = Trace().input("x", "data", (3,), dtype)
    assert (x + x.trace.namespace.finfo(x).eps).dtype == dtype


def test_bfloat16_has_the_range_of_float32() -> None:
    info = limits("bfloat16")
    assert (info.bits, info.eps, info.smallest_normal) == (16, 2.0**-7, 2.0**-126)
    assert 3.38e38 < info.max == -info.min < float(np.finfo("float32").max)
    assert itemsize("bfloat16") == 2


@pytest.mark.parametrize(("one", "two"), [*itertools.product(sorted(KNOWN - {"bfloat16", "float16"}), repeat=2)])
def test_promotion_is_the_standard_s(one: str, two: str) -> None:
    strict = peer("array_api_strict")
    try:
        expected = str(strict.result_type(getattr(strict, one), getattr(strict, two))).rpartition(".")[2]
    except TypeError:
        with pytest.raises(DtypeError, match="result_type: cannot mix"):
            promote("result_type", one, two)
    else:
        assert promote("result_type", one, two) == expected


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        (("bfloat16",), "bfloat16"),
        (("bfloat16", "float16"), "float32"),
        (("float16", "bfloat16", "float32"), "float32"),
        (("float16", "bfloat16", "float64"), "float64"),
        (("bfloat16", "float32"), "float32"),
        (("uint8", "int8", "uint16"), "int32"),
    ],
)
def test_promotion_beyond_pairs(dtypes: tuple[str, ...], expected: str) -> None:
    assert {promote("concat", *order) for order in itertools.permutations(dtypes)} == {expected}


@pytest.mark.parametrize("dtype", [*SIGNED, *UNSIGNED])
def test_integers_are_held_to_the_last(dtype: str) -> None:
    info = np.iinfo(dtype)
    for extreme in (int(info.min), int(info.max)):
        assert typed("full", extreme, dtype) == extreme
    for beyond in (int(info.min) - 1, int(info.max) + 1):
        with pytest.raises(DtypeError, match=f"full: the int {beyond} does not fit {dtype}"):
            typed("full", beyond, dtype)


@pytest.mark.parametrize("dtype", FLOATS)
def test_scalars_become_the_type_s_own(dtype: str) -> None:
    assert type(typed("add", 1, dtype)) is float
    assert typed("add", 2, "bool") is True
    assert typed("add", True, "int8") == 1
