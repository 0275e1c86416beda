"""What both estimators share: the parameters, and how they become a network and its training."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from nnkit import optimizers
from nnkit.arguments import KnownArguments
from nnkit.errors import ArgumentError, DataError
from nnkit.feedforward import FeedForward
from nnkit.hyperparameters import check_count, check_number
from nnkit.names import lookup
from nnkit.network import Network
from nnkit.optimizers import Optimizer
from nnkit.sklearn.plateau import Plateau
from nnkit.sklearn.rows import pieces
from nnkit.training.callbacks import Callback, EarlyStopping, as_callbacks
from nnkit.training.options import DEFAULT_RATE
from nnkit.training.result import TrainingRun

Array = Any
BATCH = 200  # rows of a step unless the user says otherwise, as in scikit-learn's MLPClassifier
ARCHITECTURE = ("hidden", "activation", "output_activation", "dropout", "l1", "l2", "dtype", "device")
NOT_KEPT = "an estimator does not keep its training data"


class Estimator(KnownArguments, BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no types
    """Parameters are stored as they are, which is scikit-learn's rule; ``fit`` checks them."""

    network_: Network
    run_: TrainingRun
    loss_curve_: list[float]
    n_iter_: int
    _built_as: dict[str, Any]

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
        callbacks: Any = (),
        device: str = "cpu",
        dtype: str = "auto",
        compile: str = "auto",
        random_state: Any = None,
        warm_start: bool = False,
        verbose: bool | int = False,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.output_activation = output_activation
        self.dropout = dropout
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.loss = loss
        self.l1 = l1
        self.l2 = l2
        self.early_stopping = early_stopping
        self.patience = patience
        self.tol = tol
        self.validation_fraction = validation_fraction
        self.shuffle = shuffle
        self.callbacks = callbacks
        self.device = device
        self.dtype = dtype
        self.compile = compile
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # -- what a kind of estimator says of its targets

    @abstractmethod
    def _checked(self, x: Any, y: Any, *, reset: bool, known: bool) -> tuple[Array, Array]:
        """``x`` and ``y`` as arrays; unless it is ``known`` from before, what the targets are is learnt here."""

    @abstractmethod
    def _output_layer(self, y: Array) -> tuple[int, Any]:
        """How many outputs the network needs for such targets, and with which activation."""

    @abstractmethod
    def _targets(self, y: Array, network: Network) -> Array:
        """The targets as the loss of that network reads them."""

    @abstractmethod
    def _weights(self, y: Array, sample_weight: Any) -> Any:
        """One weight for each row, or None."""

    # -- training

    @property
    def _fitted(self) -> bool:
        return "network_" in vars(self)

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """All that a call sets, or, where it raises, nothing."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _fit(self, x: Any, y: Any, sample_weight: Any, validation_data: Any) -> Self:
        """All epochs, from new weights or, with ``warm_start``, from the present ones."""
        known = bool(self.warm_start) and self._fitted
        with self._whole():
            x, y = self._checked(x, y, reset=not known, known=known)
            network = self._network(x, y, known)
            share = self._share(len(x)) if self.early_stopping and validation_data is None else 0.0
            run = self._train(
                network,
                x,
                y,
                sample_weight,
                self._optimizer(),
                epochs=self.epochs,
                callbacks=[*self._own_callbacks(), *self._stopping()],
                validation_data=self._validation(validation_data, network),
                validation_split=share,
            )
            self.loss_curve_ = list(run.history["loss"])
            self.n_iter_ = len(self.loss_curve_)
        return self

    def _partial_fit(self, x: Any, y: Any, sample_weight: Any, known: bool) -> Self:
        """One epoch that goes on from the present weights and moments."""
        if self.early_stopping:
            raise ArgumentError(
                "partial_fit does one epoch, which early stopping cannot shorten; set early_stopping=False"
            )
        x, y = self._checked(x, y, reset=not self._fitted, known=known)
        network, optimizer = self._network(x, y, self._fitted), self._optimizer()
        before = network._model.optimizer
        if type(before) is type(optimizer) and before.moments == optimizer.moments:
            network._model.optimizer = optimizer  # which keeps the moments, and brings numbers that may have changed
        run = self._train(network, x, y, sample_weight, optimizer, epochs=1, callbacks=self._own_callbacks())
        self.loss_curve_ = [*vars(self).get("loss_curve_", []), *run.history["loss"]]
        self.n_iter_ = len(self.loss_curve_)
        return self

    def _train(
        self, network: Network, x: Array, y: Array, sample_weight: Any, optimizer: Optimizer, **options: Any
    ) -> TrainingRun:
        """Train the network, and only then show it and its run."""
        size = self.batch_size
        run = network.fit(
            x,
            self._targets(y, network),
            sample_weight=self._weights(y, sample_weight),
            batch_size=lookup("batch_size", size, {"auto": BATCH}) if isinstance(size, str) else size,
            optimizer=optimizer,
            learning_rate=self.learning_rate if isinstance(self.optimizer, Optimizer) else DEFAULT_RATE,
            loss=self.loss,
            shuffle=self.shuffle,
            compile=self.compile,
            progress=bool(self.verbose),
            **options,
        )
        self.network_ = network
        self.run_ = _without_data(run)
        return run

    def _optimizer(self) -> Optimizer:
        """An optimiser of this training alone: the same object again would go on with its moments."""
        chosen = optimizers.get(self.optimizer, self.learning_rate)
        return copy.copy(chosen)

    def _network(self, x: Array, y: Array, known: bool) -> Network:
        """The present network, which must be as the parameters say, or a new one."""
        described = {name: _comparable(getattr(self, name)) for name in ARCHITECTURE}
        if known:
            for name, value in self._built_as.items():
                if described[name] != value:
                    raise ArgumentError(
                        f"{type(self).__name__}: {name} is {described[name]!r}, but the network that training would go "
                        f"on from has {name}={value!r}; set it back, or call fit with warm_start=False for a new one"
                    )
            return self.network_
        outputs, activation = self._output_layer(y)
        self._built_as = described
        return FeedForward(
            x.shape[1],
            outputs,
            self.hidden,
            activation=self.activation,
            output_activation=activation,
            dropout=self.dropout,
            l1=self.l1,
            l2=self.l2,
            dtype=x.dtype.name if self.dtype == "auto" else self.dtype,
            device=self.device,
            seed=self._seed(),
        )

    def _seed(self) -> int:
        """The integer that is given, or one that is drawn, from NumPy's global generator for None."""
        generator = check_random_state(self.random_state)
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(generator.randint(2**31 - 1))

    def _own_callbacks(self) -> list[Callback]:
        return as_callbacks(() if self.callbacks is None else self.callbacks)

    def _stopping(self) -> list[Callback]:
        """What ends training before its last epoch."""
        owner = type(self).__name__
        check_count(owner, "patience", self.patience, at_least=1)
        if self.tol is not None:
            check_number(owner, "tol", self.tol, "[0, inf)")
        if self.early_stopping:
            return [EarlyStopping(patience=int(self.patience), min_delta=float(self.tol or 0.0))]
        return [] if self.tol is None else [Plateau(int(self.patience), float(self.tol))]

    def _share(self, rows: int) -> float:
        """What part of the rows is set aside for validation."""
        check_number(type(self).__name__, "validation_fraction", self.validation_fraction, "(0, 1)")
        if rows == 1:
            raise DataError(
                "early stopping sets rows aside for validation, and X has 1 sample; pass validation_data to fit, or "
                "set early_stopping=False"
            )
        return float(self.validation_fraction)

    def _validation(self, given: Any, network: Network) -> Any:
        """Data for validation in the form of the training data; what has another form is left for ``fit`` to refuse."""
        if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
            return given
        x, y = self._checked(given[0], given[1], reset=False, known=True)
        return x, self._targets(y, network), *given[2:]

    # -- use

    def _predicted(self, x: Any, bare: bool = False) -> Array:
        """The network's output for every row, or with ``bare`` what its output activation is called with."""
        check_is_fitted(self)
        mode = "off" if self.compile == "off" else "auto"
        take, predict = self.network_._intake.rows, self.network_._evaluator.predict
        return np.concatenate([predict(take(piece), mode, bare=bare) for piece in pieces(self, x)])


def _comparable(value: Any) -> Any:
    """Sequences that mean the same are equal: (64,), [64] and an array of it."""
    return tuple(value) if isinstance(value, (list, range, np.ndarray)) else value


def _without_data(run: TrainingRun) -> TrainingRun:
    """The run without the figures that would be computed later, from data that would be kept in memory for them."""
    record = run.record
    reasons = record.resources["reasons"] | {"data.sha256": NOT_KEPT, "result.train": NOT_KEPT}
    kept = replace(
        record,
        data={**record.data, "sha256": None},
        result={**record.result, "train": None},
        examine=None,
        resources={**record.resources, "reasons": reasons},
    )
    return TrainingRun(kept, run.network)
