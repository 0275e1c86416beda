"""Going on with a training from its checkpoint, to the same bits."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from nnkit.arguments import known_arguments
from nnkit.backend import Leaf
from nnkit.checkpoint.container import Container, opened
from nnkit.checkpoint.keeping import keeper
from nnkit.checkpoint.loading import built, checked_module
from nnkit.checkpoint.places import PROGRESS, RECORD, as_path
from nnkit.checkpoint.progress import Progress
from nnkit.checkpoint.reading import read
from nnkit.data.checks.common import count
from nnkit.errors import ArgumentError, NnkitError, NnkitWarning
from nnkit.measure import RunRecord
from nnkit.network import Network
from nnkit.nn import Module
from nnkit.training.callbacks import CALLBACKS, Callback, as_callbacks, name_of
from nnkit.training.configuration import GIVEN, PLAIN
from nnkit.training.options import Options
from nnkit.training.past import Past
from nnkit.training.result import TrainingRun
from nnkit.training.resumed import Resumed
from nnkit.training.session import ended, train
from nnkit.training.standing import Standing


@known_arguments("resume")
def resume(
    path: str | os.PathLike[str],
    x: Any,
    y: Any = None,
    *,
    validation_data: Any = None,
    sample_weight: Any = None,
    class_weight: Any = None,
    loss: Any = None,
    optimizer: Any = None,
    callbacks: Any = None,
    metrics: Any = None,
    into: Module | None = None,
    device: str | None = None,
    progress: bool = True,
) -> TrainingRun:
    """Go on with the training that ``net.fit(x, y, …, checkpoint=path)`` began, up to the epochs it was asked for.

    On the same machine the network, the moments, the history and all that follows are those of a training that was
    never interrupted, to the last bit: the programs are planned by the rates of the checkpoint, and the data are
    recognised by their hash. Elsewhere a warning says what differs. The checkpoint goes on in the same file. A training
    that has ended is not trained further: its run comes back, for the same data, with a warning that says so.

    Args:
        path: the checkpoint. Nothing in it is run or imported, and it is checked as a whole before anything is built.
        x, y, validation_data, sample_weight, class_weight: those that ``fit`` was given.
        loss, optimizer, metrics: where they are of classes or functions of your own, the same as in ``fit``.
        callbacks: the same as in ``fit``, in their order, if one of them writes files or is of your own; the others
            are made again as they were. All of them go on with what they knew.
        into: the module, as in ``nnkit.load``, for a network with layers or functions of your own.
        device: where to train; None is the device of the checkpoint.
        progress: show it.

    Returns the run; ``run.network`` is the network.

    Raises:
        FileError: the file is missing or damaged, or holds a network and no training.
        DataError: the data are others; the message says which part of them.
        ArgumentError: something of your own is missing, or is another one than it was.

    >>> import nnkit, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "run.h5")
    >>> data, net = nnkit.data.load("xor", seed=0), nnkit.FeedForward(inputs=2, hidden=[8], outputs=2, seed=0)
    >>> def stop(training):
    ...     if training.epoch == 2:
    ...         raise RuntimeError("the machine fails")
    >>> given = data.x_train, data.y_train.astype(float)[:, None].repeat(2, 1)
    >>> try:
    ...     run = net.fit(*given, epochs=4, checkpoint=path, callbacks=stop, progress=False)
    ... except RuntimeError as error:
    ...     print(error)
    the machine fails
    >>> run = nnkit.resume(path, *given, callbacks=lambda training: None, progress=False)
    >>> len(run.history["loss"])
    4
    """
    target = as_path(path)
    with opened(target) as file:
        found = read(file, checked_module(into))
        if found.progress is None:
            raise file.refused(
                "", "holds a network and no training to go on with", "give the checkpoint= of a fit, or use nnkit.load"
            )
        kept = found.progress
        network = built(found, kept.configuration["device"] if device is None else device)
        standing = found.standing()
    given = {"validation_data": validation_data, "sample_weight": sample_weight, "class_weight": class_weight}
    _require_given(kept, given)
    resumed = Resumed(str(target), standing, kept.configuration, kept.hashes)
    known = {**_plain(file, kept), **given}
    known["loss"] = _own("loss", loss, found.training.loss, found.training.own_loss)
    if kept.finished:
        asked = _scored(kept) if metrics is None else metrics
        score = ended(network, x, y, Options(**known, metrics=asked), resumed)
        _bring_model(network, standing, found.training.optimizer if optimizer is None else optimizer)
        run = TrainingRun(_record(file, found.past, score), network)
        epochs = count(standing.facts["epoch"], "epoch")
        warnings.warn(
            f"{target} holds a training that came to its end after {epochs}, so nothing was left to do: its run comes "
            "back",
            NnkitWarning,
            stacklevel=2,
        )
        return run
    options = Options(
        **known,
        optimizer=_own("optimizer", optimizer, found.training.optimizer, "of a class"),
        metrics=_metrics(kept, metrics),
        callbacks=_callbacks(file, kept, callbacks),
        progress=progress,
    )
    return train(network, x, y, options, partial(keeper, network, target, kept.every), resumed)


def _plain(file: Container, kept: Progress) -> dict[str, Any]:
    """The options that are plain values; Options checks them, and says what is wrong with a file's."""
    options = {name: kept.configuration["options"][name] for name in PLAIN}
    try:
        Options(**options).check("float32" if options["precision"] != "float32" else "float64")
    except (NnkitError, TypeError) as error:
        raise file.refused(PROGRESS, f"has options that cannot be: {error}") from error
    return options


