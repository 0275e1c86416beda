"""Writing a file so that readers and crashes see the old one or the new one, never half of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the block a new path beside `path` to write to; afterwards it takes the place of `path`, in one step.

    The new file is on the disk before it is renamed, and has the permissions of the old one. When the block raises, the
    old file stays as it was and the new one is removed. A link is followed: the file it points to is replaced. What is
    no file, a device or a pipe, cannot be replaced: the block is given `path` itself. Raises what the system raises
    (OSError).

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "numbers.txt"
    >>> with replacing(target) as new:
    ...     _ = new.write_text("1 2 3")
    >>> target.read_text(), len(list(target.parent.iterdir()))
    ('1 2 3', 1)
    """
    if is_stream(path):
        yield Path(path)
        return
    target = Path(os.path.realpath(path))
    new = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    try:
        yield new
        _flush(new)
        with suppress(FileNotFoundError):
            new.chmod(stat.S_IMODE(target.stat().st_mode))
        os.replace(new, target)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    with suppress(OSError):  # the rename itself; some systems cannot open a folder
        _flush(target.parent)


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is a device or a pipe, which takes what is written and keeps its place.

    >>> is_stream(os.curdir)
    False
    """
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def _flush(path: Path) -> None:
    """Wait until what was written to `path` is on the disk."""
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR  # Windows flushes only what is open for writing
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
