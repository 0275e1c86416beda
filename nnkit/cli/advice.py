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
STEP = ("hidden", "activation", "output-activation", "dropout", "l2", "loss", "optimizer", "batch-size", "memory-limit")
FILES = ("save", "record", "quiet", "checkpoint", "every")
GOING_ON = (*DATA, "time-ordered", "metrics", "save", "record")

Options = dict[str, list[str]]
BEYOND_DIGITS: Options = {"data": ["mnist"], "hidden": ["128", "64"], "epochs": ["5"]}


def next_commands(flags: Namespace, record: Mapping[str, Any], diverged: bool = False) -> list[str]:
    """Use what was saved (or save it), make a change that may do better, and look inside.

    >>> flags = Namespace(words=[], data="digits", save=None, checkpoint=None, hidden=[64, 32], dropout=0.0, epochs=30)
    >>> next_commands(flags, {"history": {}, "result": {}})
    ['nnkit train --save digits-net.h5', 'nnkit train --hidden 128 64', 'nnkit explain']
    """
    written = _options(flags.words)
    if flags.checkpoint is not None and record.get("interrupted"):
        return [_join("resume", _only(written, GOING_ON), flags.checkpoint)]
    change = {"learning-rate": [f"{flags.learning_rate / 10:g}"]} if diverged else _change(flags, record)
    repeated = {} if change is BEYOND_DIGITS else {k: v for k, v in written.items() if k not in FILES}
    better = _join("train", repeated | change)
    if diverged:  # there is nothing worth keeping yet
        return [better, _join("explain", _only(written, DATA + STEP))]
    if flags.save is None:
        again = {name: values for name, values in written.items() if name not in ("checkpoint", "every")}
        saved = _join("train", again | {"save": [f"{Path(flags.data).stem}-net.h5"]})
        return [saved, better, _join("explain", _only(written, DATA + STEP))]
    return [_use(flags, written), better, _join("explain", {}, flags.save)]


def _use(flags: Namespace, written: Options) -> str:
    """Predict from a file with the saved network, or test it on its data set."""
    if flags.data.lower().endswith(SUFFIXES):
        return _join("predict", {"data": [flags.data], "output": ["predictions.csv"]}, flags.save)
    return _join("test", {"data": [flags.data]} | _only(written, (*DATA, "metrics")), flags.save)


def _change(flags: Namespace, record: Mapping[str, Any]) -> Options:
    """A harder task after success, more epochs while it learns, dropout against overfitting, else more neurons."""
    train, test = ((record["result"].get(part) or {}).get("accuracy") for part in ("train", "test"))
    if test is not None and test >= WELL and flags.data == "digits":
        return BEYOND_DIGITS
    losses = record["history"].get("val_loss") or [0.0]
    if len(losses) > 1 and losses[-1] == min(losses):
        return {"epochs": [str(2 * flags.epochs)]}
    if train is not None and test is not None and train - test > GAP and flags.hidden and not flags.dropout:
        return {"dropout": ["0.2"]}
    return {"hidden": [str(2 * neurons) for neurons in flags.hidden] or ["64"]}


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
    written = (word for name, values in options.items() for word in _option(name, values))
    return shlex.join(["nnkit", command, *words, *written])


def _option(name: str, values: Sequence[str]) -> list[str]:
    """The words of an option; a value that looks like another option is joined to it."""
    joined = len(values) == 1 and values[0].startswith("-")
    return [f"--{name}={values[0]}"] if joined else [f"--{name}", *values]
