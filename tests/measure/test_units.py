"""Bytes as people write them."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit.errors import ArgumentError
from nnkit.measure.units import parse_bytes, parse_seconds

WRITTEN = {
    "200MB": 200_000_000,
    " 1.5 GB ": 1_500_000_000,
    "64MiB": 64 * 2**20,
    "500 kB": 500_000,
    "500 KB": 500_000,
    "1 KiB": 1024,
    "2tb": 2 * 10**12,
    ".5 TiB": 2**39,
    "123 B": 123,
    "4096": 4096,
    "2 M": 2_000_000,
    "0.0000019 GB": 1900,
    "1.9 B": 1,
}


@pytest.mark.parametrize("text", WRITTEN)
def test_text(text):
    assert parse_bytes("limit", text) == WRITTEN[text]


@pytest.mark.parametrize("number", [1, 10**18, np.int64(7)])
def test_numbers(number):
    assert parse_bytes("limit", number) == number


@pytest.mark.parametrize(
    "nonsense", ["MB", "1,5 MB", "1 MBB", "nan", "inf", "٣ MB", "1 000 kB", "0.9", 0, -1, 2.0, None, True, 10**19, b"1"]
)
def test_nonsense(nonsense):
    expected = "limit must be a number of bytes from 1 to 10¹⁸, or text such as '200MB', '1.5 GB' or '64MiB', got "
    with pytest.raises(ArgumentError, match=expected):
        parse_bytes("limit", nonsense)


DURATIONS = {
    "90 s": 90.0,
    "10 min": 600.0,
    " 1.5h ": 5400.0,
    "2 days": 172800.0,
    "1 minute": 60.0,
    "3 Hours": 10800.0,
    "250 ms": 0.25,
    ".5 sec": 0.5,
    0.3: 0.3,
    7: 7.0,
}


@pytest.mark.parametrize("given", DURATIONS)
def test_durations(given):
    assert parse_seconds("limit", given) == pytest.approx(DURATIONS[given], rel=1e-15)


@pytest.mark.parametrize("nonsense", ["", "10", "s", "1 fortnight", "-1 s", "0 s", 0, -3.0, True, None, float("nan")])
def test_what_is_no_duration(nonsense):
    with pytest.raises(
        ArgumentError, match="limit must be a number of seconds above 0, or text such as '90 s', '10 min'"
    ):
        parse_seconds("limit", nonsense)
