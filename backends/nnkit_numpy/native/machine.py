"""numba: from source text to a compiled function, kept on disk for the next process."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from nnkit._version import __version__
from nnkit.backend import NoNativeFormError
from nnkit_numpy.native.intrinsics import intrinsics

Run = Callable[[Any, int, int], int]
Names = Mapping[str, Any]
DIRECTORY = "NNKIT_CACHE_DIR"


def require() -> None:
    """Refuse where the extra is missing; nothing is imported yet."""
    if find_spec("numba") is None:
        raise NoNativeFormError("native programs need numba, from the extra 'fast': pip install 'nnkit[fast]'")


def compiled(text: str, name: str = "run", more: Names = MappingProxyType({})) -> Any:
    """The function of this name in a source that may call ``more``. A cache that cannot be used costs only time."""
    names = _names() | dict(more)
    text, ending = _unlike_others(text)
    name += ending
    path = _kept(text)
    if path is not None:
        try:
            ready = any(path.parent.rglob(f"{path.stem}.{name}*.nbi"))
            return _made(text, str(path), names | {"CACHE": True, "kernel": _kernel(eager=not ready)})[name]
        except Exception:  # whatever a cache of unknown content throws, the source is at hand
            pass
    return _made(text, "<nnkit native>", names | {"CACHE": False, "kernel": _kernel(eager=True)})[name]


def _unlike_others(text: str) -> tuple[str, str]:
    """The source with an ending of its own on the names of its functions, and that ending.

    Code from the cache is linked by these names, with all other code of the process: two programs that were compiled in
    different processes would call each other's kernels.
    """
    ending = f"_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    defined = "|".join(re.findall(r"^def (\w+)\(", text, re.MULTILINE))
    return re.sub(rf"\b({defined})\b", rf"\1{ending}", text), ending


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


def _made(text: str, path: str, names: dict[str, Any]) -> Names:
    exec(compile(text, path, "exec"), names)
    return names


def _names() -> dict[str, Any]:
    """What the source may call."""
    import numba
    import numpy as np

    # Indices are unsigned: a negative one would count from the end, and loops that ask are slow. What the cache gives
    # back belongs to a module by name, which must be one that can be imported.
    known = {"nth": np.uint64, "np": np, "njit": numba.njit, "cfunc": numba.cfunc, "carray": numba.carray}
    return known | {"__name__": __name__} | intrinsics()


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
