"""What the record says of a training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nnkit.data.dataset import content_hash
from nnkit.measure import RunRecord
from nnkit.nn.serial import to_config
from nnkit.optimizers import Optimizer
from nnkit.training.data import TrainingData
from nnkit.training.loop import Loop
from nnkit.training.model import Model
from nnkit.training.objective import Objective
from nnkit.training.options import Options
from nnkit.training.precision import loss_scale
from nnkit.training.targets import classes_told_apart


def _rate(config: Mapping[str, Any]) -> Any:
    """The learning rate in the description of an optimiser, which may wrap another one."""
    return config["learning_rate"] if "learning_rate" in config else _rate(config["optimizer"])


def record_of(
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
    """The record of a training that has ended."""
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
