"""The estimator for numbers."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import RegressorMixin

from nnkit.network import Network
from nnkit.sklearn.estimator import Array, Estimator
from nnkit.sklearn.rows import training_rows


class Regressor(RegressorMixin, Estimator):  # type: ignore[misc]  # scikit-learn has no types
    """A feed-forward network that predicts numbers, one or several for each row, as a scikit-learn estimator.

    The parameters are those of :class:`nnkit.sklearn.Classifier` without ``class_weight``. ``output_activation="auto"``
    is the identity, and ``loss="auto"`` the loss that goes with the output activation: the mean squared error for the
    identity, Poisson's for "exponential". Neither ``X`` nor ``y`` is scaled: put a StandardScaler before it, and a
    ``sklearn.compose.TransformedTargetRegressor`` around it. MLPRegressor minimises half the squared error, so that its
    ``alpha`` is rows of a step · l2.

    Attributes are those of the classifier without ``classes_``. ``y`` has shape (rows,) or (rows, outputs), and so has
    what ``predict`` returns.

    >>> import numpy as np
    >>> from nnkit.sklearn import Regressor
    >>> x = np.linspace(-1, 1, 50).reshape(-1, 1)
    >>> net = Regressor(hidden=(16,), learning_rate=0.05, random_state=0).fit(x, np.sin(3 * x[:, 0]))
    >>> net.score(x, np.sin(3 * x[:, 0])) > 0.95
    True
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Self:
        """Train on X, shape (rows, features), and y, shape (rows,) or (rows, outputs); returns the estimator.

        ``sample_weight``, ``validation_data`` and errors as for :meth:`nnkit.sklearn.Classifier.fit`.
        """
        return self._fit(X, y, sample_weight, validation_data)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One more epoch over X and y, from the present weights and the optimiser's present moments."""
        with self._whole():
            return self._partial_fit(X, y, sample_weight, known=self._fitted)

    def predict(self, X: Any) -> Array:
        """The predicted numbers, (rows,) or (rows, outputs), in the network's dtype."""
        output = self._predicted(X)
        return output[:, 0] if output.shape[1] == 1 else output

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    # -- targets

    def _checked(self, x: Any, y: Any, *, reset: bool, known: bool) -> tuple[Array, Array]:
        return training_rows(self, x, y, numeric=True, reset=reset)

    def _output_layer(self, y: Array) -> tuple[int, Any]:
        named = isinstance(self.output_activation, str) and self.output_activation == "auto"
        return (1 if y.ndim == 1 else y.shape[1]), "identity" if named else self.output_activation

    def _targets(self, y: Array, network: Network) -> Array:
        return y

    def _weights(self, y: Array, sample_weight: Any) -> Any:
        return sample_weight
