"""Names of arguments that a call does not have."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest

import nnkit
from nnkit import nn
from nnkit.arguments import require_takes
from nnkit.errors import ArgumentError, UnknownArgumentError
from nnkit.sklearn import Classifier

X, Y = [[0.0, 1.0], [1.0, 0.0]], [0, 1]


def network() -> nnkit.Network:
    return nnkit.FeedForward(2, 2, output_activation="softmax")


class Own(nn.Module):
    """A layer of one's own, with a keyword argument and without a signature of its own."""

    def __init__(self, width: int = 1, **more: Any) -> None:
        self.width, self.more = width, more

    def __call__(self, x: Any, run: nn.Run) -> Any:
        return x


CALLS: dict[str, Callable[..., Any]] = {
    "fit": lambda **options: network().fit(X, Y, **options),
    "test": lambda **options: network().test(X, Y, **options),
    "predict": lambda **options: network().predict(X, **options),
    "activations": lambda **options: network().activations(X, **options),
    "gradients": lambda **options: network().gradients(X, Y, **options),
    "resume": lambda **options: nnkit.resume("run.h5", X, **options),
    "FeedForward": lambda **options: nnkit.FeedForward(2, 1, **options),
    "Sequential": lambda **options: nnkit.Sequential([nn.Dense(1)], **options),
    "Network": lambda **options: nnkit.Network(nn.Dense(1), (2,), **options),
    "Adam": nnkit.optimizers.Adam,
    "Cosine": nnkit.optimizers.schedules.Cosine,
    "Huber": nnkit.losses.Huber,
    "Normal": nnkit.initializers.Normal,
    "MaxNorm": nnkit.constraints.MaxNorm,
    "EarlyStopping": nnkit.EarlyStopping,
    "Dense": lambda **options: nn.Dense(8, **options),
    "Flatten": nn.Flatten,
    "Classifier": Classifier,
}


@pytest.mark.parametrize(
    ("owner", "name", "hint"),
    [
        ("fit", "lr", "Did you mean 'learning_rate'? Known: x, y, epochs"),
        ("fit", "epoch", "Did you mean 'epochs'?"),
        ("fit", "verbose", "Did you mean 'progress'?"),
        ("fit", "sample_weights", "Did you mean 'sample_weight'?"),
        ("test", "metric", "Did you mean 'metrics'?"),
        ("predict", "compiled", "Did you mean 'compile'?"),
        ("activations", "layer", "Known: x"),
        ("gradients", "criterion", "Did you mean 'loss'?"),
        ("resume", "model", "Known: path, x, y"),
        ("FeedForward", "hidden_units", "Did you mean 'hidden'?"),
        ("FeedForward", "random_state", "Did you mean 'seed'?"),
        ("FeedForward", "activations", "Did you mean 'activation'?"),
        ("FeedForward", "optimizer", "It is an argument of net.fit."),
        ("Sequential", "input_dim", "Did you mean 'input_shape'?"),
        ("Network", "sede", "Did you mean 'seed'?"),
        ("Adam", "lr", "Did you mean 'learning_rate'? Known: learning_rate, betas, eps, amsgrad"),
        ("Cosine", "T_max", "Did you mean 'steps'?"),
        ("Huber", "detla", "Did you mean 'delta'?"),
        ("Normal", "stddev", "Did you mean 'std'?"),
        ("MaxNorm", "highest", "Known: max_value, axis"),
        ("EarlyStopping", "restore_best_weights", "The weights of the best epoch always come back."),
        ("Dense", "use_bias", "Did you mean 'bias'?"),
        ("Flatten", "start_dim", "It takes none"),
        ("Classifier", "max_iter", "Did you mean 'epochs'?"),
        ("Classifier", "seed", "Did you mean 'random_state'?"),
    ],
)
def test_the_argument_that_was_meant_is_named(owner: str, name: str, hint: str) -> None:
    with pytest.raises(UnknownArgumentError, match=f"^{owner} has no argument '{name}'. {re.escape(hint)}"):
        CALLS[owner](**{name: 1})


def test_it_is_pythons_error_and_nnkits() -> None:
    assert issubclass(UnknownArgumentError, TypeError)
    assert issubclass(UnknownArgumentError, ArgumentError)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (nn.Flatten, []),
        (nn.Dropout, ["rate"]),
        (nnkit.Callback, []),
        (nnkit.Network, ["module", "input_shape", "dtype", "device", "seed"]),
        (nnkit.optimizers.SGD, ["learning_rate", "momentum", "nesterov", "weight_decay"]),
        (network().predict, ["x", "compile"]),
        (nnkit.Sequential, ["layers", "input_shape", "dtype", "device", "seed"]),
    ],
)
def test_signatures_are_their_own(call: Callable[..., Any], names: list[str]) -> None:
    assert list(inspect.signature(call).parameters) == names


def test_a_class_that_takes_any_name_gets_it() -> None:
    assert Own(width=2, colour="red").more == {"colour": "red"}


def test_objects_are_copied_and_pickled_as_before() -> None:
    adam = nnkit.optimizers.Adam(learning_rate=0.5)
    assert copy.deepcopy(adam) == pickle.loads(pickle.dumps(adam)) == adam
    assert repr(copy.deepcopy(nn.Dense(3, activation="tanh"))) == "Dense(3, activation='tanh')"


def test_an_error_from_inside_is_not_taken_for_one_of_the_call() -> None:
    def failing(training: Any) -> None:
        raise TypeError("fit() got an unexpected keyword argument 'lr'")

    with pytest.raises(TypeError) as caught:
        network().fit(X, Y, epochs=1, callbacks=failing, progress=False)
    assert type(caught.value) is TypeError


def test_functions_whose_arguments_are_not_known_pass() -> None:
    for function in (print, dict.fromkeys, type):
        assert require_takes("callbacks[0]", function, "training") is None
