"""A network measured on this machine: its training step and its predictions, beside peers where they are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nnkit.bench.frameworks import FRAMEWORKS
from nnkit.bench.job import Job
from nnkit.bench.limit import Rates
from nnkit.bench.result import limit_row, missing_row, row
from nnkit.bench.turns import Contestant, take_turns
from nnkit.network import Network
from nnkit.training.planning import training_plan

MANY = 10_000
"""Rows of a prediction whose throughput is measured."""
FORMS = {"auto": ("nnkit", "nnkit, not compiled"), "first": ("nnkit",), "off": ("nnkit, not compiled",)}


class Measurement(NamedTuple):
    """What is measured of a network, and how often.

    ``compile`` chooses the forms of the step: "first" is the compiled one, "off" the plain one, "auto" both.
    """

    network: Network
    job: Job
    compile: str = "auto"
    repeats: int = 11
    peers: Sequence[str] = ()

    def sections(self, rates: Rates | None) -> Iterator[list[dict[str, Any]]]:
        """The rows of one workload after the other: the step, one row predicted, and many."""
        yield self._steps(rates)
        for count in (1, MANY):
            yield self._predictions(count)

    def _steps(self, rates: Rates | None) -> list[dict[str, Any]]:
        forms = FORMS[self.compile] if self.network._model.backend.native_target() else FORMS["off"]
        name = f"training step, {self.job.name}"
        contestants = {each: FRAMEWORKS[each].step(job=self.job) for each in (*forms, *self.peers)}
        rows = self._rows(name, contestants, self.job.batch, self._predicted)
        return rows if rates is None else [*rows, limit_row(name, rates.limit_s(self.network, self.job))]

    def _predictions(self, count: int) -> list[dict[str, Any]]:
        peers = [each for each in self.peers if FRAMEWORKS[each].predicts]
        contestants = {each: FRAMEWORKS[each].predict(job=self.job, rows=count) for each in ("nnkit", *peers)}
        return self._rows(f"prediction of {count:,} {'row' if count == 1 else 'rows'}", contestants, count)

    def _rows(
        self,
        workload: str,
        contestants: Mapping[str, Contestant],
        samples: int,
        predicted: Callable[[str], float | None] = lambda name: None,
    ) -> list[dict[str, Any]]:
        seconds, reasons = take_turns(contestants, self.repeats)
        rows = []
        for name in contestants:
            if name in reasons:
                rows.append(missing_row(workload, name, reasons[name], samples_per_s=None, predicted_step_s=None))
                continue
            line = row(workload, name, seconds[name])
            rows.append(line | {"samples_per_s": samples / line["step_median_s"], "predicted_step_s": predicted(name)})
        return rows

    def _predicted(self, name: str) -> float | None:
        """Seconds of a step by the plan of that form; peers have none."""
        if name not in FORMS["auto"]:
            return None
        native = FRAMEWORKS[name].mode == "first"
        plan = training_plan(self.network._model, self.job.batch, self.job.optimizer, self.job.loss, native=native)
        return plan.cost.seconds
