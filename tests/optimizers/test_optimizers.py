"""Optimisers against torch.optim, step by step, as graphs, and on every array library."""

import numpy as np
import pytest
from array_api_compat import array_namespace

from nnkit.optimizers import Adam, AdamW, ClipByGlobalNorm, NAdam, Parts, RAdam
from tests.optimizers.cases import CASES, GRADIENTS, INNER, PARTS, START, STEPS, gradient_of
from tests.optimizers.steps import run, run_graph, traced_update
from tests.peers import LIBRARIES, array_of, as_numpy, peer

EVERY = pytest.mark.parametrize("case", CASES)

# What torch.optim calls it, with these options.
TORCH = {
    "sgd": ("SGD", {"lr": 0.1}),
    "sgd, momentum": ("SGD", {"lr": 0.05, "momentum": 0.9}),
    "sgd, nesterov": ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "sgd, decay": ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop, momentum": ("RMSprop", {"lr": 0.02, "alpha": 0.9, "eps": 1e-6, "momentum": 0.5}),
    "adagrad": ("Adagrad", {}),
    "adagrad, initial": ("Adagrad", {"lr": 0.1, "eps": 1e-6, "initial_accumulator_value": 0.5}),
    "adadelta": ("Adadelta", {}),
    "adadelta, other": ("Adadelta", {"lr": 0.5, "rho": 0.6, "eps": 1e-3}),
    "adam": ("Adam", {}),
    "adam, other": ("Adam", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3}),
    "adam, no memory": ("Adam", {"lr": 0.1, "betas": (0.0, 0.0)}),
    "amsgrad": ("Adam", {"lr": 0.1, "betas": (0.5, 0.6), "amsgrad": True}),
    "adamw": ("AdamW", {}),
    "adamw, other": ("AdamW", {"lr": 0.1, "weight_decay": 0.3}),
    "adamw, amsgrad": ("AdamW", {"lr": 0.1, "betas": (0.5, 0.6), "amsgrad": True}),
    "adamax": ("Adamax", {}),
    "adamax, other": ("Adamax", {"lr": 0.1, "betas": (0.5, 0.7), "eps": 1e-3}),
    "nadam": ("NAdam", {}),
    "nadam, other": ("NAdam", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3, "momentum_decay": 0.2}),
    "nadam, no memory": ("NAdam", {"lr": 0.1, "betas": (0.0, 0.9)}),
    "radam": ("RAdam", {}),
    "radam, other": ("RAdam", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3}),
    "radam, short": ("RAdam", {"lr": 0.1, "betas": (0.5, 0.5)}),
    "rprop": ("Rprop", {}),
    "rprop, other": ("Rprop", {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (1e-3, 0.2)}),
    "adafactor": ("Adafactor", {}),
    "adafactor, other": (
        "Adafactor",
        {"lr": 0.5, "beta2_decay": -0.5, "eps": (1e-4, 0.1), "d": 2.0, "weight_decay": 0.1},
    ),
}


def torch_steps(make, start, gradients, parts=PARTS):
    """The flat parameter after each step of what ``make(parameters)`` returns, one optimiser of torch or several."""
    torch = peer("torch")
    parameters = [torch.asarray(part.copy()).requires_grad_() for part in parts.split(start)]
    theirs = make(parameters)
    for gradient in gradients:
        for parameter, slope in zip(parameters, parts.split(gradient), strict=True):
            parameter.grad = torch.asarray(slope.copy())
        for optimizer in theirs:
            optimizer.step()
        yield parts.join([parameter.detach().numpy() for parameter in parameters])


def agree(ours, make, rtol=1e-12, atol=1e-15):
    """Ours, and torch's from the same start with the same gradients, in all steps."""
    history = run(ours, START, gradient_of, STEPS, PARTS)
    for value, theirs in zip(history, torch_steps(make, START, GRADIENTS), strict=True):
        np.testing.assert_allclose(value, theirs, rtol, atol)


@pytest.fixture
def torch_in_double():
    """Its numbers beside the parameters, the product in NAdam for one, have the default data type."""
    torch = peer("torch")
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("torch_in_double")
@pytest.mark.parametrize("case", TORCH)
def test_every_step_agrees_with_torch(case):
    name, options = TORCH[case]
    agree(CASES[case], lambda parameters: [getattr(peer("torch").optim, name)(parameters, **options)])


@EVERY
@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_agrees_and_float32_stays(case, library):
    optimizer = CASES[case]
    parameter = array_of(library, START.astype(np.float32))
    gradient = array_of(library, GRADIENTS[0].astype(np.float32))
    end = as_numpy(run_graph(optimizer, parameter, gradient, 4, array_namespace(parameter), PARTS))
    assert end.dtype == np.float32
    expected = run(optimizer, START, lambda *_: GRADIENTS[0], 4, PARTS)[-1]
    np.testing.assert_allclose(end, expected, rtol=2e-5, atol=2e-6)


@EVERY
def test_the_graph_of_an_update_is_the_update(case):
    optimizer = CASES[case]
    end = run_graph(optimizer, START, GRADIENTS[0], 4, array_namespace(START), PARTS)
    np.testing.assert_array_equal(end, run(optimizer, START, lambda *_: GRADIENTS[0], 4, PARTS)[-1])


