"""Files that a command will write, looked at before it does the work whose result they are for."""

from __future__ import annotations

import os
from pathlib import Path

from nnkit.errors import ArgumentError, FileError
from nnkit.measure.files import is_stream

SEEKING = ("save", "checkpoint")
"""Options whose files are HDF5, which is not written from its beginning to its end."""


def check_writable(*read: str | None, **places: str | None) -> None:
    """Refuse a path that could not be written, that two flags (the keyword names) share, or that is ``read``.

    ``save`` and ``checkpoint`` may not end like another format. None is no path. What is read may also be the name of a
    data set, which is no file.

    >>> check_writable(save=None)
    """
    seen: dict[Path, str] = {}
    for name, place in places.items():
        if place is None:
            continue
        path = Path(place).resolve()
        if path in seen:
            raise ArgumentError(f"--{seen[path]} and --{name} are the same file, {place}; write to two files")
        if any(source is not None and path == Path(source).expanduser().resolve() and path.exists() for source in read):
            raise ArgumentError(f"--{name} {place} would overwrite a file that this command reads; choose another name")
        seen[path] = name
        if name in SEEKING:
            from nnkit.formats import check_own

            check_own(path, name)
        if name in SEEKING or not is_stream(place):
            _check(f"--{name} {place}", path)


def _check(what: str, path: Path) -> None:
    if not path.name or path.is_dir():
        raise FileError(f"{what} is a folder; add the name of the file")
    if is_stream(path):
        raise FileError(f"{what} is no ordinary file, which HDF5 needs; choose another name")
    if not path.parent.is_dir():
        raise FileError(f"{what}: the folder {path.parent} does not exist; make it first")
    if not os.access(path.parent, os.W_OK):
        raise FileError(f"{what}: the folder {path.parent} cannot be written to; choose another")
