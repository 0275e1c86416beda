"""``nnkit test``: the exact figures of a saved network on a data set's own test rows."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from nnkit.cli import output
from nnkit.cli.architecture import device
from nnkit.cli.command import Command
from nnkit.cli.confusion import confusion_text
from nnkit.cli.flags import add_data, add_device, add_metrics, add_network, file, names
from nnkit.cli.places import check_writable
from nnkit.cli.rows import test_rows
from nnkit.data import Dataset
from nnkit.formats import load
from nnkit.measure import RunRecord
from nnkit.network import Network
from nnkit.nn.serial import to_config
from nnkit.training.result import Scores

REASON = "nothing was trained: this is the record of a test"
MISSING = ("training", "data.train", "data.validation", "time", "host", "device", "plan", "result.train")


def _add_flags(parser: ArgumentParser) -> None:
    add_network(parser)
    add_data(parser)
    add_metrics(parser)
    add_device(parser)
    parser.add_argument("--record", type=file, metavar="FILE", help="write the figures as JSON")


def run(flags: Namespace) -> int:
    """Load, test, write the record, print."""
    check_writable(flags.network, flags.data, record=flags.record)
    network = load(flags.network, device=device(flags.device))
    dataset, x, y = test_rows(network, flags.data, flags.target, flags.data_dir)
    scores = network.test(x, y, metrics=flags.metrics)
    if flags.record:
        _record(network, dataset, scores).save(flags.record)
    print(output.line("data", f"{dataset.name}: {output.counted(scores.rows, 'row')} for testing"))
    print(output.wrap(output.scores_text(scores, names(flags.metrics))))
    if scores.confusion is not None:
        print(output.wrap(_means(scores)))
        print("\n" + confusion_text(scores.confusion, scores.classes, output.width()))
    return 0


def _means(scores: Scores) -> str:
    return f"precision {scores.precision:.4f}, recall {scores.recall:.4f}, F1 {scores.f1:.4f}"


def _record(network: Network, dataset: Dataset, scores: Scores) -> RunRecord:
    """The record of a run in which nothing was trained."""
    return RunRecord(
        architecture={
            "input_shape": list(network.input_shape),
            "dtype": network.dtype,
            "module": to_config(network.module),
        },
        training={"seed": network.seed},
        data={
            "name": dataset.name,
            "sha256": lambda: dataset.sha256,
            "test": scores.rows,
            "classes": None if network.classes is None else list(network.classes),
        },
        time={"elapsed_s": scores.elapsed_s},
        resources={"reasons": dict.fromkeys(MISSING, REASON)},
        result={"test": scores.to_dict()},
    )


COMMAND = Command(
    "test",
    "Test a saved network on exactly the data set's own test rows.",
    (
        "nnkit test digits.h5 --data digits",
        "nnkit test iris.h5 --data iris.csv --metrics f1_macro roc_auc --record iris-test.json",
    ),
    _add_flags,
    run,
)
