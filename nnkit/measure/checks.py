"""Checks a run record against the layout: keys and their order, types, and a reason for every missing figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnkit.measure.layout import RECORD, Null, Table, Value, reason_key


def check_layout(record: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with `record` as a run record in JSON form, one line each; an empty list if nothing is.

    Checks the keys and their order, the types, and that every missing figure has its reason.

    >>> check_layout({"format": 1})[0]
    'the keys of the record are format; expected architecture next'
    """
    problems = list(_check_table(record, RECORD, ""))
    problems += [f"{path} is null without a reason in resources.reasons" for path in unexplained(record)]
    return problems


def unexplained(record: Mapping[str, Any]) -> list[str]:
    """Return the paths of the missing figures for which `resources.reasons` gives no reason."""
    reasons = (record.get("resources") or {}).get("reasons") or {}
    return [path for path in _missing(record, RECORD, "") if not _has_reason(reason_key(path), reasons)]


def _has_reason(key: str, reasons: Mapping[str, str]) -> bool:
    parts = key.split(".")
    return any(".".join(parts[: end + 1]) in reasons for end in range(len(parts)))


def _entry(table: Table, name: str) -> Value | Table | None:
    return table.keys.get(name, table.others)


def _missing(value: Any, layout: Value | Table, path: str) -> Iterator[str]:
    """Yield the path of every null that needs a reason; one for a list, whichever of its numbers is missing."""
    if value is None:
        if layout.null is Null.EXPLAINED:
            yield path
    elif isinstance(layout, Table) and isinstance(value, Mapping):
        for name, inner in value.items():
            entry = _entry(layout, name)
            if entry is not None:
                yield from _missing(inner, entry, _join(path, name))
    elif isinstance(layout, Value) and layout.items and isinstance(value, list) and None in value:
        yield path


def _check_table(value: Any, table: Table, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path or 'the record'} is {type(value).__name__}, expected an object"
        return
    yield from _check_order(list(value), table, path)
    for name, inner in value.items():
        entry = _entry(table, name)
        if entry is not None:
            yield from _check(inner, entry, _join(path, name))


def _check_order(names: list[str], table: Table, path: str) -> Iterator[str]:
    known = [name for name in names if name in table.keys]
    expected = list(table.keys)
    if known != expected:
        first = next((name for name, had in zip(expected, [*known, None], strict=False) if name != had), expected[-1])
        yield f"the keys of {path or 'the record'} are {', '.join(known)}; expected {first} next"
    if table.others is None:
        yield from (f"{_join(path, name)} is not part of the layout" for name in names if name not in table.keys)


def _check(value: Any, entry: Value | Table, path: str) -> Iterator[str]:
    if value is None:
        if entry.null is Null.NEVER:
            yield f"{path} is null, which it never may be"
    elif isinstance(entry, Table):
        yield from _check_table(value, entry, path)
    elif not _fits(value, entry.types):
        yield f"{path} is {type(value).__name__}, expected {_names(entry.types)}"
    elif entry.items and not all(item is None or _fits(item, entry.items) for item in value):
        yield f"{path} holds something else than {_names(entry.items)}"


def _fits(value: Any, types: tuple[type, ...]) -> bool:
    """Say whether `value` is of one of `types`, where a bool is not an int."""
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))


def _names(types: tuple[type, ...]) -> str:
    return " or ".join(kind.__name__ for kind in types)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
