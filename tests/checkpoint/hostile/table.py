"""All hostile files by their numbers in the list; those about saving are tests of their own."""

from __future__ import annotations

from tests.checkpoint.hostile import beyond, container, states, structure, texts
from tests.checkpoint.hostile.case import Case

CASES: list[Case] = [*container.CASES, *structure.CASES, *texts.CASES, *states.CASES, *beyond.CASES]
NUMBERS = range(1, beyond.NUMBER + 1)
