"""``nnkit devices``: where networks can compute on this machine, and what is missing elsewhere."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, entry_points, version

from nnkit.backend import GROUP, HINTS, Backend, select
from nnkit.cli import output
from nnkit.cli.command import Command
from nnkit.cli.failures import FAILURE
from nnkit.cli.gpus import cupy, gpus
from nnkit.measure import environment
from nnkit.measure.units import bytes_text, seconds_text
from nnkit.parity import check_device
from nnkit.plan import Target


def _add_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--calibrate",
        action="store_true",
        help="measure the rates of the processor, by which the planner decides, and keep them (some seconds; let the "
        "machine be idle)",
    )
    parser.add_argument(
        "--check",
        metavar="DEVICE",
        nargs="?",
        const="cuda",
        help="compute every operation, layer, loss and optimiser on a device (default: cuda) beside float64 on the "
        "processor, and say how far they are apart",
    )


def run(flags: Namespace) -> int:
    """Print one paragraph for each thing that was looked for."""
    if flags.check:
        found = check_device(flags.check, lambda row: print(row, flush=True))
        print(str(found).splitlines()[-1])
        return 0 if found.right else FAILURE
    if flags.calibrate:
        for form, target in select("cpu").calibrate().items():
            print(output.line(form, _rates(target)))
        return 0
    for label, text in [*_processor(), *_backends(), *gpus(), ("CuPy", cupy())]:
        print(output.line(label, text))
    return 0


def _rates(target: Target) -> str:
    """What the planner goes by, for a thread."""
    passes = [
        f"{bytes_text(rate)}/s {where}"
        for rate, where in (
            (target.cached_bytes_per_s, "in a core's cache"),
            (target.near_bytes_per_s, f"up to {bytes_text(target.near_bytes)}"),
            (target.bytes_per_s, "beyond"),
        )
    ]
    return (
        f"{target.flops_per_s / 1e9:,.0f} GFLOP/s in products; passes at {', '.join(passes)}; "
        f"{seconds_text(target.call_s)} a call; {target.profile}"
    )


def _processor() -> Iterator[tuple[str, str]]:
    found = environment()
    threads = "" if found["threads"] is None else f", {output.counted(found['threads'], 'thread')}"
    yield "processor", f"{found['cpu'] or 'unknown'}, {output.counted(os.cpu_count() or 1, 'core')}"
    yield "NumPy", f"{found['numpy']} with {found['blas'] or 'an unknown BLAS'}{threads}"
    yield "llvmlite", _version("llvmlite") or 'not installed; faster steps on the cpu: pip install "nnkit[fast]"'


def _backends() -> Iterator[tuple[str, str]]:
    """Every installed backend, and those that nnkit knows of."""
    names = {entry.name for entry in entry_points(group=GROUP)} | set(HINTS)
    for name in sorted(names, key=lambda each: (each != "cpu", each)):
        yield name, _state(name)


def _state(name: str) -> str:
    try:
        which = _which(select(name))
    except Exception as error:  # a backend of somebody else may fail in its own way; the others are still shown
        return f"not available: {error}"
    return f"ready: --device {name}{which}"


def _which(backend: Backend) -> str:
    """Which GPU it is among those that are listed, and what this process could have of its memory."""
    found = backend.hardware()
    if found.memory_bytes is None:
        return ""
    free = backend.free_bytes()
    parts = [
        found.pci_bus_id,
        found.compute_capability and f"compute capability {found.compute_capability}",
        free is not None and f"{bytes_text(free)} of {bytes_text(found.memory_bytes)} free",
    ]
    return f" ({', '.join(part for part in parts if part)})"


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


COMMAND = Command(
    "devices",
    "Show where networks can compute on this machine, and how to install what is missing. The rates decide how steps "
    "are divided and when they are compiled; they are built in until --calibrate measures those of the machine.",
    ("nnkit devices",),
    _add_flags,
    run,
)
