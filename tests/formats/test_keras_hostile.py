"""Files of Keras's form that do not fit, that somebody edited, or made to do harm: refused, and nothing changes."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.errors import ArgumentError, FileError

Edit = Callable[[h5py.File], object]
KERNEL = "layers/dense/vars/0"
VALUES = np.ones((3, 4), np.float32)


def small(seed: int = 1) -> nnkit.Network:
    """3 inputs, 4 + 2 neurons, with states and a trained slope."""
    layers = [nn.Dense(4, "prelu"), nn.BatchNorm(), nn.Dropout(0.1), nn.Dense(2)]
    return nnkit.Sequential(layers, input_shape=(3,), seed=seed)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The file of the small network."""
    path = tmp_path / "net.weights.h5"
    small().export(path)
    return path


def _linked(link: Any, place: str = KERNEL) -> Edit:
    def edit(file: h5py.File) -> None:
        del file[place]
        file[place] = link

    return edit


def _as(value: Any, place: str = KERNEL, **options: Any) -> Edit:
    def edit(file: h5py.File) -> None:
        if place in file:
            del file[place]
        file.create_dataset(place, data=value, **options)

    return edit


def _shaped(**options: Any) -> Edit:
    def edit(file: h5py.File) -> None:
        del file[KERNEL]
        file.create_dataset(KERNEL, **options)

    return edit


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3, 4), "<f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (3, 4))
    del file[KERNEL]
    file.create_virtual_dataset(KERNEL, layout)


def _cycle(file: h5py.File) -> None:
    file["layers/sequential/layers"] = file["layers"]


def _twice(file: h5py.File) -> None:
    del file["layers/dense_1/vars/1"]
    file["layers/dense_1/vars/1"] = file["layers/batch_normalization/vars/1"]


def _bomb(file: h5py.File) -> None:
    del file[KERNEL]
    file.create_dataset(KERNEL, data=VALUES, chunks=(3, 4), compression="gzip")
    file[KERNEL].id.write_direct_chunk((0, 0), zlib.compress(bytes(30_000_000), 9))


INDEX = "the file has an index of something else than names, such as many attributes"


def _attributes(place: str, count: int) -> Edit:
    return lambda file: [file[place].attrs.create(f"a{number}", number) for number in range(count)]


def _layer(name: str, *shapes: tuple[int, ...], place: str = "layers") -> Edit:
    """One more layer."""

    def edit(file: h5py.File) -> None:
        group = file.create_group(f"{place}/{name}/vars")
        for number, shape in enumerate(shapes):
            group[str(number)] = np.ones(shape, np.float32)

    return edit


def _deep(file: h5py.File) -> None:
    _layer("dense", (1, 1), place="/".join(["layers", *["sequential/layers"] * 40]))(file)


def _many(file: h5py.File) -> None:
    for number in range(1100):
        file.create_group(f"layers/dropout_{number + 1}/vars")


def _both(*edits: Edit) -> Edit:
    return lambda file: [edit(file) for edit in edits]


def _moved(old: str, new: str) -> Edit:
    return lambda file: file.move(old, new)


FITS = "give the network the layers that the Keras model has"
CHAIN = "save the weights of a keras.Sequential of layers that nnkit has, one after the other"

