"""Looking into files: what stands in them, and what another process may tell of that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nnkit
from nnkit.checkpoint import inspection, inventory
from nnkit.checkpoint.apart import wire
from nnkit.checkpoint.apart.remote import Remote
from nnkit.checkpoint.inspection import inspect, sizes
from nnkit.checkpoint.inventory import Entry, checked, listing
from nnkit.errors import FileError
from tests.checkpoint.files import WEIGHT, described, edited, replace, small


def test_every_kind_of_entry(saved: Path) -> None:
    def edit(file: h5py.File) -> None:
        file["a/soft"], file["a/kind"] = h5py.SoftLink("/x"), np.dtype("<f4")
        file["b"] = file["a"]
        file["n" * 300] = h5py.Empty("<f4")
        file["x\ny"] = np.array(["text"], dtype=object)

    edited(saved, edit)
    with h5py.File(saved) as file:
        found = {entry.place: entry for entry in listing(file)}
    assert found[WEIGHT] == Entry(WEIGHT, "array", (3, 4), "float32", 48)
    assert found["training"].kind == "text"
    assert (found["a"].kind, found["a/soft"].kind, found["a/kind"].kind) == ("group", "link", "type")
    assert found["b"].kind == "link"
    assert found["n" * 197 + "..."].shape is None
    assert found["'x\\ny'"].kind == "array"
    assert list(map(checked, map(_as_json, found.values()))) == list(found.values())


def _as_json(entry: Entry) -> list[Any]:
    return [entry.place, entry.kind, None if entry.shape is None else list(entry.shape), *entry[3:]]


def test_not_without_end(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "MOST", 12)
    with h5py.File(saved, "r+") as file:
        assert len(listing(file)) == 12
        for number in range(13):
            file.create_group(f"architecture{number}/x")
        assert listing(file) == []


def test_an_entry_that_cannot_be_read(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("wrong version")

    monkeypatch.setattr(inventory.__dict__["_entry"], "__code__", broken.__code__)
    with h5py.File(saved) as file:
        assert {entry.kind for entry in listing(file)} == {"unreadable"}


@pytest.mark.parametrize(
    "row",
    [
        None,
        [],
        ["a", "array", [1], "f4", 1, 2],
        [1, "array", [1], "f4", 1],
        ["a\n", "array", [1], "f4", 1],
        ["a" * 201, "array", [1], "f4", 1],
        ["a", "door", [1], "f4", 1],
        ["a", "array", [-1], "f4", 1],
        ["a", "array", [True], "f4", 1],
        ["a", "array", 3, "f4", 1],
        ["a", "array", [1], None, 1],
        ["a", "array", [1], "f4", -1],
        ["a", "array", [1], "f4", 1.0],
    ],
)
def test_entries_of_another_process_are_checked(row: Any) -> None:
    with pytest.raises(ValueError, match="is no entry"):
        checked(row)


def test_a_process_that_lists_nonsense() -> None:
    class Lies:
        path = Path("net.h5")

        def ask(self, question: Any) -> None: ...

        def answer(self, letter: bytes, most: int) -> bytes:
            assert letter == wire.PLAIN
            return b'[["a", "door", null, "", 0]]'

    with pytest.raises(FileError, match="gave an answer that nobody had asked for"):
        Remote(Lies()).listed()  # type: ignore[arg-type]


def test_problems_are_those_of_the_loader_first(saved: Path) -> None:
    edited(saved, lambda file: replace(file, WEIGHT, np.ones((3, 4), "<f8")))
    with pytest.raises(FileError) as caught:
        nnkit.load(saved)
    found = inspect(saved, trusted=True)
    assert not found.intact
    assert found.problems[0] == str(caught.value)
    assert found.described is not None


def test_a_text_of_many_layers_is_not_built(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    described(saved, lambda found: found["module"].update(layers=[{"layer": "Flatten"}] * 50_000))
    monkeypatch.setattr(inspection, "rebuilt", None)
    found = inspect(saved, trusted=True)
    assert found.described is None
    assert "describes 50,001 layers, and the file holds fewer than" in found.problems[0]


def test_a_newer_version(saved: Path) -> None:
    edited(saved, lambda file: replace(file, "format", 7))
    found = inspect(saved, trusted=True)
    assert found.version == 7
    assert "/format is 7, and this nnkit 0.1.0 reads versions up to" in found.problems[0]
    assert found.described is not None


def test_without_texts(saved: Path) -> None:
    edited(saved, lambda file: [file.pop(name) for name in ("architecture", "format")])
    found = inspect(saved, trusted=True)
    assert (found.version, found.architecture, found.custom, found.described) == (None, None, False, None)
    assert "the file has no /format" in found.problems[0]


def test_sizes(saved: Path) -> None:
    found = sizes(inspect(saved, trusted=True))
    assert found["parameters"] == 4 * sum(value.size for value in small().parameters().values())
    assert found.keys() == {"about", "architecture", "checksums", "format", "parameters", "sample", "state", "training"}


@pytest.mark.parametrize("trusted", [True, False])
def test_a_root_that_cannot_be_read_is_damage(saved: Path, trusted: bool) -> None:
    data = bytearray(saved.read_bytes())
    data[data.index(b"OHDR") + 10] ^= 1
    saved.write_bytes(data)
    found = inspect(saved, trusted)
    assert found.entries == ()
    assert found.problems[-1].startswith(f"{saved}: the file cannot be read (Unable to get group info (")
