"""A file for the HDF5 library to write to that never fails under its hands."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any


class Stream(io.RawIOBase):
    """Writes to an open file that has no buffer. The first error is remembered and ends all writing.

    The library ends the process with a segmentation fault when the disk is full as it closes a file, so it must not
    be told. It keeps what it has to read again in memory.
    """

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._error: BaseException | None = None

    def check(self) -> None:
        """Raise what went wrong so far."""
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        """Write all of it: the system may take less at a time."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest and self._error is None:
            rest = rest[self._tried(self._file.write, rest) :]
        return size

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from the file."""
        return self._tried(self._file.readinto, buffer)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position."""
        return self._tried(self._file.seek, offset, whence)

    def tell(self) -> int:
        """The position."""
        return self._tried(self._file.tell)

    def truncate(self, size: int | None = None) -> int:
        """Make the file this long."""
        return self._tried(self._file.truncate, size)

    def readable(self) -> bool:
        """It is."""
        return True

    def writable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def _tried(self, action: Callable[..., int | None], *arguments: Any) -> int:
        try:
            return action(*arguments) or 0
        except BaseException as error:  # an interrupt too: it is raised between two data sets
            self._error = self._error or error
            return 0
