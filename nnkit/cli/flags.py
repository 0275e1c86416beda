"""Flags that several commands share, and the kinds of numbers that flags take."""

from __future__ import annotations

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable
from typing import Any

from nnkit import data
from nnkit.cli.command import Once
from nnkit.data import Dataset
from nnkit.data.load import is_file
from nnkit.errors import ArgumentError
from nnkit.measure.units import parse_bytes
from nnkit.metrics import get
from nnkit.training.precision import FULL, PRECISIONS

SHARED: dict[str, Any] = {  # the defaults of the flags that describe a network and its training step
    "data": "digits",
    "hidden": [64, 32],
    "activation": ["relu"],
    "output_activation": "auto",
    "dropout": 0.0,
    "l2": 0.0,
    "loss": "auto",
    "optimizer": "adam",
}


def whole(least: int) -> Callable[[str], int]:
    """The type of a flag that takes whole numbers from ``least``.

    >>> whole(1)("12")
    12
    """

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise ArgumentTypeError(f"expected a whole number from {least}, got '{text}'")
        return number

    return parse


def number(below: float = float("inf")) -> Callable[[str], float]:
    """The type of a flag that takes numbers from 0 up to, but not, ``below``.

    >>> number(1)("0.1")
    0.1
    """
    limit = "" if below == float("inf") else f" up to, but not, {below:g}"

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < below:
            raise ArgumentTypeError(f"expected a number from 0{limit}, got '{text}'")
        return value

    return parse


def size(text: str) -> int:
    """The type of a flag that takes bytes.

    >>> size("200MB")
    200000000
    """
    try:
        return parse_bytes("size", text)
    except ArgumentError:
        raise ArgumentTypeError(f"expected bytes, such as 200MB, '1.5 GB' or 64MiB, got '{text}'") from None


def file(text: str) -> str:
    """The type of a flag that takes the name of a file; ``~`` is the home folder, also after ``--save=``.

    >>> file("net.h5")
    'net.h5'
    """
    if not text:
        raise ArgumentTypeError("expected the name of a file, got ''")
    return os.path.expanduser(text)


def add_data(parser: ArgumentParser, default: str | None = None, target: str = "the last") -> None:
    """``--data``, ``--target`` and ``--data-dir``; ``--data`` is required where it has no default."""
    note = f" (default: {default})" if default else ""
    parser.add_argument(
        "--data",
        metavar="NAME|FILE",
        default=default,
        required=default is None,
        help="digits, mnist, fashion_mnist, xor, moons, circles, spiral, blobs, sine, "
        f"or a .csv, .npz or .h5 file{note}",
    )
    parser.add_argument("--target", metavar="COLUMN", help=f"the column of a CSV file to predict (default: {target})")
    parser.add_argument(
        "--data-dir", metavar="DIR", help="folder with the files of mnist or fashion_mnist (default: NNKIT_DATA_DIR)"
    )


def loaded(flags: Namespace) -> Dataset:
    """The data of these flags and ``--time-ordered``, to train on: columns as they were measured."""
    return data.load(
        flags.data,
        data_dir=flags.data_dir,
        target=flags.target,
        standardize=False,
        time_ordered=flags.time_ordered and is_file(flags.data),
    )


def add_architecture(parser: ArgumentParser) -> None:
    """The flags that describe a network and the loss and optimiser of its training step."""
    parser.add_argument(
        "--hidden",
        action=Once,
        nargs="*",
        type=whole(1),
        metavar="N",
        help="neurons of each hidden layer; without a number there is none (default: 64 32)",
    )
    parser.add_argument(
        "--activation",
        action=Once,
        nargs="+",
        metavar="NAME",
        help="activation of all hidden layers, or one for each (default: relu)",
    )
    parser.add_argument(
        "--output-activation",
        metavar="NAME",
        help="default: the one that goes with --loss, else softmax for classes and identity for numbers",
    )
    parser.add_argument(
        "--dropout", type=number(1), metavar="RATE", help="share of values dropped after each hidden layer (default: 0)"
    )
    parser.add_argument("--l2", type=number(), metavar="LAMBDA", help="λ of λ Σ w², added to the loss (default: 0)")
    parser.add_argument("--loss", metavar="NAME", help="default: the one that goes with the output activation")
    parser.add_argument("--optimizer", metavar="NAME", help="such as adamw, sgd, rmsprop or lion (default: adam)")
    parser.add_argument("--batch-size", type=whole(1), default=32, metavar="N", help="rows of one step (default: 32)")
    parser.add_argument(
        "--seed",
        type=whole(0),
        default=0,
        metavar="N",
        help="initial weights, order of the rows, dropout and validation rows follow from it; "
        "the data and its test rows do not (default: 0)",
    )
    parser.set_defaults(**SHARED)


def add_device(parser: ArgumentParser) -> None:
    """``--device``."""
    parser.add_argument(
        "--device",
        default="cpu",
        metavar="cpu|cuda|auto",
        help="where to compute; auto takes cuda if it can be used (default: cpu)",
    )


def add_memory_limit(parser: ArgumentParser) -> None:
    """``--memory-limit``."""
    parser.add_argument(
        "--memory-limit",
        type=size,
        metavar="BYTES",
        help="such as 200MB: what parameters, moments and the arrays of a step may take; "
        "values are then computed again rather than kept (default: no limit)",
    )


def add_precision(parser: ArgumentParser) -> None:
    """``--precision``."""
    parser.add_argument(
        "--precision",
        choices=tuple(PRECISIONS),
        default=FULL,
        metavar="NAME",
        help=f"what matrix products may round their operands to on a GPU: {', '.join(PRECISIONS)}; sums and all else "
        f"stay in float32 (default: {FULL})",
    )


def add_metrics(parser: ArgumentParser) -> None:
    """``--metrics``."""
    parser.add_argument(
        "--metrics",
        action=Once,
        nargs="+",
        default=[],
        metavar="NAME",
        help="further figures by the names of nnkit.metrics or their aliases: auc, f1_macro, top_3_accuracy, mape, …",
    )


def add_network(parser: ArgumentParser, optional: bool = False) -> None:
    """The file of a saved network."""
    parser.add_argument(
        "network",
        nargs="?" if optional else None,
        type=file,
        metavar="FILE",
        help="a network that 'nnkit train --save FILE' or net.save(FILE) wrote, or an .onnx file",
    )


def names(metrics: Iterable[str]) -> list[str]:
    """What figures are called whose names were given.

    >>> names(["AUC", "top-3-accuracy"])
    ['auc', 'top_3_accuracy']
    """
    return [get(metric).name for metric in metrics]


def given(flags: Namespace) -> list[str]:
    """The shared flags that differ from their defaults, as they are written.

    >>> given(Namespace(**SHARED | {"output_activation": "sigmoid"}))
    ['--output-activation']
    """
    return [f"--{name.replace('_', '-')}" for name, default in SHARED.items() if getattr(flags, name) != default]
