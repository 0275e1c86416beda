"""What to try after a training: a few commands that fit what was run and can be run as they stand."""

from __future__ import annotations

import shlex
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nnkit.data.files import SUFFIXES

WELL, GAP = 0.95, 0.03  # accuracy that is good for a first try; training ahead of testing by more than chance
DATA = ("data", "target", "data-dir")
STEP = ("hidden", "activation", "output-activation", "dropout", "l2", "loss", "optimizer", "batch-size")
FILES = ("save", "record", "quiet")

Options = dict[str, list[str]]


def next_commands(flags: Namespace, result: Mapping[str, Any]) -> list[str]:
    """Use what was saved (or save it), make a change that may do better, and look inside. ``result`` is the record's.

    >>> for command in next_commands(Namespace(words=[], data="digits", save=None, hidden=[64, 32], dropout=0.0), {}):
    ...     print(command)
    nnkit train --save digits-net.h5
    nnkit train --hidden 128 64
    nnkit explain
    """
    written = _options(flags.words)
    better = _join("train", _better(flags, {k: v for k, v in written.items() if k not in FILES}, result))
    if flags.save is None:
        saved = _join("train", written | {"save": [f"{Path(flags.data).stem}-net.h5"]})
        return [saved, better, _join("explain", _only(written, DATA + STEP))]
    return [_use(flags, written), better, _join("explain", {}, flags.save)]


def _use(flags: Namespace, written: Options) -> str:
    """Predict from a file with the saved network, or test it on its data set."""
    if flags.data.lower().endswith(SUFFIXES):
        return _join("predict", {"data": [flags.data], "output": ["predictions.csv"]}, flags.save)
    return _join("test", {"data": [flags.data]} | _only(written, DATA), flags.save)


def _better(flags: Namespace, written: Options, result: Mapping[str, Any]) -> Options:
    """A larger data set after success, dropout after overfitting, more neurons otherwise."""
    train, test = ((result.get(part) or {}).get("accuracy") for part in ("train", "test"))
    if test is not None and test >= WELL and flags.data == "digits":
        return {"data": ["mnist"], "hidden": ["128", "64"], "epochs": ["5"]}
    if train is not None and test is not None and train - test > GAP and flags.hidden and not flags.dropout:
        return written | {"dropout": ["0.2"]}
    return written | {"hidden": [str(2 * neurons) for neurons in flags.hidden] or ["64"]}


def _options(words: Sequence[str]) -> Options:
    """The options on a command line without positional words, the last of each; ``--a=1`` is ``--a 1``."""
    options: Options = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            options[name] = [value] if equals else []
        else:
            options[name].append(word)
    return options


def _only(options: Options, names: Iterable[str]) -> Options:
    return {name: values for name, values in options.items() if name in names}


def _join(command: str, options: Options, *words: str) -> str:
    written = (word for name, values in options.items() for word in (f"--{name}", *values))
    return shlex.join(["nnkit", command, *words, *written])
