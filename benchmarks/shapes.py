"""Networks drawn at random at each run, by size class, with the goals of the class: python benchmarks/shapes.py

Writes results/shapes.json, with the seed that they were drawn with.
"""

from __future__ import annotations

import argparse
import secrets
from typing import Any, NamedTuple

import numpy as np
from contest.compete import main, train
from contest.workloads import GOALS, Workload

from nnkit.bench import Rates


class Range(NamedTuple):
    """From where to where the sizes of a class go, both ends included, and how many networks are drawn."""

    inputs: tuple[int, int]
    layers: tuple[int, int]
    widths: tuple[int, int]
    outputs: tuple[int, int]
    batch: tuple[int, int]
    count: int

    def draw(self, random: np.random.Generator, name: str) -> Workload:
        """A network of the class; its sizes are drawn evenly on a logarithmic scale, and no size is preferred."""
        inputs, layers, outputs, batch = (
            _size(random, ends) for ends in (self.inputs, self.layers, self.outputs, self.batch)
        )
        same = name == "deep"  # as it is usual for networks of many layers
        widths = [_size(random, self.widths)] * layers if same else [_size(random, self.widths) for _ in range(layers)]
        return Workload((inputs, *widths, outputs), batch, GOALS[name])


CLASSES = {
    "tiny": Range((2, 16), (1, 3), (4, 16), (2, 4), (8, 64), 4),
    "small": Range((256, 1024), (1, 2), (64, 192), (4, 20), (32, 128), 4),
    "medium": Range((512, 1024), (2, 3), (384, 768), (8, 32), (96, 256), 3),
    "large": Range((1024, 2048), (2, 2), (2048, 4096), (8, 64), (768, 1280), 1),
    "deep": Range((32, 128), (8, 16), (64, 128), (2, 16), (32, 96), 3),
}


def _size(random: np.random.Generator, ends: tuple[int, int]) -> int:
    low, high = np.log(ends)
    return round(float(np.exp(random.uniform(low, high))))


def drawn(seed: int) -> list[tuple[str, Workload]]:
    """The networks of a seed, by class."""
    random = np.random.default_rng(seed)
    return [(name, ranges.draw(random, name)) for name, ranges in CLASSES.items() for _ in range(ranges.count)]


def measure(flags: argparse.Namespace, rates: Rates) -> dict[str, Any]:
    seed = secrets.randbits(32) if flags.seed is None else flags.seed
    rows: list[dict[str, Any]] = []
    for name, workload in drawn(seed)[: 2 if flags.quick else None]:
        rows += [row | {"class": name} for row in train(workload, flags.rounds, rates)]
    return {"seed": seed, "rows": rows}


if __name__ == "__main__":
    main("shapes", __doc__, measure)
