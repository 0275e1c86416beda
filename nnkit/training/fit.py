"""``fit``: check everything, build the programs, run the loop, write the record."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, NamedTuple

from nnkit.data.dataset import content_hash
from nnkit.errors import ArgumentError, DeviceError, NnkitWarning
from nnkit.graph import Graph
from nnkit.measure import Clock, RunRecord, Usage
from nnkit.nn.serial import to_config
from nnkit.optimizers import Optimizer
from nnkit.plan.limit import MemoryLimitError
from nnkit.training.asked import Asked
from nnkit.training.callbacks import as_callbacks
from nnkit.training.compiling import Compiler
from nnkit.training.data import TrainingData, prepare
from nnkit.training.examination import Examination
from nnkit.training.full_batch import EVALUATIONS
from nnkit.training.graphs import evaluation_graph, training_graph
from nnkit.training.holding import Holding, hold
from nnkit.training.intake import Intake
from nnkit.training.layout import SEEDS, counters, lasting_bytes, metrics, moments, settings
from nnkit.training.limit import MemoryLimit, shortage
from nnkit.training.loop import Loop
from nnkit.training.means import Means
from nnkit.training.measured import Scoring, directions, measured
from nnkit.training.model import Model
from nnkit.training.objective import Objective, objective
from nnkit.training.options import Options
from nnkit.training.point import Point
from nnkit.training.precision import loss_scale
from nnkit.training.programs import Epoch, Walk
from nnkit.training.progress import Progress
from nnkit.training.room import Walks, refusal
from nnkit.training.settings import check_settings, named
from nnkit.training.targets import classes_told_apart, signature
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
    fresh = model.as_drawn and not model.steps_done
    clock = Clock()
    usage = Usage.of(model.backend)
    usage.start()
    try:
        with clock.phase("prepare"):
            options.check(model.layout.dtype)
            goal = objective(model.module, options.loss)
            asked = Asked.of(options.metrics, goal, model.layout)
            data = prepared(model, goal, x, y, options, hooks.intake)
            means, exact = measured(asked, model, goal, data, hooks.scoring.now)
            callbacks = as_callbacks(options.callbacks)
            optimizer = options.chosen_optimizer(model.optimizer)
            resolved = resolved_for(model, optimizer, len(data.train.indices), options)
            check_settings(resolved, model.layout.dtype)
        with clock.phase("compile"):
            _require_room(model, goal, resolved, data, options, means)
        with Undo(model, optimizer) as undo:
            with clock.phase("prepare"):
                _allocate(model, optimizer, resolved, means)
            with clock.phase("compile"):
                limit = MemoryLimit(options.limit, model.store.nbytes())
                compiler = Compiler(model, options.compile, limit.arena, options.precision)
                try:
                    ahead = walks(compiler, goal, resolved, data, options, means)
                    _warn_of_shortage(model, ahead, resolved.by_steps)
                    held, train, validate = _epochs(model, ahead)
                except MemoryLimitError as reason:
                    raise limit.refusal(reason, options.rows(resolved, data), resolved.by_steps) from None

            def no_way_back() -> None:
                undo.forget()
                hooks.adopt(data.intake)

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
                directions(asked),
            )
            with closing(held):
                loop.run()
    finally:
        resources = usage.stop()
    clock.stop()
    said = [f"val_{name} after epoch {epoch}: {text}" for name, (epoch, text) in loop.reasons.items()]
    said = [str(loop.stopped), *said] if loop.diverged else said
    later = hooks.scoring.later(goal, data, asked)
    record = _record(model, goal, optimizer, data, options, loop, compiler.fallbacks, resources, later)
    record.examine = Examination(model, goal, loop.optimizer, data.train, loop.history, fresh)
    return Outcome(record, said, loop.failure)


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


def resolved_for(model: Model, optimizer: Optimizer, rows: int, options: Options) -> Optimizer:
    """The optimiser with open schedules stretched over this training, and over the updates that it goes on from."""
    steps = -(-rows // int(options.batch_size)) * int(options.epochs)
    before = model.steps_done - model.updates_before if optimizer is model.optimizer else 0
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
    model: Model, goal: Objective, resolved: Optimizer, data: TrainingData, options: Options, means: Means
) -> None:
    """Before anything is asked of a GPU."""
    lasting = lasting_bytes(model.layout, resolved, means.leaves())
    said = refusal(model, lasting, options.limit, data, walks_within(model, goal, resolved, data, options, means))
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
        warnings.warn(said, NnkitWarning, stacklevel=5)


def walks_within(
    model: Model, goal: Objective, optimizer: Optimizer, data: TrainingData, options: Options, means: Means
) -> Walks:
    """Gives the walks where an arena may take so many bytes."""

    def within(arena: int | None) -> tuple[Walk, Walk | None]:
        return walks(Compiler(model, options.compile, arena, options.precision), goal, optimizer, data, options, means)

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


def _rate(config: Mapping[str, Any]) -> Any:
    """The learning rate in the description of an optimiser, which may wrap another one."""
    return config["learning_rate"] if "learning_rate" in config else _rate(config["optimizer"])


def _record(
    model: Model,
    goal: Objective,
    optimizer: Optimizer,
    data: TrainingData,
    options: Options,
    loop: Loop,
    fallbacks: list[str],
    resources: dict[str, Any],
    score: Callable[[], Any],
) -> RunRecord:
    plan = loop.train.plan
    trained_s = loop.clock.seconds("train")
    split, names = data.split_off, data.intake.classes
    rows = len(data.train.indices)
    return RunRecord(
        architecture={
            "input_shape": list(model.layout.input_shape),
            "dtype": model.layout.dtype,
            "module": to_config(model.module),
        },
        training={
            "epochs": int(options.epochs),
            "batch_size": int(options.batch_size) if optimizer.by_steps else loop.train.batch,
            "optimizer": optimizer.config(),
            "learning_rate": _rate(optimizer.config()),
            "loss": goal.loss.config(),
            "seed": model.seed,
            "compile": options.compile,
            "precision": options.precision,
            "products": plan.target.products,
            "loss_scale": loss_scale(model, loop.optimizer),
            "memory_limit": options.limit,
            "program": {
                "kind": "native" if plan.target.loops else "plain",
                "fingerprint": plan.fingerprint,
                "fallbacks": fallbacks,
                "profile": plan.target.profile,
                **loop.train.started(),
            },
            "validation_split": options.validation_split,
            "shuffle": options.shuffle,
            "time_ordered": options.time_ordered,
            "standardize": data.intake.scaling is not None,
            "data_on_device": loop.train.held,
            "epochs_done": loop.epoch,
        },
        data={
            "name": None,
            "sha256": lambda: content_hash(data.train.x, data.train.y),
            "train": rows,
            "validation": len(data.validation.indices) if data.validation else 0,
            "test": None,
            "classes": classes_told_apart(goal, model.layout) if names is None else list(names),
            "validation_indices": [] if split is None else split.tolist(),
        },
        time={
            "elapsed_s": loop.clock.elapsed_s,
            **{f"{name}_s": loop.clock.seconds(name) for name in ("prepare", "compile", "train", "validate")},
            "epochs_s": loop.epochs_s,
            "epochs_end_s": loop.epochs_end_s,
            "step_median_s": loop.timer.step_median_s,
            "step_spread_s": loop.timer.step_spread_s,
            "samples_per_s": loop.rows_done / trained_s if loop.rows_done else None,
        },
        resources=resources
        | {
            "plan": {
                "predicted_peak_bytes": plan.arena_bytes + model.store.nbytes(),
                "predicted_step_s": plan.cost.seconds * loop.train.times,
                "flops_per_step": plan.cost.flops * loop.train.times,
            },
            "reasons": {"data.test": "no test was added"}
            | ({} if loop.rows_done else {"time.samples_per_s": "no step was run"})
            | {f"history.val_{name}": reason.text for name, reason in loop.reasons.items()}
            | resources["reasons"]
            | loop.timer.reasons,
        },
        history=loop.history,
        result={"train": score, "validation": loop.validated, "test": None},
        interrupted=loop.interrupted,
        stopped=loop.stopped,
        failure=loop.refused,
    )
