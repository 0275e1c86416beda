"""The file as other programs find it: what docs/FORMAT.md says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import h5py
import numpy as np

import nnkit
from tests.checkpoint.files import small

TEXTS = ("architecture", "training", "about/record", "about/epochs", "about/written_by")


def test_the_layout(saved: Path) -> None:
    values = small()._model.values()
    with h5py.File(saved) as file:
        assert set(file) == {*TEXTS[:2], "format", "checksums", "parameters", "state", "sample", "about"}
        assert set(file["about"]) == {"record", "epochs", "written_by", "history", "times"}
        assert file["format"][()] == 2
        assert file["format"].dtype == "<i8"
        assert set(file["parameters/layers"]) == {"0", "1", "2"}
        assert set(file["parameters/layers/0"]) == {"weight", "bias", "activation"}
        assert np.array_equal(file["parameters/layers/0/activation/slope"], values["layers.0.activation.slope"])
        assert np.array_equal(file["parameters/layers/2/weight"], values["layers.2.weight"])
        assert np.array_equal(file["state/layers/1/variance"], values["layers.1.variance"])
        assert file["state/layers/1/variance"].dtype == "<f4"


def test_the_texts(saved: Path) -> None:
    with h5py.File(saved) as file:
        texts = {name: json.loads(file[name].asstr()[()]) for name in TEXTS}
        assert all(file[name].shape == () and not file[name].attrs for name in texts)
    assert texts["training"] == {"loss": None, "optimizer": None}
    assert set(texts["architecture"]) == {"input_shape", "dtype", "seed", "module", "classes", "preprocessing"}
    assert texts["architecture"]["module"]["layers"][1] == {"layer": "BatchNorm", "momentum": 0.1, "eps": 1e-05}


def test_the_training_is_described(tmp_path: Path) -> None:
    net = nnkit.FeedForward(inputs=2, outputs=1)
    net.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=1, optimizer="sgd", loss="huber", progress=False)
    net.save(tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5") as file:
        found = json.loads(file["training"][()])
    assert found["loss"] == {"name": "huber", "delta": 1.0}
    assert found["optimizer"]["name"] == "sgd"


def test_the_checksums_are_plain_sha256_of_every_data_set(saved: Path) -> None:
    with h5py.File(saved) as file:
        sums = json.loads(file["checksums"][()])
        found: dict[str, str] = {}

        def add(name: str, thing: h5py.Dataset | h5py.Group) -> None:
            if isinstance(thing, h5py.Dataset) and name != "checksums":
                found[name] = hashlib.sha256(thing[()].tobytes()).hexdigest()

        file.visititems(add)
    assert sums == found


def test_only_hdf5_1_8_is_needed_to_read_it(saved: Path) -> None:
    assert saved.read_bytes()[8] == 2  # version of the superblock


def test_the_page_describes_this_version() -> None:
    page = (Path(__file__).parents[2] / "docs" / "FORMAT.md").read_text(encoding="utf-8")
    groups = ("parameters", "state", "sample", "about/history", "about/times", "moments", "callbacks")
    for name in (*TEXTS, "format", "checksums", "progress", *groups):
        assert f"`/{name}`" in page
