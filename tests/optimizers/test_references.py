"""Optimisers against Keras and plain NumPy where torch.optim has none, and Muon against torch's in double."""

import os
import warnings

import numpy as np
import pytest

from nnkit.optimizers import LAMB, SGD, Adagrad, Ftrl, Lion, Muon, ScheduleFreeAdamW
from nnkit.optimizers.newton_schulz import orthogonalized
from nnkit.optimizers.schedules import Constant, Exponential
from tests.optimizers import references
from tests.optimizers.cases import CASES, GRADIENTS, PARTS, START, STEPS, gradient_of
from tests.optimizers.steps import finals, run
from tests.optimizers.test_optimizers import torch_steps
from tests.peers import peer

SLOPES = [PARTS.split(gradient) for gradient in GRADIENTS]
ROOT = np.sqrt(0.1) / 0.1


def split():
    return [part.copy() for part in PARTS.split(START)]


NUMPY = {
    "lion": lambda: references.lion(split(), SLOPES, 0.01, 0.9, 0.99, 0.0),
    "lion, decay": lambda: references.lion(split(), SLOPES, 0.01, 0.8, 0.9, 0.3),
    "lamb": lambda: references.lamb(split(), SLOPES, 0.01, 0.9, 0.999, 1e-6, 0.0),
    "lamb, decay": lambda: references.lamb(split(), SLOPES, 0.01, 0.5, 0.9, 1e-3, 0.3),
    "ftrl": lambda: references.ftrl(split(), SLOPES, 0.1, 0.0, 0.0, 0.0, 0.1, 0.0),
    "ftrl, other": lambda: references.ftrl(split(), SLOPES, 0.1, 0.5, 0.1, 1.0, 0.0, 0.0),
}


@pytest.mark.parametrize("case", NUMPY)
def test_every_step_agrees_with_the_paper(case):
    for value, theirs in zip(run(CASES[case], START, gradient_of, STEPS, PARTS), NUMPY[case](), strict=True):
        np.testing.assert_allclose(value, PARTS.join(theirs), rtol=1e-11, atol=1e-13)


SCHEDULE_FREE = {
    "schedule_free_adamw": ([0.0025] * STEPS, 0.9, 0.999, 1e-8, 0.0),
    "schedule_free_adamw, other": ([0.1 * min(t / 6, 1) for t in range(1, STEPS + 1)], 0.6, 0.9, 1e-3, 0.3),
}


@pytest.mark.parametrize("case", SCHEDULE_FREE)
def test_both_points_of_schedule_free_agree_with_the_paper(case):
    rates, *numbers = SCHEDULE_FREE[case]
    found = [method(CASES[case], START, gradient_of, STEPS, PARTS) for method in (run, finals)]
    expected = references.schedule_free(split(), SLOPES, rates, *numbers)
    for trained, final, (y, x) in zip(*found, expected, strict=True):
        np.testing.assert_allclose(trained, PARTS.join(y), rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(final, PARTS.join(x), rtol=1e-11, atol=1e-13)


# Ours, the class in keras.optimizers with its options, and where both start.
KERAS = {
    "lion": (Lion(0.01, (0.8, 0.9)), "Lion", {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.9}, START),
    "lion, decay": (Lion(0.01, weight_decay=0.3), "Lion", {"learning_rate": 0.01, "weight_decay": 0.3}, START),
    "lamb": (LAMB(0.01, eps=1e-7), "Lamb", {"learning_rate": 0.01}, START),
    "lamb, from zeros": (LAMB(0.01, eps=1e-7), "Lamb", {"learning_rate": 0.01}, 0 * START),
    "ftrl, from zeros": (Ftrl(0.1), "Ftrl", {"learning_rate": 0.1}, 0 * START),
    "ftrl, without initial sum": (
        Ftrl(0.1, l1=0.5, l2=0.1, beta=1.0, initial=0.0),
        "Ftrl",
        {
            "learning_rate": 0.1,
            "initial_accumulator_value": 0.0,
            "l1_regularization_strength": 0.5,
            "l2_regularization_strength": 0.1,
            "beta": 1.0,
        },
        START,
    ),
}


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("KERAS_BACKEND", "jax")
    peer("jax")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return peer("keras")


@pytest.mark.parametrize("case", KERAS)
def test_every_step_agrees_with_keras(case, keras):
    """Keras keeps its hyper-parameters in float32."""
    ours, name, options, start = KERAS[case]
    variables = [keras.Variable(part, dtype="float64") for part in PARTS.split(start)]
    theirs = getattr(keras.optimizers, name)(**options)
    theirs.build(variables)
    for value, slopes in zip(run(ours, start, gradient_of, STEPS, PARTS), SLOPES, strict=True):
        theirs.apply([keras.ops.convert_to_tensor(slope, "float64") for slope in slopes])
        expected = PARTS.join([np.asarray(variable) for variable in variables])
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)


