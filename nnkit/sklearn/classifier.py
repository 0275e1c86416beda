"""The estimator for classes, and for several answers of yes or no."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import check_is_fitted

from nnkit.data.checks import weights
from nnkit.errors import ArgumentError, DataError
from nnkit.network import Network
from nnkit.nn.activations import log_sigmoid, log_softmax
from nnkit.sklearn.estimator import Array, Estimator
from nnkit.sklearn.labels import activation_for, classes_of, domain_of, is_multilabel, numbers, require_known
from nnkit.sklearn.rows import training_rows
from nnkit.training.objective import objective
from nnkit.training.options import DEFAULT_RATE


class Classifier(ClassifierMixin, Estimator):  # type: ignore[misc]  # scikit-learn has no types
    """A feed-forward network for classes, as a scikit-learn estimator: for pipelines, searches and ensembles.

    Labels may be of any kind that scikit-learn takes, text included; a matrix of 0 and 1 means several answers of yes
    or no for each row. Put a StandardScaler before it: networks learn from columns of one scale.

    Args:
        hidden: neurons of each hidden layer, ``(128, 64)``, or of the one, ``64``; MLPClassifier's
            ``hidden_layer_sizes``.
        activation: one for all hidden layers or a list with one for each: names, functions or layers of ``nnkit.nn``.
        output_activation: "auto" is the sigmoid for two classes and for answers of yes or no, else softmax. Others
            must give probabilities too: "log_softmax", "sparsemax", or "softmax" for two classes.
        dropout: share of the values after each hidden layer that training sets to 0.
        optimizer: a name, such as "adam" and "sgd", or an object, ``nnkit.optimizers.SGD(0.05, momentum=0.9)``;
            MLPClassifier's ``solver``.
        learning_rate: of an optimiser that is given by name; a number or a schedule.
        batch_size: rows of one step; "auto" is 200, or all rows where there are fewer.
        epochs: passes over the data at most; MLPClassifier's ``max_iter``.
        loss: a name, an object, or "auto": the one that goes with the output activation, which is cross-entropy.
        l1, l2: λ of λ Σ|w| and λ Σ w² over all weights (not biases), added to the loss. MLPClassifier's ``alpha`` is
            2 · rows of a step · l2.
        early_stopping: watch the loss on data for validation (``validation_fraction`` of the rows, unless ``fit`` is
            given its own), stop when it has not fallen by more than ``tol`` for ``patience`` epochs, and bring back the
            weights of the best epoch. Without it the loss of the training is watched, and the last weights stay.
        patience: epochs; MLPClassifier's ``n_iter_no_change``.
        tol: what counts as progress of the loss; None trains for all epochs, unless ``early_stopping`` ends it.
        validation_fraction: share of the rows that early stopping sets aside, shuffled, and stratified by class.
        shuffle: a new order in every epoch; without it the last rows are set aside for validation.
        class_weight: "balanced", or a dict label → weight, which multiplies the weights of the rows.
        callbacks: ``nnkit.Callback`` objects, or functions that are called after each epoch.
        device: "cpu", or another that is installed.
        dtype: "float32", "float64", or "auto": float32 where X is float32, else float64. float32 is about twice as
            fast.
        compile: "auto", "first" or "off", as in ``nnkit.Network.fit``.
        random_state: an int is the network's ``seed``; a RandomState or None draws one, None from ``numpy.random``.
        warm_start: let ``fit`` go on from the present weights, with new moments of the optimiser.
        verbose: show the progress.

    Attributes:
        classes_: the labels, sorted; for answers of yes or no the numbers of the columns.
        network_: the ``nnkit.Network``, which can be saved, explained and exported; its outputs are the predictions.
        run_: the last training: ``run_.history``, ``run_.elapsed_s``, ``run_.resources``, ``run_.save(path)``. The
            figures that need the training data (its hash, the exact score on it) are left out, since the estimator does
            not keep the data.
        loss_curve_: the loss of each epoch; ``partial_fit`` adds to it.
        n_iter_: epochs done.
        n_features_in_, feature_names_in_: as in every estimator.

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from nnkit.sklearn import Classifier
    >>> x, y = load_iris(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), Classifier(hidden=(32,), learning_rate=0.01, random_state=0))
    >>> model.fit(x, y).score(x, y) > 0.95
    True
    """

    classes_: Array
    _multilabel: bool | None  # None between the announcement of the classes and the first targets

    def __init__(
        self,
        hidden: Any = (100,),
        activation: Any = "relu",
        *,
        output_activation: Any = "auto",
        dropout: float = 0.0,
        optimizer: Any = "adam",
        learning_rate: Any = DEFAULT_RATE,
        batch_size: int | str = "auto",
        epochs: int = 200,
        loss: Any = "auto",
        l1: float = 0.0,
        l2: float = 0.0,
        early_stopping: bool = False,
        patience: int = 10,
        tol: float | None = 1e-4,
        validation_fraction: float = 0.1,
        shuffle: bool = True,
        class_weight: Any = None,
        callbacks: Any = (),
        device: str = "cpu",
        dtype: str = "auto",
        compile: str = "auto",
        random_state: Any = None,
        warm_start: bool = False,
        verbose: bool | int = False,
    ) -> None:
        super().__init__(
            hidden,
            activation,
            output_activation=output_activation,
            dropout=dropout,
            optimizer=optimizer,
            learning_rate=learning_rate,
            batch_size=batch_size,
            epochs=epochs,
            loss=loss,
            l1=l1,
            l2=l2,
            early_stopping=early_stopping,
            patience=patience,
            tol=tol,
            validation_fraction=validation_fraction,
            shuffle=shuffle,
            callbacks=callbacks,
            device=device,
            dtype=dtype,
            compile=compile,
            random_state=random_state,
            warm_start=warm_start,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Self:
        """Train on X, shape (rows, features), and y, labels (rows,) or 0 and 1 (rows, answers); returns the estimator.

        Args:
            X: numbers; arrays, lists, pandas, or a sparse matrix. A sparse X is made dense as a whole: training takes
                rows × features numbers of the network's dtype in memory. Predictions make a thousand rows dense at a
                time.
            y: labels.
            sample_weight: one weight for each row; the loss of a step is Σ w·l / Σ w.
            validation_data: (X, y) or (X, y, sample_weight) to validate with after each epoch: ``run_.history`` has
                "val_loss", and early stopping watches it instead of rows that are set aside.

        Raises:
            ValueError: data that scikit-learn refuses, with its messages; parameters that nnkit refuses.

        >>> from nnkit.sklearn import Classifier
        >>> net = Classifier(hidden=(8,), learning_rate=0.1, random_state=0).fit([[-1.0], [1.0]], ["no", "yes"])
        >>> net.predict([[2.0]]).tolist(), net.predict_proba([[2.0]]).shape
        (['yes'], (1, 2))
        """
        return self._fit(X, y, sample_weight, validation_data)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One more epoch over X and y, from the present weights and the optimiser's present moments.

        The first call needs ``classes``, all labels that will ever come; later ones may leave it out. An optimiser's
        schedule needs a length of its own here, since nobody knows how many calls will follow.

        >>> from nnkit.sklearn import Classifier
        >>> net = Classifier(hidden=(8,), random_state=0).partial_fit([[0.0]], ["a"], classes=["a", "b", "c"])
        >>> net.partial_fit([[1.0], [2.0]], ["b", "c"]).n_iter_
        2
        """
        if isinstance(self.class_weight, str):
            raise ArgumentError(
                f"class_weight={self.class_weight!r} is not supported by partial_fit, which sees a part of the data: "
                "pass a dict, from sklearn.utils.class_weight.compute_class_weight over all of it"
            )
        with self._whole():
            self._announce(classes)
            return self._partial_fit(X, y, sample_weight, known=True)

    def predict(self, X: Any) -> Array:
        """The label of each row, (rows,); for several answers of yes or no 0 and 1, (rows, answers)."""
        output = self._predicted(X)
        if self._multilabel:
            return (output > 0.5).astype(np.int64)
        chosen = (output[:, 0] > 0.5).astype(np.int64) if self._one_output else np.argmax(output, axis=1)
        return self.classes_[chosen]

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (rows, classes); for several answers of yes or no that of yes."""
        p = self._predicted(X)
        if self._one_output:
            return np.column_stack([1 - p[:, 0], p[:, 0]])
        return np.exp(p) if domain_of(self._activation) == "log_distribution" else p

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of ``predict_proba``: of softmax and sigmoid exact however small the probability is."""
        check_is_fitted(self)
        if self._activation in ("softmax", "log_softmax"):
            return log_softmax(self._predicted(X, bare=True))
        if self._activation == "sigmoid":
            z = self._predicted(X, bare=True)
            return log_sigmoid(np.column_stack([-z[:, 0], z[:, 0]]) if self._one_output else z)
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def decision_function(self, X: Any) -> Array:
        """What the output activation is called with, the logits: (rows, classes), the largest of which is predicted.

        For two classes it is one number for each row, positive where the second class is predicted.
        """
        z = self._predicted(X, bare=True)
        if self._multilabel or len(self.classes_) != 2:
            return z
        return z[:, 0] if self._one_output else z[:, 1] - z[:, 0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    # -- targets

    def _announce(self, classes: Any) -> None:
        """The labels that ``partial_fit`` will see, of which the first call must tell."""
        if not self._fitted:
            if classes is None:
                raise ArgumentError(
                    "classes must be passed on the first call to partial_fit: all labels that will ever come"
                )
            self.classes_, self._multilabel = classes_of(np.asarray(classes)), None
        elif classes is not None and not np.array_equal(given := classes_of(np.asarray(classes)), self.classes_):
            raise ArgumentError(
                f"classes={given.tolist()} is not the same as on the last call, {self.classes_.tolist()}; leave it out"
            )

    def _checked(self, x: Any, y: Any, *, reset: bool, known: bool) -> tuple[Array, Array]:
        x, y = training_rows(self, x, y, numeric=False, reset=reset)
        multilabel = is_multilabel(y)
        if known:
            self._require_kind(multilabel, y)
            require_known(y, self.classes_)
        else:
            self.classes_ = classes_of(y)
        self._multilabel = multilabel
        return x, y

    def _require_kind(self, multilabel: bool, y: Array) -> None:
        if self._multilabel not in (None, multilabel):
            kinds = "one class for each row", "several answers of 0 and 1 for each row"
            raise DataError(
                f"y has shape {y.shape}, {kinds[multilabel]}, but the network was built for {kinds[not multilabel]}; "
                "fit a new one"
            )

    def _output_layer(self, y: Array) -> tuple[int, Any]:
        classes = len(self.classes_)
        chosen = activation_for(self.output_activation, classes, bool(self._multilabel))
        single = classes == 2 and not self._multilabel and domain_of(chosen) == "probability"
        return 1 if single else classes, chosen

    def _network(self, x: Array, y: Array, known: bool) -> Network:
        network = super()._network(x, y, known)
        if not self._multilabel and network.output_shape[0] == len(self.classes_):
            network.classes = tuple(map(str, self.classes_))
        return network

    def _targets(self, y: Array, network: Network) -> Array:
        if self._multilabel:
            return y
        found = numbers(y, self.classes_)
        outputs = network.output_shape[0]
        by_class = objective(network.module, self.loss).loss.targets == "classes"
        return found if by_class or outputs < len(self.classes_) else np.eye(outputs)[found]

    def _weights(self, y: Array, sample_weight: Any) -> Any:
        if self.class_weight is None:
            return sample_weight
        if self._multilabel:
            raise ArgumentError(
                "class_weight needs one class for each row, and y has several answers of 0 and 1; use sample_weight"
            )
        by_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        by_row = by_class[numbers(y, self.classes_)]
        return by_row if sample_weight is None else by_row * weights(sample_weight, len(y), "float64")

    # -- outputs

    @property
    def _one_output(self) -> bool:
        """Whether the network gives the probability of the second of two classes only."""
        return not self._multilabel and self.network_.output_shape[0] < len(self.classes_)

    @property
    def _activation(self) -> str:
        return self.network_.module.output_activation()
