"""Optimisers against torch.optim, step by step, and on a function whose optimum is known."""

import numpy as np
import pytest
from array_api_compat import array_namespace

from nnkit.optimizers import SGD, Adam, AdamW, ClipByGlobalNorm, RMSprop
from nnkit.optimizers.schedules import Cosine, Step
from tests.optimizers.steps import run, run_graph, traced_update
from tests.peers import LIBRARIES, array_of, as_numpy, peer

START = np.random.default_rng(0).normal(size=9)
GRADIENTS = np.random.default_rng(1).normal(size=(20, 9)) * np.geomspace(1e-6, 1e3, 9)

PAIRS = {
    "sgd": (SGD(0.1), lambda o, p: o.SGD(p, lr=0.1)),
    "sgd, momentum": (SGD(0.05, momentum=0.9), lambda o, p: o.SGD(p, lr=0.05, momentum=0.9)),
    "sgd, nesterov": (
        SGD(0.05, momentum=0.9, nesterov=True),
        lambda o, p: o.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    ),
    "sgd, decay": (
        SGD(0.05, momentum=0.9, weight_decay=0.1),
        lambda o, p: o.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.1),
    ),
    "rmsprop": (RMSprop(), lambda o, p: o.RMSprop(p)),
    "rmsprop, momentum": (
        RMSprop(0.02, alpha=0.9, eps=1e-6, momentum=0.5),
        lambda o, p: o.RMSprop(p, lr=0.02, alpha=0.9, eps=1e-6, momentum=0.5),
    ),
    "adam": (Adam(), lambda o, p: o.Adam(p)),
    "adam, other": (Adam(0.1, (0.5, 0.9), 1e-3), lambda o, p: o.Adam(p, lr=0.1, betas=(0.5, 0.9), eps=1e-3)),
    "adam, no memory": (Adam(0.1, (0.0, 0.0)), lambda o, p: o.Adam(p, lr=0.1, betas=(0.0, 0.0))),
    "adamw": (AdamW(), lambda o, p: o.AdamW(p)),
    "adamw, other": (AdamW(0.1, weight_decay=0.3), lambda o, p: o.AdamW(p, lr=0.1, weight_decay=0.3)),
}
EVERY_PAIR = pytest.mark.parametrize("case", PAIRS)


@EVERY_PAIR
def test_twenty_steps_agree_with_torch(case):
    ours, make = PAIRS[case]
    torch = peer("torch")
    parameter = torch.asarray(START.copy()).requires_grad_()
    theirs = make(torch.optim, [parameter])
    history = run(ours, START, lambda _, step: GRADIENTS[step - 1], steps=20)
    for value, gradient in zip(history, GRADIENTS, strict=True):
        parameter.grad = torch.asarray(gradient)
        theirs.step()
        np.testing.assert_allclose(value, parameter.detach().numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("max_norm", [0.5, 1e9])
def test_clipping_agrees_with_torch(max_norm):
    """torch adds 1e-6 to the norm, which for these gradients is below the tolerance."""
    torch = peer("torch")
    parameter = torch.asarray(START.copy()).requires_grad_()
    theirs = torch.optim.SGD([parameter], lr=0.1, momentum=0.9)
    ours = ClipByGlobalNorm(SGD(0.1, momentum=0.9), max_norm)
    for value, gradient in zip(run(ours, START, lambda _, step: GRADIENTS[step - 1], 20), GRADIENTS, strict=True):
        parameter.grad = torch.asarray(gradient)
        torch.nn.utils.clip_grad_norm_([parameter], max_norm)
        theirs.step()
        np.testing.assert_allclose(value, parameter.detach().numpy(), rtol=1e-7, atol=1e-8)


def test_clipping_of_a_gradient_of_zeros_does_nothing():
    ours = ClipByGlobalNorm(SGD(0.1), 1.0)
    np.testing.assert_array_equal(run(ours, START, lambda p, _: np.zeros_like(p), 1)[0], START)


CURVATURE, OPTIMUM = np.asarray([1.0, 10.0, 0.3]), np.asarray([1.0, -2.0, 0.5])


@pytest.mark.parametrize(
    ("optimizer", "steps"),
    [
        (SGD(0.1), 400),
        (SGD(0.05, momentum=0.9), 400),
        (SGD(0.05, momentum=0.9, nesterov=True), 400),
        (RMSprop(Step(0.05, every=100, factor=0.1)), 500),
        (Adam(0.05), 1000),
        (AdamW(0.05, weight_decay=0.0), 1000),
        (Adam(Cosine(0.1, steps=500, warmup=10)), 500),
        (ClipByGlobalNorm(SGD(0.1, momentum=0.5), 1.0), 400),
    ],
)
def test_reaches_the_optimum_of_a_quadratic_in_float32(optimizer, steps):
    curvature, optimum = CURVATURE.astype(np.float32), OPTIMUM.astype(np.float32)
    end = run(optimizer, np.zeros(3, dtype=np.float32), lambda p, _: curvature * (p - optimum), steps)[-1]
    assert end.dtype == np.float32
    np.testing.assert_allclose(end, optimum, atol=2e-3)


@pytest.mark.parametrize("library", LIBRARIES)
@EVERY_PAIR
def test_every_library_agrees_and_float32_stays(case, library):
    optimizer = ClipByGlobalNorm(PAIRS[case][0], 3.0)
    gradient = GRADIENTS[0].astype(np.float32)
    parameter = array_of(library, START.astype(np.float32))
    end = as_numpy(run_graph(optimizer, parameter, array_of(library, gradient), 3, array_namespace(parameter)))
    assert end.dtype == np.float32
    np.testing.assert_allclose(end, run(optimizer, START, lambda *_: GRADIENTS[0], 3)[-1], rtol=2e-5, atol=1e-6)


@EVERY_PAIR
def test_the_graph_of_an_update_is_the_update(case):
    optimizer = PAIRS[case][0]
    end = run_graph(optimizer, START, GRADIENTS[0], 4, array_namespace(START))
    np.testing.assert_array_equal(end, run(optimizer, START, lambda *_: GRADIENTS[0], 4)[-1])


@pytest.mark.parametrize(
    ("case", "passes"), [("sgd", 2), ("sgd, momentum", 4), ("rmsprop", 9), ("adam", 12), ("adamw", 13)]
)
def test_passes_over_memory(case, passes):
    graph = traced_update(PAIRS[case][0], 9, "float32")
    arrays = [node for _, node in graph if node.shape == (9,) and node.operation != "input"]
    assert len(arrays) == passes
    assert {node.dtype for node in arrays} == {"float32"}


def test_settings_are_in_double():
    settings = Adam(betas=(0.9, 0.999)).settings()
    assert settings["one_minus_beta2"] == 1 - 0.999
    assert settings["log_beta2"] == np.log(0.999)
    assert all(type(value) is float for value in settings.values())


def test_late_steps_in_float32_are_corrected_exactly():
    """1 − 0.999ᵗ from a rounded 0.999ᵗ would be wrong by percents at t = 1."""
    parameter = np.zeros(1, dtype=np.float32)
    step = run(Adam(1.0, eps=0.0), parameter, lambda *_: np.ones(1, dtype=np.float32), 1)[0]
    assert step.item() == pytest.approx(-1.0, rel=1e-6)
