"""Finding a learning rate: train with rates that rise from step to step, and look where the loss falls fastest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnkit.errors import ArgumentError, MissingExtraError
from nnkit.hyperparameters import check_count, check_number
from nnkit.training.callbacks import Callback, Training
from nnkit.training.fit import fit
from nnkit.training.options import Options
from nnkit.training.session import hooks
from nnkit.training.twin import twin

if TYPE_CHECKING:
    from nnkit.network import Network

Array = npt.NDArray[np.float64]
MEMORY = 0.9  # of the running means: what came before weighs so much in each step
HOPELESS = 4.0  # times the smallest smoothed loss: there the sweep ends
FEWEST = 10  # steps, to say anything


@dataclass(frozen=True)
class RateSweep:
    """The loss of each step of a sweep, and the learning rates that it suggests.

    ``smoothed`` is the loss by straight lines fitted to the steps around each one, which do not shift the curve. Two
    rules: ``steepest``, the rate where that falls fastest over the logarithm of the rate, and ``tenth``, one tenth of
    the rate where it is smallest. ``suggestion`` is the first; all are None where the loss never fell.

    >>> rates = [10.0 ** (k / 10 - 5) for k in range(50)]
    >>> sweep = RateSweep(rates, [1 / (1 + rate / 1e-3) for rate in rates], 1)
    >>> 0.5e-3 < sweep.suggestion < 2e-3, round(sweep.tenth, 4)
    (True, 0.0794)
    """

    rates: Sequence[float]
    losses: Sequence[float]
    batch_size: int
    ended: str = ""

    @property
    def smoothed(self) -> list[float]:
        """The losses, smoothed."""
        return [float(level) for level in local_lines(self.losses)[0]]

    @property
    def steepest(self) -> float | None:
        """The rate where the smoothed loss falls fastest on its way to the smallest."""
        last = self._lowest()
        if last is None:
            return None
        slopes = local_lines(self.losses)[1]
        first = min(int(2 * width(len(slopes))), last)  # before it, a line has steps on one side only
        return self.rates[first + int(np.argmin(slopes[first : last + 1]))]

    @property
    def tenth(self) -> float | None:
        """One tenth of the rate where the smoothed loss is smallest."""
        last = self._lowest()
        return None if last is None else self.rates[last] / 10

    @property
    def suggestion(self) -> float | None:
        """The rate to begin with."""
        return self.steepest

    def plot(self, axes: Any = None) -> Any:
        """Draw the losses over the rates with Matplotlib, and give the axes back."""
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise MissingExtraError('to plot the sweep takes Matplotlib: pip install "nnkit[plot]"') from error
        axes = pyplot.subplots()[1] if axes is None else axes
        axes.plot(self.rates, self.losses, alpha=0.3, label="loss of the step")
        axes.plot(self.rates, self.smoothed, label="smoothed")
        for name, rate, style in (("steepest", self.steepest, "--"), ("one tenth", self.tenth, ":")):
            if rate is not None:
                axes.axvline(rate, color="gray", linestyle=style, label=f"{name}: {rate:.2g}")
        axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
        axes.legend()
        return axes

    def __repr__(self) -> str:
        best = "none" if self.steepest is None else f"{self.steepest:.2g}"
        return f"<sweep of learning rates: {len(self.rates)} steps, suggestion {best}>"

    def __str__(self) -> str:
        swept = f"{len(self.rates)} steps from {self.rates[0]:.2g} to {self.rates[-1]:.2g}" if self.rates else "no step"
        lines = [f"learning rates: {swept} in batches of {self.batch_size}{self.ended and f'; {self.ended}'}"]
        if self.steepest is None or self.tenth is None:
            return "\n".join(
                [*lines, "  no suggestion: the loss never fell; look at the data, or sweep from a lower rate"]
            )
        lines.append(f"  {self.steepest:.2g}  where the loss falls fastest: the suggestion")
        lines.append(f"  {self.tenth:.2g}  one tenth of the rate where it is smallest")
        return "\n".join(lines)

    def _lowest(self) -> int | None:
        """The place of the smallest smoothed loss, if it comes after a fall."""
        if len(self.losses) < FEWEST:
            return None
        last = int(np.argmin(self.smoothed))
        return last if last > 2 * width(len(self.losses)) else None


def width(steps: int) -> float:
    """Standard deviation of the weights by which steps count in the line of another one."""
    return max(steps / 25, 1.0)


def local_lines(losses: Sequence[float]) -> tuple[Array, Array]:
    """Level and slope, per step, of the straight line by least squares around each step, with Gaussian weights.

    No loss counts more than the largest on the way to the smallest, so that the last, exploding ones do not reach far.

    >>> level, slope = local_lines([4.0, 3.75, 3.5, 3.25, 3.0, 2.75, 2.5, 2.25, 2.0, 1.75])
    >>> level.round(6)[:3].tolist(), slope.round(6)[4].tolist()
    ([4.0, 3.75, 3.5], -0.25)
    """
    y = np.asarray(losses, dtype=np.float64)
    y = np.minimum(y, np.max(y[: int(np.argmin(y)) + 1]))
    reach = min(int(4 * width(len(y))), (len(y) - 1) // 2)
    back = np.arange(-reach, reach + 1, dtype=np.float64)  # how many steps before
    weight = np.exp(-0.5 * (back / width(len(y))) ** 2)

    def moment(values: Array, power: int) -> Array:
        return np.convolve(values, weight * back**power, mode="same")

    ones = np.ones(len(y))
    w, wx, wxx, wy, wxy = moment(ones, 0), moment(ones, 1), moment(ones, 2), moment(y, 0), moment(y, 1)
    spread = w * wxx - wx * wx
    return (wxx * wy - wx * wxy) / spread, (wx * wy - w * wxy) / spread


def running_means(values: Sequence[float]) -> list[float]:
    """Exponential running means, without the bias towards 0 at their beginning.

    >>> [round(mean, 6) for mean in running_means([2.0, 2.0, 2.0])]
    [2.0, 2.0, 2.0]
    """
    means, sum_, weight = [], 0.0, 0.0
    for value in values:
        sum_, weight = MEMORY * sum_ + value, MEMORY * weight + 1.0
        means.append(sum_ / weight)
    return means


def find_learning_rate(
    net: Network,
    x: Any,
    y: Any = None,
    *,
    lowest: float = 1e-7,
    highest: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    optimizer: Any = "adam",
    loss: Any = "auto",
    standardize: bool = False,
) -> RateSweep:
    """A learning rate for ``net.fit``, from a short training of a copy in which the rate rises from step to step.

    The rate goes from ``lowest`` to ``highest`` by the same factor in each step; the sweep ends early when the loss has
    risen to four times its smallest. The network itself does not change. The other arguments are those of ``net.fit``;
    with a schedule, it is the rate that the schedule starts from which is swept.

    Smith, "Cyclical learning rates for training neural networks", WACV 2017.

    >>> import nnkit
    >>> data = nnkit.data.load("moons", seed=0)
    >>> net = nnkit.FeedForward(inputs=2, hidden=[16], outputs=2, output_activation="softmax", seed=0)
    >>> sweep = nnkit.find_learning_rate(net, data.x_train, data.y_train)
    >>> 1e-4 < sweep.suggestion < 1
    True
    """
    sweeping = Sweeping(lowest, highest, steps)
    options = Options(
        epochs=int(steps),
        batch_size=batch_size,
        optimizer=optimizer,
        loss=loss,
        callbacks=[sweeping],
        compile="off",
        standardize=standardize,
        progress=False,
    )
    other = twin(net)
    outcome = fit(other._model, x, y, options, hooks(other, loss)._replace(intake=net._intake))
    if outcome.failure is not None:
        raise outcome.failure
    if outcome.record.interrupted:
        sweeping.ended = "it was interrupted"
    refused = outcome.record.failure
    if refused is not None:
        refused.forget()  # it was to be expected
    return sweeping.result(int(batch_size), refused is not None)


class Sweeping(Callback):
    """Sets the rate of every step from ``lowest`` to ``highest`` and notes the loss of its batch."""

    every = "1 step"

    def __init__(self, lowest: float, highest: float, steps: int) -> None:
        check_number("find_learning_rate", "lowest", lowest, "(0, inf)")
        check_number("find_learning_rate", "highest", highest, "(0, inf)")
        if not lowest < highest:
            raise ArgumentError(f"find_learning_rate: highest is {highest!r}, expected more than lowest, {lowest!r}")
        check_count("find_learning_rate", "steps", steps, at_least=FEWEST)
        self._lowest, self._ratio, self._steps = float(lowest), math.log(highest / lowest) / (steps - 1), steps
        self.losses: list[float] = []
        self.ended = ""
        self._epoch = 0
        self._sum = 0.0  # of the losses of the rows of this epoch so far
        self._begun = self._noted = 0  # rows before this epoch, and before this step

    @property
    def rates(self) -> list[float]:
        """The rates of the steps that were noted."""
        return [self._rate(number) for number in range(len(self.losses))]

    def begin(self, training: Training) -> None:
        """The first rate."""
        training.set(learning_rate=self._rate(0))

    def due(self, training: Training) -> None:
        """Note the loss of the step, and set the rate of the next one."""
        if training.epoch != self._epoch:
            self._epoch, self._sum, self._begun = training.epoch, 0.0, self._noted
        total = training.values["loss"] * (training.rows_done - self._begun)  # from the mean over the epoch so far
        self.losses.append((total - self._sum) / (training.rows_done - self._noted))
        self._sum, self._noted = total, training.rows_done
        means = running_means(self.losses)
        if len(means) == self._steps:
            training.stop("the sweep is done")
        elif len(means) >= FEWEST and means[-1] > HOPELESS * min(means):
            self.ended = f"the loss had risen to more than {HOPELESS:g} times its smallest"
            training.stop(self.ended)
        else:
            training.set(learning_rate=self._rate(len(means)))

    def result(self, batch_size: int, diverged: bool) -> RateSweep:
        """What was found."""
        ended = "the next step would have been NaN or infinite" if diverged else self.ended
        return RateSweep(self.rates, self.losses, batch_size, ended)

    def _rate(self, step: int) -> float:
        return self._lowest * math.exp(self._ratio * step)
