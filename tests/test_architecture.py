"""The rules of the house that can be checked: the order of packages, sizes, what an import costs, public names."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

import nnkit
from tests.code_lines import code_lines

ROOT = Path(__file__).parent.parent
LIBRARY = sorted((ROOT / "nnkit").rglob("*.py"))
BACKENDS = sorted((ROOT / "backends").rglob("*.py"))
ALL = [path for folder in ("nnkit", "backends", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]

# Each part of the library imports only what stands above it.
FLOORS = (
    "_version", "errors", "names", "arguments", "elsewhere", "places", "trees", "hyperparameters", "display",
    "graph", "ops", "functional", "gradient_check",
    "initializers", "constraints", "nn", "losses", "metrics", "optimizers",
    "plan", "backend",
    "data", "measure", "diagnosis",
    "training", "parity", "callbacks", "network", "feedforward", "repetition",
    "checkpoint", "formats", "sklearn", "bench", "playground", "cli", "__main__", "__init__",
)  # fmt: skip
LAST_FOR_BACKENDS = "backend"
# Methods that open a door to what stands below: they import it when they are called.
DOORS = {("nnkit/network.py", "checkpoint"), ("nnkit/network.py", "formats")}

# The modules of the compiler, which import llvmlite; others import them when they are called.
COMPILER = {"expressions", "functions", "intrinsics", "kinds", "language", "machine"}
# The estimators, which are classes of scikit-learn's; nothing imports them.
ESTIMATORS = {"sklearn", "scipy"}
DEVICE_LIBRARIES = {"cupy", "cupyx", "numba", "llvmlite", "nvmath", "cuda"}
OPTIONAL = DEVICE_LIBRARIES | {
    "h5py", "psutil", "pynvml", "sklearn", "scipy", "pandas", "matplotlib", "IPython", "torch", "jax", "onnx",
    "onnxruntime", "safetensors", "keras", "mpi4py", "array_api_strict", "hypothesis", "pytest",
    "aiohttp",
}  # fmt: skip


def part_of(path: Path) -> str:
    """The package or module of the library to which a file belongs."""
    inner = path.relative_to(ROOT / "nnkit")
    return inner.parts[0] if len(inner.parts) > 1 else inner.stem


@cache
def imports(path: Path, lazy: bool = True) -> tuple[str, ...]:
    """Dotted names that a file imports when it runs; without ``lazy`` only when it is imported itself."""
    return tuple(_imports(path, lazy))


def _imports(path: Path, lazy: bool) -> Iterator[str]:
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        postponed = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not lazy
        if not typing_only and not postponed:
            waiting.extend(ast.iter_child_nodes(node))


def name(path: Path) -> str:
    """The path from the root, for people."""
    return path.relative_to(ROOT).as_posix()


def libraries(found: Iterable[str]) -> set[str]:
    """The packages of dotted names."""
    return {each.partition(".")[0] for each in found}


def parts_used(path: Path) -> set[str]:
    dotted = [name.split(".") for name in imports(path)]
    return {parts[1] for parts in dotted if parts[0] == "nnkit" and len(parts) > 1}


def test_every_part_has_a_floor() -> None:
    assert {part_of(path) for path in LIBRARY} <= set(FLOORS)


def test_each_part_imports_only_what_stands_above_it() -> None:
    below = set()
    for path in LIBRARY:
        part = part_of(path)
        above = {*FLOORS[: FLOORS.index(part)], part, "__version__"}
        if part != "__init__":
            below |= {(name(path), used) for used in parts_used(path) - above}
    assert below == DOORS


def test_nothing_imports_the_estimators() -> None:
    assert not [name(path) for path in LIBRARY if part_of(path) != "sklearn" and "sklearn" in parts_used(path)]


def test_backends_know_the_heart_and_the_plan_only() -> None:
    allowed = set(FLOORS[: FLOORS.index(LAST_FOR_BACKENDS) + 1])
    assert not {(name(path), used) for path in BACKENDS for used in parts_used(path) - allowed}


def test_device_libraries_are_for_backends() -> None:
    used = {(name(path), library) for path in LIBRARY for library in libraries(imports(path))}
    assert not {(where, library) for where, library in used if library in DEVICE_LIBRARIES}


def test_nothing_optional_is_imported_at_import() -> None:
    for path in [*LIBRARY, *BACKENDS]:
        if path.stem in COMPILER and path.parent.name == "jit":
            continue
        found = imports(path, lazy=False)
        allowed = ESTIMATORS if path.parent == ROOT / "nnkit" / "sklearn" else set()
        assert not libraries(found) & (OPTIONAL - allowed), name(path)
        assert not any(f"nnkit_numpy.jit.{part}" in each for part in COMPILER for each in found), name(path)


def test_both_trees_come_from_one_root() -> None:
    backend = importlib.import_module("nnkit_numpy")
    assert Path(str(nnkit.__file__)).parent.parent == Path(str(backend.__file__)).parent.parent.parent == ROOT


# -- sizes


def test_the_heart_fits_on_few_pages() -> None:
    total = sum(code_lines(path.read_text()) for path in (ROOT / "nnkit" / "graph").rglob("*.py"))
    assert total < 1500


def test_no_file_is_long() -> None:
    assert not {name(path) for path in ALL if len(path.read_text().splitlines()) > 400}


# -- what an import costs

# In this thread's own work (what else runs on the machine, and threads that BLAS starts, do not count), and as a ratio
# to NumPy's part of it, so that a slow machine and a fast one say the same.
PROBE = """
import sys, time
start = time.thread_time()
import numpy
numpy_s = time.thread_time() - start
import nnkit
print((time.thread_time() - start) / numpy_s, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def probe(bytecode: Path) -> tuple[float, set[str]]:
    """An import in a fresh process that keeps what it compiles, as an installation does."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(bytecode)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    ratio, *modules = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, cwd=ROOT, env=environment
    ).stdout.split()
    return float(ratio), set(modules)


def test_importing_nnkit_is_quick_and_brings_nothing_optional(tmp_path: Path) -> None:
    probe(tmp_path)  # the first one compiles
    best, modules = probe(tmp_path)
    assert not modules & OPTIONAL
    for _ in range(4):
        if best >= 4.5:
            best = min(best, probe(tmp_path)[0])
    assert best < 4.5


# -- public names

MISSING = () if find_spec("sklearn") else ("nnkit.sklearn",)  # an extra brings what it needs
PACKAGES = [
    "nnkit",
    *(m.name for m in pkgutil.walk_packages(nnkit.__path__, "nnkit.") if m.ispkg and m.name not in MISSING),
]


def own(package: ModuleType, thing: object) -> bool:
    """Whether a function or class was written in this package."""
    return (inspect.isfunction(thing) or inspect.isclass(thing)) and f"{thing.__module__}.".startswith(
        f"{package.__name__}."
    )


@pytest.mark.parametrize("dotted", PACKAGES)
def test_public_names_are_those_of_all(dotted: str) -> None:
    package = importlib.import_module(dotted)
    assert package.__doc__, "a folder says in one sentence what it is"
    public = {n for n, thing in vars(package).items() if not n.startswith("_") and own(package, thing)}
    exported = list(getattr(package, "__all__", []))
    assert public <= set(exported)
    assert all(hasattr(package, n) for n in exported)
    assert len(set(exported)) == len(exported)
