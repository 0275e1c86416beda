"""What going on with a training needs, and what is said where it is missing or another one."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nnkit
from nnkit.callbacks import CSVLog, EarlyStopping
from nnkit.errors import ArgumentError, DataError, FileError, NnkitWarning
from nnkit.training import resumed
from tests.checkpoint.files import described, edited, replace
from tests.checkpoint.going_on import OPTIONS, Break, BrokenError, X, Y, alike, broken, network

keeping = importlib.import_module("nnkit.checkpoint.keeping")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A training of four epochs that was broken off in the second."""
    path = tmp_path / "run.h5"
    broken(network(), path, 9)
    return path


def go_on(path: Path, x: Any = X, y: Any = Y, **options: Any) -> Any:
    return nnkit.resume(path, x, y, **({"callbacks": [Break()], "progress": False} | options))


# -- the data


def test_other_data_are_refused_and_what_is_other_is_said(path: Path) -> None:
    other = X.copy()
    other[7, 2] += 1e-3
    with pytest.raises(
        DataError, match=r"run.h5 is the checkpoint of a training on other data: the inputs are others, or"
    ):
        go_on(path, other)
    with pytest.raises(
        DataError, match=r"on other data: the targets are others, or in another order; give nnkit.resume"
    ):
        go_on(path, y=(Y + 1) % 3)
    with pytest.raises(DataError, match=r"on other data: the inputs are others"):
        go_on(path, X[::-1], Y[::-1])
    with pytest.raises(DataError, match="the inputs are others"):
        go_on(path, X[:80], Y[:80])


def test_data_in_another_type_are_the_same(path: Path) -> None:
    assert go_on(path, X.astype(np.float64), Y.tolist()).history["loss"]


def test_what_was_given_is_given_again(path: Path) -> None:
    with pytest.raises(ArgumentError, match="resume: the training was started without sample_weight; leave it out"):
        go_on(path, sample_weight=np.ones(90))
    with pytest.raises(ArgumentError, match="resume: the training was started without validation_data; leave it out"):
        go_on(path, validation_data=(X, Y))
    weighted = path.with_name("weighted.h5")
    broken(network(), weighted, 9, class_weight="balanced")
    with pytest.raises(ArgumentError, match="resume: the training was started with class_weight; give the same again"):
        go_on(weighted)
    with pytest.raises(
        DataError, match=r"on other data: sample_weight or class_weight is another one; give nnkit.resume"
    ):
        go_on(weighted, class_weight={0: 1, 1: 1, 2: 5})
    assert go_on(weighted, class_weight="balanced").history["loss"]


