"""Checkpoints of a training that is under way."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from nnkit.checkpoint import epochs, saving
from nnkit.checkpoint.container import opened
from nnkit.checkpoint.places import PROGRESS, as_path, places
from nnkit.checkpoint.progress import Progress
from nnkit.checkpoint.reading import progress_in
from nnkit.checkpoint.saving import Sources, write_whole
from nnkit.checkpoint.sources import Held
from nnkit.checkpoint.spread import spread
from nnkit.checkpoint.target import check_target, sweep
from nnkit.checkpoint.text import written
from nnkit.checkpoint.training import Training
from nnkit.errors import ArgumentError, FileError
from nnkit.training.callbacks.period import Period
from nnkit.training.keeper import Keeper
from nnkit.training.past import Past
from nnkit.training.session import Keep
from nnkit.training.standing import Standing

if TYPE_CHECKING:
    from nnkit.measure import RunRecord
    from nnkit.network import Network
    from nnkit.training.configuration import Started
    from nnkit.training.loop import Loop

EVERY = "1 epoch"


def keep(network: Network, path: str | os.PathLike[str] | None, every: str | None) -> Keep | None:
    """What keeps a new training of the network in a file; one that holds an unfinished training is refused."""
    if path is None:
        if every is not None:
            raise ArgumentError(f"every={every!r} says how often to write a checkpoint; name its file: checkpoint=…")
        return None
    target = as_path(path)
    every = EVERY if every is None else every
    Period.of("fit", every)
    _refuse_unfinished(target)
    return partial(keeper, network, target, every)


def keeper(network: Network, target: Path, every: str, started: Started) -> Keeper:
    """What keeps a training in a file."""
    sweep(target)
    described = cache(partial(saving.described, network, Training(started.loss, started.optimizer)))
    return Keeper(every, partial(check_target, target), partial(_taken, network, target, every, started, described))


def _taken(
    network: Network,
    target: Path,
    every: str,
    started: Started,
    described: Callable[[], Sources],
    loop: Loop,
    record: RunRecord | None,
) -> Callable[[], None]:
    """Copies of all that goes into the file, and the function that writes them."""
    standing = Standing.of(loop)
    facts = standing.facts
    past = Past(None, *(facts[name] for name in Past._fields[1:])) if record is None else Past.of(record)
    found = described() | epochs.sources(past)
    values: Sources = {place: Held(array) for place, array in spread(standing.arrays, network._model.layout).items()}
    finite = {place: leaf for leaf, place in places(network._model.layout).items()}

    def write() -> None:
        progress = Progress(facts, dict(started.configuration), started.hashes(), every, record is not None)
        texts = [bytes(found[name].part((...,)).item()) for name in ("architecture", "training")]
        text: Sources = {PROGRESS: Held(written(progress.to_dict(*texts)))}
        sample = saving.sampled(network, standing.arrays["values"])
        write_whole(target, found | text | values | sample, finite)

    return write


def _refuse_unfinished(target: Path) -> None:
    """Keep what somebody may want to go on with; whatever else has that name is replaced, as by ``net.save``."""
    if not target.exists():
        return
    try:
        with opened(target) as file:
            progress = progress_in(file)
    except FileError:
        return
    if progress is not None and not progress.finished:
        at = f"epoch {progress.facts['epoch']} of {progress.configuration['options']['epochs']}"
        raise ArgumentError(
            f"checkpoint: {target} holds a training that is not finished ({at}); go on with it by "
            f"nnkit.resume({str(target)!r}, x, y) or 'nnkit resume {target}', or delete the file, or name another one"
        )
