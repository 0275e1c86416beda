"""Where code stands: a file, or the cell of a notebook."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from nnkit.places import place

CELLS = {"/somewhere/123.py": ("Cell", "In[4]")}


def test_a_file_is_named_without_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert place("/somewhere/model.py", 3) == "model.py:3"


def test_a_cell_is_named_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = SimpleNamespace(compile=SimpleNamespace(format_code_name=CELLS.get))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert place("/somewhere/123.py", 2) == "In[4]:2"
    assert place("/somewhere/model.py", 3) == "model.py:3"


def test_where_ipython_is_only_imported_a_file_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert place("/somewhere/123.py", 2) == "123.py:2"