def test_other_validation_data(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    broken(network(), path, 9, validation_split=0.0, validation_data=(X + 1, Y))
    with pytest.raises(DataError, match=r"on other data: validation data: the inputs are others"):
        go_on(path, validation_data=(X + 2, Y))
    weighted = (X + 1, Y, np.ones(90))
    with pytest.raises(DataError, match="validation data: there were not weights when it was started"):
        go_on(path, validation_data=weighted)


# -- what is the user's own


def test_callbacks_of_ones_own_are_given_again(path: Path) -> None:
    with pytest.raises(
        ArgumentError,
        match=r"the training had callbacks that a file cannot hold \(Break\); give all of them again, in their order: "
        r"callbacks=\[…\] for Break",
    ):
        go_on(path, callbacks=None)
    with pytest.raises(ArgumentError, match=r"the training had 1 callbacks \(Break\), got 2; give the same again, in"):
        go_on(path, callbacks=[Break(), EarlyStopping()])
    with pytest.raises(ArgumentError, match=r"callbacks\[0\] was a Break, got EarlyStopping"):
        go_on(path, callbacks=[EarlyStopping("loss")])


def test_callbacks_that_write_files_are_given_again(tmp_path: Path) -> None:
    """A file says no other file's name."""
    path, log = tmp_path / "run.h5", CSVLog(tmp_path / "log.csv")
    broken(network(), path, 9, callbacks=[log])
    with pytest.raises(ArgumentError, match=r"a file cannot hold \(Break, CSVLog\)"):
        go_on(path, callbacks=None)
    assert str(tmp_path).encode() not in path.read_bytes()
    log.path.write_text("epoch\n")
    with pytest.raises(FileError, match=r"CSVLog: .*log.csv has the columns epoch, and this training writes"):
        go_on(path, callbacks=[Break(), log])
    log.path.unlink()
    assert go_on(path, callbacks=[Break(), log]).history["loss"]


def test_a_log_that_was_cut_short(tmp_path: Path) -> None:
    path, log = tmp_path / "run.h5", nnkit.callbacks.JSONLog(tmp_path / "log.jsonl")
    broken(network(), path, 9, callbacks=[log])
    log.path.write_text("")
    with pytest.raises(FileError, match=r"JSONLog: .*log.jsonl has 0 bytes, and \d+ when the checkpoint was made; put"):
        go_on(path, callbacks=[Break(), log])


def constant(target: Any, prediction: Any) -> float:
    return 1.0


class Own(nnkit.losses.MeanSquaredError):  # type: ignore[misc]
    name = "own"


def test_a_loss_and_metrics_of_ones_own(tmp_path: Path) -> None:
    path, y = tmp_path / "run.h5", np.eye(3, dtype=np.float32)[Y]
    own: dict[str, Any] = {"loss": Own(), "metrics": [constant]}

    def net() -> nnkit.Network:
        return nnkit.FeedForward(5, 3, hidden=[4], seed=1)

    whole = net().fit(X, y, **OPTIONS, **own)
    with pytest.raises(BrokenError):
        net().fit(X, y, checkpoint=path, every="1 step", callbacks=Break(9), **OPTIONS, **own)
    with pytest.raises(
        ArgumentError, match=r"resume: the training had a loss of your own \(own\); give it again: loss=…"
    ):
        go_on(path, y=y)
    with pytest.raises(
        ArgumentError, match=r"resume: the training measured constant, some of your own; give metrics=\[…\]"
    ):
        go_on(path, y=y, loss=Own())
    assert alike(go_on(path, y=y, **own), whole)


def test_a_module_of_ones_own(tmp_path: Path) -> None:
    class Twice(nnkit.Module):
        def __init__(self) -> None:
            self.inner = nnkit.nn.Dense(3)

        def __call__(self, x: Any, run: Any) -> Any:
            return self.inner(x, run) * 2.0

    path, y = tmp_path / "run.h5", np.eye(3, dtype=np.float32)[Y]
    whole = nnkit.Network(Twice(), (5,), seed=1).fit(X, y, **OPTIONS)
    with pytest.raises(BrokenError):
        nnkit.Network(Twice(), (5,), seed=1).fit(X, y, checkpoint=path, callbacks=Break(9), **OPTIONS)
    with pytest.raises(
        FileError, match="has classes, functions or shared weights of your own, which a file cannot hold"
    ):
        go_on(path, y=y)
    with pytest.raises(ArgumentError, match=r"checkpoint: .*run.h5 holds a training that is not finished"):
        nnkit.Network(Twice(), (5,), seed=1).fit(X, y, checkpoint=path, **OPTIONS)
    assert alike(go_on(path, y=y, into=Twice()), whole)


# -- the file


def test_a_network_is_no_training(tmp_path: Path) -> None:
    network().save(tmp_path / "net.h5")
    with pytest.raises(
        FileError, match=r"holds a network and no training to go on with; give the checkpoint= of a fit"
    ):
        go_on(tmp_path / "net.h5")


def test_an_unfinished_training_is_not_written_over(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(
        ArgumentError,
        match=r"run.h5 holds a training that is not finished \(epoch 1 of 4\); go on with it by nnkit.resume",
    ):
        network().fit(X, Y, checkpoint=path, **OPTIONS)
    assert path.read_bytes() == before
    go_on(path)
    network().fit(X, Y, checkpoint=path, **OPTIONS)  # one that has ended is


def test_every_goes_with_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(
        ArgumentError, match=r"every='1 epoch' says how often to write a checkpoint; name its file: checkpo"
    ):
        network().fit(X, Y, every="1 epoch")
    with pytest.raises(ArgumentError, match=r"fit: every is 'often', expected text such as '1 epoch', '500 steps' or"):
        network().fit(X, Y, checkpoint=tmp_path / "run.h5", every="often")
    with pytest.raises(FileError, match="there is no folder"):
        network().fit(X, Y, checkpoint=tmp_path / "absent" / "run.h5", progress=False)


def test_another_machine_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = resumed.environment()
    monkeypatch.setattr(resumed, "environment", lambda: known | {"numpy": "9.9"})
    with pytest.warns(NnkitWarning, match=r"the training goes on, equal to rounding only: numpy was .* and is 9.9"):
        assert go_on(path).history["loss"]


def test_programs_of_another_kind_are_told(path: Path) -> None:
    described(path, lambda found: _belonging(path, found, lambda c: c["programs"][0].reverse()), "progress")
    with pytest.warns(NnkitWarning, match="equal to rounding only: its steps are planned in another way now"):
        go_on(path)


def _belonging(path: Path, found: dict[str, Any], change: Any) -> None:
    """Change the configuration as an attacker would: with its hash."""
    from nnkit.checkpoint.progress import _hash

    change(found["configuration"])
    with h5py.File(path) as file:
        texts = [file[name][()] for name in ("architecture", "training")]
    found["belongs_to"] = _hash(*texts, found["configuration"])


def _standing(**values: Any) -> Any:
    return lambda found: found["standing"].update(values)


def _inner(name: str, **values: Any) -> Any:
    return lambda found: found["standing"][name].update(values)


STATES = {
    "a negative step": (_standing(step=-1), r"has -1 at progress.standing.step; it is a whole number from 0"),
    "a step that is text": (_standing(step="1"), r"has '1' at progress.standing.step"),
    "a step that is true": (_standing(step=True), r"has True at progress.standing.step"),
    "a counter beyond its type": (
        _inner("model", steps_done=2**32),
        r"has 4294967296 at .*model.steps_done; it is a whole number from 0 to 4,294,967,295",
    ),
    "a counter that is missing": (
        lambda f: f["standing"]["counters"].pop("step"),
        r"lacks progress.standing.counters.step",
    ),
    "another counter": (_inner("counters", x=1), r"has progress.standing.counters.x, which nothing here expects"),
    "a cursor past the data": (_inner("counters", cursor=82), r"has the cursor at 82, past the 81 rows of the data"),
    "steps past the epoch": (_standing(within=100), r"has 100 steps of an epoch over 81 rows"),
    "an epoch past the last": (_standing(epoch=5), r"is at epoch 5 of 4, and the file has the figures of 1"),
    "moments of another shape": (
        lambda f: f["standing"]["moments"].update({"moment.first": [3]}),
        r"has 'moment.first' of shape \[3\], and the optimizer has \[91\]",
    ),
    "another configuration": (
        lambda f: f["configuration"]["options"].update(epochs=9),
        r"belongs to another architecture or configuration than the file has",
    ),
    "a rate that is no number": (
        lambda f: f["configuration"]["targets"][0].update(call_s=[]),
        r"has \[\] at progress.configuration.targets.0.call_s; it is a number from 0",
    ),
    "data that have no hash": (lambda f: f["data"].update(x="0"), r"has '0' at progress.data.x; it is a hash of 64"),
    "callbacks that are no list": (_standing(callbacks={}), r"has {} at progress.standing.callbacks; it is a list"),
    "nothing at all": (lambda f: f.clear(), r"lacks progress.belongs_to"),
}


@pytest.mark.parametrize(("change", "reason"), STATES.values(), ids=STATES)
@pytest.mark.parametrize("way", ["load", "resume"])
def test_states_that_cannot_be(path: Path, change: Any, reason: str, way: str) -> None:
    described(path, change, "progress")
    with pytest.raises(FileError, match=rf"/progress {reason}.*; use another copy"):
        nnkit.load(path) if way == "load" else go_on(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: c["options"].update(batch_size=0), "has options that cannot be: batch_size must be a whole number"),
        (lambda c: c["options"].update(compile="exec"), "has options that cannot be: compile must be"),
        (lambda c: c["targets"][0].update(threads=0), "has a number that is 0 in progress.configuration.targets.0"),
        (
            lambda c: c["targets"][0].update(near_bytes_per_s=0.0),
            "has 0 at progress.configuration.targets.0.near_bytes_",
        ),
        (lambda c: c.update(rows=[81]), "has not two of progress.configuration.rows, targets and programs"),
    ],
)
def test_options_that_cannot_be(path: Path, change: Any, reason: str) -> None:
    described(path, lambda found: _belonging(path, found, change), "progress")
    with pytest.raises(FileError, match=f"/progress {reason}"):
        go_on(path)


