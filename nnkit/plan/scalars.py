"""Elementwise operations that are written alike in every language that backends turn plans into."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

OPERATORS = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "negative": "-{0}",
    "square": "{0} * {0}",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}",
    "equal": "{0} == {1}",
    "not_equal": "{0} != {1}",
    "logical_xor": "{0} != {1}",
    "bitwise_and": "{0} & {1}",
    "bitwise_or": "{0} | {1}",
    "bitwise_xor": "{0} ^ {1}",
    "bitwise_left_shift": "{0} << {1}",
    "bitwise_right_shift": "{0} >> {1}",
    "bitwise_invert": "~{0}",
    "isfinite": "{0} - {0} == 0",  # of infinity and NaN the difference is NaN; this form runs on whole vectors
    "isnan": "{0} != {0}",
    "stop_gradient": "{0}",
}
"""One element of the result by the code of its operands."""
UNCHANGED = ("floor", "ceil", "trunc", "round")
"""Operations that leave whole numbers as they are."""


def alike(
    operation: str, operands: Sequence[str], dtypes: Sequence[str], cast: Callable[[str, str, str], str]
) -> tuple[list[str], str]:
    """The operands as one data type, and that type; the condition of ``where`` is left out."""
    first = 1 if operation == "where" else 0
    common = str(np.result_type(*dtypes[first:]))
    others = zip(operands[first:], dtypes[first:], strict=True)
    return [*operands[:first], *(cast(code, dtype, common) for code, dtype in others)], common
