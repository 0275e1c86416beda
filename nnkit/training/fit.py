"""``fit``: check everything, build the programs, run the loop, write the record."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from contextlib import closing, nullcontext
from typing import Any, NamedTuple

from nnkit.errors import ArgumentError, DeviceError, NnkitError, NnkitWarning
from nnkit.graph import Graph
from nnkit.measure import Clock, RunRecord, Usage
from nnkit.optimizers import Optimizer
from nnkit.plan.limit import MemoryLimitError
from nnkit.training.asked import Asked
from nnkit.training.callbacks import as_callbacks
from nnkit.training.compiling import Compiler, Retarget
from nnkit.training.configuration import Started, configuration, data_hashes
from nnkit.training.data import TrainingData, prepare
from nnkit.training.examination import Examination
from nnkit.training.full_batch import EVALUATIONS
from nnkit.training.graphs import evaluation_graph, training_graph
from nnkit.training.holding import Holding, hold
from nnkit.training.intake import Intake
from nnkit.training.keeper import Keeper
from nnkit.training.layout import SEEDS, counters, lasting_bytes, metrics, moments, settings
from nnkit.training.limit import MemoryLimit, shortage
from nnkit.training.loop import Loop
from nnkit.training.means import Means
from nnkit.training.measured import Scoring, directions, measured
from nnkit.training.model import Model
from nnkit.training.objective import Objective, objective
from nnkit.training.options import Options
from nnkit.training.point import Point
from nnkit.training.programs import Epoch, Walk
from nnkit.training.progress import Progress
from nnkit.training.recording import record_of
from nnkit.training.resumed import Resumed
from nnkit.training.room import Walks, refusal
from nnkit.training.settings import check_settings, named
from nnkit.training.targets import signature
from nnkit.training.undo import Undo

VALIDATION_ROWS = 1024


class Outcome(NamedTuple):
    """What a training left: its record, what there is to warn of, and what a callback raised."""

    record: RunRecord
    warnings: list[str]
    failure: BaseException | None


class Hooks(NamedTuple):
    """What the network around the model gives to its training."""

    intake: Intake
    """What becomes of the data that are given."""
    adopt: Callable[[Intake], None]
    """Called when training begins: what the data taught of themselves, such as names of classes, stays known."""
    scoring: Scoring
    """How data are scored."""
    save: Callable[[str | os.PathLike[str]], None]
    """Writes the network to a file, for callbacks."""
    keeper: Callable[[Started], Keeper] | None = None
    """Makes what writes checkpoints of a training."""
    resumed: Resumed | None = None
    """The training goes on from there."""


def fit(model: Model, x: Any, y: Any, options: Options, hooks: Hooks) -> Outcome:
    """Train a model. What a callback raises before the first step is raised; later it is in what is returned."""
    if not model.busy.acquire(blocking=False):
        raise ArgumentError(
            "this network is being trained already, by another thread or by the fit that this callback belongs to; "
            "wait for its end, or train another network"
        )
    try:
        return _fit(model, x, y, options, hooks)
    finally:
        model.busy.release()


def _fit(model: Model, x: Any, y: Any, options: Options, hooks: Hooks) -> Outcome:
    resumed = hooks.resumed
    fresh = model.as_drawn and not model.steps_done if resumed is None else resumed.configuration["fresh"]
    clock = Clock()
    usage = Usage.of(model.backend)
    usage.start()
    try:
        with clock.phase("prepare"):
            options.check(model.layout.dtype)
            goal = objective(model.module, options.loss)
            asked = Asked.of(options.metrics, goal, model.layout)
            data = prepared(model, goal, x, y, options, hooks.intake)
            if resumed is not None:
                resumed.require_same_data(data)
            means, exact = measured(asked, model, goal, data, hooks.scoring.now)
            callbacks = as_callbacks(options.callbacks)
            optimizer = options.chosen_optimizer(model.optimizer)
            before = updates_before(model, optimizer) if resumed is None else resumed.configuration["before"]
            resolved = resolved_for(optimizer, before, len(data.train.indices), options)
            check_settings(resolved, model.layout.dtype)
        retarget = None if resumed is None else resumed.target
        with clock.phase("compile"):
            _require_room(model, goal, resolved, data, options, means, retarget)
        with Undo(model, optimizer) as undo:
            with clock.phase("prepare"):
                _allocate(model, optimizer, resolved, means)
            with clock.phase("compile"):
                limit = MemoryLimit(options.limit, model.store.nbytes())
                compiler = Compiler(model, options.compile, limit.arena, options.precision, retarget=retarget)
                try:
                    ahead = walks(compiler, goal, resolved, data, options, means)
                    _warn_of_shortage(model, ahead, resolved.by_steps)
                    held, train, validate = _epochs(model, ahead)
                except MemoryLimitError as reason:
                    raise limit.refusal(reason, options.rows(resolved, data), resolved.by_steps) from None

            def no_way_back() -> None:
                undo.forget()
                hooks.adopt(data.intake)

            keeper = None
            if hooks.keeper is not None:
                known = configuration(options, asked, compiler, ahead, before, fresh)
                keeper = hooks.keeper(Started(known, data_hashes(data), goal.loss, optimizer))
            loop = Loop(
                model,
                data,
                train,
                Point(model, resolved),
                validate,
                int(options.epochs),
                options.shuffle and resolved.by_steps,
                _answers(model, goal),
                resolved,
                callbacks,
                Progress() if options.progress else None,
                clock,
                no_way_back,
                hooks.save,
                usage.boundary,
                exact,
                keeper,
                None if resumed is None else resumed.standing,
                directions(asked),
            )
            with closing(held), keeper or nullcontext():
                loop.run()
    finally:
        resources = usage.stop()
    clock.stop()
    said = [f"val_{name} after epoch {epoch}: {text}" for name, (epoch, text) in loop.reasons.items()]
    said = [str(loop.stopped), *said] if loop.diverged else said
    later = hooks.scoring.later(goal, data, asked)
    record = record_of(model, goal, optimizer, data, options, loop, compiler.fallbacks, resources, later)
    record.examine = Examination(model, goal, loop.optimizer, data.train, loop.history, fresh)
    if resumed is not None:
        differences = resumed.differences(model.backend.name, ahead)
        said += [f"the training goes on, equal to rounding only: {'; '.join(differences)}"] if differences else []
    return Outcome(record, said, _finished(keeper, loop, record) or loop.failure)


def _finished(keeper: Keeper | None, loop: Loop, record: RunRecord) -> BaseException | None:
    """The last checkpoint of a training that came to its end; what went wrong with that."""
    if keeper is None or not loop.completed:
        return None
    try:
        keeper.finish(loop, record)
    except NnkitError as error:
        return error
    return None


def prepared(model: Model, goal: Objective, x: Any, y: Any, options: Options, intake: Intake) -> TrainingData:
    """The data of a training, checked and split."""
    if not model.layout.count:
        raise ArgumentError("the network has no parameters to train; add a Dense layer")
    return prepare(
        x,
        y,
        intake=intake,
        layout=model.layout,
        objective=goal,
        seed=model.seed,
        validation_split=options.validation_split,
        validation_data=options.validation_data,
        sample_weight=options.sample_weight,
        class_weight=options.class_weight,
        shuffle=options.shuffle,
        time_ordered=options.time_ordered,
        standardize=options.standardize,
    )


def updates_before(model: Model, optimizer: Optimizer) -> int:
    """Updates that the optimiser has made of this model, if the same object trained it last."""
    return model.steps_done - model.updates_before if optimizer is model.optimizer else 0


def resolved_for(optimizer: Optimizer, before: int, rows: int, options: Options) -> Optimizer:
    """The optimiser with open schedules stretched over this training, and over the updates ``before``."""
    steps = -(-rows // int(options.batch_size)) * int(options.epochs)
    return optimizer.resolved(max(before + steps, 1))


def _allocate(model: Model, optimizer: Optimizer, resolved: Optimizer, means: Means) -> None:
    """Counters, metrics and settings; the optimiser's moments anew, unless the same object trained this model last."""
    store = model.store
    numbers = named(resolved)
    store.allocate(counters())
    store.allocate(metrics(means.leaves()))
    store.allocate(settings(numbers, model.layout.dtype))
    seeds = (model.seed & 0xFFFFFFFF, model.seed >> 32 & 0xFFFFFFFF)
    store.write(numbers | dict(zip(SEEDS, seeds, strict=True)) | {"counter.step": model.steps_done})
    if optimizer is not model.optimizer:
        store.allocate(moments(resolved, model.layout))
        model.optimizer, model.updates_before, model.left = optimizer, model.steps_done, None
    store.write({"counter.update": model.steps_done - model.updates_before})


