"""Callbacks that take other arguments than they are called with."""

from __future__ import annotations

from typing import Any

import pytest

import nnkit
from nnkit.errors import ArgumentError
from tests.training.small import blobs, fit, network, same, values

X, Y = blobs(50)


class Logged(nnkit.Callback):
    def epoch(self, training: Any, logs: Any) -> None:  # type: ignore[override]
        """Never called."""


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: lambda epoch, logs: None,
            r"callbacks\[0\] is called with \(training\), but the function given takes ",
        ),
        (lambda: nnkit.callbacks.Every("1 epoch", lambda: None), r"Every: function is called with \(training\), but"),
        (Logged, r"Logged.epoch is called with \(training\), but the function given takes \(training, logs\); let it"),
        (
            lambda: nnkit.callbacks.LearningRateSchedule(lambda epoch, lr: lr),  # type: ignore[call-arg,arg-type,misc]
            r"LearningRateSchedule: function is called with \(epoch\), but the function given takes \(epoch, lr\); let",
        ),
    ],
)
def test_what_takes_other_arguments_is_refused_before_the_first_step(make: Any, text: str) -> None:
    net = network()
    before = values(net)
    with pytest.raises(ArgumentError, match=text):
        fit(net, X, Y, epochs=1, callbacks=[make()])
    assert same(values(net), before)
