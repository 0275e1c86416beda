"""What is known of a metric beside its formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from nnkit.metrics.running import Running

Array = Any
Function = Callable[..., Any]
KINDS = ("classes", "binary", "numbers")


@dataclass(frozen=True)
class Metric:
    """A row of the table, or a metric of your own of which more is known than its function.

    Args:
        name: what it is called in ``run.history`` and in results.
        function: (target, prediction, sample_weight) → number, on NumPy arrays; ``sample_weight`` may be None.
        targets: kinds of targets that it is for, as ``Loss.targets`` names them.
        more_is_better: which way is up, for ``EarlyStopping(mode="auto")``; None if not known.
        form: what the function reads. "labels": class numbers (rows,) and scores or probabilities (of true
            probabilities, the class with the largest, or a yes above a half); "shares": the same, but true
            probabilities as they are; "numbers": both arrays (rows, outputs); "own": targets as
            they were given and predictions as ``predict`` gives them, (rows,) both where there is one output.
        running: the same row by row in Array API functions, if it is a sum over rows; training then has its mean.
        weighted: whether ``fit`` and ``test`` hand it their sample weights; see ``Weighted``.
        classes: how many there must be at least.
        columns: the function for several answers of yes or no in each row, where these are not each a row of its own:
            it reads 0 and 1 and predictions, (rows, answers) both.

    >>> Metric("bias", lambda t, p, w: (p - t).mean(), targets=("numbers",), more_is_better=False).name
    'bias'
    """

    name: str
    function: Function
    targets: tuple[str, ...] = KINDS
    more_is_better: bool | None = None
    form: Literal["labels", "shares", "numbers", "own"] = "own"
    running: Running | None = None
    weighted: bool = False
    classes: int = 0
    columns: Function | None = None

    def __call__(self, target: Array, prediction: Array, sample_weight: Array = None) -> Any:
        """The value."""
        return self.function(target, prediction, sample_weight)