@pytest.mark.parametrize("case", ["lamb", "adafactor", "muon", "clip_by_norm", "several", "nadam"])
def test_one_array_of_any_shape_is_one_part(case):
    """``update`` by itself, without a network around it."""
    optimizer, parts = CASES[case], Parts(((3, 3),))
    settings = {name: np.asarray(value) for name, value in optimizer.settings().items()}
    moments = {name: np.zeros(shape) for name, shape in optimizer.moment_shapes(parts).items()}
    if case == "nadam":
        moments = {name: value if value.ndim == 0 else value.reshape(3, 3) for name, value in moments.items()}
    new, _ = optimizer.update(START.reshape(3, 3), GRADIENTS[0].reshape(3, 3), moments, settings, np.asarray(1.0))
    np.testing.assert_array_equal(new.ravel(), run(optimizer, START, gradient_of, 1, parts)[0])


PASSES = {
    "sgd": 2,
    "sgd, momentum": 4,
    "rmsprop": 9,
    "adagrad": 7,
    "adadelta": 15,
    "adam": 12,
    "amsgrad": 13,
    "adamw": 13,
    "adamax": 10,
    "nadam": 14,
    "radam": 14,
    "lion": 8,
    "lion, decay": 9,
    "rprop": 17,
    "ftrl": 21,
    "schedule_free_adamw": 16,
    "clip_by_value": 6,
    "weight_decay": 5,
    "accumulate": 10,
    "exponential_moving_average": 7,
    "loss_scale": 8,
}


@pytest.mark.parametrize("case", PASSES)
def test_passes_over_memory(case):
    graph = traced_update(CASES[case], Parts(((9,),)), "float32")
    arrays = [node for _, node in graph if node.shape == (9,) and node.operation != "input"]
    assert len(arrays) == PASSES[case]
    assert {node.dtype for node in arrays} <= {"float32", "bool"}


def test_settings_are_in_double():
    settings = Adam(betas=(0.9, 0.999)).settings()
    assert settings["one_minus_beta2"] == 1 - 0.999
    assert settings["log_beta2"] == np.log(0.999)
    for optimizer in CASES.values():
        assert all(type(value) is float for value in optimizer.settings().values())


@pytest.mark.parametrize("optimizer", [Adam(1.0, eps=0.0), AdamW(1.0, eps=0.0, weight_decay=0.0)])
def test_early_steps_in_float32_are_corrected_exactly(optimizer):
    """1 − 0.999ᵗ from a rounded 0.999ᵗ would be wrong by percents at t = 1."""
    parameter = np.zeros(1, dtype=np.float32)
    step = run(optimizer, parameter, lambda *_: np.ones(1, dtype=np.float32), 1)[0]
    assert step.item() == pytest.approx(-1.0, rel=1e-6)


@pytest.mark.parametrize(
    "optimizer", [Adam(eps=0.0), NAdam(eps=0.0), RAdam(eps=0.0), RAdam(betas=(0.9, 0.9), eps=0.0), CASES["adamax"]]
)
@pytest.mark.parametrize("step", [1, 2, 5, 6, 7, 10, 100, 499, 500, 501, 1000, 10**4, 10**5, 10**6])
def test_one_step_at_any_time_is_as_exact_in_float32_as_in_double(optimizer, step):
    """From moments as they would be, with nothing but the corrections for the start to go wrong."""
    changes = []
    for dtype in ("float32", "float64"):
        settings = {name: np.asarray(value, dtype) for name, value in optimizer.settings().items()}
        moments = {name: np.ones((), dtype) for name in optimizer.moments}
        moments |= {"log_product": np.asarray(-0.5, dtype)} if "log_product" in moments else {}
        number = np.asarray(step, dtype)
        changes.append(optimizer.update(np.zeros((), dtype), np.ones((), dtype), moments, settings, number)[0])
    assert float(changes[0]) == pytest.approx(float(changes[1]), rel=3e-6)


def test_a_gradient_of_zeros_keeps_everything_finite():
    for case, optimizer in CASES.items():
        end = run(optimizer, START, lambda p, _: np.zeros_like(p), 5, PARTS)[-1]
        assert np.isfinite(end).all(), case


@pytest.mark.parametrize("max_norm", [0.5, 1e9])
def test_clipping_agrees_with_torch(max_norm):
    """torch adds 1e-6 to the norm, which for these gradients is below the tolerance."""
    torch = peer("torch")

    def make(parameters):
        inner = torch.optim.SGD(parameters, lr=0.05, momentum=0.9)
        clip = torch.nn.utils.clip_grad_norm_
        inner.register_step_pre_hook(lambda *_: (clip(parameters, max_norm), None)[1])
        return [inner]

    agree(ClipByGlobalNorm(INNER, max_norm), make, rtol=1e-7, atol=1e-8)


def test_clipping_of_a_gradient_of_zeros_does_nothing():
    ours = ClipByGlobalNorm(INNER, 1.0)
    np.testing.assert_array_equal(run(ours, START, lambda p, _: np.zeros_like(p), 1)[0], START)
