"""What follows a training on the command line: the network is tested, and it and its record are written."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace

from nnkit.data import Dataset
from nnkit.errors import UndefinedMetricError
from nnkit.training.result import Scores, TrainingRun


def about(trained: TrainingRun, dataset: Dataset) -> TrainingRun:
    """The run, with what its record says of a data set that has a name."""
    known = {
        "name": dataset.name,
        "sha256": lambda: dataset.sha256,
        "test": len(dataset.x_test),
        "classes": None if dataset.classes is None else list(dataset.classes),
    }
    return TrainingRun(replace(trained.record, data={**trained.record.data, **known}), trained.network)


def keep(flags: Namespace, dataset: Dataset, trained: TrainingRun) -> tuple[Scores | None, list[Exception]]:
    """Save, test, write the record: the most precious first, and each whether or not another one failed."""
    network = trained.network
    failures: list[Exception] = []
    scores: list[Scores] = []

    def attempt(action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:  # whatever it is, the rest is written before it is told
            failures.append(error)

    def test(metrics: list[str]) -> None:
        scores.append(network.test(dataset.x_test, dataset.y_test, metrics=metrics))
        trained.add_test(scores[0])

    if flags.save:
        attempt(lambda: network.save(flags.save))
    attempt(lambda: test(flags.metrics))
    if any(isinstance(failure, UndefinedMetricError) for failure in failures):  # the other figures there are
        attempt(lambda: test([]))
    if flags.record:
        attempt(lambda: trained.save(flags.record))
    return (scores[0] if scores else None), failures
