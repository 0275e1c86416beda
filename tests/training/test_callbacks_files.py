"""Files that callbacks write: checkpoints that load, logs that can be read back, places that are refused in time."""

from __future__ import annotations

import csv
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.callbacks import BestCheckpoint, CSVLog, Every, JSONLog, PeriodicCheckpoint, TensorBoardLog
from nnkit.errors import ArgumentError, FileError, NnkitWarning
from nnkit.optimizers import SGD
from tests.training.small import blobs, fit, network, same, values

X, Y = blobs(50)


def saying(figures: list[float]) -> Any:
    """Makes the history say these losses, whatever they were."""

    def say(training: Any) -> None:
        training.history["loss"][-1] = training.values["loss"] = figures[training.epoch - 1]

    return say


def loaded(path: Path) -> dict[str, Any]:
    return values(nnkit.load(path))


# --- checkpoints


def test_the_best_epoch_is_in_the_file(tmp_path: Path) -> None:
    net, after = network(), []
    best = BestCheckpoint(tmp_path / "best.h5", "loss")
    fit(net, X, Y, epochs=4, callbacks=[saying([3, 1, math.nan, 2]), best, lambda _: after.append(values(net))])
    assert same(loaded(tmp_path / "best.h5"), after[1])
    assert (best.best, best.best_epoch, best.saved) == (1, 2, tmp_path / "best.h5")
    assert os.listdir(tmp_path) == ["best.h5"]  # nothing half written beside it


def test_more_is_better_for_an_accuracy(tmp_path: Path) -> None:
    def say(training: Any) -> None:
        training.history["accuracy"][-1] = [0.5, 0.9, 0.7][training.epoch - 1]

    best = BestCheckpoint(str(tmp_path / "best.h5"), "accuracy")
    fit(network(), X, Y, epochs=3, callbacks=[say, best])
    assert best.best_epoch == 2


def test_names_of_files_hold_the_figures(tmp_path: Path) -> None:
    path = tmp_path / "net-{epoch:03d}-{step}-{val_loss:.3f}-{loss:.1e}.h5"
    run = fit(network(), X, Y, epochs=3, batch_size=10, validation_split=0.2, callbacks=PeriodicCheckpoint(path))
    history = run.history
    assert sorted(os.listdir(tmp_path)) == [
        f"net-{k + 1:03d}-{4 * (k + 1)}-{history['val_loss'][k]:.3f}-{history['loss'][k]:.1e}.h5" for k in range(3)
    ]


def test_in_the_middle_of_an_epoch_it_is_the_network_of_that_step(tmp_path: Path) -> None:
    net, at = network(), {}
    callbacks = [
        PeriodicCheckpoint(tmp_path / "{step}.h5", "3 steps"),
        Every("3 steps", lambda t: at.update({t.step: values(net)})),
    ]
    fit(net, X, Y, epochs=2, batch_size=10, callbacks=callbacks)
    assert sorted(os.listdir(tmp_path)) == ["3.h5", "6.h5", "9.h5"]
    assert all(same(loaded(tmp_path / f"{step}.h5"), kept) for step, kept in at.items())


def test_by_the_clock(tmp_path: Path) -> None:
    stop = nnkit.callbacks.TimeLimit(0.6)
    callbacks = [PeriodicCheckpoint(tmp_path / "{step}.h5", "200 ms"), stop]
    fit(network(), X, Y, epochs=10**6, callbacks=callbacks, compile="off")
    assert 1 <= len(os.listdir(tmp_path)) <= 3


def test_the_file_knows_the_training_that_it_comes_from(tmp_path: Path) -> None:
    net = network()
    fit(net, X, Y, epochs=1, loss="cross_entropy")
    optimizer = SGD(0.1, momentum=0.5)
    fit(net, X, Y, epochs=1, optimizer=optimizer, callbacks=PeriodicCheckpoint(tmp_path / "a.h5"))
    assert nnkit.load(tmp_path / "a.h5")._optimizer == optimizer


