"""What a lab needs of the rows that its network learns from, whatever they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from nnkit.data.arrays import Array
from nnkit.playground.goal import Goal
from nnkit.playground.settings import Settings

if TYPE_CHECKING:
    from nnkit.playground.lab import Lab

Rows = tuple[Array, Array, Array]
"""Features, targets as ``fit`` takes them, and labels or values."""


class Subject(Protocol):
    """Rows, and what a page shows of a network beside its figures."""

    goal: Goal
    inputs: tuple[str, ...]
    """Names of the features."""
    classes: tuple[str, ...]
    """Their names; none for values."""
    unit: float
    """What 1 of the targets is of the values as they were measured."""
    x_train: Array
    y_train: Array
    summary: str

    @property
    def ready(self) -> bool:
        """Whether there is enough to learn from; ``summary`` says what is missing."""

    def settled(self, settings: Settings) -> Settings:
        """The settings with what the rows say of them: the features that there are, the number of classes."""

    def scored_rows(self, whole: bool) -> Iterator[Rows]:
        """The training rows and the test rows, or a part of each, where there are very many."""

    def event(self) -> dict[str, Any]:
        """What a page shows of the rows."""

    def sections(self, lab: Lab) -> dict[int, bytes]:
        """What a frame shows of the network."""
