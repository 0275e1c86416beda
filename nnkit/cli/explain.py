"""``nnkit explain``: the planned training step of a saved network, or of one that flags describe."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from nnkit.cli.command import Command
from nnkit.cli.flags import add_memory_limit, add_precision
from nnkit.cli.subject import add_subject, subject
from nnkit.training.planning import training_plan


def _add_flags(parser: ArgumentParser) -> None:
    add_subject(parser)
    add_memory_limit(parser)
    add_precision(parser)
    parser.add_argument(
        "--compile",
        choices=("off", "first"),
        default="off",
        help="the step as it runs uncompiled, or as one native function; default: off",
    )
    parser.add_argument(
        "--measure", action="store_true", help="run the step on random data and show the time of every kernel as well"
    )
    parser.add_argument("--format", choices=("text", "html", "json"), default="text", help="default: text")


def run(flags: Namespace) -> int:
    """Plan and print; nothing is trained."""
    from nnkit.plan.explain import explain, explain_html, explain_json

    network = subject(flags)
    native = flags.compile == "first"
    asked = (flags.batch_size, flags.optimizer, flags.loss)
    plan = training_plan(network._model, *asked, (), flags.memory_limit, native, flags.precision)
    taken = None
    if flags.measure:
        from nnkit.bench.stopwatch import measured

        taken = measured(network, plan, *asked, flags.precision)
    if flags.format == "json":
        print(json.dumps(explain_json(plan, taken), indent=1))
    else:
        print(explain_html(plan, taken) if flags.format == "html" else explain(plan, taken))
    return 0


COMMAND = Command(
    "explain",
    "Show the planned training step of a network: every kernel, its cost, and every decision with what it saved.",
    (
        "nnkit explain digits.h5",
        "nnkit explain --data digits --hidden 128 64 --batch-size 128",
        "nnkit explain --inputs 784 --outputs 10 --output-activation softmax --hidden 512 512 --format html",
        "nnkit explain --data digits --hidden 96 96 96 96 --batch-size 1024 --memory-limit 2.5MB",
        "nnkit explain --inputs 784 --outputs 10 --output-activation softmax --batch-size 64 --measure --compile first",
        "nnkit explain --hidden --format json",
    ),
    _add_flags,
    run,
)
