"""Predictions as a block of calls."""

from __future__ import annotations

from nnkit.bench.contestant import Block
from nnkit.bench.job import Job


def calls(job: Job, rows: int, predict: Block) -> tuple[Block, int]:
    """A block of calls that predict ``rows`` rows each, and how many calls it has."""
    count = job.calls(rows)

    def run() -> None:
        for _ in range(count):
            predict()

    return run, count
