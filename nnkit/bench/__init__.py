"""How fast a network trains and predicts on this machine, by wall clock from outside, alone or beside its peers."""

from nnkit.bench.contestant import Block
from nnkit.bench.frameworks import FRAMEWORKS, Framework, installed
from nnkit.bench.job import Job
from nnkit.bench.limit import LIMIT, Rates
from nnkit.bench.measurement import MANY, Measurement
from nnkit.bench.result import described_machine, limit_row, missing_row, row
from nnkit.bench.turns import Contestant, ContestantError, Turns, take_turns

__all__ = [
    "FRAMEWORKS",
    "LIMIT",
    "MANY",
    "Block",
    "Contestant",
    "ContestantError",
    "Framework",
    "Job",
    "Measurement",
    "Rates",
    "Turns",
    "described_machine",
    "installed",
    "limit_row",
    "missing_row",
    "row",
    "take_turns",
]