def test_after_divergence_the_best_is_still_there(tmp_path: Path) -> None:
    net = network()
    callbacks = [BestCheckpoint(tmp_path / "a.h5", "loss"), lambda t: t.epoch == 2 and t.set(learning_rate=1e308)]
    with pytest.warns(NnkitWarning):
        fit(net, X, Y, epochs=5, batch_size=10, optimizer=SGD(0.01), callbacks=callbacks)
    assert all(np.isfinite(value).all() for value in loaded(tmp_path / "a.h5").values())


def test_a_file_that_cannot_be_written_ends_training_and_keeps_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"

    def break_(training: Any) -> None:
        if training.epoch == 2:
            path.rename(tmp_path / "old.h5")
            path.mkdir()

    with pytest.raises(FileError, match="is a folder") as caught:
        fit(network(), X, Y, epochs=5, callbacks=[PeriodicCheckpoint(path), break_])
    assert len(caught.value.run.history["loss"]) == 2  # type: ignore[attr-defined]
    assert (tmp_path / "old.h5").is_file()


HERE = {
    "a folder": (".", FileError, "is a folder; add the name of a file"),
    "no folder": ("none/a.h5", FileError, "there is no folder .* to write a.h5 to; create it first"),
    "unknown": ("{epok}.h5", ArgumentError, "the file name has {epok}, but there are epoch, step, loss, accuracy"),
    "nameless": ("{}.h5", ArgumentError, "the file name has {}, but there are epoch"),
    "inside": ("{epoch.real}.h5", ArgumentError, r"the file name has {epoch.real}, but there are"),
    "open": ("{epoch.h5", ArgumentError, "cannot be filled in: .*; write it as in"),
    "format": ("{loss:d}.h5", ArgumentError, "cannot be filled in: .*; write it as in"),
}


@pytest.mark.parametrize("make", [PeriodicCheckpoint, lambda path: BestCheckpoint(path, "loss")])
@pytest.mark.parametrize("case", HERE)
def test_places_and_names_are_refused_before_training(make: Any, case: str, tmp_path: Path) -> None:
    name, kind, message = HERE[case]
    net = network()
    before = values(net)
    with pytest.raises(kind, match=message):
        fit(net, X, Y, epochs=3, callbacks=make(str(tmp_path / name)))
    assert same(values(net), before)
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_is_protected(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FileError, match="cannot be written to; allow it, or choose another place"):
        fit(network(), X, Y, epochs=3, callbacks=CSVLog(tmp_path / "a.csv"))


def test_a_place_that_the_system_calls_protected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(FileError, match="cannot be written to; allow it, or choose another place"):
        fit(network(), X, Y, epochs=3, callbacks=CSVLog(tmp_path / "a.csv"))


@pytest.mark.parametrize("make", [BestCheckpoint, PeriodicCheckpoint, CSVLog, JSONLog, TensorBoardLog])
@pytest.mark.parametrize("path", [None, 3, "", "a\0b"])
def test_what_is_no_path(make: Any, path: Any) -> None:
    with pytest.raises(ArgumentError, match=f"{make.__name__}: path must be the name of a file, got"):
        make(path)


