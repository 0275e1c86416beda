"""Pieces of code as functions of the places that they work on, so that layers of one shape share them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nnkit_numpy.native.passes import Lines, indented
from nnkit_numpy.native.product import PRODUCTS
from nnkit_numpy.native.tiles import ITEMS

_OFFSET = re.compile(r"OFFSET\((\d+)\)")
_BUFFER = re.compile(r"\b([np]_)?b(\d+)\b")
_LOCAL = re.compile(r"\b([vs])(\d+)\b")
_VIEW = re.compile(r"\b(p_a|a|parts)_(\w+?)\b")
ADDRESSES = ("arena", "gate", "scratch", "ticks", *(f"{name}_{dtype}" for dtype in ITEMS for name in PRODUCTS))
"""What the addresses begin with: the arena, where threads meet, memory for pieces of matrices, where the time of each
step is added up, and the functions for products."""


class Kernels:
    """Collects functions; ``dtypes`` are those of the inputs, by their position in the graph."""

    def __init__(self, dtypes: Mapping[int, str]) -> None:
        self._dtypes = dtypes
        self._place = {position: len(ADDRESSES) + 2 * place for place, position in enumerate(dtypes)}
        self._names: dict[str, str] = {}

    @property
    def text(self) -> str:
        """The source of all functions."""
        return "\n\n".join(f"{rest.replace(NAME, name)}" for rest, name in self._names.items())

    def call(self, code: Lines) -> str:
        """The call that runs this code, in place of it."""
        body = "\n".join(code)
        offsets = list(dict.fromkeys(_OFFSET.findall(body)))
        body = _OFFSET.sub(lambda found: f"o{offsets.index(found[1])}", body)
        inputs = list(dict.fromkeys(int(found[1]) for found in _BUFFER.findall(body)))
        body = _BUFFER.sub(lambda found: f"{found[1] or ''}b{inputs.index(int(found[2]))}", body)
        locals_ = list(dict.fromkeys("".join(found) for found in _LOCAL.findall(body)))
        body = _LOCAL.sub(lambda found: f"{found[1]}{locals_.index(found[0])}", body)
        places = [f"q{k}" for k in range(len(inputs))]
        parameters = ["addresses: int64[:]", "first", "last", *places, *(f"o{k}" for k in range(len(offsets)))]
        head = [*_views(body), *(line for k, i in enumerate(inputs) for line in _input(k, self._dtypes[i]))]
        result = " -> bool" if body.startswith("return ") else ""
        lines = ["@apart", f"def {NAME}({', '.join(parameters)}){result}:"]
        rest = "\n".join([*lines, *indented([*head, *body.split("\n")]), ""])
        name = self._names.setdefault(rest, f"kernel{len(self._names)}")
        numbers = [str(self._place[i]) for i in inputs] + offsets
        return f"{name}({', '.join(['addresses', 'first', 'last', *numbers])})"


NAME = "NAME"


def _views(body: str) -> Lines:
    """The arena, and the parts that threads give each other, as arrays of the data types that the code wants."""
    lines = []
    for kind, dtype in dict.fromkeys(_VIEW.findall(body)):
        address = {"a": "addresses[0]", "p_a": "addresses[0]", "parts": "addresses[1] + 64"}[kind]
        lines.append(f"{kind}_{dtype} = {address if kind == 'p_a' else array(address, dtype)}")
    return lines


def _input(k: int, dtype: str) -> Lines:
    return [f"p_b{k} = addresses[q{k}]", f"b{k} = {array(f'p_b{k}', dtype)}", f"n_b{k} = addresses[q{k} + 1]"]


def array(address: str, dtype: str) -> str:
    """Memory as a flat array, in code."""
    return f"array({address}, {dtype})"