REFUSED: dict[str, tuple[Edit, str]] = {
    # links, and values that are not in this file
    "external link": (_linked(h5py.ExternalLink("other.h5", "/x")), f"/{KERNEL} is a link, and nnkit follows none"),
    "soft link": (_linked(h5py.SoftLink("/layers/dense_1/vars/0")), f"/{KERNEL} is a link"),
    "all layers by an external link": (_linked(h5py.ExternalLink("o.h5", "/"), "layers"), "/layers is a link"),
    "a layer by a link": (_linked(h5py.SoftLink("/layers/dense_1"), "layers/dense"), "/layers/dense is a link"),
    "variables by a link": (_linked(h5py.SoftLink("/vars"), "layers/dense/vars"), "/layers/dense/vars is a link"),
    "layers in themselves": (_cycle, "/layers/sequential/layers.* stands in two places"),
    "one array twice": (_twice, "/layers/.* stands in two places"),
    "a named type": (_linked(np.dtype("<f4")), f"/{KERNEL} is a data type, and nnkit keeps none"),
    "external storage": (
        _shaped(shape=(3, 4), dtype="<f4", external=[("other.bin", 0, 48)]),
        f"/{KERNEL} keeps its values outside this file",
    ),
    "virtual": (_virtual, f"/{KERNEL} keeps its values outside this file"),
    # types, sizes, values
    **{
        f"as {kind}": (
            _as(np.zeros((3, 4), kind)),
            rf"/{KERNEL} has type \S+, and little-endian float16 or float32 or float64 is expected; use another copy, "
            "or save the weights of a Keras model in float32",
        )
        for kind in (">f4", "<i4", "<i1", "<c8", "S4", "?", "V2")
    },
    "texts": (_as(np.full((3, 4), "a", dtype=object)), f"/{KERNEL} has type object, and"),
    "nothing stored": (_shaped(shape=(3, 4), dtype="<f4"), f"/{KERNEL} needs 48 bytes, and 0 are stored"),
    "a terabyte declared": (
        _shaped(shape=(500_000, 500_000), dtype="<f4"),
        rf"has /{KERNEL} \(500000, 500000\) where the network has \(3, 4\)",
    ),
    "null space": (_as(h5py.Empty("<f4")), rf"has /{KERNEL} \(\) where the network has \(3, 4\)"),
    "can grow": (_as(VALUES, maxshape=(None, 4)), f"/{KERNEL} can grow to"),
    "another filter": (_as(VALUES, fletcher32=True), f"/{KERNEL} is packed with the filter 3"),
    "a compression bomb": (_bomb, f"/{KERNEL} has a chunk of 49 bytes instead of 48"),
    "NaN": (_as(VALUES * np.nan), f"/{KERNEL} holds NaN, infinity, or a number beyond float32"),
    "beyond float32": (
        _as(np.full((3, 4), 1e300)),
        f"/{KERNEL} holds NaN, infinity, or a number beyond float32; use an",
    ),
    # attributes and names
    "attributes of an array": (_attributes(KERNEL, 9), f"/{KERNEL} has 9 attributes, and nnkit reads none|{INDEX}"),
    "attributes of a group": (_attributes("layers/dense", 5000), f"/layers/dense has 5,000 attributes|{INDEX}"),
    "attributes at the top": (_attributes("/", 9), f"the file has 9 attributes, and nnkit reads none|{INDEX}"),
    "up and out": (_layer("..", (2, 2)), r"the file has /layers/\.\., which have no counterpart in nnkit"),
    "an absolute path": (
        _moved("layers/dense_1", "layers/etc/passwd"),
        f"the file has /layers/etc, which have no counterpart in nnkit; {CHAIN}",
    ),
    "a name that acts": (
        _layer("\u202e\n" + "x" * 1000),
        r"the file has '/layers/\\u202e\\nxxx.*\.\.\., which have no",
    ),
    "a number that is no number": (_layer("dense_01", (2, 2)), "has /layers/dense_01, which have no counterpart"),
    "many": (_many, "/layers leads to more than the 60 things that are expected"),
    "deep": (_deep, "/layers/sequential/layers/.* is nested more than 32 deep"),
    # what is no layer
    "a gap": (
        _moved("layers/dense_1/vars/1", "layers/dense_1/vars/2"),
        "/layers/dense_1/vars/2 is not one of the 2 arrays 0, 1, … of a layer",
    ),
    "a text for a number": (_moved(KERNEL, f"{KERNEL}x"), "/layers/dense/vars/0x is not one of the 2 arrays"),
    "an array for the variables": (_as(1.0, "layers/dense/vars"), "/layers/dense/vars is an array, and a group of"),
    "a group for an array": (
        lambda file: (file.pop(KERNEL), file.create_group(KERNEL)),
        f"/{KERNEL} is a group, and an array is expected",
    ),
    "an array for a layer": (_as(1.0, "layers/dropout"), "the file has /layers/dropout, which have no counterpart"),
    "an array for all layers": (_as(1.0, "layers"), r"lacks /layers/batch_normalization/vars/0 \(4,\)"),
    "layers twice": (
        _layer("dense", (2, 2), place="_layer_checkpoint_dependencies"),
        "/layers has layers, and so has /_layer_checkpoint_dependencies|/_layer_.* has layers, and so has /layers",
    ),
    "an older layout": (
        _moved("layers", "dense"),
        "the file has no /layers, which Keras 3 writes; load it in a Keras model, and save that",
    ),
    # other models
    "attributes of a class": (
        _layer("first", (2, 2), place="/"),
        "the file has /first, which are attributes of a class, of which the file does not say in which order; " + CHAIN,
    ),
    "variables of the model": (
        _as(1.0, "vars/0"),
        "has /vars/0, which belong to the model itself and to no la",
    ),
    "layers that nnkit lacks": (
        _both(_layer("conv2d", (2, 2)), _layer("add"), _layer("normalization", (2,), (2,), ())),
        f"has /layers/add, /layers/conv2d, /layers/normalization, which have no counterpart in nnkit; {CHAIN}",
    ),
    "many that it lacks": (
        _both(*(_layer(f"lambda_{number}") for number in range(1, 14))),
        "/layers/lambda_5, /layers/lambda_6 and 3 more, which have no counterpart",
    ),
    "a layer around a layer": (
        _both(_layer("spectral_normalization", (2, 2)), _layer("layer", (2, 2), place="layers/spectral_normalization")),
        "has /layers/spectral_normalization, which have no counterpart",
    ),
    "a model with attributes": (
        _both(_layer("dense", (2, 2), place="layers/model/layers"), _layer("first", (2,), place="layers/model")),
        "has /layers/model/first, which have no counterpart",
    ),
    "a layer more": (
        _layer("dense_2", (2, 5), (5,)),
        r"has /layers/dense_2/vars/0 \(2, 5\), /layers/dense_2/vars/1 \(5,\), which the network does not; " + FITS,
    ),
    "a layer less": (
        lambda file: file.pop("layers/dense_1"),
        r"lacks /layers/dense_1/vars/0 \(4, 2\), /layers/dense_1/vars/1 \(2,\) "
        r"\(/layers/dense_1/vars/0 is for layer 'layers.3' \(Dense\)\); " + FITS,
    ),
    "another class": (
        _moved("layers/batch_normalization", "layers/layer_normalization"),
        r"lacks /layers/batch_normalization/vars/0 \(4,\) \[nearest: /layers/layer_normalization/vars/\d\], .*; has "
        r"/layers/layer_normalization/vars/0 \(4,\), .*, which the network does not \(.* 'layers.1' \(BatchNorm\)\)",
    ),
    "no bias": (lambda file: file.pop("layers/dense/vars/1"), r"lacks /layers/dense/vars/1 \(4,\) \(/lay.*'layers.0'"),
    "no scale": (
        lambda file: file.pop("layers/batch_normalization/vars/3"),
        r"lacks /layers/batch_normalization/vars/3 \(4,\)",
    ),
    "a variable more": (
        lambda file: file.create_dataset("layers/dense/vars/2", data=VALUES[0]),
        r"has /layers/dense/vars/2 \(4,\), which the network does not; " + FITS,
    ),
    "another shape": (
        _as(VALUES.T),
        rf"has /{KERNEL} \(4, 3\) where the network has \(3, 4\) \(/{KERNEL} is for layer 'layers.0' \(De.*; {FITS}",
    ),
    "another slope": (
        _as(np.ones((2, 4), np.float32), "layers/p_re_lu/vars/0"),
        r"has /layers/p_re_lu/vars/0 \(2, 4\) where the network has \(4,\) .* is for layer 'layers.0.activation' \(PR",
    ),
    "variables where none are": (
        _layer("activation", (2,)),
        r"has /layers/activation/vars/0 \(2,\), which the network does not",
    ),
    "a slope in a layer that has none": (
        _layer("activation", (2,), place="layers/dense_1"),
        r"has /layers/dense_1/activation/vars/0 \(2,\), which the network does not",
    ),
    "a model in the model": (
        _layer("dense", (2, 2), place="layers/sequential/layers"),
        "the file has a model in its model, /layers/sequential, and the network there has 0 of them; nest the layers",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, written: Path) -> None:
    edit, reason = REFUSED[name]
    with h5py.File(written, "r+") as file:
        edit(file)
    net = small(seed=2)
    before, there = net._model.values(), sorted(written.parent.iterdir())
    began = time.process_time()
    with pytest.raises(FileError, match=reason) as caught:
        net.load_parameters(written)
    assert time.process_time() - began < 1
    assert str(caught.value).startswith(f"{written}")
    assert all(np.array_equal(value, before[leaf]) for leaf, value in net._model.values().items())
    assert sorted(written.parent.iterdir()) == there


def test_models_of_several_classes_have_no_order(tmp_path: Path) -> None:
    inner = [nn.Sequential([nn.Dense(3)]) for _ in range(2)]
    net, path = nnkit.Sequential(inner, input_shape=(3,)), tmp_path / "net.weights.h5"
    net.export(path)
    with h5py.File(path, "r+") as file:
        file.move("layers/sequential_1", "layers/functional")
    with pytest.raises(FileError, match=r"does not say in which order /layers/functional, /layers/sequential compute;"):
        net.load_parameters(path)


def test_attributes_are_not_read(written: Path) -> None:
    """What is in them does not matter, and a large one costs nothing."""
    with h5py.File(written, "r+", libver="latest") as file:
        file["layers/dense/vars"].attrs["name"] = b"\xff\xfe"
        file[KERNEL].attrs["large"] = np.zeros(7_000)
        file[KERNEL].attrs["dtype"] = "bfloat16"
    net = small(seed=2)
    net.load_parameters(written)
    assert np.array_equal(net.parameters()["layers.0.weight"], small().parameters()["layers.0.weight"])


def test_what_keras_keeps_of_its_training_is_not_looked_at(written: Path) -> None:
    with h5py.File(written, "r+") as file:
        file["optimizer"] = h5py.ExternalLink("other.h5", "/")
        file["_private"] = h5py.SoftLink("/nowhere")
    net = small(seed=2)
    net.load_parameters(written)
    assert np.array_equal(net.predict(np.ones((1, 3))), small().predict(np.ones((1, 3))))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty; use another copy"),
        (
            b"PK\3\4 a zip file",
            "is not an HDF5 file; give the name of a file that a Keras model's save_weights, or net.e",
        ),
        (b"\x89HDF\r\n\x1a\n and nothing more", "is damaged: "),
    ],
)
def test_no_such_file(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "net.weights.h5"
    with pytest.raises(FileError, match=r"net.weights.h5 does not exist; check the name"):
        small().load_parameters(path)
    path.write_bytes(content)
    with pytest.raises(FileError, match=reason):
        small().load_parameters(path)


def test_networks_that_keras_has_not(written: Path) -> None:
    net = nnkit.Sequential([nn.WeightNorm(nn.Dense(4))], input_shape=(3,))
    with pytest.raises(ArgumentError, match=r"layer 'layers.0' \(WeightNorm\) has no counterpart in Keras"):
        net.load_parameters(written)


def test_where_it_cannot_go(tmp_path: Path) -> None:
    (tmp_path / "folder.weights.h5").mkdir()
    with pytest.raises(FileError, match=r"is a folder; add the name of a file, such as .*net.weights.h5"):
        small().export(tmp_path / "folder.weights.h5")


def test_an_error_while_writing_leaves_the_old_file(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    before = written.read_bytes()
    monkeypatch.setattr("nnkit.checkpoint.stream.Stream._tried", full)
    with pytest.raises(FileError, match="could not be written: No space left on device"):
        small(seed=2).export(written)
    assert written.read_bytes() == before
    assert list(written.parent.iterdir()) == [written]
