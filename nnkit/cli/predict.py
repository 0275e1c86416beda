"""``nnkit predict``: what a saved network says to the rows of a file, as a CSV file."""

from __future__ import annotations

import csv
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from nnkit.cli import output
from nnkit.cli.architecture import device
from nnkit.cli.command import Command
from nnkit.cli.flags import add_device, add_network, file
from nnkit.cli.places import check_writable
from nnkit.cli.rows import new_rows
from nnkit.errors import FileError
from nnkit.formats import load
from nnkit.losses import GaussianNLL
from nnkit.measure import replacing
from nnkit.measure.files import is_stream
from nnkit.network import Network
from nnkit.nn.activations import ACTIVATIONS
from nnkit.training.objective import objective

STDOUT = "-"

Array = Any
Table = tuple[list[str], Iterable[list[str]]]


def _add_flags(parser: ArgumentParser) -> None:
    add_network(parser)
    parser.add_argument(
        "--data",
        metavar="FILE",
        required=True,
        help="a .csv file with the columns that the network was trained on, or .npz or .h5 with x",
    )
    parser.add_argument(
        "--output",
        type=file,
        metavar="FILE.csv",
        default=STDOUT,
        help="columns: prediction and, for classes, p_CLASS, the probability of each, or score_CLASS where there are "
        "none (hinge); for gaussian_nll prediction and variance (default: standard output)",
    )
    add_device(parser)


def run(flags: Namespace) -> int:
    """Load, read, predict, write in one step."""
    check_writable(flags.network, flags.data, output=None if flags.output == STDOUT else flags.output)
    network = load(flags.network, device=device(flags.device))
    x = new_rows(network, flags.data)
    header, rows = table(network, network.predict(x))
    if flags.output == STDOUT:
        _write_to(sys.stdout, header, rows)
        return 0
    _write(flags.output, header, rows)
    if not is_stream(flags.output):  # which may be where this would be printed
        print(output.safe(f"{output.counted(len(x), 'prediction')} written to {flags.output}: {', '.join(header)}"))
    return 0


def table(network: Network, predicted: Array) -> Table:
    """Header and rows of the CSV file; numbers have as many digits as float32 needs to be read back exactly."""
    probabilities = _probabilities(network, predicted)
    if probabilities is not None:
        return _classes(network, np.argmax(probabilities, axis=1), "p", probabilities)
    goal = objective(network.module, network._loss)
    if goal.loss.targets == "classes":
        return _classes(network, np.argmax(predicted, axis=1), "score", predicted)
    if goal.loss.targets == "binary" and network.classes is not None and predicted.shape[1] == 1:
        return _classes(network, (predicted[:, 0] > goal.threshold).astype(int), "score", predicted)
    if isinstance(goal.loss, GaussianNLL):
        variances = goal.loss.variances(predicted)
        means = predicted[:, : variances.shape[1]]
        names = [*_numbered("prediction", means), *_numbered("variance", variances)]
        return names, _rows(np.concatenate([means, variances], axis=1))
    return _numbered("prediction", predicted), _rows(predicted)


def _classes(network: Network, chosen: Array, kind: str, values: Array) -> Table:
    """The name of the class that was chosen, and the values that it was chosen by; one alone is that of the last."""
    names = network.classes or [str(number) for number in range(values.shape[1])]
    rows = ([names[best], *row] for best, row in zip(chosen.tolist(), _rows(values), strict=True))
    return ["prediction", *(f"{kind}_{name}" for name in names[-values.shape[1] :])], rows


def _numbered(name: str, columns: Array) -> list[str]:
    return [name] if columns.shape[1] == 1 else [f"{name}_{n}" for n in range(columns.shape[1])]


def _rows(values: Array) -> Iterable[list[str]]:
    return ([_number(value) for value in row] for row in values.tolist())


def _probabilities(network: Network, predicted: Array) -> Array | None:
    """One probability for each class, or None where the network predicts numbers."""
    name = network.module.output_activation()
    if name == "sigmoid" and predicted.shape[1] == 1:
        return np.concatenate([1 - predicted, predicted], axis=1)
    domain = ACTIVATIONS[name].domain if name in ACTIVATIONS else "any"
    if domain == "log_distribution":
        return np.exp(predicted)
    return predicted if domain == "distribution" else None


def _number(value: float) -> str:
    return f"{value:.9g}"


def _write(path: str, header: list[str], rows: Iterable[list[str]]) -> None:
    try:
        with replacing(Path(path)) as new, new.open("w", encoding="utf-8", newline="") as stream:
            _write_to(stream, header, rows)
    except OSError as error:
        raise FileError(f"cannot write the predictions to '{path}': {error.strerror or error}") from error


def _write_to(stream: TextIO, header: list[str], rows: Iterable[list[str]]) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)


COMMAND = Command(
    "predict",
    "Predict from the rows of a file with a saved network.",
    ("nnkit predict iris.h5 --data iris.csv --output predictions.csv", "nnkit predict iris.h5 --data iris.csv"),
    _add_flags,
    run,
)
