"""One network with its data: trained in pieces, changed between them, and looked at."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from math import nan, prod
from typing import Any, NamedTuple

import numpy as np

import nnkit
from nnkit.callbacks import Callback, Training
from nnkit.data.arrays import Array
from nnkit.errors import NnkitWarning
from nnkit.playground.curve import Curve
from nnkit.playground.goal import chosen, correct, counts_right
from nnkit.playground.maps import GRID, SMALL
from nnkit.playground.optimizer import optimizer_for
from nnkit.playground.settings import LAYERS, NETWORK, OPTIMIZER, PLAN, Settings
from nnkit.playground.subject import Subject

EPOCHS = 50_000
"""Of one call of ``fit``: what it keeps of each epoch is let go of then."""


class Layer(NamedTuple):
    """A layer as a page shows it; the inputs have neither activation nor parameters."""

    name: str
    size: int
    activation: str | None = None
    weight: str | None = None
    bias: str | None = None


class Figures(NamedTuple):
    """Losses of the training and the test rows, accuracy or R² of both, and what else is known of the test rows."""

    train_loss: float = nan
    test_loss: float = nan
    train_score: float = nan
    test_score: float = nan
    confusion: Any = None
    others: dict[str, float] | None = None

    @property
    def four(self) -> tuple[float, float, float, float]:
        """Those of a frame's head."""
        return self.train_loss, self.test_loss, self.train_score, self.test_score


class End(NamedTuple):
    """Why training ended by itself: ``"nan"`` or ``"error"``, and a sentence."""

    why: str
    reason: str