def _require_room(
    model: Model,
    goal: Objective,
    resolved: Optimizer,
    data: TrainingData,
    options: Options,
    means: Means,
    retarget: Retarget | None,
) -> None:
    """Before anything is asked of a GPU."""
    lasting = lasting_bytes(model.layout, resolved, means.leaves())
    within = walks_within(model, goal, resolved, data, options, means, retarget)
    said = refusal(model, lasting, options.limit, data, within)
    if said is not None:
        raise DeviceError(said)


def _epochs(model: Model, ahead: tuple[Walk, Walk | None]) -> tuple[Holding, Epoch, Epoch | None]:
    """Where the data are, and the programs; a frame of its own, so that a failure leaves nobody who holds one."""
    walks = [walk for walk in ahead if walk is not None]
    held = hold(model.backend, walks)
    train, *others = map(Epoch, walks, held.feeds)
    return held, train, others[0] if others else None


def _warn_of_shortage(model: Model, ahead: tuple[Walk, Walk | None], by_steps: bool) -> None:
    """Before the arrays of the steps are asked for; what lasts is there already. A GPU was asked before."""
    if model.backend.hardware().memory_bytes is not None:
        return
    needed = sum(plan.arena_bytes for walk in ahead if walk is not None for plan, _ in walk.plans())
    said = shortage(needed, model.backend.free_bytes(), by_steps)
    if said is not None:
        warnings.warn(said, NnkitWarning, stacklevel=7)


