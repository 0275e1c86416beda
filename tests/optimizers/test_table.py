"""Nothing stands in the tables without a reference, an example, a round trip, errors, and a descent."""

import inspect

import pytest

from nnkit import optimizers
from nnkit.optimizers import OPTIMIZERS, VARIANTS, WRAPPERS
from tests.optimizers import test_descent, test_objects, test_optimizers, test_references, test_wrappers
from tests.optimizers.cases import CASES

# Wrappers have no name in a peer: these tests compare them with one, or with what they are by definition.
DEFINED = {
    "clip_by_global_norm": test_optimizers.test_clipping_agrees_with_torch,
    "clip_by_norm": test_wrappers.test_clip_by_norm_agrees_with_torch_on_each_parameter,
    "clip_by_value": test_wrappers.test_clip_by_value_agrees_with_torch,
    "weight_decay": test_wrappers.test_weight_decay_around_adam_is_adamw,
    "accumulate": test_wrappers.test_accumulation_is_the_optimizer_on_means,
    "exponential_moving_average": test_wrappers.test_the_average_is_the_weighted_mean_of_the_parameters,
}
COMPARED = (
    test_optimizers.TORCH,
    test_references.NUMPY,
    test_references.SCHEDULE_FREE,
    test_references.MUON,
    DEFINED,
)
BY_PARTS = {"lamb", "adafactor", "muon", "clip_by_norm", "clip_by_global_norm"}
NAMES = [*OPTIMIZERS, *VARIANTS, *WRAPPERS]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_compared_with_a_reference(name):
    assert any(name in table for table in COMPARED)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_stands_in_the_cases(name):
    """They are traced, run in every library, and written to a configuration and read back."""
    made = (OPTIMIZERS | WRAPPERS | {"amsgrad": optimizers.Adam})[name]
    assert type(CASES[name]) is made
    assert "test_config_survives_json" in vars(test_objects)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_descends(name):
    assert name in test_descent.QUADRATIC
    assert name in test_descent.ROSENBROCK


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BY_PARTS])
def test_the_passes_of_what_works_elementwise_are_counted(name):
    assert name in test_optimizers.PASSES


@pytest.mark.parametrize("made", [*OPTIMIZERS.values(), *WRAPPERS.values()])
def test_every_class_has_an_example_and_an_error_for_each_hyperparameter(made):
    assert ">>> method" in (made.__doc__ or "") or ">>> SGD" in (made.__doc__ or "")
    tested = inspect.getsource(test_objects)
    for field in inspect.signature(made).parameters:
        assert f'"{made.__name__}: {field}' in tested or f"{made.__name__}({field}=" in tested, field


def test_names_and_exports_agree():
    for name, made in (OPTIMIZERS | WRAPPERS).items():
        assert made.name == name
        assert made.__name__ in optimizers.__all__
    assert not {*OPTIMIZERS} & {*WRAPPERS, *VARIANTS, *optimizers.ALIASES}