def _require_given(kept: Progress, given: Mapping[str, Any]) -> None:
    for name in GIVEN:
        was, found = kept.configuration["given"][name], given[name] is not None
        if was != found:
            raise ArgumentError(
                f"resume: the training was started {'with' if was else 'without'} {name}; "
                f"{'give the same again' if was else 'leave it out'}"
            )


def _own(argument: str, given: Any, known: Any, own: str | None) -> Any:
    """A loss or optimiser: the one in the file if nnkit knows it, else the one that is given."""
    if given is None and known is None:
        raise ArgumentError(f"resume: the training had a {argument} of your own ({own}); give it again: {argument}=…")
    return known if known is not None else given


def _metrics(kept: Progress, given: Any) -> Any:
    names = [metric["name"] for metric in kept.configuration["metrics"]]
    if given is None and any(metric["own"] for metric in kept.configuration["metrics"]):
        raise ArgumentError(
            f"resume: the training measured {', '.join(names)}, some of your own; give metrics=[…] again"
        )
    return names if given is None else given


def _scored(kept: Progress) -> list[str]:
    """The metrics that are known by their names."""
    return [metric["name"] for metric in kept.configuration["metrics"] if not metric["own"]]


def _callbacks(file: Container, kept: Progress, given: Any) -> list[Callback]:
    """Those that are given, which must be those that there were; or those in the file, made again."""
    known = kept.facts["callbacks"]
    names = ", ".join(one["name"] for one in known)
    if given is not None:
        found = as_callbacks(given)
        lasting = [callback for callback in found if callback.lasting]
        if len(lasting) != len(known):
            raise ArgumentError(
                f"resume: the training had {len(known)} callbacks ({names or 'none'}), got {len(lasting)}; "
                "give the same again, in their order"
            )
        _require_names(lasting, known)
        return found
    if own := [one["name"] for one in known if one["config"] is None]:
        raise ArgumentError(
            f"resume: the training had callbacks that a file cannot hold ({', '.join(own)}); give all of them "
            f"again, in their order: callbacks=[…] for {names}"
        )
    return [_made(file, one) for one in known]


def _require_names(found: Iterable[Callback], known: Iterable[Mapping[str, Any]]) -> None:
    for number, (callback, one) in enumerate(zip(found, known, strict=True)):
        built_in = one["name"] in CALLBACKS or type(callback).__name__ in CALLBACKS
        if built_in and name_of(callback) != one["name"]:
            raise ArgumentError(f"resume: callbacks[{number}] was a {one['name']}, got {name_of(callback)}")


def _made(file: Container, one: Mapping[str, Any]) -> Callback:
    kind = CALLBACKS.get(one["name"])
    if kind is None:
        raise file.refused(PROGRESS, f"has the callback {one['name']!r:.80}, which nnkit does not know")
    if kind.config is Callback.config:  # one that writes files, or holds a function
        raise file.refused(PROGRESS, f"has the callback {one['name']!r} made from a file, which nnkit never does")
    try:
        return kind(**one["config"])
    except (NnkitError, TypeError) as error:
        raise file.refused(PROGRESS, f"has a callback that cannot be made: {error}") from error


def _bring_model(network: Network, standing: Standing, optimizer: Any) -> None:
    """The moments and counts of a training that has ended, for one that follows it with the same optimiser."""
    model = network._model
    shapes = standing.facts["moments"].items()
    model.store.allocate(Leaf(name, "moment", tuple(shape), network.dtype) for name, shape in shapes)
    standing.bring_model(model)
    model.optimizer = optimizer


def _record(file: Container, past: Past, score: Callable[[], dict[str, Any]]) -> RunRecord:
    """The record of a training that has ended, and what scores its rows where that was not done before."""
    if past.record is None:
        raise file.refused(RECORD, "is null, and the training has ended")
    try:
        times = {**past.record["time"], **past.times}
        found = RunRecord.from_dict({**past.record, "history": past.history, "time": times})
    except (NnkitError, TypeError, KeyError, ValueError) as error:
        raise file.refused(RECORD, f"is no record of a run: {error}") from error
    if found.result.get("train") is not None:
        return found
    reasons = {name: text for name, text in found.resources["reasons"].items() if name != "result.train"}
    resources, result = {**found.resources, "reasons": reasons}, {**found.result, "train": score}
    return replace(found, resources=resources, result=result)
