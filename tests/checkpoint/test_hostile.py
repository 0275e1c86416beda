"""Files that somebody made to do harm, or edited: refused from their structure, before anything is allocated."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest

import nnkit
from nnkit.checkpoint import container, stored
from nnkit.checkpoint.container import Container
from nnkit.errors import FileError
from tests.checkpoint.files import ROWS, WEIGHT, described, edited, replace, small

Edit = Callable[[h5py.File], object]
VALUES = np.ones((3, 4), np.float32)


def _linked(link: Any, place: str = WEIGHT) -> Edit:
    def edit(file: h5py.File) -> None:
        del file[place]
        file[place] = link

    return edit


def _as(value: Any, **options: Any) -> Edit:
    return lambda file: replace(file, WEIGHT, value, **options)


def _shaped(**options: Any) -> Edit:
    def edit(file: h5py.File) -> None:
        del file[WEIGHT]
        file.create_dataset(WEIGHT, **options)

    return edit


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3, 4), "<f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (3, 4))
    del file[WEIGHT]
    file.create_virtual_dataset(WEIGHT, layout)


def _type_by_name(file: h5py.File) -> None:
    file["parameters/kind"] = np.dtype("<f4")
    kind = file["parameters/kind"]
    del file[WEIGHT]
    file.create_dataset(WEIGHT, data=VALUES, dtype=kind)
    del file["parameters/kind"]


def _cycle(file: h5py.File) -> None:
    del file["parameters/layers/0"]
    file["parameters/layers/0"] = file["parameters/layers"]


def _one_array_twice(file: h5py.File) -> None:
    del file["state/layers/1/mean"]
    file["state/layers/1/mean"] = file["state/layers/1/variance"]


def _null(file: h5py.File) -> None:
    del file[WEIGHT]
    file[WEIGHT] = h5py.Empty("<f4")


def _many(place: str) -> Edit:
    return lambda file: [file[place].create_group(str(number)) for number in range(1020, 2100)]


def _bytes_in_chunks(data: bytes, **options: Any) -> Edit:
    def edit(file: h5py.File) -> None:
        del file[WEIGHT]
        file.create_dataset(WEIGHT, data=VALUES, chunks=(3, 4), **options)
        file[WEIGHT].id.write_direct_chunk((0, 0), data)

    return edit


HOSTILE: dict[str, tuple[Edit, str]] = {
    "external link": (_linked(h5py.ExternalLink("other.h5", "/x")), f"/{WEIGHT} is a link, and nnkit follows none"),
    "soft link": (_linked(h5py.SoftLink("/parameters/layers/2/weight")), f"/{WEIGHT} is a link"),
    "external link on the way": (_linked(h5py.ExternalLink("o.h5", "/"), "parameters/layers"), "/layers is a link"),
    "soft link to a text": (_linked(h5py.SoftLink("/training"), "architecture"), "/architecture is a link"),
    "soft link as the version": (_linked(h5py.SoftLink("/x"), "format"), "/format is a link"),
    "a group that contains itself": (_cycle, "/parameters/layers/0 stands in two places|lacks /parameters/layers/0/"),
    "two names for one array": (_one_array_twice, "/state/layers/1/.* stands in two places"),
    "a named type": (_linked(np.dtype("<f4")), f"/{WEIGHT} is a data type, and nnkit keeps none"),
    "a type from elsewhere": (_type_by_name, f"/{WEIGHT} takes its type from another place in the file"),
    "references": (_as([[None] * 4] * 3, dtype=h5py.ref_dtype), f"/{WEIGHT} has type object"),
    "external storage": (
        _shaped(shape=(3, 4), dtype="<f4", external=[("other.bin", 0, 48)]),
        f"/{WEIGHT} keeps its values outside this file",
    ),
    "virtual": (_virtual, f"/{WEIGHT} keeps its values outside this file"),
    "nothing stored": (_shaped(shape=(3, 4), dtype="<f4"), f"/{WEIGHT} needs 48 bytes, and 0 are stored"),
    "a terabyte declared": (
        _shaped(shape=(500_000, 500_000), dtype="<f4"),
        r"has shape \(500000, 500000\), and \(3, 4\)",
    ),
    "null space": (_null, f"/{WEIGHT} has shape None, and "),
    "scalar": (_as(np.float32(1)), rf"/{WEIGHT} has shape \(\), and \(3, 4\) is expected"),
    "another rank": (_as(VALUES.reshape(12)), rf"/{WEIGHT} has shape \(12,\), and \(3, 4\) is expected"),
    "right size, wrong shape": (_as(VALUES.T), rf"/{WEIGHT} has shape \(4, 3\), and \(3, 4\) is expected"),
    "can grow": (_as(VALUES, maxshape=(None, 4)), rf"/{WEIGHT} can grow to \(None, 4\)"),
    "another filter": (_as(VALUES, fletcher32=True), f"/{WEIGHT} is packed with the filter 3; gzip and shuffle can be"),
    "not gzip": (_bytes_in_chunks(b"x" * 40, compression="gzip"), f"/{WEIGHT} has a chunk that is not gzip: "),
    "a chunk too short": (_bytes_in_chunks(zlib.compress(b"x"), compression="gzip"), "chunk of 1 bytes instead of 48"),
    "a compression bomb": (
        _bytes_in_chunks(zlib.compress(bytes(30_000_000), 9), compression="gzip"),
        "has a chunk of 49 bytes instead of 48",
    ),
    "a chunk missing": (
        lambda file: _partly(file, shape=(3, 4), dtype="<f4", chunks=(1, 4), compression="gzip"),
        f"/{WEIGHT} has 1 of its 3 chunks",
    ),
    **{
        f"as {kind}": (_as(np.zeros((3, 4), kind)), rf"/{WEIGHT} has type \S+, and little-endian float32 is expected")
        for kind in (">f4", "<f8", "<f2", "<i4", "<c8", "S4", "?")
    },
    "compound": (
        _as(np.zeros((3, 4), [("a", "<f4")])),
        f"/{WEIGHT} has type .*, and little-endian float32 is expected",
    ),
    "text of any length": (_as(np.full((3, 4), "a", dtype=object)), f"/{WEIGHT} has type object, and"),
    "an array missing": (lambda file: file.pop(WEIGHT), f"the file lacks /{WEIGHT}; use another copy"),
    "a group missing": (lambda file: file.pop("state"), "the file lacks /state; use another copy"),
    "a text missing": (lambda file: file.pop("training"), "the file lacks /training"),
    "an array more": (
        lambda file: file.update({"parameters/layers/0/x": 1}),
        "the file has /parameters/layers/0/x, which nothing here expects",
    ),
    "a group more": (lambda file: file.create_group("more"), "the file has /more, which nothing here expects"),
    "an odd name": (
        lambda file: file.create_group("parameters/" + "\u202e\n" + "x" * 1000),
        r"the file has '/parameters/\\u202e\\nxxx.*\.\.\., which nothing",
    ),
    "many at the top": (_many("/"), "the file holds 1,088 things; 8 are expected"),
    "many in a group": (_many("parameters/layers"), "/parameters/layers leads to more than the 29 things that are"),
    "a group for an array": (
        lambda file: (file.pop(WEIGHT), file.create_group(WEIGHT))[0],
        "is a group",
    ),
    "an array for a group": (
        _linked(VALUES, "parameters/layers/2"),
        "/parameters/layers/2 .*|lacks /parameters/layers/2/",
    ),
    "a group for a text": (
        lambda file: (file.pop("training"), file.create_group("training"))[0],
        "/training is a group, and",
    ),
    "an attribute": (
        lambda file: file[WEIGHT].attrs.update(a=1),
        f"/{WEIGHT} has 1 attributes, and nnkit .*; remove them",
    ),
    "an attribute at the top": (
        lambda file: file.attrs.update(a=1),
        "the file has 1 attributes, and nnkit reads none",
    ),
}


def _partly(file: h5py.File, **options: Any) -> None:
    del file[WEIGHT]
    file.create_dataset(WEIGHT, **options)[0] = 1


@pytest.mark.parametrize("name", HOSTILE)
def test_structure(name: str, saved: Path) -> None:
    edit, reason = HOSTILE[name]
    edited(saved, edit)
    before = sorted(path.name for path in saved.parent.iterdir())
    with pytest.raises(FileError, match=reason):
        nnkit.load(saved)
    assert sorted(path.name for path in saved.parent.iterdir()) == before


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "gzip"},
        {"compression": "gzip", "shuffle": True, "chunks": (2, 3)},
        {"shuffle": True, "chunks": (1, 1)},
        {"chunks": (3, 4)},
    ],
)
def test_what_another_program_has_packed_is_read(saved: Path, options: dict[str, Any]) -> None:
    values = small().parameters()["layers.0.weight"]
    edited(saved, _as(values, **options))
    assert np.array_equal(nnkit.load(saved).predict(ROWS), small().predict(ROWS))


def test_a_chunk_whose_filters_were_left_out(saved: Path) -> None:
    values = small().parameters()["layers.0.weight"]

    def edit(file: h5py.File) -> None:
        replace(file, WEIGHT, values, chunks=(3, 4), compression="gzip", shuffle=True)
        file[WEIGHT].id.write_direct_chunk((0, 0), values.tobytes(), filter_mask=3)

    edited(saved, edit)
    assert np.array_equal(nnkit.load(saved).predict(ROWS), small().predict(ROWS))


def test_more_bytes_than_the_file_has(saved: Path) -> None:
    places = {WEIGHT: (3, 4), "parameters/layers/0/bias": (4,)}
    with h5py.File(saved) as file:
        with pytest.raises(FileError, match=rf"/{WEIGHT} claims 48 bytes in a file of 47; use another copy"):
            Container(saved, file, 47).check_sizes(places, "float32")
        with pytest.raises(FileError, match=r"the file claims 64 bytes of values in 50; use another copy"):
            Container(saved, file, 50).check_sizes(places, "float32")


@pytest.mark.parametrize(
    ("shape", "chunks", "reason"),
    [
        ((2, 3), (2, 4), r"has chunks of shape \(2, 4\), larger than the array"),
        ((1000, 1000), (1, 1), r"is cut into 1,000,000 chunks; 100,000 are the most"),
    ],
)
def test_odd_chunks(shape: tuple[int, ...], chunks: tuple[int, ...], reason: str) -> None:
    """The library makes no such files."""
    with pytest.raises(ValueError, match=reason):
        stored._check_chunks(SimpleNamespace(shape=shape, chunks=chunks))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (np.array(["{}"], dtype="S2"), r"has type .S2 and shape \(1,\); it is one text of fixed length"),
        (np.array("{}", dtype=object), r"has type object and shape \(\); it is one text of fixed length"),
        (np.array(b"[]"), r"is \[\], not an object with the entries"),
        (b"{" + b" " * 4_000_000 + b"}", r"has 4,000,002 bytes, more than the 4,000,000 that are read"),
    ],
)
@pytest.mark.parametrize("name", ["architecture", "training"])
def test_texts(saved: Path, name: str, text: Any, reason: str) -> None:
    edited(saved, lambda file: replace(file, name, text))
    with pytest.raises(FileError, match=f"/{name} {reason}"):
        nnkit.load(saved)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda sums: [*sums], "is not an object of texts"),
        (lambda sums: sums | {"x": 1}, "is not an object of texts"),
        (
            lambda sums: sums | {"x": "1"},
            "has the unknown 'x'; known: about/epochs, about/record, about/times/epochs_end_s,",
        ),
        (lambda sums: {name: sums[name] for name in sums if name != WEIGHT}, f"lacks {WEIGHT}"),
    ],
)
def test_checksums(saved: Path, change: Callable[[dict[str, Any]], Any], reason: str) -> None:
    with h5py.File(saved, "r+") as file:
        sums = change(json.loads(file["checksums"][()]))
        replace(file, "checksums", json.dumps(sums).encode())
    with pytest.raises(FileError, match=f"/checksums {reason}.*; use another copy"):
        nnkit.load(saved)


def test_numbers_of_neurons_are_compared_before_anything_is_allocated(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described(saved, lambda found: found["module"]["layers"][0].update(units=10_000_000))
    described(saved, lambda found: found.update(input_shape=[10**12]))
    monkeypatch.setattr("nnkit.checkpoint.loading.Network", None)
    with pytest.raises(FileError, match=r"has shape .*, and .* is expected; use another copy"):
        nnkit.load(saved)


def test_a_lack_of_memory_is_no_damage(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(container.np, "isfinite", full)
    with pytest.raises(MemoryError):
        nnkit.load(saved)