class Lab:
    """A network in training.

    Args:
        settings: what it is and how it is trained.
        subject: the rows.
        network: one that has learned already.
    """

    def __init__(self, settings: Settings, subject: Subject, network: nnkit.Network | None = None) -> None:
        self.settings, self.subject = settings, subject
        self.network = _network(settings, subject) if network is None else network
        self.optimizer = optimizer_for(settings)
        self.step = 0
        self.curve = Curve()
        self.remarks: tuple[str, ...] = ()
        """What became of the network that its settings do not say."""
        self.dead_layer: int | None = None
        """The hidden layer, from 1, at which the slopes of all training rows end, when last looked at."""
        self._shapes = {path: value.shape for path, value in self.network.parameters().items()}
        self.layers = tuple(_layers(self._shapes, settings, subject))
        self.scored(whole=False)  # what cannot be is refused now

    @property
    def steps_per_epoch(self) -> int:
        """Steps that take each training row once."""
        return max(1, -(-len(self.subject.x_train) // self.settings.batch))

    @property
    def epoch(self) -> float:
        """Epochs so far, with a part of the one under way."""
        return self.step / self.steps_per_epoch

    def fit(self, callback: Callback, epochs: int = EPOCHS) -> End | None:
        """Train until the callback stops it; tells why, if it ended by itself."""
        if not self.subject.ready:
            return End("error", self.subject.summary)
        watch = _Watch(self.settings.rate)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", NnkitWarning)
            self.network.fit(
                self.subject.x_train,
                self.subject.y_train,
                epochs=epochs,
                batch_size=self.settings.batch,
                optimizer=self.optimizer,
                loss=self.subject.goal.loss,
                callbacks=[watch, callback],
                compile=self.settings.compile,
                progress=False,
            )
        told = [str(warning.message) for warning in said if issubclass(warning.category, NnkitWarning)]
        return End("nan", " ".join(told)) if watch.diverged else None

    def scored(self, whole: bool = True) -> Figures:
        """Its figures now; of a part of the rows, where there are very many and ``whole`` is False."""
        if not self.subject.ready:
            return Figures()
        (train_loss, train_score, *_), (test_loss, test_score, confusion, others) = (
            self._scores(*rows) for rows in self.subject.scored_rows(whole)
        )
        return Figures(train_loss, test_loss, train_score, test_score, confusion, others)

    def _scores(self, x: Array, y: Array, target: Array) -> tuple[float, float, Any, dict[str, float]]:
        if not len(x):
            return nan, nan, None, {}
        goal = self.subject.goal
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", NnkitWarning)
            scores = self.network.test(x, y, loss=goal.loss)
            if not self.subject.classes:
                errors = {"mae": _number(scores.mae), "rmse": _number(scores.rmse)}
                measured = {name: value * self.subject.unit for name, value in errors.items()}
                return scores.loss, _number(scores.r2), None, measured
            if counts_right(goal):
                return scores.loss, _number(scores.accuracy), np.asarray(scores.confusion), {}
            predictions = self.network.predict(x)
        said = chosen(goal, predictions)
        classes = len(self.subject.classes)
        confusion = np.bincount(target * classes + said, minlength=classes**2).reshape(classes, classes)
        return scores.loss, correct(goal, predictions, target), confusion, {}

    def activations(self, x: Array) -> list[Array]:
        """The output of each layer for these rows, from the first hidden one to the outputs."""
        with np.errstate(all="ignore"):
            found = self.network.activations(x)
        return [found[layer.weight.rpartition(".")[0]] for layer in self.layers if layer.weight]

    def reached(self, figures: Figures) -> str | None:
        """Why training has come to what was wanted; None if it has not."""
        stop, goal = self.settings.stop, self.settings.goal
        found = {"test loss": figures.test_loss, "train loss": figures.train_loss}
        if stop in found and found[stop] < goal:
            return f"the {stop} is {found[stop]:.4g}, below {goal:g}"
        if stop == "accuracy" and figures.test_score > goal / 100:
            what = "accuracy" if self.subject.classes else "R²"
            return f"the {what} of the test rows is {figures.test_score:.2%}, above {goal:g}%"
        if stop == "epoch" and self.epoch >= goal:
            return f"{self.epoch:,.0f} epochs are done"
        return None

    @property
    def planned_for(self) -> tuple[Any, ...]:
        """What the plan of a step follows from."""
        return self.network, self.subject.goal.loss, *(getattr(self.settings, name) for name in PLAN)

    def plan(self) -> dict[str, Any]:
        """The planned step for a page."""
        settings = self.settings
        found = self.network.explain(
            settings.batch, optimizer_for(settings), self.subject.goal.loss, compile=settings.compile
        )
        return {"heading": " ".join(found.splitlines()[:2]), **found.data}

    def state(self) -> dict[str, Any]:
        """What a page has to know to draw frames."""
        parameters, start = [], 0
        for path, shape in self._shapes.items():
            parameters.append({"path": path, "shape": list(shape), "start": start})
            start += prod(shape)
        return {
            "settings": self.settings.to_dict(),
            "layers": [layer._asdict() for layer in self.layers],
            "parameters": parameters,
            "outputs": self.subject.goal.outputs,
            "grid": GRID,
            "maps": SMALL,
            "steps_per_epoch": self.steps_per_epoch,
            "step": self.step,
            "epoch": self.epoch,
            "curve": self.curve.points,
        }

    def has_neuron(self, layer: int, number: int) -> bool:
        """Whether there is this neuron of a hidden layer or the outputs; layers count from the inputs, 0."""
        return 1 <= layer < len(self.layers) and 0 <= number < self.layers[layer].size

    def neuron(self, place: Any) -> tuple[int, int]:
        """What a page calls a neuron, checked; ValueError where it is none."""
        if isinstance(place, list) and len(place) == 2 and all(type(number) is int for number in place):
            layer, number = place
            if self.has_neuron(layer, number):
                return layer, number
        raise ValueError(f"there is no neuron {place!r:.80}; expected [layer from 1, number from 0]")

    def remark(self, what: str) -> None:
        """Keep that something was done to the network."""
        self.remarks = tuple(dict.fromkeys((*self.remarks, what)))

    def edit(self, path: str, index: Sequence[int], value: float) -> None:
        """Give one weight or bias another value."""
        known = self.network.parameters()
        if path not in known:
            raise ValueError(f"there is no parameter {path!r:.80}; there are {', '.join(known)}")
        array = known[path]
        if len(index) != array.ndim or any(not 0 <= at < size for at, size in zip(index, array.shape, strict=True)):
            raise ValueError(f"{path} has the shape {list(array.shape)}, and no place {list(index)}")
        with np.errstate(over="ignore"):  # what is beyond the data type becomes infinite, and is refused as that
            array[tuple(index)] = value
        self.network.set_parameters({path: array})
        self.remark("weights were edited")

    def reset(self) -> Lab:
        """The same from the beginning."""
        return Lab(self.settings, self.subject)

    def with_settings(self, settings: Settings, subject: Subject, fresh: bool = False) -> Lab:
        """With other settings; weights, epochs and the optimiser's moments stay where they still have a meaning."""
        goal, old = subject.goal, self.subject.goal
        other = (goal.outputs, goal.activation) != (old.outputs, old.activation)
        if fresh or other or self.settings.differ(settings, NETWORK):
            return Lab(settings, subject)
        rebuilt = self.settings.differ(settings, LAYERS)
        network = self.network
        if rebuilt:
            network = _network(settings, subject)
            if self.step or self.remarks:  # else the weights are those of the seed, of which dropout has others
                values = self.network.parameters().values()  # with dropout between them, layers have other paths
                network.set_parameters(dict(zip(network.parameters(), values, strict=True)))
        made = Lab(settings, subject, network)
        made.curve, made.step = self.curve, round(self.epoch * made.steps_per_epoch)
        made.remarks = self.remarks
        if self.step and self.settings.differ(settings, (*LAYERS, *OPTIMIZER, "rate", "batch", "loss")):
            made.remark("settings were changed while it trained")
        if not rebuilt and not self.settings.differ(settings, OPTIMIZER):
            made.optimizer = self.optimizer
        return made


class _Watch(Callback):
    """Gives an optimiser that keeps its moments the present learning rate, and sees whether training diverges."""

    def __init__(self, rate: float) -> None:
        self.rate, self.diverged = rate, False

    def begin(self, training: Training) -> None:
        if training.base_learning_rate != self.rate:
            training.set(learning_rate=self.rate)

    def end(self, training: Training) -> None:
        self.diverged = training.diverged


def _network(settings: Settings, subject: Subject) -> nnkit.Network:
    goal = subject.goal
    return nnkit.FeedForward(
        inputs=len(subject.inputs),
        hidden=list(settings.hidden),
        outputs=goal.outputs,
        activation=list(settings.activations),
        output_activation=goal.activation,
        dropout=settings.dropout,
        l1=settings.strength if settings.penalty == "l1" else 0.0,
        l2=settings.strength if settings.penalty == "l2" else 0.0,
        device=settings.device,
        seed=settings.seed,
    )


def _layers(shapes: Mapping[str, tuple[int, ...]], settings: Settings, subject: Subject) -> Iterator[Layer]:
    yield Layer("inputs", len(subject.inputs))
    weights = [path for path, shape in shapes.items() if len(shape) == 2]
    names = [*settings.activations, subject.goal.activation]
    for number, (path, activation) in enumerate(zip(weights, names, strict=True), 1):
        name = "outputs" if number == len(names) else f"hidden layer {number}"
        yield Layer(name, shapes[path][1], activation, path, path.removesuffix("weight") + "bias")


def _number(value: float | None) -> float:
    return nan if value is None else float(value)
