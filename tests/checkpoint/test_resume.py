"""A training that was broken off goes on to the same bits."""

from __future__ import annotations

import importlib
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import optimizers
from nnkit.callbacks import CSVLog, EarlyStopping, JSONLog, LearningRateSchedule, ReduceOnPlateau
from nnkit.errors import ArgumentError, DataError, NnkitWarning, ShapeError
from nnkit.optimizers.schedules import Cosine
from nnkit_numpy import profile
from tests.checkpoint.going_on import OPTIONS, Break, BrokenError, X, Y, alike, broken, network, plain
from tests.optimizers.cases import CASES


def resumed(path: Path, *more: Any, **options: Any) -> Any:
    return nnkit.resume(path, X, Y, callbacks=[Break(), *more], progress=False, **options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.h5"


@pytest.mark.parametrize("step", [1, 5, 6, 7, 18, 23, 24])
def test_wherever_it_stops(path: Path, step: int) -> None:
    """Within an epoch, before its smaller batch, at its end, in the last epoch."""
    whole = network().fit(X, Y, **OPTIONS)
    broken(network(), path, step)
    run = resumed(path)
    assert alike(run, whole)
    assert len(run.record.time["epochs_s"]) == 4
    assert run.network.predict(X[:5]).tobytes() == whole.network.predict(X[:5]).tobytes()


SOME = [pytest.param(case, marks=() if number % 6 == 0 else pytest.mark.slow) for number, case in enumerate(CASES)]


@pytest.mark.parametrize("case", SOME)
def test_every_optimizer(path: Path, case: str) -> None:
    options = {"optimizer": CASES[case], "epochs": 3}
    whole = network().fit(X, Y, **(OPTIONS | options))
    broken(network(), path, 9, **options)
    assert alike(resumed(path), whole)


def test_a_search_over_all_rows(path: Path) -> None:
    options = {"optimizer": optimizers.LBFGS(history=3), "epochs": 8}
    whole = plain().fit(X, Y, **(OPTIONS | options))
    for step in (1, 2, 6):
        broken(plain(), path, step, "1 epoch", **options)
        assert alike(resumed(path), whole)
        path.unlink()


@pytest.mark.parametrize("every", ["1 epoch", "4 steps", "1 ms"])
def test_however_often_it_is_written(path: Path, every: str) -> None:
    whole = network().fit(X, Y, **OPTIONS)
    broken(network(), path, 16, every)
    assert alike(resumed(path), whole)


def test_again_and_again(path: Path) -> None:
    whole = network().fit(X, Y, **OPTIONS)
    broken(network(), path, 2)
    for step in (3, 8, 15, 22):
        with pytest.raises(BrokenError):
            nnkit.resume(path, X, Y, callbacks=[Break(step)], progress=False)
    assert alike(resumed(path), whole)


@pytest.mark.parametrize("step", [5, 7, 9, 15])
def test_broken_off_again_before_anything_new_is_written(path: Path, step: int) -> None:
    whole = network().fit(X, Y, **OPTIONS)
    broken(network(), path, step, "4 steps")
    for _ in range(3):
        with pytest.raises(BrokenError):
            nnkit.resume(path, X, Y, callbacks=[Break(step)], progress=False)
    assert alike(resumed(path), whole)


def test_native_programs(path: Path) -> None:
    options = {"compile": "first"}
    whole = network().fit(X, Y, **OPTIONS, **options)
    broken(network(), path, 10, **options)
    run = resumed(path)
    assert alike(run, whole)
    assert run.record.training["program"] == whole.record.training["program"]


def test_the_rates_are_those_of_the_checkpoint(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that was calibrated meanwhile would plan other programs."""
    whole = network().fit(X, Y, **OPTIONS)
    broken(network(), path, 10)
    monkeypatch.setattr(profile, "path", lambda: tmp_path / "profile.json")
    slow = {"call_s": 1e-3, "bytes_per_s": 1e8, "cached_bytes_per_s": 1e8, "tile_bytes": 4096, "element_s": ()}
    profile.keep({"plain": slow, "native": slow})
    try:
        assert network()._model.backend.target().call_s == 1e-3
        run = resumed(path)
    finally:
        profile.known.cache_clear()
    assert alike(run, whole)
    assert run.record.training["program"]["profile"] == "built-in"


def test_weights_standardised_columns_and_metrics(path: Path) -> None:
    options: dict[str, Any] = {"standardize": True, "metrics": ["top_2_accuracy", "log_loss", "f1_macro"]}
    options |= {"sample_weight": np.linspace(0.5, 2.0, len(X)), "class_weight": {"a": 1.0, "b": 2.0, "c": 0.5}}
    names = np.array(["a", "b", "c"])[Y]
    whole = network().fit(X * 3, names, **OPTIONS, **options)
    with pytest.raises(BrokenError):
        network().fit(X * 3, names, checkpoint=path, every="1 step", callbacks=Break(9), **OPTIONS, **options)
    again = {name: options[name] for name in ("sample_weight", "class_weight")}
    run = nnkit.resume(path, X * 3, names, callbacks=[Break()], progress=False, **again)
    assert alike(run, whole)
    assert run.network.classes == ("a", "b", "c")
    kept, found = whole.network.preprocessing, run.network.preprocessing
    assert kept.to_dict() == found.to_dict()


def test_validation_data(path: Path) -> None:
    options = {"validation_split": 0.0, "validation_data": (X[:20] + 1, Y[:20])}
    whole = network().fit(X, Y, **(OPTIONS | options))
    broken(network(), path, 9, **options)
    assert alike(resumed(path, validation_data=options["validation_data"]), whole)


def test_a_second_training_with_the_same_optimizer(path: Path) -> None:
    """The schedule is stretched over the updates before, and dropout counts the steps of both."""
    method = optimizers.Adam(Cosine(0.01))

    def begun() -> nnkit.Network:
        net = network()
        net.fit(X, Y, optimizer=method, **(OPTIONS | {"epochs": 1}))
        return net

    whole = begun().fit(X, Y, optimizer=method, **OPTIONS)
    broken(begun(), path, 9, optimizer=method)
    assert alike(resumed(path), whole)


# -- callbacks


def test_early_stopping_counts_on(path: Path) -> None:
    watch = {"monitor": "val_loss", "patience": 2, "min_delta": 10.0}
    whole = network().fit(X, Y, callbacks=EarlyStopping(**watch), **(OPTIONS | {"epochs": 9}))
    assert whole.stopped is not None
    for step in (2, 7, 13, 17):
        broken(network(), path, step, callbacks=[EarlyStopping(**watch)], epochs=9)
        assert alike(resumed(path, EarlyStopping(**watch)), whole)
        path.unlink()


def test_callbacks_that_nnkit_knows_are_made_again(path: Path) -> None:
    """Those of the training, without a word of them from the user."""
    made = [EarlyStopping("loss", patience=3), ReduceOnPlateau("loss", patience=0, threshold=10.0, cooldown=1)]
    whole = network().fit(X, Y, callbacks=made, **OPTIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ReduceOnPlateau, "epoch", _failing(ReduceOnPlateau.epoch, at=3))
        with pytest.raises(KeyError):
            network().fit(X, Y, checkpoint=path, every="1 step", callbacks=made, **OPTIONS)
    run = nnkit.resume(path, X, Y, progress=False)
    assert alike(run, whole)


def _failing(method: Any, at: int) -> Any:
    def epoch(self: Any, training: Any) -> None:
        if training.epoch == at:
            raise KeyError
        method(self, training)

    return epoch


def test_a_rate_that_was_set_stays(path: Path) -> None:
    schedule = LearningRateSchedule(lambda epoch: 0.01 / epoch)
    whole = network().fit(X, Y, optimizer="sgd", callbacks=schedule, **OPTIONS)
    broken(network(), path, 15, optimizer="sgd", callbacks=[schedule])
    assert alike(resumed(path, schedule), whole)


def test_logs_have_every_row_once(path: Path, tmp_path: Path) -> None:
    rows, lines = tmp_path / "log.csv", tmp_path / "log.jsonl"
    made = [CSVLog(rows), JSONLog(lines, every="3 steps")]
    broken(network(), path, 21, "8 steps", callbacks=made)
    assert len(rows.read_text().splitlines()) == 4
    resumed(path, *made)
    assert [line.split(",")[0] for line in rows.read_text().splitlines()] == ["epoch", "1", "2", "3", "4"]
    assert sum('"event": "epoch"' in line for line in lines.read_text().splitlines()) == 4
    assert sum('"event": "step"' in line for line in lines.read_text().splitlines()) == 8


# -- how it is written


def test_steps_go_on_while_a_file_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passed, module = threading.Event(), importlib.import_module("nnkit.checkpoint.keeping")
    write = module.write_whole

    def late(*given: Any) -> None:
        assert passed.wait(60)
        write(*given)

    class Pass(nnkit.Callback):
        every = "3 steps"

        def due(self, training: Any) -> None:
            passed.set()

    monkeypatch.setattr(module, "write_whole", late)
    network().fit(X, Y, checkpoint=path, callbacks=Pass(), **OPTIONS)
    assert nnkit.load(path).predict(X).shape == (90, 3)


# -- how it ends


def test_a_training_that_has_ended_comes_back(path: Path) -> None:
    whole = network().fit(X, Y, checkpoint=path, **OPTIONS)
    before = path.read_bytes()
    with pytest.warns(
        NnkitWarning, match=r"run.h5 holds a training that came to its end after 4 epochs, so nothing was left to do"
    ):
        run = nnkit.resume(path, X, Y)
    assert alike(run, whole)
    assert path.read_bytes() == before
    assert run.result.train == whole.result.train
    assert "result.train" not in run.to_dict()["resources"]["reasons"]
    assert str(run).count("\ntrain ") == 1
    assert run.to_dict()["time"]["epochs_s"] == whole.to_dict()["time"]["epochs_s"]
    assert run.record.environment["date"] == whole.record.environment["date"]


def test_a_training_that_has_ended_is_one_of_its_data(path: Path) -> None:
    """Its run comes back for the same, and nothing for others."""
    whole = network().fit(X, Y, checkpoint=path, **OPTIONS)
    with pytest.warns(NnkitWarning, match="nothing was left to do"):
        assert alike(nnkit.resume(path, X, Y, progress=False), whole)
    with pytest.raises(DataError, match=r"run.h5 is the checkpoint of a training on other data: .*targets are others"):
        nnkit.resume(path, X, np.roll(Y, 1), progress=False)
    with pytest.raises(DataError, match=r"other data: .*the inputs are others"):
        nnkit.resume(path, X[::-1], Y, progress=False)
    with pytest.raises(ShapeError, match="expects 5 inputs, got 1"):
        nnkit.resume(path, X[:, :1], Y, progress=False)
    with pytest.raises(ArgumentError, match="the training was started without sample_weight; leave it out"):
        nnkit.resume(path, X, Y, sample_weight=np.ones(len(X)), progress=False)


def test_the_checkpoint_is_a_network_too(path: Path) -> None:
    net = network()
    broken(net, path, 9)
    assert nnkit.load(path).predict(X).shape == (90, 3)
    net.fit(X, Y, epochs=1, checkpoint=path.with_name("ended.h5"), progress=False)
    assert np.array_equal(nnkit.load(path.with_name("ended.h5")).predict(X), net.predict(X))


def test_averaged_weights(path: Path) -> None:
    """What is in the file as the network is not what is trained."""
    method = optimizers.ExponentialMovingAverage(optimizers.SGD(0.1), decay=0.9)
    whole = network().fit(X, Y, optimizer=method, **OPTIONS)
    broken(network(), path, 9, optimizer=method)
    shown = nnkit.load(path)
    run = resumed(path)
    assert alike(run, whole)
    assert not np.array_equal(shown.predict(X), run.network.predict(X))


def test_ctrl_c_writes_where_it_is(path: Path) -> None:
    def interrupt(training: Any) -> None:
        if training.epoch == 2:
            signal.raise_signal(signal.SIGINT)

    whole = network().fit(X, Y, callbacks=EarlyStopping("loss"), **OPTIONS)
    run = network().fit(
        X, Y, checkpoint=path, every="100 epochs", callbacks=[EarlyStopping("loss"), interrupt], **OPTIONS
    )
    assert run.interrupted
    again = nnkit.resume(path, X, Y, callbacks=[EarlyStopping("loss"), lambda training: None], progress=False)
    assert alike(again, whole)
