"""A kind of things that have names, and the names for which the tests of its tables run."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

CHECKS = ("gradients", "dtype", "peers", "compiled", "hdf5")
"""Derivatives beside differences; every data type stays what it is; another library or a formula written out; a native
program beside the reference; a file and back. The sixth, an example in the docstring, needs no table."""
AXES = ("name", "case", "kind", "task")
"""What tests call the key of a row."""


@dataclass(frozen=True)
class Kind:
    """``tables`` of the library have the names; for each check, the names it runs for, or why it has no meaning."""

    tables: tuple[dict[str, Any], ...]
    checks: Mapping[str, set[str] | str]

    @property
    def things(self) -> dict[str, Any]:
        """What the names stand for now."""
        return {name: thing for table in self.tables for name, thing in table.items()}

    def missing(self) -> list[tuple[str, str]]:
        """Each name that a check does not run for."""
        return [
            (check, name)
            for check, names in self.checks.items()
            if not isinstance(names, str)
            for name in self.things
            if name not in names
        ]


def head(row: str) -> str:
    """The name in "adam, other"."""
    return row.partition(",")[0]


def ran(test: Callable[..., Any], key: Callable[[Any], Hashable] = head) -> set[Any]:
    """The names that a test runs for without being asked to run what is slow: ``key`` of every row."""
    return {key(row) for row in _rows(test)}


def by(test: Callable[..., Any], *names: str) -> set[str]:
    """Names that a test goes through by itself."""
    assert test.__name__.startswith("test_")
    return set(names)


def _rows(test: Callable[..., Any]) -> Iterator[Any]:
    for mark in getattr(test, "pytestmark", []):
        names = mark.args[0] if mark.name == "parametrize" else ""
        names = [part.strip() for part in names.split(",")] if isinstance(names, str) else list(names)
        if names[0] in AXES:
            for row in mark.args[1]:
                first = row if len(names) == 1 else row[0]
                if not isinstance(first, type(pytest.param())):
                    yield first
                elif "slow" not in {each.name for each in first.marks}:
                    yield first.values[0]
