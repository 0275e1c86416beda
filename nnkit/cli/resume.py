"""``nnkit resume``: go on with a training from its checkpoint, and say what came of it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from nnkit.checkpoint import resume
from nnkit.cli import output
from nnkit.cli.architecture import device
from nnkit.cli.command import Command
from nnkit.cli.ending import about, keep
from nnkit.cli.failures import FAILURE, INTERRUPTED, explained, say, shown
from nnkit.cli.flags import add_data, add_metrics, file, loaded, names
from nnkit.cli.places import check_writable
from nnkit.errors import ArgumentError
from nnkit.measure import table
from nnkit.training.result import Scores, TrainingRun

OWN = {
    "--resume", "--data", "--target", "--data-dir", "--time-ordered", "--device", "--metrics", "--save", "--record",
    "--quiet",
}  # fmt: skip
"""Flags of ``nnkit train`` that have a meaning beside ``--resume``; all others are in the checkpoint."""


def _add_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "resume", type=file, metavar="FILE", help="what 'nnkit train --checkpoint FILE' or net.fit wrote"
    )
    add_data(parser, "digits")
    parser.add_argument("--time-ordered", action="store_true", help="if it was given to 'nnkit train'")
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
    for word in flags.words:
        name = word.partition("=")[0]
        if name.startswith("--") and name not in OWN:
            raise ArgumentError(f"{name} is settled by the checkpoint; leave it out with --resume")
    flags.device = flags.device if any(word.startswith("--device") for word in flags.words) else None
    return run(flags)


def run(flags: Namespace) -> int:
    """Read the data that it was started with, go on, test, write."""
    check_writable(flags.data, flags.resume, save=flags.save, record=flags.record)
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
        "nnkit resume iris.h5 --data iris.csv --target species --save iris-trained.h5",
    ),
    _add_flags,
    run,
)
