"""Diagnosis: where the numbers of a training left their range, by evaluating its step node by node."""

from nnkit.diagnosis.blame import Blame
from nnkit.diagnosis.failure import Failure
from nnkit.diagnosis.report import Line
from nnkit.diagnosis.step import Facts, Step

__all__ = ["Blame", "Facts", "Failure", "Line", "Step"]
