"""A file through the process that reads it: what ``Container`` can, with every answer checked again."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from nnkit.checkpoint.apart import wire
from nnkit.checkpoint.apart.process import ADVICE, Process, reading
from nnkit.checkpoint.blocks import Shape, Where, blocks
from nnkit.checkpoint.checksum import digest
from nnkit.checkpoint.container import CHANGED, DAMAGED, check_file, refusal
from nnkit.checkpoint.inventory import Entry, checked
from nnkit.checkpoint.text import LONGEST, parsed
from nnkit.data.arrays import Array
from nnkit.errors import FileError

T = TypeVar("T")
SHORT = 100  # bytes of a number or a truth value


class Remote:
    """The data sets of one file by their paths; the methods of ``Container`` say what each of these does."""

    def __init__(self, process: Process) -> None:
        self.path = process.path
        self._process = process
        self._checked: dict[str, tuple[Shape, str]] = {}

    def refused(self, place: str, reason: str, fix: str = DAMAGED) -> FileError:
        """The error for something in the file."""
        return refusal(self.path, place, reason, fix)

    def text(self, place: str) -> bytes:
        """One text."""
        self._process.ask(["text", [place]])
        return self._process.answer(wire.RAW, LONGEST)

    def whole_number(self, place: str) -> int:
        """One integer."""
        return self._told(int, "whole_number", place)

    def has(self, place: str) -> bool:
        """Whether something of that name stands at the top."""
        return self._told(bool, "has", place)

    def holds(self, tops: list[str], number: int) -> bool:
        """Whether as many groups and arrays as this stand at and below some names."""
        return self._told(bool, "holds", tops, number)

    def listed(self) -> list[Entry]:
        """What stands in the file, as far as it can be seen."""
        found = self._told(list, "listed", most=LONGEST)
        try:
            return [checked(row) for row in found]
        except ValueError as error:
            raise self._nonsense() from error

    def top(self, expected: int) -> set[str]:
        """What stands at the top, unless that is far more than expected."""
        found = self._told(list, "top", expected, most=LONGEST)
        if not all(isinstance(name, str) for name in found):
            raise self._nonsense()
        return set(found)

    def check_top(self, names: set[str]) -> None:
        """Refuse other names at the top than these, and any attribute there."""
        self._told(type(None), "check_top", sorted(names))

    def check_tree(self, leaves: set[str], groups: set[str], fix: str = DAMAGED) -> None:
        """Refuse anything below these groups but these leaves, and leaves or groups that are not there."""
        self._told(type(None), "check_tree", sorted(leaves), sorted(groups), fix)

    def check_sizes(self, shapes: Mapping[str, Shape], *dtypes: str, fix: str = DAMAGED) -> None:
        """Refuse arrays of other shapes than these or of another type, or that are not all in this file."""
        (dtype,) = dtypes
        self._told(type(None), "check_sizes", {place: list(shape) for place, shape in shapes.items()}, dtype, fix)
        self._checked |= {place: (shape, dtype) for place, shape in shapes.items()}

    def numbers(self, place: str, checksum: str | None = None) -> Array:
        """The values of an array that ``check_sizes`` has let pass, with this checksum."""
        shape, dtype = self._checked[place]
        values = np.empty(shape, np.dtype(dtype).newbyteorder("<"))
        self._process.ask(["numbers", [place, checksum]])
        self._process.answer_into(values)
        if checksum is not None:
            self.check_digest(place, values, checksum)
        return values

    def pieces(self, place: str, checksum: str | None = None) -> Iterator[tuple[Where, Array]]:
        """The values of such an array, piece by piece; all of them are here when the first one comes."""
        values = self.numbers(place, checksum)
        yield from ((where, values[where]) for where in blocks(values.shape, values.itemsize))

    def check_digest(self, place: str, values: Array, checksum: str) -> None:
        """Refuse values with another checksum."""
        if digest(values) != checksum:
            raise self.refused(place, CHANGED)

    def _told(self, kind: type[T], name: str, *arguments: Any, most: int = SHORT) -> T:
        """An answer of this type, of so many bytes of JSON."""
        self._process.ask([name, list(arguments)])
        data = self._process.answer(wire.PLAIN, most)
        try:
            found = parsed(data)
        except ValueError as error:
            raise self._nonsense() from error
        if type(found) is not kind:
            raise self._nonsense()
        return found

    def _nonsense(self) -> FileError:
        return FileError(f"{self.path}: the process that read it gave an answer that nobody had asked for; {ADVICE}")


@contextmanager
def opened_apart(path: Path) -> Iterator[Remote]:
    """An HDF5 file for reading, in a process of its own that can do nothing else.

    Raises:
        ArgumentError: the system is not POSIX, or there is no Python to start.
        FileError: the file is missing, or too large, or no file; the process crashed, was late or talked nonsense.
    """
    check_file(path)
    handle = _handle(path)
    try:
        with reading(path, handle) as process:
            process.answer(wire.PLAIN, SHORT)
            yield Remote(process)
    finally:
        os.close(handle)


def _handle(path: Path) -> int:
    """The open file; what has taken its place in the meantime does not make anybody wait."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}; check its permissions") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FileError(f"{path} is no ordinary file; give the name of a file that net.save wrote")
    return handle