def test_ftrl_without_penalties_is_adagrad_from_the_present_weights():
    """Also under a schedule, where Keras forgets that its earlier rates were others."""
    for rate in (0.1, Exponential(0.1, factor=0.8)):
        ours = run(Ftrl(rate), START, gradient_of, STEPS)
        np.testing.assert_allclose(
            ours, run(Adagrad(rate, eps=0.0, initial=0.1), START, gradient_of, STEPS), rtol=1e-10
        )


def test_ftrl_makes_what_does_not_matter_exactly_zero():
    slopes = np.asarray([1.0, 0.01])
    end = run(Ftrl(0.1, l1=2.0, initial=0.0), np.zeros(2), lambda *_: slopes, 50)[-1]
    assert end[1] == 0.0
    assert end[0] < 0


MUON = {
    "muon": ({"lr": 1e-3}, lambda o, p: o.AdamW(p)),
    "muon, other": (
        {
            "lr": 0.1,
            "momentum": 0.5,
            "nesterov": False,
            "adjust_lr_fn": "match_rms_adamw",
        },
        lambda o, p: o.SGD(p, lr=0.1, momentum=0.9),
    ),
}


def muon_steps(case, start):
    """torch's Muon on the transposed matrix, which is how torch keeps weights, and the other on the vector."""
    torch = peer("torch")
    options, others = MUON[case]

    def make(parameters):
        matrix = parameters[0].detach().T.clone().requires_grad_()
        muon, other = torch.optim.Muon([matrix], **options), others(torch.optim, [parameters[1]])

        class Transposed:
            def step(self):
                matrix.grad = parameters[0].grad.T.clone()
                muon.step()
                parameters[0].data.copy_(matrix.detach().T)

        return [Transposed(), other]

    return torch_steps(make, start, GRADIENTS)


@pytest.mark.parametrize("case", MUON)
def test_muon_agrees_with_torch_in_double(case, monkeypatch):
    monkeypatch.setattr(peer("torch").Tensor, "bfloat16", lambda tensor: tensor.clone())
    for value, theirs in zip(run(CASES[case], START, gradient_of, STEPS, PARTS), muon_steps(case, START), strict=True):
        np.testing.assert_allclose(value, theirs, rtol=1e-10, atol=1e-12)


def test_muon_agrees_with_torch_as_it_is_to_bfloat16():
    for value, theirs in zip(
        run(CASES["muon"], START, gradient_of, STEPS, PARTS), muon_steps("muon", START), strict=True
    ):
        np.testing.assert_allclose(value, theirs, atol=1e-3 * STEPS * 2**-5)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (1, 6), (6, 1)])
def test_muon_makes_all_singular_values_alike(shape):
    """On every path, wide or tall, in single precision too; zeros stay zeros."""
    matrix = np.random.default_rng(3).normal(size=shape)
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    found = np.linalg.svd(orthogonalized(matrix), compute_uv=False)
    assert found.min() > 0.6
    assert found.max() < 1.3
    a, b, c = 3.4445, -4.7750, 2.0315
    mapped = values / np.linalg.norm(values)
    for _ in range(5):
        mapped = a * mapped + b * mapped**3 + c * mapped**5
    np.testing.assert_allclose(orthogonalized(matrix), left * mapped @ right, atol=1e-12)
    single = orthogonalized(matrix.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, left * mapped @ right, atol=1e-4)
    np.testing.assert_array_equal(orthogonalized(0 * matrix), 0 * matrix)


def test_muon_leaves_vectors_and_stacks_to_the_other_optimizer():
    from nnkit.optimizers import Parts

    parts = Parts(((2,), (2, 2, 2), (1, 3)))
    start, slope = np.arange(13.0), np.linspace(-1.0, 1.0, 13)
    end = run(Muon(0.1, others=SGD(0.5)), start, lambda *_: slope, 1, parts)[0]
    np.testing.assert_allclose(end[:10], start[:10] - 0.5 * slope[:10])
    assert Muon().moment_shapes(parts) == {"momentum": (3,), "others.first": (10,), "others.second": (10,)}
    assert Muon().moment_shapes(Parts(((2, 2),))) == {"momentum": (4,)}
    assert Muon().moment_shapes(Parts(((4,),))).keys() == {"others.first", "others.second"}


def test_schedule_free_with_all_rates_zero_moves_nothing():
    for method in (run, finals):
        found = method(ScheduleFreeAdamW(Constant(0.0)), START, gradient_of, 3)
        np.testing.assert_array_equal(found[-1], START)
