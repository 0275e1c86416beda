"""The confusion matrix as text: with names, with numbers where names are too wide, and as a list."""

from __future__ import annotations

import numpy as np

from nnkit.cli.confusion import confusion_text

FASHION = ("T-shirt/top", "Trouser", "Ankle boot")
COUNTS = np.array([[90, 7, 3], [0, 100, 0], [12, 0, 88]])


def test_names_head_the_columns_where_they_fit() -> None:
    assert confusion_text(COUNTS, FASHION, 80).splitlines() == [
        "true \\ predicted",
        "               T-shirt/top  Trouser  Ankle boot",
        "  T-shirt/top           90        7           3",
        "      Trouser            0      100           0",
        "   Ankle boot           12        0          88",
    ]


def test_numbers_head_the_columns_where_names_do_not_fit() -> None:
    assert confusion_text(COUNTS, FASHION, 40).splitlines() == [
        "true \\ predicted",
        "                  0    1   2",
        "  0 T-shirt/top  90    7   3",
        "      1 Trouser   0  100   0",
        "   2 Ankle boot  12    0  88",
    ]


def test_the_most_frequent_mix_ups_where_nothing_fits() -> None:
    expected = [
        "most frequent mix-ups",
        "  12 × Ankle boot taken for T-shirt/top",
        "  7 × T-shirt/top taken for Trouser",
        "  3 × T-shirt/top taken for Ankle boot",
    ]
    assert confusion_text(COUNTS, FASHION, 24).splitlines() == expected


def test_many_classes_are_a_list() -> None:
    counts = np.eye(21, dtype=np.int64)
    assert confusion_text(counts, None, 500) == "no class was taken for another"
    counts[3, 4] = 2
    assert confusion_text(counts, None, 500).splitlines() == ["most frequent mix-ups", "  2 × 3 taken for 4"]


def test_names_take_one_line_each_and_do_not_act_on_a_terminal() -> None:
    assert confusion_text(COUNTS[:2, :2], ("x\x1b[31mred", "a\nb\u202e"), 80).splitlines() == [
        "true \\ predicted",
        "                x\\x1b[31mred  a\\nb\\u202e",
        "  x\\x1b[31mred            90           7",
        "    a\\nb\\u202e             0         100",
    ]
