"""What ``fit`` and ``test`` return."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nnkit import metrics
from nnkit.data.checks.common import count
from nnkit.diagnosis import Failure, Finding
from nnkit.errors import ArgumentError
from nnkit.measure import RunRecord
from nnkit.training.pages import run_page, scores_page
from nnkit.training.plot import plot

if TYPE_CHECKING:
    from nnkit.network import Network
    from nnkit.training.examination import Examination


@dataclass(frozen=True)
class Scores:
    """Exact figures on some data. What does not apply is None.

    ``accuracy`` is correct / total as a Python float; the rows of ``confusion`` are the true classes; ``precision``,
    ``recall`` and ``f1`` are plain means over the classes (of class 1, for yes and no). A part of a mean that would be
    0 / 0 counts as 0, and a whole value is NaN; ``notes`` say so, and ``test`` warns with them. ``metrics`` holds what
    ``test`` was asked for beside them; each is an attribute too, ``scores.auc``.
    """

    loss: float
    rows: int
    accuracy: float | None = None
    confusion: Any = None
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    r2: float | None = None
    mae: float | None = None
    rmse: float | None = None
    classes: tuple[str, ...] | None = None
    elapsed_s: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, float]:
        """The plain figures that apply, for a record."""
        names = ("loss", "accuracy", "precision", "recall", "f1", "r2", "mae", "rmse")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None} | dict(self.metrics)

    def __getattr__(self, name: str) -> float:
        if name in self.__dict__.get("metrics", ()):
            return self.metrics[name]
        raise AttributeError(f"scores have no '{name}'{_instead_of(name)}")

    def _repr_html_(self) -> str:
        """For notebooks: the figures and the confusion matrix."""
        return scores_page(str(self), self.confusion, self.classes)

    def __str__(self) -> str:
        figures = (f"{name} {value:.4f}" for name, value in self.to_dict().items())
        return f"{', '.join(figures)} ({self.rows} rows)"


def _instead_of(name: str) -> str:
    if name == "plot":
        return "; run.plot(scores) draws their confusion matrix"
    try:
        metrics.get(name)
    except ArgumentError:
        return ""
    return f"; ask for it: net.test(x, y, metrics=['{name}'])"


class Results:
    """Scores on the training, validation and test data; those on the training data are computed when first read."""

    def __init__(self, record: RunRecord) -> None:
        self._record = record

    @property
    def train(self) -> Any:
        """Exact scores after training, with the weights that training ended with."""
        return _Figures(self._record.train_result or {})

    @property
    def validation(self) -> Any:
        """Scores on the validation data after training, with the final weights, or None."""
        found = self._record.result.get("validation")
        return None if found is None else _Figures(found)

    @property
    def test(self) -> Any:
        """Scores on test data, if ``run.add_test`` was called, or None."""
        found = self._record.result.get("test")
        return None if found is None else _Figures(found)


class _Figures(dict[str, float]):
    """A mapping whose keys can be written as attributes."""

    def __getattr__(self, name: str) -> float:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no '{name}' here; there are: {', '.join(self)}") from None


class TrainingRun:
    """What ran, how long, how fast, what it used, and how well it learned.

    ``history`` maps names to lists with one value for each epoch: ``loss``, ``accuracy`` and other names without
    ``val_`` are running means while the weights moved, ``val_loss``, ``val_accuracy`` and the like values of the
    validation data after the epoch. A metric that had no value in an epoch is NaN there.
    """

    def __init__(self, record: RunRecord, network: Network) -> None:
        self.record = record
        self.network = network
        self.result = Results(record)

    @property
    def history(self) -> Mapping[str, list[float]]:
        """One value for each epoch, by name."""
        return self.record.history

    @property
    def elapsed_s(self) -> float:
        """Wall time of the whole ``fit``, in seconds."""
        return float(self.record.time["elapsed_s"])

    @property
    def samples_per_s(self) -> float | None:
        """Training rows per second of training time; None if no step was run."""
        found: float | None = self.record.time["samples_per_s"]
        return found

    @property
    def resources(self) -> Mapping[str, Any]:
        """What it used: host, device, plan, and the reason for every figure that is missing."""
        return self.record.resources

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it; the network then has its last completed step."""
        return self.record.interrupted

    @property
    def stopped(self) -> str | None:
        """Why it ended before its last epoch, or None."""
        return self.record.stopped

    @property
    def failure(self) -> Failure | None:
        """The step whose numbers left their range, if that ended training: ``print`` it, or do it again."""
        found: Failure | None = self.record.failure
        return found

    def doctor(self) -> list[Finding]:
        """What is unhealthy about this training, each with its figure and a remedy; empty if nothing is.

        Dead and saturated units, vanishing and exploding gradients by layer, a learning rate far off, over-fitting,
        unscaled inputs and targets. It evaluates one more step on up to 256 rows, when it is first asked for and before
        the network is trained further; ``print(run)`` shows it.
        """
        examination: Examination | None = self.record.examine
        if examination is None:
            raise ArgumentError("this run holds no network to examine, as that of an estimator; fit one with net.fit")
        return examination.findings()

    def add_test(self, scores: Scores) -> None:
        """Put scores on test data into the record."""
        self.record.result = {**self.record.result, "test": scores.to_dict()}
        self.record.data = {**self.record.data, "test": scores.rows}
        self.record.resources["reasons"].pop("data.test", None)

    def plot(self, scores: Scores | None = None) -> Any:
        """A matplotlib figure of the loss and of each metric over the epochs (the extra ``plot``).

        With ``scores``, as ``net.test`` gives them, also their confusion matrix. Below them stand processor and
        memory over time, and the GPU and the power that the run took where these can be read.
        """
        if not isinstance(scores, Scores | None):
            raise ArgumentError(
                f"plot: scores is {scores!r}, expected what net.test gives; to write the figure to a file: "
                "run.plot().savefig('run.png')"
            )
        return plot(self.history, self.record.time, self.resources, scores)

    def to_dict(self) -> dict[str, Any]:
        """The record in the layout of its JSON file."""
        return self.record.to_dict()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the record as JSON."""
        self.record.save(path)

    def __str__(self) -> str:
        from nnkit.measure import table

        examination = self.record.examine
        return table(self.to_dict(), doctor=self.doctor() if examination is not None and examination.possible else ())

    def _repr_html_(self) -> str:
        """For notebooks: the curves, and the closing table."""
        return run_page(self.history, self.resources, str(self))

    def __repr__(self) -> str:
        epochs = len(next(iter(self.history.values()), []))
        figures = [f"{name} {values[-1]:.4f}" for name, values in self.history.items() if values]
        done = f"{count(epochs, 'epoch')} in {self.elapsed_s:.2f} s"
        return f"<run: {', '.join([done, *figures])}>"
