"""Diagnosis: where a training left its range, and how healthy it was, by evaluating its step node by node."""

from nnkit.diagnosis.blame import Blame
from nnkit.diagnosis.doctor import Finding, findings
from nnkit.diagnosis.failure import Failure
from nnkit.diagnosis.report import Line
from nnkit.diagnosis.step import Facts, Step
from nnkit.diagnosis.vitals import Vitals, vitals

__all__ = ["Blame", "Facts", "Failure", "Finding", "Line", "Step", "Vitals", "findings", "vitals"]
