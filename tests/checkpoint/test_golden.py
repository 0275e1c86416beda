"""Files of every version of the format that there ever was stay loadable: one of each is kept for good."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import nnkit
from nnkit.checkpoint.places import FORMAT
from tests.checkpoint.going_on import X, Y
from tests.checkpoint.golden import make

FOLDER = Path(make.__file__).parent
FILES = sorted(FOLDER.glob("v*.h5"))


def test_there_is_one_of_each_version() -> None:
    assert {path.stem for path in FILES} == {f"v{version}" for version in range(1, FORMAT + 1)}
    assert {path.stem for path in FOLDER.glob("run*.h5")} == {f"run{version}" for version in range(2, FORMAT + 1)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_networks(path: Path) -> None:
    known = json.loads(path.with_suffix(".json").read_text())
    net = nnkit.load(path)
    assert np.allclose(net.predict(known["rows"]), known["predictions"], rtol=1e-5)
    assert net.classes == tuple(known["classes"])
    assert net._optimizer.config() == known["optimizer"]
    rows = [[0.5, -1.0, 2.0], [3.0, 0.25, -0.5]]
    net.fit(rows, ["no", "yes"], epochs=1, progress=False)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("run*.h5")), ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore:the training goes on, equal to rounding only")
def test_trainings(path: Path, tmp_path: Path) -> None:
    """They go on; on the machine and with the versions of that time to the bit, which is not asked for here."""
    copy = tmp_path / "run.h5"
    copy.write_bytes(path.read_bytes())
    known = json.loads(path.with_suffix(".json").read_text())
    run = nnkit.resume(copy, X, Y, progress=False)
    assert list(run.history) == list(known["history"])
    assert all(np.allclose(run.history[name], values, rtol=1e-4) for name, values in known["history"].items())
    assert np.allclose(run.network.predict(X[:2]), known["predictions"], atol=1e-4)
