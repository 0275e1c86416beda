"""What stands in a file, for somebody who wants to know: names, kinds and sizes, whether nnkit expects them or not."""

from __future__ import annotations

from typing import Any, NamedTuple

MOST = 10_000  # entries; a file may have more
LONGEST_NAME = 200

KINDS = ("group", "array", "text", "link", "type", "unreadable")


class Entry(NamedTuple):
    """One name in a file."""

    place: str
    kind: str
    """``group``, ``array``, ``text``, ``link`` (which nothing follows), ``type`` or ``unreadable``."""
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    stored_bytes: int = 0


def listing(file: Any) -> list[Entry]:
    """The first names in an open file, in alphabetical order."""
    found: list[Entry] = []
    rest: list[tuple[str, Any, str]] = _inside("", file)
    seen: set[int] = set()
    while rest and len(found) < MOST:
        place, group, name = rest.pop()
        try:
            entry, inner = _entry(place, group, name, seen)
        except Exception:  # on damaged files, the library raises nearly every kind
            entry, inner = Entry(_short(place), "unreadable"), []
        found.append(entry)
        rest += inner
    return found


def names_in(group: Any) -> list[str]:
    """The names in a group. Those that are not UTF-8 lead to nothing afterwards.

    They are asked for in the order in which they stand in the file: for any other order the library makes a table as
    long as the file says that it is, and ends the process where names are missing.
    """
    import h5py

    found: list[bytes] = []
    group.id.links.iterate(found.append, order=h5py.h5.ITER_NATIVE)
    return [name.decode("utf-8", "backslashreplace") for name in found]


def checked(row: Any) -> Entry:
    """An entry that another process told, as JSON has it; ValueError if it is none."""
    if not isinstance(row, list) or len(row) != len(Entry._fields):
        raise ValueError("is no entry")
    place, kind, shape, dtype, size = row
    texts = all(isinstance(text, str) and text.isprintable() and len(text) <= LONGEST_NAME for text in (place, dtype))
    whole = shape is None or (isinstance(shape, list) and all(type(axis) is int and axis >= 0 for axis in shape))
    if not (texts and whole and kind in KINDS and type(size) is int and size >= 0):
        raise ValueError("is no entry")
    return Entry(place, kind, None if shape is None else tuple(shape), dtype, size)


def _inside(place: str, group: Any) -> list[tuple[str, Any, str]]:
    """The names in a group, the last one first; not all of very many."""
    if len(group) > MOST:
        return []
    start = f"{place}/" if place else ""
    return [(f"{start}{name}", group, name) for name in sorted(names_in(group), reverse=True)]


def _entry(place: str, group: Any, name: str, seen: set[int]) -> tuple[Entry, list[tuple[str, Any, str]]]:
    import h5py

    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        return Entry(_short(place), "link"), []
    thing = group[name]
    address = h5py.h5o.get_info(thing.id).addr
    if address in seen:
        return Entry(_short(place), "link"), []
    seen.add(address)
    if isinstance(thing, h5py.Group):
        return Entry(_short(place), "group"), _inside(place, thing)
    if not isinstance(thing, h5py.Dataset):
        return Entry(_short(place), "type"), []
    dtype = thing.dtype
    kind = "text" if dtype.kind == "S" and thing.shape == () else "array"
    return Entry(_short(place), kind, thing.shape, _short(str(dtype)), int(thing.id.get_storage_size())), []


def _short(name: str) -> str:
    plain = name if name.isprintable() else ascii(name)
    return plain if len(plain) <= LONGEST_NAME else f"{plain[: LONGEST_NAME - 3]}..."
