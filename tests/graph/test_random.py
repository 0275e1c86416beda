"""Random bits: the published vectors, the same words everywhere, and what they depend on."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit import ops
from nnkit.functional import trace
from nnkit.graph import interpret
from nnkit.graph.primitives.random import ROUNDS, threefry
from tests.graph import threefry as reference
from tests.libraries import Library
from tests.peers import peer

ONES, PI = 0xFFFFFFFF, (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
# rounds, counter, key, words: the known answers that the authors of the generator publish with it.
KNOWN = [
    (13, (0, 0), (0, 0), (0x9D1C5EC6, 0x8BD50731)),
    (13, (ONES, ONES), (ONES, ONES), (0xFD36D048, 0x2D17272C)),
    (13, PI[:2], PI[2:], (0xBA3E4725, 0xF27D669E)),
    (20, (0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    (20, (ONES, ONES), (ONES, ONES), (0x1CB996FC, 0xBB002BE7)),
    (20, PI[:2], PI[2:], (0xC4923A9C, 0x483DF7A0)),
]


def words(low: int, high: int, step: int, stream: tuple[int, int], shape: tuple[int, ...]) -> np.ndarray:
    seed = (np.asarray(low, "uint32"), np.asarray(high, "uint32"))
    return ops.random_bits(seed, np.asarray(step, "uint32"), stream, shape)


@pytest.mark.parametrize(("rounds", "counter", "key", "expected"), KNOWN)
def test_known_answers(rounds: int, counter: tuple[int, int], key: tuple[int, int], expected: tuple[int, int]) -> None:
    operands = [np.asarray([word], "int64") for word in (*counter, *key)]
    assert [int(word[0]) for word in threefry(*operands, rounds=rounds)] == list(expected)
    assert reference.block(counter, key, rounds) == expected


def test_thirteen_rounds() -> None:
    assert ROUNDS == 13
    assert words(0, 0, 0, (0, 0), (2,)).tolist() == [0x9D1C5EC6, 0x8BD50731]


def test_twenty_rounds_are_jax_s() -> None:
    random, numbers = peer("jax.extend.random"), peer("jax.numpy")
    key, counters = np.asarray([12345, 67890], "uint32"), np.arange(10, dtype="uint32")
    expected = np.asarray(random.threefry_2x32(numbers.asarray(key), numbers.asarray(counters))).reshape(2, 5)
    ours = threefry(*np.split(counters.astype("int64"), 2), *(np.int64(word) for word in key), rounds=20)
    np.testing.assert_array_equal(np.stack(ours), expected)


def test_every_library_draws_the_same_bits(library: Library) -> None:
    seed = [np.asarray(word, "uint32") for word in (2**32 - 1, 2**31 + 5)]
    step = np.asarray(4_000_000_000, "uint32")
    graph = trace(lambda low, high, step: ops.random_bits((low, high), step, (1, 2**32 - 1), (5, 7)), *seed, step)
    inputs = {str(i): library.array(word) for i, word in enumerate((*seed, step))}
    drawn = library.numpy(interpret(graph, library.xp, inputs, library.device)["value"])
    np.testing.assert_array_equal(drawn, reference.bits(2**32 - 1, 2**31 + 5, 4_000_000_000, (1, 2**32 - 1), (5, 7)))
    eager = ops.random_bits([inputs["0"], inputs["1"]], inputs["2"], [1, 2**32 - 1], [5, 7])
    np.testing.assert_array_equal(library.numpy(eager), drawn)


def test_a_longer_draw_begins_with_the_same_words() -> None:
    long = words(1, 2, 3, (4, 5), (101,))
    for count in (0, 1, 2, 50, 99):
        np.testing.assert_array_equal(words(1, 2, 3, (4, 5), (count,)), long[:count])
    np.testing.assert_array_equal(words(1, 2, 3, (4, 5), (2, 25)).ravel(), long[:50])


def test_each_part_of_the_coordinate_matters() -> None:
    base = (1, 2, 3, (4, 5))
    others = [(0, 2, 3, (4, 5)), (1, 0, 3, (4, 5)), (1, 2, 0, (4, 5)), (1, 2, 3, (0, 5)), (1, 2, 3, (4, 0))]
    drawn = [words(*coordinate, (64,)) for coordinate in (base, *others)]
    for i, one in enumerate(drawn):
        for two in drawn[:i]:
            assert np.mean(one == two) == 0


def test_words_do_not_depend_on_the_trace_around_them() -> None:
    low, high, step = (np.asarray(word, "uint32") for word in (1, 2, 3))

    def crowded(low, high, step):
        before = ops.random_bits((low, high), step, (9, 9), (3,))
        return ops.random_bits((low, high), step, (4, 5), (6,)), before

    graph = trace(crowded, low, high, step)
    outputs = interpret(graph, np, {"0": low, "1": high, "2": step})
    np.testing.assert_array_equal(outputs["0"], words(1, 2, 3, (4, 5), (6,)))


def test_statistics() -> None:
    drawn = words(2024, 11, 7, (1, 2), (1 << 16,))
    assert drawn.mean() / 2**32 == pytest.approx(0.5, abs=5 / np.sqrt(12 * drawn.size))
    each = np.unpackbits(drawn.view(np.uint8)).reshape(-1, 32).mean(axis=0)
    np.testing.assert_allclose(each, 0.5, atol=5 / (2 * np.sqrt(drawn.size)))
    counts = np.bincount(drawn.view(np.uint8), minlength=256)
    expected = drawn.nbytes / 256
    chi_squared = np.sum((counts - expected) ** 2 / expected)
    assert abs(chi_squared - 255) < 5 * np.sqrt(2 * 255)
    assert np.corrcoef(drawn[:-1], drawn[1:])[0, 1] == pytest.approx(0, abs=5 / np.sqrt(drawn.size))
    assert np.unique(drawn).size > drawn.size - 10
