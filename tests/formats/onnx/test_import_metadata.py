"""The names that nnkit writes beside the nodes come back; what others write there under the same keys is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.data import Preprocessing, Scaling
from tests.formats.onnx.graphs import loaded, model, node, weights

CLASSES, FEATURES = ("Katze", "Hund ≥ 3", "🐢"), ("länge", "b, c")
SCALING = Scaling(np.array([1.0, 2.0]), np.array([0.5, 4.0]))


@pytest.mark.parametrize("scaling", [None, SCALING])
def test_names_come_back(scaling: Scaling | None, tmp_path: Path) -> None:
    net = nnkit.FeedForward(inputs=2, hidden=[4], outputs=3, output_activation="softmax", seed=0)
    net.classes, net.preprocessing = CLASSES, Preprocessing(scaling, FEATURES, "animal")
    net.export(tmp_path / "net.onnx")
    again = nnkit.load(tmp_path / "net.onnx")
    assert again.classes == CLASSES
    assert (again.preprocessing.features, again.preprocessing.target) == (FEATURES, "animal")
    assert (again.preprocessing.scaling is None) == (scaling is None)


def test_two_names_of_one_output(tmp_path: Path) -> None:
    net = nnkit.FeedForward(inputs=2, outputs=1, output_activation="sigmoid", seed=0)
    net.classes = ("no", "yes")
    net.export(tmp_path / "net.onnx")
    assert nnkit.load(tmp_path / "net.onnx").classes == ("no", "yes")


def with_metadata(folder: Path, **texts: Any) -> nnkit.Network:
    made = model([node("Gemm", "x w", "g"), node("Softmax", "g", "y")], {"w": weights(3, 2)})
    for key, value in texts.items():
        entry = made.metadata_props.add()
        entry.key, entry.value = key, value
    return loaded(made, folder)


@pytest.mark.parametrize(
    "text",
    [
        "cat,dog",
        "[" * 100_000,
        '["a"]',
        '["a", "a"]',
        '["a", 1]',
        '{"0": "a", "1": "b"}',
        "null",
        "NaN",
        '"ab"',
        "",
        "[]",
        json.dumps(["a", "b", "c", "d"]),
        " " * 4_000_001,
    ],
)
def test_what_is_no_names_is_left_out(text: str, tmp_path: Path) -> None:
    net = with_metadata(tmp_path, classes=text, features=text)
    assert net.classes is None
    assert net.preprocessing is None


@pytest.mark.parametrize("text", ["species", "1", "[]", "null", "{"])
def test_a_target_that_is_no_text_is_left_out(text: str, tmp_path: Path) -> None:
    assert with_metadata(tmp_path, target=text).preprocessing is None


def test_names_that_fit_are_taken_beside_those_that_do_not(tmp_path: Path) -> None:
    net = with_metadata(tmp_path, classes='["a", "b"]', features='["a", "b"]', target='"kind"', author="somebody")
    assert net.classes == ("a", "b")
    assert net.preprocessing == Preprocessing(target="kind")


def test_bytes_that_are_no_text_are_left_out(tmp_path: Path) -> None:
    net = nnkit.FeedForward(inputs=2, outputs=2, output_activation="softmax", seed=0)
    net.classes = ("aa", "bb")
    net.export(tmp_path / "net.onnx")
    data = (tmp_path / "net.onnx").read_bytes()
    assert data.count(b'"aa"') == 1
    assert loaded(data.replace(b'"aa"', b'"\xff\xfe"'), tmp_path).classes is None
