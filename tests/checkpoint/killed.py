"""Trains with a checkpoint after every step, or goes on: ``python -m tests.checkpoint.killed PATH OPTIMIZER``.

It says ``begun`` when the first checkpoint can be gone on with, and is made to be killed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nnkit
from nnkit.training.result import TrainingRun
from tests.checkpoint.going_on import OPTIONS, X, Y, network, plain
from tests.optimizers.cases import CASES

METHODS: dict[str, Any] = CASES | {"lbfgs": nnkit.optimizers.LBFGS(history=4)}


def train(path: Path, case: str, epochs: int, callbacks: Any = ()) -> TrainingRun:
    """The training; every step is written."""
    made = plain() if case == "lbfgs" else network()
    options = OPTIONS | {"epochs": epochs, "optimizer": METHODS[case], "callbacks": callbacks}
    return made.fit(X, Y, checkpoint=path, every="1 step", **options)


class Begun(nnkit.Callback):
    """Says so after two steps."""

    every = "2 steps"

    def due(self, training: Any) -> None:
        """Say it."""
        if training.step == 2:
            print("begun", flush=True)

    def config(self) -> dict[str, Any]:
        """It need not be made again."""
        return {}


if __name__ == "__main__":
    where = Path(sys.argv[1])
    if where.exists():
        print("begun", flush=True)
        nnkit.resume(where, X, Y, callbacks=[Begun()], progress=False)
    else:
        train(where, sys.argv[2], int(sys.argv[3]), [Begun()])
    print("done", flush=True)
