"""Labels of any kind as the numbers that losses read."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from nnkit.errors import ArgumentError, DataError
from nnkit.nn.activation import as_activation
from nnkit.nn.activations import ACTIVATIONS

Array = Any
DISTRIBUTIONS = ("distribution", "log_distribution")


def is_multilabel(y: Array) -> bool:
    """Whether y has several answers of yes or no for each row, rather than one class; other targets are refused."""
    check_classification_targets(y)
    if y.ndim == 1:
        return False
    if type_of_target(y, input_name="y") != "multilabel-indicator":
        raise DataError(
            f"y has shape {y.shape} and holds several classes for each row; nnkit learns one class, or several answers "
            "of 0 and 1: wrap the estimator in sklearn.multioutput.MultiOutputClassifier"
        )
    return True


def classes_of(y: Array) -> Array:
    """The sorted labels that occur; for several answers of yes or no, the numbers of the columns."""
    return unique_labels(y)


def require_known(y: Array, classes: Array) -> None:
    """Refuse labels that training did not begin with, or another number of columns of yes and no."""
    present = np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)
    if unknown := sorted(map(str, np.setdiff1d(present, classes))):
        raise DataError(
            f"y has the classes {', '.join(unknown)}, which are not among those that the network knows: "
            f"{', '.join(map(str, classes))}; fit a new one with all of them, or pass all as classes= to the first "
            "partial_fit"
        )


def numbers(y: Array, classes: Array) -> Array:
    """The position of each label in ``classes``.

    >>> numbers(np.asarray(["b", "a"]), np.asarray(["a", "b", "c"])).tolist()
    [1, 0]
    """
    return np.searchsorted(classes, y)


def activation_for(given: Any, classes: int, multilabel: bool) -> Any:
    """The output activation: what the user chose, if its values are probabilities, or for "auto" the usual one.

    >>> activation_for("auto", classes=2, multilabel=False), activation_for("auto", classes=3, multilabel=False)
    ('sigmoid', 'softmax')
    """
    usual = "sigmoid" if multilabel or classes == 2 else "softmax"
    if isinstance(given, str) and given == "auto":
        return usual
    domain = domain_of(given)
    if not (domain == "probability" and usual == "sigmoid") and not (domain in DISTRIBUTIONS and not multilabel):
        wanted = "several answers of 0 and 1" if multilabel else f"{classes} classes"
        raise ArgumentError(
            f"output_activation={given!r} does not give the probabilities of {wanted}; use 'auto', which is "
            f"'{usual}' here"
        )
    return given


def domain_of(activation: Any) -> str:
    """What the values of an output activation can be, as the table of activations has it."""
    name = as_activation(activation).output_activation()
    return ACTIVATIONS[name].domain if name in ACTIVATIONS else "any"
