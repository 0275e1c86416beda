"""The checker must be sharp, quiet and deterministic: a rule wrong by 0.05 % is caught, a right one never is."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from nnkit.errors import ArgumentError
from nnkit.functional import trace
from nnkit.gradient_check import check_function, check_graph
from nnkit.graph.primitives import PRIMITIVES
from nnkit.ops import namespace
from tests.graph.cases import Case
from tests.graph.table import TABLE

X = np.asarray([0.4, -1.3, 0.9])


def spoiled(operation: str, operand: int, factor: float) -> Any:
    """The row with one derivative rule that is wrong by a factor."""
    row = PRIMITIVES[operation]
    rules = list(row.derivatives)
    right = rules[operand]
    rules[operand] = lambda *operands, **options: right(*operands, **options) * factor
    return dataclasses.replace(row, derivatives=tuple(rules))


# One case for each derivative rule of the table. Some rules say that the derivative is zero, and cannot be scaled.
RULES: dict[tuple[str, int], Case] = {}
for _case in TABLE:
    _rules = PRIMITIVES[_case.operation].derivatives
    if _case.order and isinstance(_rules, tuple) and len(_rules) == len(_case.arrays):
        for _operand, (_rule, _array) in enumerate(zip(_rules, _case.arrays, strict=True)):
            if _rule is not None and _array.dtype == np.float64 and _array.size:
                RULES.setdefault((_case.operation, _operand), _case)


@pytest.mark.parametrize(("rule", "case"), RULES.items(), ids=[f"{name} {operand}" for name, operand in RULES])
@pytest.mark.parametrize("factor", [1.0005, 0.9995])
def test_a_rule_wrong_by_a_twentieth_of_a_percent_is_caught(
    rule: tuple[str, int], case: Any, factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PRIMITIVES, rule[0], spoiled(*rule, factor))
    with pytest.raises(
        AssertionError, match=r"the derivative of order 1 by argument \d is wrong: differentiation gives"
    ):
        check_function(lambda *arrays: case.call(namespace(arrays[0]), *arrays), *case.arrays)


def test_no_rule_is_left_out() -> None:
    rules = {
        (name, operand)
        for name, row in PRIMITIVES.items()
        if isinstance(row.derivatives, tuple)
        for operand, rule in enumerate(row.derivatives)
        if rule is not None
    }
    assert rules - RULES.keys() == {("astype", 0)}


def test_an_error_of_the_second_order_only_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The right gradient, whose own derivative is wrong: the factor is 1 in value and not in slope."""

    def rule(xp: Any, g: Any, out: Any, x: Any) -> Any:
        return g * (xp.cos(x) + 0.0005 * (x - xp.stop_gradient(x)))

    monkeypatch.setitem(PRIMITIVES, "sin", dataclasses.replace(PRIMITIVES["sin"], derivatives=(rule,)))
    check_function(lambda x: namespace(x).sin(x), X, order=1)
    with pytest.raises(AssertionError, match="the derivative of order 2 by argument 0 is wrong"):
        check_function(lambda x: namespace(x).sin(x), X)


def test_a_missing_path_is_caught() -> None:
    with pytest.raises(
        AssertionError, match=r"argument 1 is wrong: differentiation gives 0\.0, finite differences give"
    ):
        check_function(lambda x, y: x * namespace(y).stop_gradient(y), X, X)


def test_nan_is_caught() -> None:
    with (
        pytest.raises(AssertionError, match="differentiation gives nan, finite differences give"),
        np.errstate(invalid="ignore"),
    ):
        check_function(lambda x: namespace(x).sqrt(x), -X * X)


def test_it_names_the_argument_of_a_tree() -> None:
    def wrong(p: Any) -> Any:
        return p["w"][0] * namespace(p["b"]).stop_gradient(p["b"]) + p["b"]

    with pytest.raises(AssertionError, match=r"by argument 0\.b is wrong"):
        check_function(wrong, {"w": [X], "b": X})


def test_arguments_of_other_types_are_left_alone() -> None:
    check_function(lambda x, i: namespace(x).take(x, i, axis=0), X.astype("float32"), np.asarray([2, 2]))


def test_several_outputs_are_checked_together() -> None:
    with pytest.raises(AssertionError):
        check_function(lambda x: {"right": x * x, "wrong": [x * namespace(x).stop_gradient(x)]}, X)


def test_seeds_give_other_directions_and_none_fails() -> None:
    for seed in range(25):
        check_function(lambda x, y: namespace(x).tanh(x @ y) * namespace(x).exp(y[0]), X, X[::-1].copy(), seed=seed)


def test_a_graph_can_be_checked_by_chosen_inputs() -> None:
    graph = trace(lambda x, y: namespace(x).sum(x * namespace(y).stop_gradient(y)), X, X)
    check_graph(graph, "value", {"0": X, "1": X}, ["0"])
    with pytest.raises(AssertionError):
        check_graph(graph, "value", {"0": X, "1": X})


def test_refused() -> None:
    graph = trace(lambda x: namespace(x).sum(x), X.astype("float32"))
    with pytest.raises(ArgumentError, match="a gradient check needs float64, got float32 for argument 0"):
        check_graph(graph, "value", {"0": X.astype("float32")})
    graph = trace(lambda x: namespace(x).sum(namespace(x).astype(x, "float64")), np.ones(3, "int32"))
    with pytest.raises(ArgumentError, match="a gradient check needs an argument of floating-point numbers, got 0"):
        check_graph(graph, "value", {"0": np.ones(3, "int32")})
