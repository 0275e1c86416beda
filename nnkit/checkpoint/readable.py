"""What a network is read from: the file itself, or a process that reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from nnkit.checkpoint.blocks import Shape, Where
from nnkit.checkpoint.container import DAMAGED
from nnkit.checkpoint.inventory import Entry
from nnkit.data.arrays import Array
from nnkit.errors import FileError


class Readable(Protocol):
    """What ``Container`` can, which says what each of these is."""

    @property
    def path(self) -> Path: ...  # noqa: D102

    def refused(self, place: str, reason: str, fix: str = DAMAGED) -> FileError: ...  # noqa: D102
    def text(self, place: str) -> bytes: ...  # noqa: D102
    def whole_number(self, place: str) -> int: ...  # noqa: D102
    def has(self, place: str) -> bool: ...  # noqa: D102
    def holds(self, tops: list[str], number: int) -> bool: ...  # noqa: D102
    def top(self, expected: int) -> set[str]: ...  # noqa: D102
    def check_top(self, names: set[str]) -> None: ...  # noqa: D102
    def listed(self) -> list[Entry]: ...  # noqa: D102
    def check_tree(self, leaves: set[str], groups: set[str], fix: str = DAMAGED) -> None: ...  # noqa: D102
    def check_sizes(self, shapes: Mapping[str, Shape], *dtypes: str, fix: str = DAMAGED) -> None: ...  # noqa: D102
    def numbers(self, place: str, checksum: str | None = None) -> Array: ...  # noqa: D102
    def pieces(self, place: str, checksum: str | None = None) -> Iterator[tuple[Where, Array]]: ...  # noqa: D102
    def check_digest(self, place: str, values: Array, checksum: str) -> None: ...  # noqa: D102