def walks_within(
    model: Model,
    goal: Objective,
    optimizer: Optimizer,
    data: TrainingData,
    options: Options,
    means: Means,
    retarget: Retarget | None = None,
) -> Walks:
    """Gives the walks where an arena may take so many bytes."""

    def within(arena: int | None) -> tuple[Walk, Walk | None]:
        compiler = Compiler(model, options.compile, arena, options.precision, retarget=retarget)
        return walks(compiler, goal, optimizer, data, options, means)

    return within


def walks(
    compiler: Compiler, goal: Objective, optimizer: Optimizer, data: TrainingData, options: Options, means: Means
) -> tuple[Walk, Walk | None]:
    """How an epoch goes over the training rows, and over those of the validation if there are any."""
    layout, epochs = compiler.model.layout, int(options.epochs)
    target = signature(data.train.y)
    weighted = data.train.weight is not None
    kind: tuple[Any, ...] = ("train", goal.loss, optimizer, target, weighted, *means.key)

    def training(rows: int) -> Graph:
        return training_graph(layout, goal, optimizer, target, rows, weighted, means)

    times = 1 if optimizer.by_steps else EVALUATIONS
    train = Walk(compiler, data.train, options.rows(optimizer, data), kind, training, epochs, means, times)
    train.plans()  # first, so that a limit that training cannot keep to is refused with what training needs
    if data.validation is None:
        return train, None
    others = signature(data.validation.y)
    also = data.validation.weight is not None
    kind = ("validate", goal.loss, None, others, also)
    compiler = compiler.sparing()

    def validation(rows: int) -> Graph:
        return evaluation_graph(layout, goal, others, rows, also)

    rows = _validation_rows(compiler, kind, validation, len(data.validation.indices), epochs)
    return train, Walk(compiler, data.validation, rows, kind, validation, epochs)


def _validation_rows(
    compiler: Compiler, kind: tuple[Any, ...], graph: Callable[[int], Graph], count: int, epochs: int
) -> int:
    """Rows of a step of the validation: half as many, and again, until the limit on memory is met."""
    rows = min(VALIDATION_ROWS, count)
    while True:
        try:
            compiler.choose((*kind, rows), lambda: graph(rows), count // rows * epochs)  # noqa: B023
        except MemoryLimitError:
            if rows == 1:
                raise
            rows //= 2
        else:
            return rows


def _answers(model: Model, goal: Objective) -> int | None:
    """How many answers one row has, for the accuracy."""
    if not goal.counts_correct:
        return None
    return model.layout.output_shape[0] if goal.loss.targets == "binary" else 1
