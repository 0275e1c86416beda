"""No name without all of the checks that have a meaning for its kind, and every name that users know is found."""

from __future__ import annotations

import doctest
from functools import partial
from typing import Any

import pytest

from nnkit import constraints, initializers, losses, metrics, optimizers
from nnkit.metrics import Metric
from nnkit.nn import activations
from nnkit.nn.serial import LAYERS
from nnkit.optimizers import schedules
from tests.test_docstrings import MODULES
from tests.vocabulary.kinds import CHECKS
from tests.vocabulary.table import KINDS
from tests.vocabulary.words import NOT_YET, WORDS

EVERY = pytest.mark.parametrize("kind", KINDS)
THINGS = [(kind, name) for kind in KINDS for name in KINDS[kind].things]
WORD_LIST = [(kind, word) for kind, (_, words) in WORDS.items() for word in words.split()]


@EVERY
def test_every_name_goes_through_every_check(kind: str) -> None:
    assert KINDS[kind].missing() == []


@EVERY
def test_every_check_is_run_or_has_a_reason_against_it(kind: str) -> None:
    checks = KINDS[kind].checks
    assert tuple(checks) == CHECKS
    assert all(len(how.split()) > 3 for how in checks.values() if isinstance(how, str))
    assert any(isinstance(how, set) for how in checks.values())


@EVERY
def test_a_name_without_rows_is_seen(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = KINDS[kind]
    for table in found.tables:
        with monkeypatch.context() as patch:
            patch.setitem(table, "newcomer", next(iter(table.values())))
            needed = [check for check, how in found.checks.items() if not isinstance(how, str)]
            assert found.missing() == [(check, "newcomer") for check in needed]
    assert found.missing() == []


def test_every_table_of_the_library_belongs_to_a_kind() -> None:
    packages = (activations, losses, optimizers, schedules, initializers, constraints, metrics)
    known = {id(table) for kind in KINDS.values() for table in kind.tables}
    tables = {f"{p.__name__}.{name}": vars(p)[name] for p in packages for name in p.__all__ if name.isupper()}
    tables = {name: table for name, table in tables.items() if isinstance(table, dict)}
    others = {name for name, table in tables.items() if id(table) not in known}
    assert {name.rpartition(".")[2] for name in others} == {"ALIASES", "MODULES"}
    assert activations.MODULES.keys() <= LAYERS.keys()  # activations that are layers


def source(thing: Any) -> Any:
    """The function or class that has the docstring."""
    if isinstance(thing, (Metric, activations.Row)):
        thing = thing.function
    return thing.func if isinstance(thing, partial) else thing


@pytest.mark.parametrize(("kind", "name"), THINGS)
def test_it_has_an_example_that_runs(kind: str, name: str) -> None:
    thing = source(KINDS[kind].things[name])
    examples = doctest.DocTestParser().get_examples(thing.__doc__ or "")
    assert any(f"{thing.__name__}(" in example.source for example in examples)
    assert thing.__module__ in MODULES


def meaning(found: Any) -> Any:
    """What is compared: metrics have the name that was asked for."""
    return getattr(found, "function", repr(found))


@pytest.mark.parametrize(("kind", "word"), WORD_LIST)
def test_the_names_that_users_know(kind: str, word: str) -> None:
    find, _ = WORDS[kind]
    name, *aliases = word.split("/")
    assert find(name) is not None
    for alias in aliases:
        assert meaning(find(alias)) == meaning(find(name)), alias


@pytest.mark.parametrize(("kind", "word"), [(kind, word) for kind, words in NOT_YET.items() for word in words])
def test_what_is_not_there_yet_is_not_there(kind: str, word: str) -> None:
    with pytest.raises((KeyError, AttributeError)):
        WORDS[kind][0](word)
