"""One epoch: a program for whole batches of rows and one for the smaller batch that is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnkit.backend import Executable, Program
from nnkit.graph import Graph
from nnkit.plan import Plan
from nnkit.training.compiling import Compiler
from nnkit.training.data import Rows
from nnkit.training.feeds import Feed, Resident
from nnkit.training.graphs import NONE
from nnkit.training.means import Means

START = {"counter.cursor": 0, "metric.loss": 0.0, "metric.weight": 0.0, "metric.correct": 0}


@dataclass(frozen=True)
class Walk:
    """How an epoch goes over rows: in batches of up to ``most``, each by the graph of so many rows.

    ``kind`` tells its programs from others of the same model; there are so many ``epochs``.
    """

    compiler: Compiler
    rows: Rows
    most: int
    kind: tuple[Any, ...]
    graph: Callable[[int], Graph]
    epochs: int
    means: Means = NONE
    times: int = 1
    """How often each step runs its program."""

    @property
    def by_steps(self) -> bool:
        """Whether a step reads its own rows only; else each of its runs reads all of them again."""
        return self.times == 1

    @property
    def batch(self) -> int:
        """Rows of a whole batch."""
        return min(self.most, len(self.rows.indices))

    @property
    def pieces(self) -> tuple[int, int]:
        """Whole batches of an epoch, and rows of the smaller one that is left."""
        return divmod(len(self.rows.indices), self.batch)

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        whole, rest = self.pieces
        return whole + (rest > 0)

    def chosen(self, batch: int, each: int) -> tuple[Plan, Executable]:
        """The plan and the code for batches of this size, of which an epoch has so many."""
        return self.compiler.choose((*self.kind, batch), lambda: self.graph(batch), each * self.times * self.epochs)

    def plans(self) -> list[tuple[Plan, int]]:
        """The plan of the whole batches, and that of the smaller one if there is one, and how often each runs."""
        whole, rest = self.pieces
        found = [(self.chosen(self.batch, whole)[0], whole * self.times)]
        return [*found, (self.chosen(rest, 1)[0], self.times)] if rest else found


class Epoch:
    """Programs that walk over rows in a given order, adding to the metrics in the store.

    The rows come by ``feed``; all of them are on the device unless another one is given.
    """

    def __init__(self, walk: Walk, feed: Feed | None = None) -> None:
        rows, self.means, self.batch, self.times = walk.rows, walk.means, walk.batch, walk.times
        self._start = START | walk.means.zeros()
        self._model = model = walk.compiler.model
        self._count = len(rows.indices)
        self.whole, rest = walk.pieces
        self.steps = walk.steps
        self._rows = rows.indices
        self._feed = Resident(model.backend, rows) if feed is None else feed
        data = self._feed.data
        self.plan, self._program = self._bound(walk.chosen(self.batch, self.whole), data)
        # It has the form of the others: a plain step would leave the threads of NumPy's matrix library at work, which
        # wait for more of it for milliseconds, on the cores of the steps that follow.
        self._rest = self._bound(walk.chosen(rest, 1), data) if rest else None
        self.done = 0

    def _bound(self, chosen: tuple[Plan, Executable], data: Mapping[str, Any]) -> tuple[Plan, Program]:
        made, code = chosen
        return made, code.bind(self._model.store, data)

    def start(self, order: Any = None, done: int = 0, sums: Mapping[str, Any] | None = None) -> None:
        """Begin again, in a new order if one is given; or go on where so many steps are done, with their ``sums``."""
        if order is not None:
            self._rows = order
        self.done = done
        self._feed.start(self._rows, self.rows_done)
        self._model.store.write(self._start | {"counter.cursor": self.rows_done} | dict(sums or {}))

    @property
    def sums(self) -> list[str]:
        """What steps add up in the store."""
        return [name for name in self._start if name.startswith("metric.")]

    def run(self, steps: int) -> int:
        """Run up to so many steps of this epoch; returns how many were committed."""
        self._feed.enter(self.rows_done)
        if self.done < self.whole:
            committed = self._program.run(self.ahead(steps))
        else:
            assert self._rest is not None
            committed = self._rest[1].run(1)
        self.done += committed
        self._feed.leave(self.rows_done)
        return committed

    def read(self, names: Sequence[str]) -> dict[str, Any]:
        """Outputs of the latest whole batch that are no states."""
        return self._program.read(names)

    def started(self) -> dict[str, Any]:
        """How the device is told to run a step."""
        return dict(self._program.started())

    def ahead(self, steps: int) -> int:
        """How many of so many steps the next ``run`` does at once."""
        if self.done >= self.whole:
            return 1
        return min(steps, self.whole - self.done, self._feed.together(self.rows_done) // self.batch)

    def following(self) -> tuple[Graph, Any]:
        """The graph of the next step as it was recorded, and the rows that it works on."""
        made = self.plan if self.done < self.whole or self._rest is None else self._rest[0]
        return made.source, self._rows[self.done * self.batch :][: self.batch]

    @property
    def held(self) -> str:
        """How its rows are held, for the record."""
        return self._feed.said

    @property
    def rows_done(self) -> int:
        """How many rows of this epoch have been used."""
        return min(self.done * self.batch, self._count)

    @property
    def finished(self) -> bool:
        """Whether all rows have been used."""
        return self.done == self.steps

    def metrics(self, outputs: int | None) -> dict[str, float]:
        """Means over the rows so far; ``outputs`` is the number of answers per row, None if there is no accuracy."""
        sums = self._model.store.read(self._start)
        found = {"loss": float(sums["metric.loss"]) / max(float(sums["metric.weight"]), 1e-300)}
        if outputs is not None:
            answers = int(sums["counter.cursor"]) * outputs
            found["accuracy"] = int(sums["metric.correct"]) / max(answers, 1)
        return found | self.means.figures(sums, int(sums["counter.cursor"]), float(sums["metric.weight"]))
