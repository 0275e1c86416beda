"""``nnkit replay``: the step at which a training failed, done again node by node."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from nnkit.cli.command import Command
from nnkit.cli.flags import file
from nnkit.cli.output import counted, safe, wrap
from nnkit.diagnosis import Failure, Line


def _add_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "file", type=file, metavar="FILE.npz", help="the file that the warning of a failed training names"
    )


def run(flags: Namespace) -> int:
    """Read the step, evaluate it, and show where its numbers left their range."""
    failure = Failure.read(flags.file)
    step = failure.step
    size = f"{counted(len(step.rows), 'row')}, {counted(len(step.graph), 'operation')}"
    print(f"epoch {step.epoch}, step {step.number}: {size}")
    print(wrap(str(failure)))
    print()
    for text in _table(failure.lines):
        print(safe(text))
    return 0


def _table(lines: list[Line]) -> Iterator[str]:
    """The layers in the order of the step."""
    wide = max(len("layer"), *(len(line.layer) for line in lines))
    yield f"{'layer':{wide}}  {'phase':8}  {'values':>9}  {'largest':>9}"
    for line in lines:
        mark = "" if line.finite else "  and NaN or infinity"
        yield f"{line.layer:{wide}}  {line.phase:8}  {line.values:9,}  {line.largest:9.3g}{mark}"


COMMAND = Command(
    "replay",
    "Do the step again at which a training failed, and show where its numbers left their range.",
    ("nnkit replay /tmp/nnkit-1000/step-0123abcd.npz",),
    _add_flags,
    run,
)
