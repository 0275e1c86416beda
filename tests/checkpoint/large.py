"""A network of a gigabyte, saved and loaded: ``python -m tests.checkpoint.large save|load PATH`` says what it took."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nnkit
from tests.checkpoint.hostile.measured import measured, memory

WIDTH = 8192


def main(what: str, path: Path) -> None:
    """Save it, or load it; seconds, and the growth of the process beyond what it had or the parameters take."""
    answer: dict[str, float] = {}
    if what == "save":
        net = nnkit.FeedForward(inputs=WIDTH, hidden=[WIDTH] * 4, outputs=10)
        net.predict([[0.0] * WIDTH])  # modules that are imported late, and the program of a prediction
        with measured(answer):
            net.save(path)
    else:
        nnkit.FeedForward(inputs=2, outputs=1).save(small := path.with_name("small.h5"))
        nnkit.load(small)
        before = memory("VmRSS")
        with measured(answer):
            net = nnkit.load(path)
        answer["kept_mb"] = memory("VmRSS") - before
    answer["parameters_mb"] = net._model.store.nbytes() / 1e6
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
