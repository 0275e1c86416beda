"""numba: from source text to a compiled function, kept on disk for the next process."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nnkit._version import __version__
from nnkit.backend import NoNativeFormError
from nnkit_numpy.native.intrinsics import intrinsics

Run = Callable[[Any, int, int], int]
DIRECTORY = "NNKIT_CACHE_DIR"


def require() -> None:
    """Refuse where the extra is missing; nothing is imported yet."""
    missing = [name for name in ("numba", "scipy", "threadpoolctl") if find_spec(name) is None]
    if missing:
        *others, last = missing
        listed = f"{', '.join(others)} and {last}" if others else last
        raise NoNativeFormError(f"native programs need {listed}, from the extra 'fast': pip install 'nnkit[fast]'")


def compiled(text: str) -> Run:
    """The function ``run`` of this source. A cache that cannot be used costs time and changes nothing."""
    names = _names()
    path = _kept(text)
    if path is not None:
        try:
            ready = any(path.parent.rglob(f"{path.stem}.run*.nbi"))
            return _run(text, str(path), names | {"CACHE": True, "kernel": _kernel(eager=not ready)})
        except Exception:  # whatever a cache of unknown content throws, the source is at hand
            pass
    return _run(text, "<nnkit native>", names | {"CACHE": False, "kernel": _kernel(eager=True)})


def _kernel(eager: bool) -> Any:
    """The decorator of the functions that ``run`` calls; it takes their types.

    With them, a function is compiled at once and once; else it would be later, and for each number that it is called
    with. What the cache has needs none of them.
    """
    import numba

    def decorator(types: str, **options: Any) -> Any:
        given = (types,) if eager else ()
        return numba.njit(
            *given, error_model="numpy", nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, **options
        )

    return decorator


def _run(text: str, name: str, names: dict[str, Any]) -> Run:
    exec(compile(text, name, "exec"), names)
    run: Run = names["run"]
    return run


def _names() -> dict[str, Any]:
    """What the source may call."""
    import numba
    import numpy as np

    # Indices are unsigned: a negative one would count from the end, and loops that ask are slow. What the cache gives
    # back belongs to a module by name, which must be one that can be imported.
    known = {"nth": np.uint64, "np": np, "njit": numba.njit, "carray": numba.carray, "__name__": __name__}
    return known | intrinsics()


def _kept(text: str) -> Path | None:
    """The file that holds the source; numba keeps its code beside it. None where nothing can be written."""
    key = hashlib.sha256(f"{__version__} {sys.version} {text}".encode()).hexdigest()
    folder = cache_folder()
    path = folder / f"{key}.py"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != text.encode():
            with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".tmp", delete=False) as file:
                file.write(text)
            os.replace(file.name, path)
        return path if os.access(folder, os.W_OK) else None
    except OSError:
        return None


def cache_folder() -> Path:
    """``NNKIT_CACHE_DIR``, or the user's cache."""
    given = os.environ.get(DIRECTORY)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(given) if given else home / "nnkit") / "native"
