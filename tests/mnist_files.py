"""Where the real files of MNIST are, if they are here."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(os.environ.get("NNKIT_DATA_DIR") or Path(__file__).parents[2] / "shared" / "mnist").absolute()
FOUND = any(FOLDER.glob("train-images-idx3-ubyte*"))
