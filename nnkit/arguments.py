"""Names of arguments that a call does not have: refused with the one that was meant, also by other libraries' names.

Python's own message names neither what there is nor what was meant. What is here changes no signature, and asks nothing
of a call without named arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import cache, wraps
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any, TypeVar

from nnkit.errors import ArgumentError, UnknownArgumentError
from nnkit.names import clipped, nearest

F = TypeVar("F", bound=Callable[..., Any])
LIKENESS = 0.6

_MEANT = {
    "learning_rate": ("lr", "eta", "learning_rate_init", "initial_learning_rate", "base_lr", "max_lr"),
    "steps": ("T_max", "decay_steps", "total_steps", "total_iters", "max_steps"),
    "minimum": ("eta_min", "end_learning_rate", "min_lr"),
    "min_learning_rate": ("min_lr",),
    "epochs": ("epoch", "n_epochs", "num_epochs", "nb_epoch", "max_epochs", "max_iter", "n_iter", "iterations"),
    "progress": ("verbose", "verbosity", "progress_bar", "show_progress"),
    "sample_weight": ("sample_weights", "weights"),
    "validation_data": ("validation_set", "val_data", "validation", "eval_set", "eval_data"),
    "validation_split": ("val_split", "validation_fraction"),
    "validation_fraction": ("validation_split", "val_split"),
    "batch_size": ("batch", "bs", "mini_batch_size", "minibatch_size"),
    "optimizer": ("optim", "opt", "solver"),
    "loss": ("criterion", "loss_fn", "loss_function", "objective"),
    "hidden": (
        "hidden_units",
        "hidden_sizes",
        "hidden_size",
        "hidden_layer_sizes",
        "hidden_dims",
        "hidden_dim",
        "units",
    ),
    "hidden_layers": ("n_layers", "num_layers", "n_hidden_layers", "num_hidden_layers"),
    "units": ("neurons", "outputs", "out_features", "output_dim", "n_units", "num_units"),
    "inputs": ("in_features", "input_dim", "input_size", "n_inputs", "num_inputs", "n_features", "input_shape"),
    "input_shape": ("in_features", "input_dim", "input_size", "inputs"),
    "outputs": ("out_features", "output_dim", "output_size", "n_outputs", "num_outputs", "num_classes", "n_classes"),
    "output_activation": ("final_activation", "last_activation", "out_activation"),
    "seed": ("random_state", "random_seed", "rng"),
    "random_state": ("seed", "random_seed"),
    "bias": ("use_bias", "fit_intercept"),
    "initializer": ("kernel_initializer", "weight_initializer", "init"),
    "constraint": ("kernel_constraint", "weight_constraint"),
    "l2": ("kernel_regularizer", "alpha", "weight_decay"),
    "rate": ("p", "dropout", "dropout_rate"),
    "betas": ("beta_1", "beta_2", "beta1", "beta2"),
    "eps": ("epsilon",),
    "alpha": ("rho",),
    "path": ("filepath", "filename", "file", "log_dir"),
}
"""Arguments, and what other libraries call them."""

_OF_FIT = "optimizer", "learning_rate", "loss", "metrics", "epochs", "batch_size", "callbacks", "validation_split"
_REMARKS = {
    **dict.fromkeys(_OF_FIT, "It is an argument of net.fit"),
    "lr": "The learning rate is an argument of net.fit, learning_rate",
    "restore_best_weights": "The weights of the best epoch always come back",
    "save_best_only": "BestCheckpoint keeps the best network, PeriodicCheckpoint the latest",
    "in_features": "How many inputs there are follows from what the layer is called with",
    "input_dim": "How many inputs there are follows from what the layer is called with",
    "input_shape": "Give it to the network: nnkit.Sequential([…], input_shape=(4,))",
    "verbose": "Nothing is printed beside the progress of net.fit; leave it out",
}
"""What to say where a call has nothing of that kind."""


def require_known(owner: str, given: Iterable[str], known: Collection[str]) -> None:
    """Refuse the first name that a call does not have.

    >>> require_known("SGD", ["lr"], ["learning_rate"])
    Traceback (most recent call last):
        ...
    nnkit.errors.UnknownArgumentError: SGD has no argument 'lr'. Did you mean 'learning_rate'? Known: learning_rate
    """
    for name in given:
        if name not in known:
            has = f"Known: {', '.join(known)}" if known else "It takes none"
            raise UnknownArgumentError(f"{owner} has no argument '{clipped(name)}'.{_hint(name, known)} {has}")


def require_takes(owner: str, function: Callable[..., Any], *arguments: str) -> None:
    """Refuse a function that cannot be called with these arguments; of some that are written in C it is not known.

    >>> require_takes("metrics[0]", lambda target: 1.0, "target", "prediction")
    Traceback (most recent call last):
        ...
    nnkit.errors.ArgumentError: metrics[0] is called with (target, prediction), but the function given takes (target); \
let it take those
    """
    try:
        takes = signature(function)
    except ValueError:
        return
    try:
        takes.bind(*arguments)
    except TypeError:
        raise ArgumentError(
            f"{owner} is called with ({', '.join(arguments)}), but the function given takes "
            f"({', '.join(takes.parameters)}); let it take those"
        ) from None


def known_arguments(owner: str) -> Callable[[F], F]:
    """Of a function: unknown names of arguments are refused as :func:`require_known` does."""

    def decorate(function: F) -> F:
        known = tuple(name for name in signature(function).parameters if name != "self")

        @wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            if options:
                require_known(owner, options, known)
            return function(*arguments, **options)

        return call  # type: ignore[return-value]

    return decorate


class _OfInit:
    """The signature of a class is that of its ``__init__``; Python 3.11.2 and older take that of any ``__new__``."""

    def __get__(self, thing: object, kind: type) -> Signature:
        if thing is not None:  # an object that is called has the signature of its __call__
            raise AttributeError("__signature__")
        found = signature(kind.__init__)  # type: ignore[misc]
        return found.replace(parameters=list(found.parameters.values())[1:], return_annotation=Signature.empty)


class KnownArguments:
    """Of a class and those derived from it, which have an ``__init__``: the same when an object is made."""

    if not TYPE_CHECKING:  # the types are those of __init__
        __signature__ = _OfInit()

        def __new__(cls, *_: Any, **options: Any) -> Any:
            """An object that is still to be initialised."""
            if options:
                _require_known_of(cls, options)
            return super().__new__(cls)


def _require_known_of(kind: type, options: Iterable[str]) -> None:
    known = _known_of(kind)
    if known is not None:
        require_known(kind.__name__, options, known)


@cache
def _known_of(kind: type) -> tuple[str, ...] | None:
    """Names of the arguments that make one; None where any may be given. Deep networks are made of many layers."""
    parameters = signature(kind).parameters
    return None if any(each.kind is Parameter.VAR_KEYWORD for each in parameters.values()) else tuple(parameters)


def _hint(name: str, known: Collection[str]) -> str:
    meant = next((ours for ours, others in _MEANT.items() if ours in known and name in others), None)
    if meant is None and name in _REMARKS:
        return f" {_REMARKS[name]}."
    near = nearest(name, known, LIKENESS) if meant is None else meant
    return "" if near is None else f" Did you mean '{near}'?"
