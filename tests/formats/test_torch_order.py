"""What the names in a state_dict say about the order of its modules."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import pytest

from nnkit.formats.torch_order import Group, UnknownOrderError, groups, ordered


def paths(found: Sequence[Group]) -> list[str]:
    return [".".join(group.path) for group in found]


def in_order(names: list[str], kinds: str) -> str:
    """The modules in order. The first letter of a module's array is its kind."""
    found = groups(names)
    return " ".join(paths(ordered(found, kinds, lambda kind, group: {name[0] for name in group.names} == {kind})))


def test_modules_and_their_arrays() -> None:
    names = [
        "bias", "a.b.weight", "a.b.bias", "0.parametrizations.weight.original0", "0.parametrizations.weight.0._u",
        "0.bias", "parametrizations.weight.original", "xparametrizations.y", "",
    ]  # fmt: skip
    assert {".".join(group.path): sorted(group.names) for group in groups(names)} == {
        "": ["", "bias", "parametrizations.weight.original"],
        "0": ["bias", "parametrizations.weight.0._u", "parametrizations.weight.original0"],
        "a.b": ["bias", "weight"],
        "xparametrizations": ["y"],
    }


@pytest.mark.parametrize(
    ("expected", "kinds"),
    [
        ("0 2 10 100", "wwww"),
        ("model.0 model.2 model.10", "www"),
        ("a.1.x.2 a.1.x.10 a.2.x.1 a.10.x.1", "wwww"),
        ("fc1 fc2 fc10", "www"),
        ("module.layer_9 module.layer_10", "ww"),
        ("0", "w"),
        ("", "w"),
    ],
)
def test_numbers_are_sorted_by_size(expected: str, kinds: str) -> None:
    names = [f"{path}.w".lstrip(".") for path in expected.split(" ")]
    for seed in range(5):
        random.Random(seed).shuffle(names)
        assert in_order(names, kinds) == expected


@pytest.mark.parametrize(
    ("names", "kinds", "expected"),
    [
        (["out.w", "hidden.v"], "vw", "hidden out"),
        (["out.w", "hidden.v"], "wv", "out hidden"),
        (["fc1.w", "fc2.w", "bn1.v", "bn2.v"], "wvwv", "fc1 bn1 fc2 bn2"),
        (["net.0.w", "net.2.w", "head.v"], "wwv", "net.0 net.2 head"),
        (["block1.fc.w", "block1.norm.v", "block2.fc.w", "block2.norm.v"], "wvwv", "block1.fc block1.norm block2.fc b"),
        (["x.w", "y.v", "z.u", "a.t"], "tuvw", "a z y x"),
    ],
)
def test_shapes_tell_where_names_do_not(names: list[str], kinds: str, expected: str) -> None:
    assert in_order(names, kinds).startswith(expected)


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (["out.w", "hidden.w"], "ww"),
        (["fc1.w", "fc2.w", "bn1.w"], "www"),
        (["01.w", "1.w"], "ww"),
        (["w", "0.w"], "ww"),
        (["a.0.w", "b.0.w"], "ww"),
        ([f"{name}.w" for name in "abcdefghijklmnopqrstuvwxyz"], "w" * 26),
        ([f"x{chr(97 + n // 26)}{chr(97 + n % 26)}.w" for n in range(65)], "w" * 65),
    ],
)
def test_what_fits_in_several_orders_is_not_guessed(names: list[str], kinds: str) -> None:
    with pytest.raises(UnknownOrderError):
        in_order(names, kinds)


@pytest.mark.parametrize(("names", "kinds"), [(["b.w", "a.v"], "vv"), (["b.w", "a.v"], "wvw"), (["2.w", "1.v"], "wv")])
def test_what_fits_in_no_order_comes_back_sorted(names: list[str], kinds: str) -> None:
    assert in_order(names, kinds) == " ".join(paths(groups(names)))


def test_the_search_has_an_end() -> None:
    names = [f"{name}.w" for name in "abcdefghijklmnopqrstuvwxyz"]
    began = time.perf_counter()
    with pytest.raises(UnknownOrderError):
        in_order([*names, "z1.v"], "w" * 25 + "vv")
    assert time.perf_counter() - began < 1


def test_many_modules_are_quick() -> None:
    found = groups(f"{number}.w" for number in range(20_000))
    began = time.perf_counter()
    assert ordered(found, found, lambda one, other: one == other) == found
    assert time.perf_counter() - began < 1
