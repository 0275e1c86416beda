"""Pieces of one kernel: side by side where they do not wait for each other, and one after the other where they do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnkit_cupy.source import together
from nnkit_cupy.source.order import Region, Touched
from nnkit_cupy.source.pieces import Piece, elements, rows
from nnkit_cupy.source.together import side_by_side
from tests.cuda.blocks import Blocks
from tests.cuda.stand_in import compiler

needs_compiler = pytest.mark.skipif(compiler() is None, reason="there is no C++ compiler here")


def piece(count: int, reads: str = "", writes: str = "", line: str = "b2[i] = 1;") -> Piece:
    """Of so many elements, on places that are called by letters."""
    return replace(elements(count, [line]), touched=Touched(tuple(map(Region, reads)), tuple(map(Region, writes))))


def begins(pieces: list[Piece]) -> list[str]:
    """The warp at which each piece begins, and where all threads meet."""
    found = []
    for line in side_by_side(pieces, "guard"):
        if "__syncthreads" in line:
            found.append("meet")
        elif "for (" in line:
            found.append(line.split("FROM(")[1].split(")")[0] if "FROM(" in line else "0")
    return found


def test_what_is_independent_begins_at_other_warps() -> None:
    """Of eight warps the second piece has three, so that the fourth piece begins at the first again."""
    pieces = [piece(1, "a", "b"), piece(65, "a", "c"), piece(100, "a", "d"), piece(1, "a", "e")]
    assert begins(pieces) == ["0", "32", "128", "0"]


def test_whoever_waits_meets_the_others() -> None:
    assert begins([piece(2, "", "a"), piece(2, "", "b"), piece(2, "a", "c")]) == ["0", "32", "meet", "0"]
    assert begins([piece(2, "a"), piece(2, "", "a")]) == ["0", "meet", "0"]


def test_one_thread_does_not_wait_for_itself() -> None:
    """But for another it does."""
    assert begins([piece(1, "", "a"), piece(1, "", "b"), piece(1, "b", "c")]) == ["0", "32", "32"]
    assert begins([piece(1, "", "a"), piece(1, "", "b"), piece(1, "ab", "c")]) == ["0", "32", "meet", "0"]


def test_shared_memory_is_had_by_one_at_a_time() -> None:
    first, other = (replace(piece(4, "", place), shared=64) for place in "ab")
    assert begins([first, other]) == ["0", "meet", "0"]


@needs_compiler
@pytest.mark.parametrize("careless", [False, True])
@pytest.mark.parametrize("late", [False, True])
def test_all_threads_of_a_block(monkeypatch: pytest.MonkeyPatch, careless: bool, late: bool) -> None:
    """Two sums of rows side by side, and their sums by one thread; without a meeting it reads what is not there yet."""
    if careless:
        monkeypatch.setattr(together, "_meets", lambda *_: False)
    fold = [
        "float found = 0;",
        "for (int64 k = LANE; k < 40; k += WIDTH) found += {0}[r * 40 + k];",
        "found = FOLD<float, Sum>(found);",
    ]
    pieces = []
    for number, source in enumerate(("b0", "b1")):
        body = [*(line.replace("{0}", source) for line in fold), f"if (LANE == 0) b2[{5 * number} + r] = found;"]
        pieces.append(replace(rows(5, 40, body), touched=Touched((Region(source),), (Region(f"b2.{number}"),))))
    last = piece(5, line="b2[10 + i] = b2[i] + b2[5 + i];")
    pieces.append(replace(last, touched=Touched((Region("b2.0"), Region("b2.1")), (Region("b2.2"),))))
    lines = side_by_side(pieces, "")
    whole = replace(pieces[0], lines=lines, blocks=1, threads=max(each.threads for each in pieces))
    draw = np.random.default_rng(0)
    a, b = (draw.integers(-9, 9, (5, 40)).astype(np.float32) for _ in range(2))
    out = np.full(15, np.nan, np.float32)
    Blocks([whole]).run(0, a, b, out, late)
    np.testing.assert_array_equal(out[:10], np.concatenate([a.sum(axis=1), b.sum(axis=1)]))
    assert np.array_equal(out[10:], a.sum(axis=1) + b.sum(axis=1)) != careless
