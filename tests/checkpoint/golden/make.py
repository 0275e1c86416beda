"""Makes the golden files of the present format: ``python -m tests.checkpoint.golden.make``.

It is run once for each version of the format, with the first nnkit that writes it; the files stay for good.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import nnkit
from nnkit.callbacks import EarlyStopping
from nnkit.checkpoint.places import FORMAT
from tests.checkpoint.going_on import OPTIONS, X, Y, network

ROWS = [[0.5, -1.0, 2.0], [3.0, 0.25, -0.5]]
FOLDER = Path(__file__).parent


def trained() -> None:
    """A network with states, classes, a scaling and a trained slope, with its predictions."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3)) * [1.0, 5.0, 0.2] + [0.0, 3.0, 1.0]
    y = np.where(x[:, 0] + x[:, 1] > 3.0, "yes", "no")
    layers = [nnkit.nn.Dense(4, "prelu"), nnkit.nn.BatchNorm(), nnkit.nn.Dropout(0.1), nnkit.nn.Dense(2, "softmax")]
    net = nnkit.Sequential(layers, input_shape=(3,), seed=1)
    optimizer = nnkit.optimizers.AdamW(0.01, weight_decay=0.01)
    net.fit(x, y, epochs=5, standardize=True, optimizer=optimizer, progress=False)
    net.save(FOLDER / f"v{FORMAT}.h5")
    known = {"rows": ROWS, "predictions": net.predict(ROWS).tolist(), "classes": net.classes}
    _write(f"v{FORMAT}.json", known | {"optimizer": optimizer.config()})


def under_way() -> None:
    """A training in the middle of its second epoch, with what became of it."""
    path = FOLDER / f"run{FORMAT}.h5"
    options = OPTIONS | {"optimizer": nnkit.optimizers.ExponentialMovingAverage(nnkit.optimizers.Adam(0.01))}
    with _Stopped():
        network().fit(X, Y, checkpoint=path, every="8 steps", callbacks=[EarlyStopping("loss")], **options)
    run = network().fit(X, Y, callbacks=EarlyStopping("loss"), **options)
    known = {"history": dict(run.history), "predictions": run.network.predict(X[:2]).tolist()}
    _write(f"run{FORMAT}.json", known)


class _Stopped:
    """Early stopping fails in its second epoch, as no callback of one's own could that a file holds."""

    def __enter__(self) -> None:
        self._epoch = EarlyStopping.epoch
        EarlyStopping.epoch = self._failing  # type: ignore[assignment,method-assign]

    def __exit__(self, *_: object) -> bool:
        EarlyStopping.epoch = self._epoch  # type: ignore[method-assign]
        return True

    def _failing(self, training: Any) -> None:
        if training.epoch == 2:
            raise KeyError


def _write(name: str, known: Any) -> None:
    (FOLDER / name).write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    trained()
    under_way()
