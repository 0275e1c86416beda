"""What is kept of a step that could not be done."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from nnkit.diagnosis.blame import Blame, blame
from nnkit.diagnosis.kept import keep
from nnkit.diagnosis.report import Line, lines, report
from nnkit.diagnosis.step import Step
from nnkit.diagnosis.stored import load, save


class Failure:
    """The step that the guard refused, and where its numbers left their range; ``print`` it.

    ``path`` is the file that does this step again with ``nnkit replay``, None where it could not be written. The files
    of a user's last five failures stay; ``save`` writes one elsewhere.
    """

    def __init__(self, step: Step, path: str | None = None) -> None:
        self.step = step
        self.path = path

    @classmethod
    def kept(cls, step: Step) -> Failure:
        """With a file in the system's folder for temporary files, among the last few."""
        return cls(step, keep(step))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Failure:
        """From a file that a failed training or ``save`` wrote."""
        return cls(load(path), os.fspath(path))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the step, with the parameters before it and the rows of its batch, to do it again elsewhere."""
        save(self.step, path)

    def forget(self) -> None:
        """Remove the file."""
        if self.path is not None:
            Path(self.path).unlink(missing_ok=True)
        self.path = None

    @cached_property
    def blame(self) -> Blame | None:
        """The first value that is not finite; None if evaluating the step by itself finds none."""
        return blame(self.step)

    @cached_property
    def lines(self) -> list[Line]:
        """Layer by layer, how large the numbers of the step are."""
        return lines(self.step)

    def __str__(self) -> str:
        return report(self.step)

    def __repr__(self) -> str:
        return f"<failure: epoch {self.step.epoch}, step {self.step.number}>"
