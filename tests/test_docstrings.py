"""The examples in docstrings run, and public things have docstrings."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from importlib.util import find_spec

import pytest

import nnkit

# An extra brings what they need.
EXTRAS = {"nnkit.sklearn": "sklearn", "nnkit.formats.onnx.exporting.file": "onnx"}
MISSING = tuple(name for name, needed in EXTRAS.items() if not find_spec(needed))
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(nnkit.__path__, "nnkit.")
    if not module.name.endswith(("__main__", *MISSING))
)


@pytest.mark.parametrize("name", ["nnkit", *MODULES])
def test_the_examples_of_a_module_run(name: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


@pytest.mark.parametrize("name", nnkit.__all__)
def test_every_public_name_has_a_docstring(name: str) -> None:
    thing = getattr(nnkit, name)
    assert isinstance(thing, str) or (thing.__doc__ or "").strip()


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    with_examples = sum(bool(test.examples) for name in MODULES for test in finder.find(importlib.import_module(name)))
    assert with_examples > 100