# --- a table


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_for_every_epoch_with_all_digits(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    run = fit(
        network(), X, Y, epochs=3, batch_size=10, validation_split=0.2, learning_rate=0.05, callbacks=CSVLog(path)
    )
    rows = rows_of(path)
    assert list(rows[0]) == ["epoch", "step", "elapsed_s", "learning_rate", *run.history]
    assert [(row["epoch"], row["step"], row["learning_rate"]) for row in rows] == [
        ("1", "4", "0.05"), ("2", "8", "0.05"), ("3", "12", "0.05"),
    ]  # fmt: skip
    for name, series in run.history.items():
        assert [float(row[name]) for row in rows] == series
    elapsed = [float(row["elapsed_s"]) for row in rows]
    assert elapsed == sorted(elapsed)
    assert elapsed[-1] < run.elapsed_s


def test_it_is_there_while_training_goes_on(tmp_path: Path) -> None:
    path, lengths = tmp_path / "log.csv", []
    fit(network(), X, Y, epochs=3, callbacks=[CSVLog(path), lambda _: lengths.append(len(rows_of(path)))])
    assert lengths == [1, 2, 3]


def test_a_new_training_begins_a_new_table_or_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    for append, length in ((False, 2), (True, 4), (False, 2)):
        fit(network(), X, Y, epochs=2, callbacks=CSVLog(path, append=append))
        assert len(rows_of(path)) == length


def test_an_old_table_survives_a_training_that_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    fit(network(), X, Y, epochs=2, callbacks=CSVLog(path))
    with pytest.raises(ArgumentError):
        fit(network(), X, Y, epochs=2, callbacks=[CSVLog(path), nnkit.EarlyStopping("val_loss")])
    assert len(rows_of(path)) == 2


def test_a_table_of_other_columns_does_not_go_on(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    fit(network(), X, Y, epochs=2, callbacks=CSVLog(path))
    with pytest.raises(FileError, match=r"CSVLog: .*log.csv has the columns epoch, .* log to another file, or without"):
        fit(network(), X, Y, epochs=2, validation_split=0.2, callbacks=CSVLog(path, append=True))


def test_an_unknown_learning_rate_is_an_empty_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnkit.training.loop.learning_rate", lambda *_: None)
    fit(network(), X, Y, epochs=1, callbacks=CSVLog(tmp_path / "log.csv"))
    assert rows_of(tmp_path / "log.csv")[0]["learning_rate"] == ""


# --- lines of JSON


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_for_every_event(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log = JSONLog(path, every="2 steps")
    run = fit(network(), X, Y, epochs=2, batch_size=20, callbacks=[log, lambda t: t.epoch == 1 and t.stop("enough")])
    begin, step, epoch, end = lines_of(path)
    assert begin == {"event": "begin", "epochs": 2, "steps": 3, "records": ["loss", "accuracy"]}
    assert (step["event"], step["step"], step["epoch"]) == ("step", 2, 0)
    assert (epoch["event"], epoch["epoch"], epoch["loss"]) == ("epoch", 1, run.history["loss"][0])
    assert (end["event"], end["stopped"], end["interrupted"], end["diverged"]) == ("end", "enough", False, False)


def test_what_json_cannot_hold_is_null(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    fit(network(), X, Y, epochs=1, callbacks=[saying([math.nan]), JSONLog(path)])
    assert lines_of(path)[1]["loss"] is None


def test_the_line_of_the_end_is_there_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with pytest.raises(ZeroDivisionError):
        fit(network(), X, Y, epochs=2, callbacks=[JSONLog(path), lambda _: 1 / 0])
    assert lines_of(path)[-1]["stopped"] == "<lambda>.epoch raised ZeroDivisionError: division by zero"


# --- names


def test_all_names_are_in_one_module() -> None:
    from nnkit.callbacks import TimeLimit

    assert nnkit.callbacks.TimeLimit is TimeLimit
    assert nnkit.callbacks.EarlyStopping is nnkit.EarlyStopping
    assert nnkit.callbacks.Callback is nnkit.Callback


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ModelCheckpoint", r": it is BestCheckpoint\(path\) or PeriodicCheckpoint\(path, every\) here"),
        ("TerminateOnNaN", ": every training has that: no step with a loss or gradient that is NaN or infinite"),
        ("ReduceLROnPlateau", ": it is ReduceOnPlateau"),
        ("Nonsense", "$"),
    ],
)
def test_names_of_others_lead_somewhere(name: str, hint: str) -> None:
    with pytest.raises(AttributeError, match=f"module 'nnkit.callbacks' has no attribute '{name}'{hint}"):
        getattr(nnkit.callbacks, name)
    assert not hasattr(nnkit.callbacks, name)
