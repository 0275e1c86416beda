"""Fitted networks of scikit-learn as networks of nnkit."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nnkit.data import Preprocessing
from nnkit.errors import ArgumentError, NnkitWarning
from nnkit.feedforward import FeedForward
from nnkit.formats.scikit.objects import fitted, kind
from nnkit.formats.scikit.scaling import scaling
from nnkit.names import lookup
from nnkit.network import Network

ACTIVATIONS = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
OUTPUTS = {"identity": "identity", "logistic": "sigmoid", "softmax": "softmax", "exp": "exponential"}
"""What scikit-learn calls activations, and what nnkit does."""

Names = tuple[str, ...]
LEAVES = ("weight", "bias")
WANTED = "expected a fitted MLPClassifier or MLPRegressor, or a Pipeline of scalers and one of them"


def from_sklearn(estimator: Any, device: str = "cpu") -> Network:
    """The network of a fitted ``MLPClassifier`` or ``MLPRegressor``, which predicts the same.

    Args:
        estimator: one of these, or a pipeline with StandardScaler, MinMaxScaler, MaxAbsScaler or RobustScaler before
            it, which becomes the scaling in ``net.preprocessing``: pass rows as they were measured.
        device: where the network is to be: ``"cpu"``, ``"cuda"``, or ``"auto"``, the GPU if one can be used.

    ``net.predict`` gives the probabilities of ``predict_proba``: of every class, of the second one where there are two,
    (rows, 1), and of each yes where there are several answers; and the numbers of a regression as (rows, outputs). The
    labels as text are ``net.classes``, in their order. ``test`` and ``fit`` take them as text, and else as positions in
    that order: where the labels are other numbers than 0, 1, …, which a warning says, pass ``y.astype(str)``.

    The data type is that of the fit. The loss that goes with the output activation is scikit-learn's, without its
    penalty ``alpha`` and the 1/2 before squares. What else belongs to training (solver, rates) is not taken over.
    Columns that had names keep them.

    Raises:
        ArgumentError: another object, one that is not fitted, or a step that a network cannot do.

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> x, y = load_iris(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), MLPClassifier((16,), solver="lbfgs", random_state=0)).fit(x, y)
    >>> net = from_sklearn(model)
    >>> bool(abs(net.predict(x) - model.predict_proba(x)).max() < 1e-12), net.classes
    (True, ('0', '1', '2'))
    >>> net.test(x, y).accuracy == model.score(x, y)
    True
    """
    *before, (_, last) = [*_steps("", estimator)] or [("", estimator)]
    _check_kind(last)
    steps = [(name, step) for name, step in before if step is not None and not isinstance(step, str)]
    weights, biases = fitted(last, "coefs_"), fitted(last, "intercepts_")
    inputs, *hidden = (len(weight) for weight in weights)
    names = _classes(last)
    net = FeedForward(
        inputs,
        len(biases[-1]),
        hidden,
        activation=lookup("activation of scikit-learn", last.activation, ACTIVATIONS),
        output_activation=lookup("output activation of scikit-learn", last.out_activation_, OUTPUTS),
        dtype=weights[0].dtype.name,
        device=device,
    )
    pairs = zip(weights, biases, strict=True)
    net.set_parameters(
        {f"layers.{n}.{name}": value for n, pair in enumerate(pairs) for name, value in zip(LEAVES, pair, strict=True)}
    )
    net.classes, net.preprocessing = names, _preprocessing(steps, last, inputs)
    return net


def _steps(name: str, estimator: Any) -> Iterator[tuple[str, Any]]:
    """The steps of a pipeline, and of pipelines in it; any other object is one."""
    if kind(estimator, "Pipeline") is None:
        yield name, estimator
        return
    for inner, step in estimator.steps:
        yield from _steps(inner, step)


def _check_kind(estimator: Any) -> None:
    """Refuse what is none of both networks, with what might be meant."""
    if kind(estimator, "MLPClassifier", "MLPRegressor") is not None:
        return
    hint = ""
    if isinstance(estimator, type):
        hint = "; pass an object of it, not the class"
    elif type(estimator).__module__.startswith("nnkit.sklearn."):
        hint = "; it holds a network of nnkit's already, which is its network_ after fit"
    elif "best_estimator_" in getattr(estimator, "__dict__", {}):
        hint = "; pass its best_estimator_"
    shown = " ".join(repr(estimator).split())
    shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
    raise ArgumentError(f"from_sklearn: {WANTED}, got {shown}{hint}")


def _classes(estimator: Any) -> Names | None:
    """The labels as text; None for numbers and for several answers of yes or no."""
    outputs, activation = len(estimator.intercepts_[-1]), estimator.out_activation_
    if kind(estimator, "MLPClassifier") is None or (activation == "logistic" and outputs > 1):
        return None
    labels = np.asarray(fitted(estimator, "classes_"))
    if len(labels) != max(outputs, 2):
        raise ArgumentError(
            f"from_sklearn: the classifier knows {len(labels)} class{'' if len(labels) == 1 else 'es'} and has "
            f"{outputs} outputs; fit it with rows of all classes"
        )
    if labels.dtype.kind not in "UTO" and not np.array_equal(labels, np.arange(len(labels))):
        warnings.warn(
            f"the labels {_listed(labels)} are the classes {_listed(np.arange(len(labels)))} of the network, which "
            "takes numbers as those and text as the labels: pass y.astype(str) to test and fit",
            NnkitWarning,
            stacklevel=3,
        )
    return tuple(str(label) for label in labels.tolist())


def _listed(labels: Any) -> str:
    shown = ", ".join(map(str, labels[:5].tolist()))
    return f"{shown}, …" if len(labels) > 5 else shown


def _preprocessing(steps: Sequence[tuple[str, Any]], last: Any, columns: int) -> Preprocessing | None:
    """The scaling by the steps before the network, and the names of the columns that the first of all saw."""
    found = scaling(steps, columns)
    names = vars(steps[0][1] if steps else last).get("feature_names_in_")
    if names is None and found is None:
        return None
    return Preprocessing(scaling=found, features=None if names is None else tuple(map(str, names)))
