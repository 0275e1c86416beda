"""What the page gives out, used without the page."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import nnkit
from nnkit.playground.lab import Lab
from tests.playground.browser.engine import lab
from tests.playground.browser.serving import Served
from tests.playground.browser.visits import Visit, Windows, visits

SETTINGS = {
    "data": "gauss",
    "classes": 3,
    "noise": 20,
    "hidden": [5, 4],
    "optimizer": "adam",
    "rate": 0.01,
    "seed": 3,
    "batch": 16,
}
EPOCHS = 4


class Exported(NamedTuple):
    """The files of one network, and what the page showed."""

    files: dict[str, bytes]
    test_loss: float
    engine: Lab


@pytest.fixture(scope="module")
def exported(windows: Windows, server: Served) -> Iterator[Exported]:
    with visits(windows, server.url) as visit:
        play = visit(**SETTINGS)
        play.steps(EPOCHS)
        files = {form: play.export(form) for form in ("python", "h5", "onnx", "json")}
        yield Exported(files, play.number("test-loss"), lab(files["json"]))


def test_the_script_gets_the_same_loss(exported: Exported, tmp_path: Path) -> None:
    (tmp_path / "network.py").write_bytes(exported.files["python"])
    command = [sys.executable, "network.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120)
    (found,) = re.findall(r"test loss ([\d.e-]+)", done.stdout)
    assert float(found) == pytest.approx(exported.engine.scored().test_loss, rel=1e-3)
    assert float(found) == pytest.approx(exported.test_loss, abs=6e-4)
    assert (tmp_path / "net.h5").exists()


def test_hdf5_is_the_network(exported: Exported, tmp_path: Path) -> None:
    (tmp_path / "network.h5").write_bytes(exported.files["h5"])
    net, x = nnkit.load(tmp_path / "network.h5"), exported.engine.subject.x_train
    np.testing.assert_allclose(net.predict(x), exported.engine.network.predict(x), rtol=1e-6)


def test_onnx_is_the_network(exported: Exported) -> None:
    runtime = pytest.importorskip("onnxruntime")
    session, x = runtime.InferenceSession(exported.files["onnx"]), exported.engine.subject.x_train
    (found,) = session.run(None, {session.get_inputs()[0].name: x})
    np.testing.assert_allclose(found, exported.engine.network.predict(x), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("form", ["json", pytest.param("h5", marks=pytest.mark.slow)])
def test_a_page_takes_it_back(exported: Exported, visit: Visit, form: str) -> None:
    expected = exported.engine.network.parameters()
    play = visit(**({} if form == "json" else {"data": "gauss", "classes": 3}))
    play.bring(f"network.{form}", exported.files[form])
    found = lab(play.export("json")) if play.notice("was read") else None
    assert found is not None
    for path, value in found.network.parameters().items():
        np.testing.assert_array_equal(value, expected[path])
    if form == "json":
        assert found.settings == exported.engine.settings
        play.until(lambda: play.number("test-loss") == exported.test_loss, "the loss that was exported")
