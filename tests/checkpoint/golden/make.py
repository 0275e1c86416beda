"""Makes the golden file of the present format: ``python tests/checkpoint/golden/make.py``.

It is run once for each version of the format, with the first nnkit that writes it; the files stay for good.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import nnkit
from nnkit.checkpoint.places import FORMAT

ROWS = [[0.5, -1.0, 2.0], [3.0, 0.25, -0.5]]


def main() -> None:
    """Train a network with states, classes, a scaling and a trained slope, and save it with its predictions."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3)) * [1.0, 5.0, 0.2] + [0.0, 3.0, 1.0]
    y = np.where(x[:, 0] + x[:, 1] > 3.0, "yes", "no")
    layers = [nnkit.nn.Dense(4, "prelu"), nnkit.nn.BatchNorm(), nnkit.nn.Dropout(0.1), nnkit.nn.Dense(2, "softmax")]
    net = nnkit.Sequential(layers, input_shape=(3,), seed=1)
    optimizer = nnkit.optimizers.AdamW(0.01, weight_decay=0.01)
    net.fit(x, y, epochs=5, standardize=True, optimizer=optimizer, progress=False)
    folder = Path(__file__).parent
    net.save(folder / f"v{FORMAT}.h5")
    known = {"rows": ROWS, "predictions": net.predict(ROWS).tolist(), "classes": net.classes, "loss": "cross_entropy"}
    (folder / f"v{FORMAT}.json").write_text(json.dumps(known | {"optimizer": optimizer.config()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
