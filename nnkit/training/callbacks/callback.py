"""What can look on while a network trains, change its settings, and stop it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from nnkit.arguments import KnownArguments, require_takes
from nnkit.errors import ArgumentError
from nnkit.training.callbacks.period import Period


class Training(Protocol):
    """What a callback sees: data, not the engine's insides."""

    epoch: int
    """Whole epochs so far; in ``Callback.epoch`` the one that has just ended, counted from 1."""
    epochs: int
    step: int
    """Steps so far, over all epochs."""
    rows_done: int
    """Rows that those steps used."""
    history: dict[str, list[float]]
    """Every name from the beginning, with one value for each epoch so far."""
    values: dict[str, float]
    """The latest figures: running means in the middle of an epoch, and all of them, validation too, after it."""
    stopped: str | None
    """Why training ends before its last epoch, once that is settled."""
    interrupted: bool

    @property
    def more_is_better(self) -> Mapping[str, bool]:
        """By name of the history; those of which it is not known are left out."""

    @property
    def diverged(self) -> bool:
        """Whether a step was refused because its numbers left their range."""

    @property
    def steps(self) -> int:
        """Steps of one epoch."""

    @property
    def elapsed_s(self) -> float:
        """Seconds since ``fit`` was called."""

    @property
    def learning_rate(self) -> float | None:
        """The rate of the latest update, its schedule counted in; None if the optimiser has none."""

    @property
    def base_learning_rate(self) -> float | None:
        """The rate that ``set(learning_rate=…)`` replaces: with a schedule, the one that it starts from."""

    def set(self, **settings: float) -> None:
        """Change hyper-parameters of the optimiser from the next step on: ``training.set(learning_rate=0.01)``.

        Nothing is compiled again. With a schedule, it is the rate that the schedule starts from. The optimiser object
        itself stays as it was.
        """

    def stop(self, reason: str = "") -> None:
        """End training here, after the step or the epoch that has just ended; the reason stands in the record."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network as it is now to an HDF5 file, as ``net.save`` does."""

    def snapshot(self) -> dict[str, Any]:
        """Host copies of all parameters and states."""

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Put a snapshot back."""


class Callback(KnownArguments):
    """Base of callbacks; each method is called at its moment and may be left out.

    A plain function works as well: it is called with the training after every epoch. Beside the moments that all have,
    ``due`` is called as often as ``every`` says: ``"100 steps"``, ``"2 epochs"`` or ``"10 min"``. Steps run in blocks
    of about 30 ms; the blocks are cut so that ``due`` falls on its step, and where nobody asks nothing is cut.

    A callback that raises ends the training: the others are still told of that moment and of the end, the network keeps
    its last step, and the error that comes out of ``fit`` has the run so far as ``error.run``.

    There is none that ends training at NaN: no step with a loss or gradient that is NaN or infinite is ever taken; the
    training ends there with a warning.

    >>> import nnkit
    >>> net = nnkit.FeedForward(inputs=1, hidden=[4], outputs=1, seed=0)
    >>> run = net.fit([[0.0], [1.0]], [[0.0], [1.0]], epochs=2, progress=False,
    ...               callbacks=[lambda training: print("epoch", training.epoch)])
    epoch 1
    epoch 2
    >>> class Count(Callback):
    ...     every = "2 steps"
    ...     def due(self, training):
    ...         print("step", training.step)
    >>> run = net.fit([[0.0], [1.0]], [[0.0], [1.0]], epochs=5, progress=False, callbacks=Count())
    step 2
    step 4
    """

    every: str | None = None
    lasting: bool = True
    """Whether it belongs to the training: those that do not are in no checkpoint."""

    def __init__(self) -> None:
        """A callback without arguments."""
        super().__init__()

    def begin(self, training: Training) -> None:
        """Before the first epoch."""

    def config(self) -> dict[str, Any] | None:
        """The arguments that make it again, as plain data, for a checkpoint; None where a file must not say them.

        So it is with functions, classes of your own, and whatever writes files: ``nnkit.resume`` is given these again.
        """
        return None

    def state(self) -> dict[str, Any]:
        """What it has to know to go on from a checkpoint of this moment: plain data, and snapshots of the training."""
        return {}

    def resume(self, training: Training, state: dict[str, Any]) -> None:
        """In place of ``begin``, where a training goes on from a checkpoint that was made with this state."""
        self.begin(training)

    def due(self, training: Training) -> None:
        """After the step, or the epoch, at which ``every`` has passed again."""

    def epoch(self, training: Training) -> None:
        """After every epoch; ``training.history`` holds its values."""

    def end(self, training: Training) -> None:
        """After the last epoch, however training ended, also where it ended before ``begin``."""


class Every(Callback):
    """Calls a function with the training as often as ``every`` says: ``"100 steps"``, ``"2 epochs"``, ``"10 min"``.

    >>> import nnkit
    >>> net = nnkit.FeedForward(inputs=1, outputs=1, seed=0)
    >>> run = net.fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0], epochs=1, batch_size=1, progress=False,
    ...               callbacks=Every("2 steps", lambda training: print(sorted(training.values))))
    ['loss']
    """

    def __init__(self, every: str, function: Callable[[Training], object]) -> None:
        Period.of("Every", every)
        if not callable(function) or isinstance(function, type):
            raise ArgumentError(f"Every: function is {function!r}, expected a function of one argument")
        require_takes("Every: function", function, "training")
        self.every = every
        self.function = function

    def due(self, training: Training) -> None:
        """Call it."""
        self.function(training)


class EveryEpoch(Callback):
    """Calls a function after every epoch."""

    def __init__(self, function: Callable[[Training], object]) -> None:
        self.function = function

    def epoch(self, training: Training) -> None:
        """Call it."""
        self.function(training)


def name_of(callback: Callback) -> str:
    """How messages name a callback: by its class, or by the function in it."""
    if isinstance(callback, (Every, EveryEpoch)):
        return str(getattr(callback.function, "__name__", repr(callback.function)))
    return type(callback).__name__


def as_callbacks(callbacks: Iterable[Any] | None) -> list[Callback]:
    """Callbacks as objects; functions are wrapped, and None is none."""
    if callbacks is None:
        return []
    if not callable(callbacks) and not isinstance(callbacks, (Iterable, Callback)):
        raise ArgumentError(f"callbacks is {callbacks!r}; expected a list of nnkit.Callback objects or functions")
    alone = callable(callbacks) or isinstance(callbacks, Callback)
    return [_as_callback(number, given) for number, given in enumerate([callbacks] if alone else callbacks)]


def _as_callback(number: int, given: Any) -> Callback:
    if isinstance(given, Callback):
        if given.every is not None:
            Period.of(type(given).__name__, given.every)
        _refuse_unheard(given)
        for moment in MOMENTS:
            require_takes(f"{type(given).__name__}.{moment}", getattr(given, moment), "training")
        return given
    if callable(given) and not isinstance(given, type):
        require_takes(f"callbacks[{number}]", given, "training")
        return EveryEpoch(given)
    raise ArgumentError(
        f"callbacks[{number}] is {given!r}; expected a nnkit.Callback object or a function of one argument"
    )


MOMENTS = ("begin", "due", "epoch", "end")
ELSEWHERE = {
    "on_train_begin": "begin",
    "on_fit_start": "begin",
    "on_train_start": "begin",
    "on_epoch_end": "epoch",
    "on_train_epoch_end": "epoch",
    "on_train_end": "end",
    "on_fit_end": "end",
}
"""What other libraries call the moments."""


def _refuse_unheard(given: Callback) -> None:
    """Methods that nobody would call are a mistake, of which nothing else would say anything."""
    kind = type(given)
    for name in dir(kind):
        if name.startswith("on_") and callable(getattr(kind, name)):
            meant = f"'{ELSEWHERE[name]}'" if name in ELSEWHERE else "'due', as often as 'every' says, or 'epoch'"
            raise ArgumentError(
                f"{kind.__name__} has a method '{name}', which nothing calls: rename it to {meant}; "
                "the moments are begin, due, epoch and end"
            )
    owner = next(each for each in kind.__mro__ if "due" in vars(each))
    if given.every is None and not owner.__module__.startswith("nnkit."):  # whose own may have nothing to do
        raise ArgumentError(
            f"{kind.__name__} has a method 'due', but does not say how often: set every = '100 steps', '2 epochs' or "
            "'10 min'"
        )
