"""Nothing stands in the tables without errors and a descent; tests/vocabulary says what else."""

import inspect

import pytest

from nnkit import optimizers
from nnkit.optimizers import OPTIMIZERS, VARIANTS, WRAPPERS
from tests.optimizers import test_descent, test_objects, test_optimizers
from tests.optimizers.cases import CASES

BY_PARTS = {"lamb", "adafactor", "muon", "clip_by_norm", "clip_by_global_norm"}
NAMES = [*OPTIMIZERS, *VARIANTS, *WRAPPERS]


@pytest.mark.parametrize("name", NAMES)
def test_a_case_is_what_its_name_says(name):
    assert type(CASES[name]) is (OPTIMIZERS | WRAPPERS | {"amsgrad": optimizers.Adam})[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_descends(name):
    assert name in test_descent.QUADRATIC
    assert name in test_descent.ROSENBROCK


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BY_PARTS])
def test_the_passes_of_what_works_elementwise_are_counted(name):
    assert name in test_optimizers.PASSES


@pytest.mark.parametrize("made", [*OPTIMIZERS.values(), *WRAPPERS.values()])
def test_every_class_has_an_error_for_each_hyperparameter(made):
    tested = inspect.getsource(test_objects)
    for field in inspect.signature(made).parameters:
        assert f'"{made.__name__}: {field}' in tested or f"{made.__name__}({field}=" in tested, field


def test_names_and_exports_agree():
    for name, made in (OPTIMIZERS | WRAPPERS).items():
        assert made.name == name
        assert made.__name__ in optimizers.__all__
    assert not {*OPTIMIZERS} & {*WRAPPERS, *VARIANTS, *optimizers.ALIASES}
