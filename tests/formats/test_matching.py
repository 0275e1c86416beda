"""The difference between what a file has and what a network expects, in words."""

from __future__ import annotations

import time

import pytest

from nnkit.formats.matching import mismatch

EXPECTED = {"layers.0.weight": (3, 4), "layers.0.bias": (4,), "layers.10.bias": (2,)}


def test_nothing_to_say() -> None:
    assert mismatch(EXPECTED, dict(reversed(EXPECTED.items()))) is None
    assert mismatch({}, {}) is None


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"layers.0.bias": None}, "lacks layers.0.bias (4,)"),
        ({"b": (), "a": (2,)}, "has a (2,), b (), which the network does not"),
        ({"layers.0.weight": (4, 3)}, "has layers.0.weight (4, 3) where the network has (3, 4)"),
        (
            {"layers.0.weight": None, "layers.0.wieght": (3, 4)},
            "lacks layers.0.weight (3, 4) [nearest: layers.0.wieght]; "
            "has layers.0.wieght (3, 4), which the network does not",
        ),
        (
            {"layers.0.weight": None, "layers.10.bias": (3,), "kernel": (3, 4)},
            "lacks layers.0.weight (3, 4); has kernel (3, 4), which the network does not; "
            "has layers.10.bias (3,) where the network has (2,)",
        ),
    ],
)
def test_what_differs(changes: dict[str, tuple[int, ...] | None], text: str) -> None:
    found = {name: shape for name, shape in (EXPECTED | changes).items() if shape is not None}
    assert mismatch(EXPECTED, found) == text


def test_a_long_list_is_cut() -> None:
    found = {f"layers.{number:02}": (1,) for number in range(1234)}
    text = mismatch({}, found)
    assert text is not None
    assert text.startswith("has layers.00 (1,), layers.01 (1,), ")
    assert text.endswith("layers.09 (1,) and 1,224 more, which the network does not")


def test_names_that_act_on_a_terminal_or_never_end() -> None:
    text = mismatch({"a\x1b[2J": (1,)}, {"../\u202e" + "x" * 100_000: (1,) * 1000})
    assert text is not None
    assert text.isprintable()
    assert "lacks 'a\\x1b[2J' (1,); has '../\\u202exxx" in text
    assert len(text) < 600


def test_the_nearest_is_found_among_many_in_little_time() -> None:
    found = {f"{'ab' * 40}.{number}": (1,) for number in range(10_000)}
    expected = {f"{'ba' * 40}.{number}": (1,) for number in range(10_000)}
    began = time.perf_counter()
    text = mismatch(expected | {"layers.5000.weight": (1,)}, found | {"layers.5000.weights": (1,)})
    assert time.perf_counter() - began < 2
    assert text is not None
    assert "[nearest: abab" in text
    near = mismatch({"layers.500.weight": (1,)}, {f"layers.{number}.weights": (1,) for number in range(1000)})
    assert near is not None
    assert "lacks layers.500.weight (1,) [nearest: layers.500.weights]" in near