def test_callbacks_that_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    run = network().fit(X, Y, checkpoint=path, callbacks=EarlyStopping("loss"), **OPTIONS)
    assert run.stopped is None

    def unfinished(name: str = "EarlyStopping", **config: Any) -> None:
        def change(found: dict[str, Any]) -> None:
            found["finished"] = False
            one = found["standing"]["callbacks"][0]
            one["name"] = name
            one["config"] = {"monitor": "loss"} | config
            one["snapshots"] = ["weights"] if one["snapshots"] else []

        described(path, change, "progress")

    unfinished("os.system")
    with pytest.raises(FileError, match=r"/progress has the callback 'os.system', which nnkit does not know"):
        go_on(path, callbacks=None)
    for name in ("CSVLog", "JSONLog", "BestCheckpoint", "PeriodicCheckpoint", "TensorBoardLog", "LearningRateSchedule"):
        unfinished(name, path=str(tmp_path / "written"))
        with pytest.raises(FileError, match=f"/progress has the callback '{name}' made from a file, which nnkit never"):
            go_on(path, callbacks=None)
    assert not (tmp_path / "written").exists()
    unfinished(patience=-1)
    with pytest.raises(FileError, match=r"has a callback that cannot be made: EarlyStopping: patience must be a whole"):
        go_on(path, callbacks=None)
    unfinished(path="x")
    with pytest.raises(FileError, match=r"has a callback that cannot be made: EarlyStopping has no argument 'path'"):
        go_on(path, callbacks=None)
    unfinished()
    described(path, lambda found: found["standing"]["callbacks"][0]["state"].update(best="x"), "progress")
    with pytest.raises(
        FileError, match=r"EarlyStopping: the checkpoint has best='x', expected a number; use another copy"
    ):
        go_on(path, callbacks=None)
    described(path, lambda found: found["standing"]["callbacks"][0]["state"].pop("best"), "progress")
    with pytest.raises(
        FileError, match=r"EarlyStopping: the checkpoint has best_epoch, since.* of it, expected best, "
    ):
        go_on(path, callbacks=None)


