"""``nnkit resume``: go on with a training from its checkpoint, and say what came of it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from nnkit.checkpoint import resume
from nnkit.checkpoint.container import opened
from nnkit.checkpoint.places import as_path
from nnkit.checkpoint.reading import architecture_in
from nnkit.cli import output
from nnkit.cli.architecture import device
from nnkit.cli.command import Command
from nnkit.cli.ending import about, keep
from nnkit.cli.failures import FAILURE, INTERRUPTED, explained, say, shown
from nnkit.cli.flags import add_data, add_metrics, file, loaded, names
from nnkit.cli.places import check_writable
from nnkit.cli.rows import target_of
from nnkit.data import Preprocessing
from nnkit.errors import ArgumentError
from nnkit.measure import table
from nnkit.names import clipped, listed
from nnkit.training.result import Scores, TrainingRun

DIGITS = (64,)
"""The shape of a row of the data set that is meant where none is named."""
OWN = {
    "--resume", "--data", "--target", "--data-dir", "--time-ordered", "--device", "--metrics", "--save", "--record",
    "--quiet",
}  # fmt: skip
"""Flags of ``nnkit train`` that have a meaning beside ``--resume``; all others are in the checkpoint."""


def _add_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "resume", type=file, metavar="FILE", help="what 'nnkit train --checkpoint FILE' or net.fit wrote"
    )
    add_data(parser, "digits", "that of the training")
    parser.set_defaults(data=None)  # so that digits are not taken where the checkpoint tells of other data
    parser.add_argument("--time-ordered", action="store_true", help="as in the training (default for files)")
    parser.add_argument(
        "--device", metavar="cpu|cuda|auto", help="where to compute (default: where the training was started)"
    )
    add_metrics(parser)
    parser.add_argument(
        "--save", type=file, metavar="FILE", help="write the trained network to an HDF5 file of its own"
    )
    parser.add_argument("--record", type=file, metavar="FILE", help="write the run's record as JSON")
    parser.add_argument("--quiet", action="store_true", help="print the accuracy only")


def instead(flags: Namespace) -> int:
    """``nnkit train --resume FILE``: the same, where no flag says what the checkpoint says."""
    written = [word.partition("=")[0] for word in flags.words]
    for name in written:
        if name.startswith("--") and name not in OWN:
            raise ArgumentError(f"{name} is settled by the checkpoint; leave it out with --resume")
    flags.device = flags.device if "--device" in written else None
    flags.data = flags.data if "--data" in written else None
    return run(flags)


def run(flags: Namespace) -> int:
    """Read the data that it was started with, go on, test, write."""
    check_writable(flags.data, flags.resume, save=flags.save, record=flags.record)
    _settle_data(flags)
    dataset = loaded(flags)
    place = None if flags.device is None else device(flags.device)
    went_on = resume(flags.resume, dataset.x_train, dataset.y_train, device=place, progress=not flags.quiet)
    trained = about(went_on, dataset)
    scores, failures = keep(flags, dataset, trained)
    failures += shown(_report(flags, trained, scores))
    for failure in failures:
        say(explained(failure)[1])
    if trained.interrupted:
        say(f"interrupted after {output.counted(trained.record.training['epochs_done'], 'whole epoch')}")
        return INTERRUPTED
    return FAILURE if failures else 0


def _settle_data(flags: Namespace) -> None:
    """Let flags that are not given say what the checkpoint knows of its data."""
    with opened(as_path(flags.resume)) as file:
        made = architecture_in(file)
    kept = made.preprocessing or Preprocessing()
    if flags.data is None:
        if kept.features is not None or made.input_shape != DIGITS:
            what = _listed(kept) if kept.features else f"rows of {'×'.join(map(str, made.input_shape))} numbers"
            raise ArgumentError(f"give --data: {flags.resume} is the checkpoint of a training on {what}, not on digits")
        flags.data = "digits"
    flags.target = target_of(kept, flags.data, flags.target)
    flags.time_ordered = flags.time_ordered or kept.time_ordered


def _listed(kept: Preprocessing) -> str:
    names = listed([f"'{clipped(name)}'" for name in kept.features or ()], most=5)
    return f"a file with the columns {names}" + (f" and the target '{clipped(kept.target)}'" if kept.target else "")


def _report(flags: Namespace, trained: TrainingRun, scores: Scores | None) -> str:
    result = [] if scores is None else [f"test {output.scores_text(scores, names(flags.metrics))}"]
    if flags.quiet:
        return "\n".join(line.removeprefix("test ") for line in result)
    written = [f"{what} {path}" for what, path in (("network", flags.save), ("record", flags.record)) if path]
    lines = [table(trained.to_dict(), output.width(), output.colour())]
    lines += [output.line("written", ", ".join(written))] if written else []
    return "\n".join([*lines, "", *map(output.wrap, result)])


COMMAND = Command(
    "resume",
    "Go on with a training from its checkpoint, on the same data, to the same bits as if it had not been interrupted.",
    (
        "nnkit resume digits.h5",
        "nnkit resume iris.h5 --data iris.csv --save iris-trained.h5",
    ),
    _add_flags,
    run,
)
