"""Where code stands, in words for a person."""

from __future__ import annotations

import os
import sys
from typing import Any


def place(filename: str, line: int) -> str:
    """File and line; the number of the cell in a notebook, where a file's name would say nothing.

    >>> place("/home/ada/model.py", 12)
    'model.py:12'
    """
    return f"{_cell(filename) or os.path.basename(filename)}:{line}"


def _cell(filename: str) -> str | None:
    """``In[3]`` for the code of a cell. IPython is asked only where a program runs in it."""
    ipython: Any = sys.modules.get("IPython")
    if ipython is None:
        return None
    try:
        named = ipython.get_ipython().compile.format_code_name(filename)
    except AttributeError:  # it is imported, and nothing runs in it
        return None
    return str(named[1]) if named else None
