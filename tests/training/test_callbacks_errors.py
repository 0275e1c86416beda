"""What is left when a callback raises: the network, the run, the best weights, and the others' ends."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest

import nnkit
from nnkit.callbacks import EarlyStopping, Every
from nnkit.errors import NnkitWarning
from nnkit.optimizers import SGD
from tests.training.small import blobs, fit, network, same, values

X, Y = blobs(50)


class Diary(nnkit.Callback):
    every = "2 steps"

    def __init__(self) -> None:
        self.lines: list[str] = []

    def begin(self, training: Any) -> None:
        self.lines.append("begin")

    def due(self, training: Any) -> None:
        self.lines.append(f"due {training.step}")

    def epoch(self, training: Any) -> None:
        self.lines.append(f"epoch {training.epoch}")

    def end(self, training: Any) -> None:
        self.lines.append(f"end {training.stopped}")


class Broken(Diary):
    """Raises at one of its moments; ``every`` is a moment too."""

    def __init__(self, moment: str, error: BaseException | None = None) -> None:
        super().__init__()
        self.moment, self.error = moment, error or RuntimeError("disk full")

    def __getattribute__(self, name: str) -> Any:
        if name in ("begin", "due", "epoch", "end") and name == self.moment:
            return lambda training: (_ for _ in ()).throw(self.error)
        return super().__getattribute__(name)


@pytest.mark.parametrize(
    ("moment", "steps", "epochs", "lines"),
    [
        ("due", 2, 0, ["begin", "due 2", "end Broken.due raised RuntimeError: disk full"]),
        ("epoch", 5, 1, ["begin", "due 2", "due 4", "epoch 1", "end Broken.epoch raised RuntimeError: disk full"]),
        ("end", 10, 2, ["begin", "due 2", "due 4", "epoch 1", "due 6", "due 8", "due 10", "epoch 2", "end None"]),
    ],
)
def test_the_run_so_far_is_in_the_error(moment: str, steps: int, epochs: int, lines: list[str]) -> None:
    before, after, net, expected = Diary(), Diary(), network(), network()
    with pytest.raises(RuntimeError, match="disk full") as caught:
        fit(net, X, Y, epochs=2, batch_size=10, callbacks=[before, Broken(moment), after])
    assert before.lines == after.lines == lines
    run: Any = caught.value.run  # type: ignore[attr-defined]
    assert run.network is net
    assert len(run.history["loss"]) == epochs
    assert net._model.steps_done == steps
    assert nnkit.measure.check_layout(run.to_dict()) == []
    assert run.stopped == (None if moment == "end" else f"Broken.{moment} raised RuntimeError: disk full")
    assert f"raised by Broken.{moment}" in caught.value.__notes__[0]
    assert "error.run is the run" in caught.value.__notes__[0]
    fit(expected, X, Y, epochs=2, batch_size=10, callbacks=Every("1 step", lambda t: t.step == steps and t.stop()))
    assert same(values(net), values(expected))


def test_an_error_at_the_beginning_has_no_run_and_leaves_no_trace() -> None:
    net, after = network(), Diary()
    start = values(net)
    with pytest.raises(RuntimeError, match="disk full") as caught:
        fit(net, X, Y, epochs=2, callbacks=[Broken("begin"), after])
    assert not hasattr(caught.value, "run")
    assert caught.value.__notes__ == ["raised by Broken.begin before the first step; nothing was trained"]
    assert after.lines == ["end Broken.begin raised RuntimeError: disk full"]
    assert same(values(net), start)


def test_a_function_is_named_as_it_is() -> None:
    def watch(training: Any) -> None:
        raise KeyError("x")

    for callback in (watch, Every("1 step", watch)):
        with pytest.raises(KeyError) as caught:
            fit(network(), X, Y, epochs=2, callbacks=callback)
        assert caught.value.__notes__[0].startswith("raised by watch.")


def test_the_first_error_is_raised_and_names_the_others() -> None:
    callbacks = [Broken("epoch"), Broken("epoch", OSError("no")), Broken("end", ValueError("never"))]
    with pytest.raises(RuntimeError, match="disk full") as caught:
        fit(network(), X, Y, epochs=2, callbacks=callbacks)
    assert caught.value.__notes__[1:] == [
        "then Broken.epoch raised OSError: no",
        "then Broken.end raised ValueError: never",
    ]


def test_an_error_that_takes_no_attributes_comes_out_all_the_same() -> None:
    class Sealed(Exception):  # noqa: N818
        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(name)

    with pytest.raises(Sealed):
        fit(network(), X, Y, epochs=2, callbacks=Broken("epoch", Sealed()))


def best_of_three(more: list[Any]) -> tuple[nnkit.Network, list[Any], list[Any]]:
    """A network, its values after each epoch, and callbacks that make the second epoch the best."""
    net, after = network(), []

    def say(training: Any) -> None:
        training.history["loss"][-1] = [3.0, 1.0, 2.0, 2.5, 2.6][training.epoch - 1]
        after.append(values(net))

    return net, after, [say, EarlyStopping("loss", patience=9), *more]


def test_the_best_weights_are_back_after_a_callback_error() -> None:
    net, after, callbacks = best_of_three([Every("17 steps", lambda _: 1 / 0)])
    with pytest.raises(ZeroDivisionError):
        fit(net, X, Y, epochs=5, batch_size=10, callbacks=callbacks)
    assert len(after) == 3
    assert same(values(net), after[1])


def test_the_best_weights_are_back_after_a_second_interrupt_in_a_callback() -> None:
    def hang(training: Any) -> None:
        if training.epoch == 3:
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.01)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    net, after, callbacks = best_of_three([hang])
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            fit(net, X, Y, epochs=5, batch_size=10, callbacks=callbacks)
    finally:
        signal.signal(signal.SIGINT, before)
    assert same(values(net), after[1])
    run: Any = caught.value.run  # type: ignore[attr-defined]
    assert run.interrupted
    assert len(run.history["loss"]) == 3


def test_the_best_weights_are_back_after_divergence() -> None:
    net, after, callbacks = best_of_three([lambda t: t.epoch == 3 and t.set(learning_rate=1e308)])
    with pytest.warns(NnkitWarning, match="NaN or infinite"):
        run = fit(net, X, Y, epochs=5, batch_size=10, optimizer=SGD(0.01), callbacks=callbacks)
    assert len(after) == 3
    assert run.stopped is not None
    assert same(values(net), after[1])
