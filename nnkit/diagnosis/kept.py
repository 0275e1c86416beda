"""Where steps that failed are kept: a few files in a folder of the user's own among the temporary ones."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from nnkit.diagnosis.step import Step
from nnkit.diagnosis.stored import save

MOST = 5
"""Files that stay; with a further one the oldest goes."""


def keep(step: Step) -> str | None:
    """Write a step and remove the oldest ones; the path, or None where there is no place for it."""
    try:
        folder = _folder()
        target = folder / f"step-{os.urandom(4).hex()}.npz"
        save(step, target)
        others = (file for file in folder.glob("step-*.npz") if file != target)
        for file in sorted(others, key=lambda file: file.stat().st_mtime_ns, reverse=True)[MOST - 1 :]:
            file.unlink(missing_ok=True)
    except OSError:
        return None
    return str(target)


def _folder() -> Path:
    """It holds rows of the user's data, so nobody else may read it, and one that somebody else made is not used."""
    posix = os.name == "posix"
    folder = Path(tempfile.gettempdir()) / (f"nnkit-{os.getuid()}" if posix else "nnkit")
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or (posix and (found.st_uid != os.getuid() or found.st_mode & 0o077)):
        raise PermissionError(f"{folder} is not a folder of this user alone")
    return folder
