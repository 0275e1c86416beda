"""What a training will take, before it starts: by the plans that it will run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nnkit.display import preformatted
from nnkit.measure.units import bytes_text, seconds_text
from nnkit.optimizers import Optimizer
from nnkit.plan.limit import MemoryLimitError
from nnkit.training.asked import Asked
from nnkit.training.callbacks import as_callbacks
from nnkit.training.fit import prepared, resolved_for, updates_before, walks_within
from nnkit.training.holding import RESIDENT, ways
from nnkit.training.intake import Intake
from nnkit.training.layout import lasting_bytes
from nnkit.training.limit import MemoryLimit, shortage
from nnkit.training.measured import Score, measured
from nnkit.training.model import Model
from nnkit.training.objective import objective
from nnkit.training.options import Options
from nnkit.training.programs import Walk
from nnkit.training.room import free_for, refusal
from nnkit.training.settings import check_settings
from nnkit.training.space import least_bytes, programs_bytes


@dataclass(frozen=True)
class OnDevice:
    """What a training asks of a GPU: ``least_bytes`` in all, with its programs and the data that have to be there.

    ``data`` says how its rows will be held, as the record then does; ``refusal`` why ``fit`` will refuse it.
    """

    least_bytes: int
    data: str
    refusal: str | None

    @property
    def texts(self) -> tuple[str, str]:
        """What there is to say of the data, and of the memory."""
        held = self.data.partition(":")[0].replace("resident", "all of them on the device")
        return ("" if self.refusal else f", {held}"), f", {bytes_text(self.least_bytes)} of the device at least"


@dataclass(frozen=True)
class Forecast:
    """Predicted seconds and bytes of a training; ``print`` it.

    ``epoch_s`` has the validation in it and ``compile_s`` counts as if nothing were cached. ``lasting_bytes`` are
    parameters, moments and counters, ``arena_bytes`` the arrays of a step, both exact; ``data_bytes`` the rows in the
    network's data type. ``available_bytes`` is the memory that is free now, None where it is not known. Without
    ``by_steps`` an epoch is one step on all rows.

    ``device`` says what is asked of a GPU; it is None where data and arrays are in the host's memory.
    """

    rows: int
    steps: int
    epochs: int
    program: str
    step_s: float
    epoch_s: float
    compile_s: float
    lasting_bytes: int
    arena_bytes: int
    data_bytes: int
    available_bytes: int | None
    by_steps: bool = True
    device: OnDevice | None = None

    @property
    def total_s(self) -> float:
        """Seconds of the whole training."""
        return self.compile_s + self.epochs * self.epoch_s

    @property
    def needed_bytes(self) -> int:
        """Bytes beside the data, which are there already."""
        return self.lasting_bytes + self.arena_bytes

    @property
    def warning(self) -> str | None:
        """What will not fit, and what to do; None if all does."""
        if self.device is not None:
            return self.device.refusal
        return shortage(self.needed_bytes, self.available_bytes, self.by_steps)

    def _repr_html_(self) -> str:
        """For notebooks: the text in columns."""
        return preformatted(str(self))

    def __str__(self) -> str:
        free = "" if self.available_bytes is None else f", {bytes_text(self.available_bytes)} are free"
        compile_s = f"{seconds_text(self.compile_s)} to compile, then " if self.compile_s else ""
        data, least = ("", "") if self.device is None else self.device.texts
        parts = (
            f"data      {self.rows:,} rows, {self.steps:,} steps an epoch, {bytes_text(self.data_bytes)}{data}",
            f"time      {compile_s}{seconds_text(self.epoch_s)} an epoch ({seconds_text(self.step_s)} a step), "
            f"{seconds_text(self.total_s)} in all, as predicted ({self.program} program)",
            f"memory    {bytes_text(self.lasting_bytes)} for parameters and the optimiser, "
            f"{bytes_text(self.arena_bytes)} for a step{least}{free}",
        )
        return "\n".join([*parts, *([f"warning   {self.warning}"] if self.warning else [])])


def forecast(model: Model, x: Any, y: Any, options: Options, intake: Intake, score: Score) -> Forecast:
    """By the plans that ``fit`` would run with these options; nothing is allocated, and nothing changes."""
    options.check(model.layout.dtype)
    goal = objective(model.module, options.loss)
    asked = Asked.of(options.metrics, goal, model.layout)
    data = prepared(model, goal, x, y, options, intake)
    means, _ = measured(asked, model, goal, data, score)
    as_callbacks(options.callbacks)
    chosen = options.chosen_optimizer(model.optimizer)
    optimizer = resolved_for(chosen, updates_before(model, chosen), len(data.train.indices), options)
    check_settings(optimizer, model.layout.dtype)
    lasting = lasting_bytes(model.layout, optimizer, means.leaves())
    limit = MemoryLimit(options.limit, lasting)
    within = walks_within(model, goal, optimizer, data, options, means)
    try:
        train, validate = within(limit.arena)
    except MemoryLimitError as reason:
        raise limit.refusal(reason, options.rows(optimizer, data), optimizer.by_steps) from None
    walks = [walk for walk in (train, validate) if walk is not None]
    device = _on_device(model, walks, lasting, refusal(model, lasting, options.limit, data, within))
    return _forecast(model, optimizer, walks, lasting, device)


def _on_device(model: Model, walks: list[Walk], lasting: int, refused: str | None) -> OnDevice | None:
    there = free_for(model)
    if there is None:
        return None
    held = RESIDENT if model.backend.inlet() is None else ways(there - lasting, walks)[0]
    return OnDevice(lasting + programs_bytes(walks) + least_bytes(walks), held.said, refused)


def _forecast(model: Model, optimizer: Optimizer, walks: list[Walk], lasting: int, device: OnDevice | None) -> Forecast:
    train, plans = walks[0], [found for walk in walks for found in walk.plans()]
    first, rows = plans[0][0], train.rows
    data = (rows.x, rows.y) if rows.weight is None else (rows.x, rows.y, rows.weight)
    whole, rest = train.pieces
    return Forecast(
        rows=len(rows.indices),
        steps=whole + (rest > 0),
        epochs=train.epochs,
        program="native" if first.target.loops else "plain",
        step_s=first.cost.seconds * train.times,
        epoch_s=sum(plan.cost.seconds * runs for plan, runs in plans),
        compile_s=sum(model.backend.compile_s(plan) for plan, _ in plans if plan.target.loops),
        lasting_bytes=lasting,
        arena_bytes=sum(plan.arena_bytes for plan, _ in plans),
        data_bytes=sum(array.nbytes for array in data),
        available_bytes=model.backend.free_bytes(),
        by_steps=optimizer.by_steps,
        device=device,
    )