def test_a_record_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    network().fit(X, Y, checkpoint=path, **OPTIONS)
    described(path, lambda found: found.pop("training"), "about/record")
    with pytest.raises(FileError, match=r"/about/record is no record of a run: the keys of the record"):
        go_on(path)
    edited(path, lambda file: replace(file, "about/record", b"null"))
    with pytest.raises(FileError, match="/about/record is null, and the training has ended"):
        go_on(path)
    edited(path, lambda file: replace(file, "about/record", b"3"))
    with pytest.raises(FileError, match="/about/record has 3 at record; it is an object"):
        go_on(path)


def test_the_sample_is_not_reproduced(path: Path) -> None:
    def change(file: h5py.File) -> None:
        replace(file, "sample/outputs", file["sample/outputs"][()] + np.float32(0.01))

    edited(path, change)
    for read in (nnkit.load, go_on):
        with pytest.raises(
            FileError,
            match=r"/sample is not what the network predicts here: the largest difference is 0.0\d+ of the largest "
            r"output, and 0.0001 is rounding; use another copy; if the layers of your own module have changed",
        ):
            read(path)


def test_a_checkpoint_that_cannot_be_written_is_told_and_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, calls = tmp_path / "run.h5", []
    write = keeping.write_whole

    def full(*given: Any) -> None:
        calls.append(given)
        if len(calls) in (2, 3):
            raise FileError("no space left")
        write(*given)

    monkeypatch.setattr(keeping, "write_whole", full)
    with pytest.warns(NnkitWarning, match="no checkpoint was written, and training goes on: no space left") as told:
        run = network().fit(X, Y, checkpoint=path, **OPTIONS)
    assert len(told) == 1
    assert len(run.history["loss"]) == 4
    with pytest.warns(NnkitWarning, match="nothing was left to do"):
        assert alike(go_on(path, callbacks=[]), run)
    monkeypatch.setattr(keeping, "write_whole", lambda *given: full(*given) if len(calls) < 5 else _none())
    calls.clear()
    with pytest.warns(NnkitWarning), pytest.raises(FileError, match="no space left") as caught:
        network().fit(X, Y, checkpoint=tmp_path / "other.h5", **OPTIONS)
    assert len(caught.value.run.history["loss"]) == 4


def _none() -> None:
    raise FileError("no space left")
