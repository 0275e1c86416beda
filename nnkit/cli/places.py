"""Files that a command will write, looked at before it does the work whose result they are for."""

from __future__ import annotations

import os
from pathlib import Path

from nnkit.errors import ArgumentError, FileError


def check_writable(**places: str | None) -> None:
    """Refuse a path that could not be written, or that two flags (the keyword names) share; None is no path.

    >>> check_writable(save=None)
    """
    seen: dict[Path, str] = {}
    for name, place in places.items():
        if place is None:
            continue
        path = Path(place).resolve()
        if path in seen:
            raise ArgumentError(f"--{seen[path]} and --{name} are the same file, {place}; write to two files")
        seen[path] = name
        _check(f"--{name} {place}", path)


def _check(what: str, path: Path) -> None:
    if not path.name or path.is_dir():
        raise FileError(f"{what} is a folder; add the name of the file")
    if not path.parent.is_dir():
        raise FileError(f"{what}: the folder {path.parent} does not exist; make it first")
    if not os.access(path.parent, os.W_OK):
        raise FileError(f"{what}: the folder {path.parent} cannot be written to; choose another")
