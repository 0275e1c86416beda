"""The same training from other first weights and in other orders, to see how much is chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nnkit.display import preformatted, table
from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_count
from nnkit.measure.intervals import Estimate, estimate
from nnkit.network import Network
from nnkit.training.result import Scores, TrainingRun


class Repetition:
    """Several runs that differ in their seed alone; ``print`` it.

    ``runs`` has each training with its network, ``scores`` their tests (empty without test data), ``estimates`` each
    figure with its mean and 95 % confidence interval: those of the last epoch, and those of the tests as ``test_…``.
    """

    def __init__(self, runs: Sequence[TrainingRun], scores: Sequence[Scores]) -> None:
        self.runs = list(runs)
        self.scores = list(scores)

    @property
    def estimates(self) -> dict[str, Estimate]:
        """Mean, standard deviation and half width of the interval, by the name of the figure."""
        return {name: estimate(values) for name, values in self._figures()}

    def _figures(self) -> Iterator[tuple[str, list[float]]]:
        for name in self.runs[0].history:
            ends = [run.history[name][-1] for run in self.runs if run.history[name]]
            if len(ends) == len(self.runs):
                yield name, ends
        for name in self.scores[0].to_dict() if self.scores else ():
            yield f"test_{name}", [scores.to_dict()[name] for scores in self.scores]
        yield "elapsed_s", [run.elapsed_s for run in self.runs]

    def __str__(self) -> str:
        found = self.estimates
        wide = max(map(len, found))
        seeds = ", ".join(str(run.network.seed) for run in self.runs)
        lines = [f"{name:{wide}}  {value}" for name, value in found.items()]
        return "\n".join([f"{len(self.runs)} runs, seeds {seeds}; mean ± half of the 95 % interval", *lines])

    def __repr__(self) -> str:
        figures = (f"{name} {value}" for name, value in self.estimates.items())
        return f"<{len(self.runs)} runs: {', '.join(figures)}>"

    def _repr_html_(self) -> str:
        rows = [[name, str(value), f"{value.deviation:.2g}"] for name, value in self.estimates.items()]
        heading, _, _ = str(self).partition("\n")
        return preformatted(heading) + table(["figure", "mean ± half width", "standard deviation"], rows)


def repeat(
    network: Network, x: Any, y: Any = None, *, repeats: int = 5, test_data: Any = None, **options: Any
) -> Repetition:
    """Train fresh copies of ``network`` with the seeds seed, seed + 1, …; the network itself stays as it is.

    A seed decides the first weights, the order of the rows, dropout, and which rows are split off. ``options`` are
    those of :meth:`Network.fit`, except for optimiser objects and callbacks that remember: give names or objects that
    hold no state. ``test_data`` is (x, y), on which each copy is tested after its training.

    >>> import nnkit
    >>> data = nnkit.data.load("moons")
    >>> net = nnkit.FeedForward(inputs=2, hidden=[8], outputs=2, output_activation="softmax", seed=0)
    >>> found = nnkit.repeat(net, data.x_train, data.y_train, repeats=3, epochs=5, progress=False)
    >>> [run.network.seed for run in found.runs], sorted(found.estimates)
    ([0, 1, 2], ['accuracy', 'elapsed_s', 'loss'])
    """
    check_count("repeat", "repeats", repeats, at_least=1)
    if test_data is not None and not (isinstance(test_data, (tuple, list)) and len(test_data) == 2):
        raise ArgumentError(f"repeat: test_data must be a pair (x, y), got {type(test_data).__name__}")
    runs, scores = [], []
    for number in range(repeats):
        seed = (network.seed + number) % 2**64
        fresh = Network(network.module, network.input_shape, dtype=network.dtype, device=network.device, seed=seed)
        fresh.classes, fresh.preprocessing = network.classes, network.preprocessing
        runs.append(fresh.fit(x, y, **options))
        if test_data is not None:
            scores.append(fresh.test(*test_data))
    return Repetition(runs, scores)
