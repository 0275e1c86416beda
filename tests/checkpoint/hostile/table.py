"""All hostile files by their numbers in the list, and which numbers are tested elsewhere."""

from __future__ import annotations

from tests.checkpoint.hostile import beyond, container, structure, texts
from tests.checkpoint.hostile.case import Case

CASES: list[Case] = [*container.CASES, *structure.CASES, *texts.CASES, *beyond.CASES]
NUMBERS = range(1, beyond.NUMBER + 1)

PENDING = {
    52: "optimiser moments of the wrong shape",
    53: "negative step, random state of the wrong type or length",
    54: "cursor past the data",
    55: "configuration hash mismatch",
    56: "the stored sample is not reproduced",
}
"""What version 1 of the format does not hold. Who adds it to a later version moves the number into a list of cases."""
