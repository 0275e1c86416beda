"""The JSON texts of a file: whatever stands in them is refused with a reason, or is what nnkit writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nnkit
from nnkit.checkpoint.text import parsed, written
from nnkit.errors import FileError
from tests.checkpoint.files import described

Change = Callable[[dict[str, Any]], object]


def _with(**entries: Any) -> Change:
    return lambda found: found.update(entries)


def _layer(**options: Any) -> Change:
    return lambda found: found["module"]["layers"][0].update(options)


ARCHITECTURES: dict[str, tuple[Change, str]] = {
    "an entry missing": (lambda found: found.pop("seed"), "lacks seed"),
    "an entry more": (_with(more=1), "has the unknown 'more'; known: classes, dtype, input_shape"),
    "shape": (_with(input_shape=[0]), r"has input_shape \[0\]; it is a list of whole numbers from 1"),
    "shape of floats": (_with(input_shape=[3.0]), "has input_shape"),
    "shape of truth": (_with(input_shape=[True]), "has input_shape"),
    "shape as a number": (_with(input_shape=3), "has input_shape 3"),
    "shape beyond any": (_with(input_shape=[2**63]), "has input_shape"),
    "a long shape": (_with(input_shape=[1] * 100), r"has input_shape \[1, 1, .*\.\.\.; it is"),
    "dtype": (_with(dtype="float16"), "has dtype 'float16'; it can be 'float32' or 'float64'"),
    "dtype as a list": (_with(dtype=["float32"]), "has dtype"),
    "seed": (_with(seed=-1), "has seed -1; it is a whole number from 0 to 2⁶⁴ − 1"),
    "a large seed": (_with(seed=2**64), "has seed"),
    "seed as truth": (_with(seed=True), "has seed True"),
    "module": (_with(module=[]), r"has module \[\]; it is an object"),
    "classes": (_with(classes="abc"), "has classes 'abc'; it is a list of names, or null"),
    "classes of other outputs": (
        _with(classes=["a"]),
        "has 1 different names of classes for a network that tells 2 apart",
    ),
    "a class twice": (_with(classes=["a", "a"]), "has 1 different names of classes for a network that tells 2 apart"),
    "preprocessing": (_with(preprocessing=[]), r"has preprocessing \[\]; it is an object, or null"),
    "scaling": (_with(preprocessing={"scaling": {"mean": [1]}}), "a scaling has the entries 'mean' and 'scale'"),
    "scaling too large": (
        _with(preprocessing={"scaling": {"mean": [1], "scale": ["1"]}}),
        "the scaling's scale is not",
    ),
    "unknown preprocessing": (_with(preprocessing={"x": 1}), "has preprocessing with the unknown 'x'; known: scaling,"),
    "time-ordered": (_with(preprocessing={"time_ordered": 1}), "has time_ordered 1; it is true or false"),
    "features": (_with(preprocessing={"features": [1]}), r"has features \[1\]; it is a list of names, or null"),
    "target": (_with(preprocessing={"target": 1}), "has target 1; it is a name, or null"),
    "no layer": (_with(module={}), "the module cannot be built: layer must be a name"),
    "unknown layer": (_layer(layer="os.system"), "the module cannot be built: unknown layer 'os.system'"),
    "unknown activation": (_layer(activation={"layer": "Activation", "function": "lambda x: x"}), "unknown activation"),
    "unknown option": (_layer(more=1), "the module cannot be built: .*has no argument 'more'"),
    "an initialiser as activation": (_layer(activation={"name": "normal"}), "module.layers.0.activation"),
    "unknown initialiser": (_layer(initializer="no"), "the module cannot be built: unknown initializer 'no'"),
    "option of another type": (_layer(bias=1), "module.layers.0.bias is not what nnkit writes"),
    "a billion neurons": (_layer(units=10**9), "must be between 1 and 10,000,000 neurons, got 1000000000"),
    "negative neurons": (_layer(units=-1), "must be between 1 and 10,000,000 neurons, got -1"),
    "neurons as truth": (_layer(units=True), "must be a whole number of neurons, got True"),
    "neurons as a float": (_layer(units=4.0), "must be a whole number of neurons, got 4.0"),
    "neurons as text": (_layer(units="4"), "must be a whole number of neurons, got '4'"),
    "layers as a number": (_with(module={"layer": "Sequential", "layers": 5}), "the module cannot be built: "),
    "a layer that is none": (_with(module={"layer": "Sequential", "layers": [5]}), r"layers\[0\] is 5, not a layer"),
    "a layer that is itself": (_with(module={"same_as": ""}), "unknown layer path ''"),
    "another name for a layer": (_layer(layer="dense"), "module.layers.0.layer is not what nnkit writes"),
    "a parameter of the wrong kind": (
        _layer(activation={"layer": "Activation", "function": "elu", "alpha": []}),
        "/architecture cannot be built: ",
    ),
    "layers of another number": (
        lambda found: found["module"]["layers"].pop(),
        "the file has /parameters/layers/2/bias, /parameters/layers/2/weight,",
    ),
    "another width": (_layer(units=5), r"has shape \(4,\), and \(5,\) is expected"),
    "another dtype": (_with(dtype="float64"), "has type float32, and little-endian float64 is expected"),
    "shapes that do not fit": (_with(input_shape=[]), "/architecture cannot be built: "),
}

TRAININGS: dict[str, tuple[Change, str]] = {
    "an entry missing": (lambda found: found.pop("loss"), "lacks loss"),
    "an entry more": (_with(more=1), "has the unknown 'more'; known: loss, optimizer"),
    "unknown loss": (_with(loss={"name": "os.system"}), "has no loss that can be made: unknown loss 'os.system'"),
    "loss as text": (_with(loss="huber"), "has no loss that can be made: loss: a configuration must be"),
    "unknown optimiser": (_with(optimizer={"name": "x"}), "has no optimizer that can be made: unknown optimizer 'x'"),
    "odd value": (
        _with(optimizer={"name": "sgd", "momentum": "0"}),
        "has no optimizer that can be made: SGD: momentum",
    ),
    "odd type": (
        _with(optimizer={"name": "sgd", "nesterov": 0}),
        "has (at optimizer.nesterov what|no optimizer that can be made)",
    ),
    "another spelling": (_with(optimizer={"name": "SGD"}), "has at optimizer.name what nnkit does not write"),
    "odd own": (_with(loss={"name": 1, "custom": True}), "has no loss that can be made"),
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architecture(name: str, saved: Path) -> None:
    change, reason = ARCHITECTURES[name]
    described(saved, change)
    with pytest.raises(FileError, match=reason):
        nnkit.load(saved)


@pytest.mark.parametrize("name", TRAININGS)
def test_training(name: str, saved: Path) -> None:
    change, reason = TRAININGS[name]
    described(saved, change, "training")
    with pytest.raises(FileError, match=f"/training .*{reason}"):
        nnkit.load(saved)


def test_options_that_a_later_version_adds_may_be_absent(saved: Path) -> None:
    described(saved, lambda found: [found["module"]["layers"][0].pop(name) for name in ("l1", "l2", "initializer")])
    described(saved, _with(optimizer={"name": "adam"}), "training")
    first = nnkit.load(saved).module.layers[0]
    assert first.penalty is None
    assert first.initializer is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "is not JSON: Expecting value"),
        (b"{'a': 1}", "is not JSON: "),
        (b'{"a": 1} {}', "is not JSON: Extra data"),
        (b'{"a": "\xff"}', "is not UTF-8: "),
        (b'{"a": 1, "a": 2}', "names 'a' twice"),
        (b"[" * 33 + b"]" * 33, "is nested more than 32 deep"),
        (b'{"a":' * 3_000, "is nested more than 32 deep"),
        (b"[" + b"[]," * 200_000 + b"1]", "has more than 200,000 lists and objects"),
        (b" " * 4_000_001, "has 4,000,001 bytes, more than the 4,000,000 that are read"),
        (b"1" * 1_000_000, "has a whole number of 1,000,000 digits; 20 are the most"),
        (b"[1e999]", "has a number that is too large: 1e999"),
        (b"[NaN]", "holds NaN, which is no number in JSON"),
        (b"[-Infinity]", "holds -Infinity, which is no number in JSON"),
    ],
)
def test_texts_that_are_refused(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parsed(text)


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, 2.5, None, True, "[[[" * 100]},
        '\\"[',
        ["\\", '"', "[" * 40],
        [[]] * 100_000,
        "x" * 3_000_000,
        2**64 - 1,
    ],
)
def test_texts_come_back(value: Any) -> None:
    assert parsed(written(value)) == value


def test_a_text_of_many_layers_needs_a_file_of_many_arrays(tmp_path: Path) -> None:
    """They take a minute to build."""
    path = tmp_path / "net.h5"
    nnkit.Sequential([nnkit.nn.Dense(1, "tanh") for _ in range(300)], input_shape=(1,)).save(path)
    assert len(nnkit.load(path).module.layers) == 300  # 600 with their activations
    described(path, lambda found: found["module"]["layers"].extend([{"layer": "Flatten"}] * 5000))
    with pytest.raises(FileError, match=r"/architecture describes 5,601 layers, and .* than 1,276 groups"):
        nnkit.load(path)
