"""One hostile file: its number in the list, how it is made, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py

from tests.checkpoint.files import edited, replace

Make = Callable[[Path], object]
Edit = Callable[[h5py.File], object]
ANY = "."


class Case(NamedTuple):
    """A file that is refused.

    ``make`` turns the file of the small network into it; other files and a folder of plug-ins lie beside it.
    """

    number: int
    title: str
    make: Make
    reason: str
    into: bool = True
    """Whether it is refused as well where the module is given."""
    warns: bool = False
    """Whether it is read, with a warning, as long as nobody asks for more; then it is refused."""
    loads: bool | None = False
    """Whether it is read after all, because nothing that matters is wrong with it; None if either is right."""

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.number} {self.title}"


def bytes_case(number: int, title: str, change: Callable[[bytes], bytes], reason: str) -> Case:
    """Other bytes than those of the file."""
    return Case(number, title, lambda path: path.write_bytes(change(path.read_bytes())), reason)


def plain(number: int, title: str, edit: Edit, reason: str, **options: Any) -> Case:
    """An edited file with the checksums as they were."""
    return Case(number, title, lambda path: _plainly(path, edit), reason, **options)


def both(number: int, title: str, edit: Edit, reason: str, **options: Any) -> Iterator[Case]:
    """An edited file, with its checksums as they were and as an attacker makes them."""
    yield plain(number, title, edit, ANY, **options)
    yield Case(number, f"{title}, sums made right", lambda path: edited(path, edit), reason, **options)


def text(number: int, title: str, change: Callable[[dict[str, Any]], object], reason: str, name: str) -> Iterator[Case]:
    """One of the JSON texts changed."""

    def edit(file: h5py.File) -> None:
        found = json.loads(file[name][()])
        change(found)
        replace(file, name, json.dumps(found).encode())

    # With a module of one's own, that in the file is not looked at.
    yield from both(number, title, edit, reason, into=name != "architecture")


def _plainly(path: Path, edit: Edit) -> None:
    with h5py.File(path, "r+") as file:
        edit(file)
