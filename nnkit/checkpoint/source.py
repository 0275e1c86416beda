"""A file that is to be read: that it is one, how large it is, and how it begins."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnkit.errors import FileError


def beginning(path: Path, count: int, wanted: str) -> tuple[int, bytes]:
    """The size of a file in bytes, and its first ``count`` bytes, fewer if it is shorter.

    ``wanted`` is what should be given instead. Raises FileError for what is no ordinary file or cannot be read: a named
    pipe is never opened, since that would wait for a writer.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "numbers.txt"
    >>> _ = path.write_text("1 2 3")
    >>> beginning(path, 3, "a file of numbers")
    (5, b'1 2')
    """
    with reading(path):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no ordinary file"
            raise FileError(f"{path} is {kind}; give the name of {wanted}")
        with path.open("rb") as stream:
            return status.st_size, stream.read(count)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What the system raises in the block about a file, as FileError."""
    try:
        yield
    except FileError:
        raise
    except FileNotFoundError as error:
        raise FileError(f"{path} does not exist; check the name and the folder") from error
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}; check its permissions") from error
