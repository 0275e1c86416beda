"""``nnkit explain``: the planned training step of a saved network, or of one that flags describe."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from nnkit import data
from nnkit.checkpoint import load
from nnkit.cli.architecture import build, device, for_data
from nnkit.cli.command import Command
from nnkit.cli.flags import add_architecture, add_data, add_device, add_memory_limit, add_network, given, whole
from nnkit.errors import ArgumentError
from nnkit.network import Network

OF_THE_STEP = ("--loss", "--optimizer")  # these may be chosen for a saved network as well


def _add_flags(parser: ArgumentParser) -> None:
    add_network(parser, optional=True)
    parser.add_argument("--inputs", type=whole(1), metavar="N", help="number of inputs, instead of --data")
    parser.add_argument("--outputs", type=whole(1), metavar="N", help="number of outputs, instead of --data")
    add_data(parser, "digits")
    add_architecture(parser)
    add_device(parser)
    add_memory_limit(parser)
    parser.add_argument("--format", choices=("text", "html", "json"), default="text", help="default: text")


def run(flags: Namespace) -> int:
    """Plan and print; nothing is trained."""
    from nnkit.plan.explain import explain, explain_html, explain_json

    network = _network(flags)
    plan = network._training_plan(flags.batch_size, flags.optimizer, flags.loss, memory_limit=flags.memory_limit)
    if flags.format == "json":
        print(json.dumps(explain_json(plan), indent=1))
    else:
        print(explain_html(plan) if flags.format == "html" else explain(plan))
    return 0


def _network(flags: Namespace) -> Network:
    place = device(flags.device)
    sizes = [f"--{name}" for name in ("inputs", "outputs") if getattr(flags, name) is not None]
    described = [flag for flag in given(flags) if flag not in OF_THE_STEP] + sizes
    if flags.network is None:
        return _described(flags, sizes, place)
    if described:
        raise ArgumentError(
            f"{flags.network} has its own architecture; leave out {', '.join(described)}, or leave out the file"
        )
    return load(flags.network, device=place)


def _described(flags: Namespace, sizes: list[str], place: str) -> Network:
    if not sizes:
        return for_data(flags, data.load(flags.data, data_dir=flags.data_dir, target=flags.target), place)
    if len(sizes) == 1 or "--data" in given(flags):
        raise ArgumentError("give --inputs together with --outputs, or --data instead of both")
    activation = "identity" if flags.output_activation == "auto" else flags.output_activation
    return build(flags, (flags.inputs,), flags.outputs, activation, place)


COMMAND = Command(
    "explain",
    "Show the planned training step of a network: every kernel, its cost, and every decision with what it saved.",
    (
        "nnkit explain digits.h5",
        "nnkit explain --data digits --hidden 128 64 --batch-size 128",
        "nnkit explain --inputs 784 --outputs 10 --output-activation softmax --hidden 512 512 --format html",
        "nnkit explain --data digits --hidden 96 96 96 96 --batch-size 1024 --memory-limit 2.5MB",
        "nnkit explain --hidden --format json",
    ),
    _add_flags,
    run,
)
