"""Mutations of the JSON texts: by their grammar, and of their letters."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

import h5py

from nnkit.nn.serial import LAYERS
from tests.checkpoint.files import replace

TEXTS = ("architecture", "architecture", "architecture", "training", "checksums")
ODD = (
    None, True, False, 0, 1, -1, 2, 3, 10**7, 10**9, 2**31, 2**63, 2**64, 10**19, 0.0, -0.5, 0.5, 1.0, 1e-300, 1e300,
    4.0, "", "x", "relu", "custom", "os.system", "__class__", "\u0000", "\u202e", "é", "n" * 5000, [], {}, [[]], [0],
    [1] * 40, {"layer": "Dense", "units": 2}, {"layer": "Activation", "function": "elu"}, {"same_as": "layers.0"},
    {"same_as": ""}, {"name": "normal"}, {"name": "max_norm"}, {"layer": "Sequential", "layers": []}, {"custom": True},
    ["a", "b"], [1.5, 2],
)  # fmt: skip
LETTERS = (
    b"", b"{", b"[", b'"', b"\\", b"\xff", b"\x00", b"NaN", b"1e999", b"-0", b"9" * 5000, b"[" * 40, b'"a":1,',
    b"\xef\xbb\xbf", b"\\ud800", b"true", b" " * 100,
)  # fmt: skip


def mutated(draw: Random, file: h5py.File) -> None:
    """One or more changes to one of the texts."""
    name = draw.choice(TEXTS)
    text = file[name][()]
    if draw.random() < 0.75:
        found = json.loads(text)
        for _ in range(draw.choice((1, 1, 1, 2, 5))):
            found = _grammatical(draw, found)
        text = json.dumps(found).encode()
    else:
        for _ in range(draw.choice((1, 1, 3))):
            text = _literal(draw, text)
    replace(file, name, text or b" ")


def _literal(draw: Random, text: bytes) -> bytes:
    """Letters put in, left out or doubled."""
    place, size = draw.randrange(len(text) + 1), draw.choice((0, 1, 2, 10, 100))
    piece = draw.choice((*LETTERS, text[place : place + 50] * 2, text[place:]))
    return (text[:place] + piece + text[place + size :])[:5_000_000]


def _grammatical(draw: Random, root: Any) -> Any:
    """A node replaced, removed, doubled, renamed, moved or wrapped."""
    places = list(_nodes(root))
    holder, key = draw.choice(places)
    if holder is None:
        return copy.deepcopy(draw.choice(ODD)) if draw.random() < 0.1 else root
    action = draw.randrange(8)
    if action <= 2:
        holder[key] = copy.deepcopy(draw.choice(ODD))
    elif action == 3:
        del holder[key]
    elif action == 4:
        other, name = draw.choice(places)
        holder[key] = copy.deepcopy(root if other is None else other[name])
    elif action == 5:
        _more(draw, holder, key)
    elif action == 6:
        holder[key] = _like(draw, holder[key])
    else:
        holder[key] = {"layer": draw.choice(sorted(kind.__name__ for kind in LAYERS.values())), "module": holder[key]}
    return root


def _more(draw: Random, holder: Any, key: Any) -> None:
    """An entry more, or a list many times as long."""
    value = holder[key]
    if isinstance(value, list) and value:
        holder[key] = (value * draw.choice((2, 10, 3000)))[:50_000]
    elif isinstance(holder, dict):
        holder[draw.choice(("x", "units", "layer", "custom", "same_as", "name", "module", "rate", "__init__"))] = value
    else:
        holder.insert(draw.randrange(len(holder) + 1), value)


def _like(draw: Random, value: Any) -> Any:
    """Something near it."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return draw.choice((value + 1, value - 1, -value, value * 1000, float(value), str(value)))
    if isinstance(value, float):
        return draw.choice((value * 1e10, -value, int(value), str(value), [value]))
    if isinstance(value, str):
        return draw.choice((value.upper(), value + "x", value[:-1], f" {value}", [value], draw.choice(sorted(LAYERS))))
    if isinstance(value, list):
        return draw.choice((value[::-1], value[1:], [value], dict(enumerate(map(str, value)))))
    return draw.choice(([value], str(value))) if value else {"x": value}


def _nodes(root: Any) -> Any:
    """Every node, as what holds it and under which key; the root is held by nothing."""
    yield None, None
    rest = [root]
    while rest:
        holder = rest.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in keys:
            yield holder, key
            rest.append(holder[key])
