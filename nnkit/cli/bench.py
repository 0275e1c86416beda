"""``nnkit bench``: how fast a network trains and predicts on this machine, its limit, and peers beside it."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nnkit.bench import FRAMEWORKS, ContestantError, Job, Measurement, Rates, described_machine, installed
from nnkit.bench.turns import TRACEBACK
from nnkit.cli import output
from nnkit.cli.architecture import described
from nnkit.cli.command import Command, Once
from nnkit.cli.flags import file, whole
from nnkit.cli.places import check_writable
from nnkit.cli.subject import add_subject, subject
from nnkit.errors import ArgumentError
from nnkit.measure import replacing
from nnkit.measure.units import bytes_text, seconds_text
from nnkit.network import Network

PEERS = {
    "pytorch": "PyTorch eager",
    "pytorch-fused": "PyTorch, fused Adam",
    "torch.compile": "torch.compile",
    "jax": "JAX jit",
    "keras": "Keras on JAX",
    "scikit-learn": "scikit-learn",
}
NAME_WIDTH = 21
WIDTHS = (9, 11, 13, 11)


def _add_flags(parser: ArgumentParser) -> None:
    add_subject(parser)
    parser.add_argument(
        "--compile",
        choices=("auto", "first", "off"),
        default="auto",
        help="the form of the step: first is compiled, off is not, auto measures both (default: auto)",
    )
    parser.add_argument("--repeats", type=whole(2), default=11, metavar="N", help="timed blocks of each (default: 11)")
    parser.add_argument(
        "--peers",
        action=Once,
        nargs="*",
        choices=PEERS,
        metavar="NAME",
        help=f"measure these beside it: {', '.join(PEERS)}; without a name, all that are installed",
    )
    parser.add_argument("--record", type=file, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def run(flags: Namespace) -> int:
    """Measure one workload after the other, and print each when it is done."""
    check_writable(flags.network, flags.data, record=flags.record)
    peers = _peers(flags)
    network = subject(flags)
    job = Job.of(network, flags.batch_size, flags.optimizer, flags.loss)
    if peers:
        job.dense_layers()  # refuses what peers cannot compute
    rates = Rates.measured(network.dtype) if network.device == "cpu" else None
    result = described_machine(rates) | {"architecture": job.to_dict(), "rows": [], "parity": []}
    say = _quiet if flags.format == "json" else _print
    say(_heading(network, job, result["machine"], flags.repeats))
    for rows in Measurement(network, job, flags.compile, flags.repeats, peers).sections(rates):
        _require_own(rows, flags.compile)
        result["rows"] += rows
        say(_section(rows))
    _write(flags, result)
    return 0


def _peers(flags: Namespace) -> list[str]:
    if flags.peers is None:
        return []
    wanted = [PEERS[name] for name in dict.fromkeys(flags.peers)] or list(PEERS.values())
    found = [name for name in wanted if installed(name)]
    missing = [name for name in wanted if name not in found]
    if missing and (flags.peers or not found):
        raise ArgumentError(
            f"--peers: not installed: {'; '.join(missing)}. 'pip install \"nnkit[bench]\"' brings all of them"
        )
    return found


def _require_own(rows: Sequence[Mapping[str, Any]], compile_mode: str) -> None:
    """A peer may be missing, and without the extra the compiled step where both forms were measured."""
    for row in rows:
        if "reason" in row and FRAMEWORKS[row["framework"]].module == "programs":
            if compile_mode == "auto" and FRAMEWORKS[row["framework"]].mode == "first" and len(rows) > 1:
                continue
            raise ContestantError(f"{row['framework']} cannot run the {row['workload']}: {row['reason']}")


def _heading(network: Network, job: Job, machine: Mapping[str, Any], repeats: int) -> str:
    rates = (
        ""
        if "flops_per_s" not in machine
        else (
            f"; at best {machine['flops_per_s'] / 1e9:,.0f} GFLOP/s in products, "
            f"{bytes_text(machine['bytes_per_s'])}/s in memory"
        )
    )
    lines = {
        "network": described(network),
        "training": f"batches of {job.batch}, {job.optimizer}, {job.loss}",
        "machine": f"{machine['cpu'] or 'unknown'}, {output.counted(machine['cores'] or 1, 'thread')}{rates}",
        "measured": f"{repeats} blocks of each, taking turns; median ± interquartile range",
    }
    return "\n".join(output.line(label, text) for label, text in lines.items())


def _section(rows: Sequence[Mapping[str, Any]]) -> str:
    heads = _columns("", "time", "spread", "samples/s", "predicted")
    return "\n".join(["", str(rows[0]["workload"]), heads, *(_line(row) for row in rows)])


def _line(row: Mapping[str, Any]) -> str:
    """One contestant: time, speed, and for our own what the plan had predicted."""
    if "reason" in row:
        return output.wrap(f"  {row['framework']:{NAME_WIDTH}}{row['reason']}", indent="    ")
    time, spread = (
        seconds_text(row[f"step_{each}_s"]) if row[f"step_{each}_s"] else "" for each in ("median", "spread")
    )
    rate = f"{float(f'{rate:.3g}'):,.0f}" if (rate := row.get("samples_per_s")) else ""
    predicted = seconds_text(row["predicted_step_s"]) if row.get("predicted_step_s") else ""
    return _columns(row["framework"], time, f"± {spread}" if spread else "", rate, predicted)


def _columns(name: str, *cells: str) -> str:
    line = f"  {name:{NAME_WIDTH}}" + "".join(cell.rjust(width) for cell, width in zip(cells, WIDTHS, strict=True))
    return output.wrap(line.rstrip(), indent="    ")


def _write(flags: Namespace, result: Mapping[str, Any]) -> None:
    text = json.dumps(result, indent=1, ensure_ascii=False)
    if flags.record:
        with replacing(Path(flags.record)) as new:
            new.write_text(text + "\n", encoding="utf-8")
    if flags.format == "json":
        print(text)


def _print(text: str) -> None:
    print(text, flush=True)


def _quiet(text: str) -> None:
    """JSON stands alone on standard output."""


COMMAND = Command(
    "bench",
    "Measure on this machine how fast a network trains and predicts: the step, compiled and not, beside the time that "
    "was predicted and the limit of the machine (its matrix products at the peak rate plus its bytes at the bandwidth, "
    "both measured); the latency of one predicted row and the throughput of 10,000; and peers, each in a process of "
    f"its own, taking turns. {TRACEBACK}=1 in the environment shows what they print.",
    (
        "nnkit bench --repeats 3",
        "nnkit bench --inputs 784 --hidden 128 --outputs 10 --output-activation softmax --batch-size 64 --repeats 2 "
        "--peers scikit-learn",
        "nnkit bench digits.h5 --compile off --repeats 3 --record bench.json",
    ),
    _add_flags,
    run,
)
