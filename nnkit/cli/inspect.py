"""``nnkit inspect``: what is in a file, without loading it into a network, and whether it is intact."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from math import isfinite
from typing import TYPE_CHECKING, Any

from nnkit.cli import output
from nnkit.cli.command import Command
from nnkit.cli.failures import FAILURE
from nnkit.cli.flags import file
from nnkit.errors import ArgumentError
from nnkit.measure.units import bytes_text, number_text
from nnkit.names import listed

if TYPE_CHECKING:
    from nnkit.checkpoint.inspection import Inspection

MOST = 40  # entries in the table
DEFAULTS = {"loss": "that of the output activation", "optimizer": "none yet"}
"""What a file without one means."""


def _add_flags(parser: ArgumentParser) -> None:
    parser.add_argument("network", type=file, metavar="FILE", help="what 'nnkit train --save FILE' or net.save wrote")
    parser.add_argument("--json", action="store_true", help="everything as JSON, each array and text in the file")
    parser.add_argument(
        "--trusted",
        action="store_true",
        help="read it in this process; otherwise the HDF5 library does so in one of its own that has limits of memory "
        "and time and can open nothing (not on Windows)",
    )


def run(flags: Namespace) -> int:
    """Look and print; the status says whether it is intact."""
    from nnkit.checkpoint.inspection import inspect

    if flags.network.lower().endswith(".onnx"):
        raise ArgumentError(
            f"{flags.network} is an ONNX network; inspect looks into what net.save wrote, so use 'nnkit explain'"
        )
    found = inspect(flags.network, flags.trusted)
    if flags.json:
        print(json.dumps(_plain(found, flags.trusted), indent=1))
    else:
        for line in _lines(found):
            print(line)
    return 0 if found.intact else FAILURE


def _lines(found: Inspection) -> Iterator[str]:
    yield output.line("file", f"{output.safe(str(found.path))}: {bytes_text(found.file_bytes)}, {_format(found)}")
    if found.intact:
        yield output.line("intact", "yes: every name, shape and checksum is right, and every value is finite")
    for problem in found.problems:
        yield output.line("not intact", output.safe(problem))
    if found.architecture is not None:
        kept = found.architecture
        yield output.line("network", _network(found))
        if kept.classes is not None:
            yield output.line("classes", listed([output.safe(name) for name in kept.classes], most=10))
        if kept.preprocessing is not None:
            yield output.line("rows", _rows(found))
    yield from _training(found)
    yield from _progress(found)
    if found.last:
        figures = (f"{output.safe(name)} {number_text(value)}" for name, value in found.last.items())
        yield output.line("history", f"last values: {', '.join(figures)}")
    if found.described is not None:
        from nnkit.training.describe import summary

        yield "\n" + output.safe(summary(found.described), keep="\n")
    yield "\n" + _entries(found)


def _format(found: Inspection) -> str:
    return "of an unknown format" if found.version is None else f"format {found.version}"


def _network(found: Inspection) -> str:
    kept = found.architecture
    assert kept is not None
    shape = "×".join(map(str, kept.input_shape)) or "one number"
    parts = [f"{shape} inputs", kept.dtype, f"seed {kept.seed}"]
    if found.described is not None:
        parts[1:1] = [f"{found.described.layout.count:,} trained values"]
    if found.custom:
        parts.append("layers of your own, which a file cannot hold: nnkit.load(path, into=module)")
    return ", ".join(parts)


def _rows(found: Inspection) -> str:
    kept = found.architecture.preprocessing if found.architecture is not None else None
    assert kept is not None
    parts = [
        f"columns {listed([output.safe(name) for name in kept.features], most=10)}" if kept.features else "",
        f"target {output.safe(kept.target)}" if kept.target else "",
        "standardised" if kept.scaling is not None else "",
        "in the order of time" if kept.time_ordered else "",
    ]
    return ", ".join(part for part in parts if part) or "taken as they are"


def _training(found: Inspection) -> Iterator[str]:
    training = found.texts.get("training")
    if isinstance(training, dict):
        for name in ("loss", "optimizer"):
            yield output.line(name, _config(training.get(name), DEFAULTS[name]))
    writer = found.texts.get("written_by")
    if isinstance(writer, dict):
        yield output.line("written by", output.safe(", ".join(f"{name} {value}" for name, value in writer.items())))


def _progress(found: Inspection) -> Iterator[str]:
    """How far a training is, in a checkpoint."""
    try:
        kept = found.texts["progress"]
        at, epochs = int(kept["standing"]["epoch"]), int(kept["configuration"]["options"]["epochs"])
    except (KeyError, TypeError, ValueError):  # there is none, or it is damaged, which was said
        return
    if kept.get("finished") is True:
        yield output.line("training", f"came to its end after {output.counted(at, 'epoch')}")
    else:
        name = output.safe(str(found.path))
        yield output.line("training", f"epoch {at:,} of {epochs:,}; nnkit resume {name} goes on with it")


def _config(found: Any, default: str) -> str:
    """A configuration in one line; of what has none, the ``default``."""
    if not isinstance(found, dict):
        return default
    options = ", ".join(f"{name}={value}" for name, value in found.items() if name not in ("name", "custom"))
    own = " (your own, which the file does not hold)" if found.get("custom") is True else ""
    return output.safe(f"{found.get('name')}{f'({options})' if options else ''}{own}")


def _entries(found: Inspection) -> str:
    """What stands in the file, as a table."""
    things = [entry for entry in found.entries if entry.kind != "group"]
    rows = [("in the file", "kind", "shape", "bytes")]
    for entry in things[:MOST]:
        shape = "×".join(map(str, entry.shape)) if entry.shape else ""
        kind = entry.dtype if entry.kind == "array" else entry.kind
        rows.append((f"/{entry.place}", kind, shape, f"{entry.stored_bytes:,}"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join([*(cell.ljust(w) for cell, w in zip(row[:3], widths, strict=False)), row[3].rjust(widths[3])])
        for row in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    if len(things) > MOST:
        lines.append(f"and {len(things) - MOST:,} more, which --json lists")
    return "\n".join(line.rstrip() for line in lines)


def _plain(found: Inspection, trusted: bool) -> dict[str, Any]:
    """All of it for JSON."""
    from nnkit.checkpoint.inspection import sizes
    from nnkit.training.describe import rows

    layers = [] if found.described is None else [row._asdict() for row in rows(found.described)]
    return {
        "file": str(found.path),
        "bytes": found.file_bytes,
        "format": found.version,
        "intact": found.intact,
        "problems": list(found.problems),
        "read": "in this process" if trusted else "apart",
        "custom": found.custom,
        "trained_values": None if found.described is None else found.described.layout.count,
        "layers": layers,
        "texts": dict(found.texts),
        "history": {name: value if isfinite(value) else None for name, value in found.last.items()},
        "sizes": sizes(found),
        "entries": [entry._asdict() for entry in found.entries],
    }


COMMAND = Command(
    "inspect",
    "Show what is in the file of a network without loading it: layers, sizes, training, who wrote it, and whether it "
    "is intact (exit status 1 if not). The file need not be trusted.",
    ("nnkit inspect digits.h5", "nnkit inspect digits.h5 --json"),
    _add_flags,
    run,
)
