"""Looking into the file of a network without making one: what it says, and whether it is intact."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote

from nnkit.checkpoint.apart import opened_apart
from nnkit.checkpoint.architecture import Architecture
from nnkit.checkpoint.container import opened
from nnkit.checkpoint.extent import check_extent
from nnkit.checkpoint.finite import Tally
from nnkit.checkpoint.inventory import Entry
from nnkit.checkpoint.modules import rebuilt
from nnkit.checkpoint.places import CHECKSUMS, HISTORY, as_path
from nnkit.checkpoint.readable import Readable
from nnkit.checkpoint.reading import read
from nnkit.checkpoint.text import parsed
from nnkit.errors import FileError
from nnkit.nn import Module
from nnkit.nn.serial import is_custom
from nnkit.training.layout import Layout

T = TypeVar("T")
MOST = 100  # problems that are told
NUMERIC = ("float32", "float64")


class Described(NamedTuple):
    """The module that an architecture describes, without values, and the layout of its leaves."""

    module: Module
    layout: Layout


@dataclass(frozen=True)
class Inspection:
    """What a file holds, as far as it can be seen."""

    path: Path
    file_bytes: int
    version: int | None
    """Of the format; None if it cannot be read."""
    texts: Mapping[str, Any]
    """The JSON texts at its top and in ``/about`` by their names, the checksums left out."""
    architecture: Architecture | None
    described: Described | None
    """None for layers of one's own, which no file describes, and for what cannot be built."""
    entries: tuple[Entry, ...]
    """Everything that stands in it."""
    last: Mapping[str, float]
    """The last value of each figure in the history."""
    problems: tuple[str, ...]
    """What is wrong with it, as ``nnkit.load`` would say it; the first is what it would stop at."""

    @property
    def intact(self) -> bool:
        """Whether it is as nnkit wrote it: every name, shape and checksum is right, and every value is finite."""
        return not self.problems

    @property
    def custom(self) -> bool:
        """Whether it can only be loaded with ``nnkit.load(path, into=module)``."""
        return self.architecture is not None and is_custom(self.architecture.module)


def inspect(path: str | os.PathLike[str], trusted: bool = False) -> Inspection:
    """Look into a file. It is read in a process of its own that can do nothing else, unless it is ``trusted``.

    Raises:
        FileError: the file is missing, or is no HDF5 file at all.

    >>> import nnkit, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "net.h5"
    >>> nnkit.FeedForward(inputs=2, outputs=1, seed=3).save(path)
    >>> found = inspect(path, trusted=True)
    >>> found.intact, found.version, found.architecture.seed
    (True, 2, 3)
    """
    place = as_path(path)
    with (opened if trusted else opened_apart)(place) as file:
        return _Look(file).all()


class _Look:
    """One look into an open file; what goes wrong is noted, and the rest is still looked at."""

    def __init__(self, file: Readable) -> None:
        self.file = file
        self.problems: list[str] = []

    def all(self) -> Inspection:
        """Everything. What the loader would say comes first."""
        found = self.tried(lambda: read(self.file, None))
        entries = self.tried(self.file.listed) or []
        texts = {_bare(entry): self.parsed(entry.place) for entry in entries if _is_text(entry)}
        architecture = _architecture(texts.get("architecture"))
        if found is None and architecture is not None and is_custom(architecture.module):
            self.problems = [problem for problem in self.problems if "into=module" not in problem]
        described = self.described(architecture) if found is None else Described(found.module, found.layout)
        sums = texts.pop(CHECKSUMS, None)
        last = self.values(entries, sums if isinstance(sums, dict) else {})
        return Inspection(
            self.file.path,
            self.file.path.stat().st_size,
            self.version(),
            texts,
            architecture,
            described,
            tuple(entries),
            last,
            tuple(dict.fromkeys(self.problems))[:MOST],
        )

    def tried(self, action: Callable[[], T]) -> T | None:
        """What it gives; None if it is refused, which is noted."""
        try:
            return action()
        except FileError as error:
            self.problems.append(str(error))
            return None

    def version(self) -> int | None:
        """That of the format."""
        return self.tried(lambda: self.file.whole_number("format") if self.file.has("format") else None)

    def parsed(self, name: str) -> Any:
        """What a text says, whether its checksum is right or not; None if it says nothing."""
        try:
            return parsed(self.file.text(name))
        except (FileError, ValueError):  # the loader has said it, or it is no text of nnkit's
            return None

    def described(self, architecture: Architecture | None) -> Described | None:
        """The layers of a file that is not intact, if they can be built."""
        if architecture is None or is_custom(architecture.module):
            return None
        try:
            check_extent(self.file, architecture)
            module = rebuilt(architecture.module)
            return Described(module, Layout.of(module, architecture.input_shape, architecture.dtype))
        except Exception:  # anything can stand in a file, and the layers see it first
            return None

    def values(self, entries: list[Entry], sums: Mapping[str, Any]) -> dict[str, float]:
        """Check every array, one after another, and keep the last values of the history."""
        last = {}
        for entry in entries:
            if entry.kind != "array" or entry.dtype not in NUMERIC or entry.shape is None:
                continue
            value = self.tried(lambda entry=entry: self.one(entry, str(sums.get(entry.place, ""))))  # type: ignore[misc]
            if value is not None and entry.place.startswith(HISTORY):
                last[unquote(entry.place.removeprefix(f"{HISTORY}/"))] = value
        return last

    def one(self, entry: Entry, checksum: str) -> float | None:
        """Check one array; its last value, if it is a list of numbers."""
        assert entry.shape is not None
        self.file.check_sizes({entry.place: entry.shape}, entry.dtype)
        values = self.file.numbers(entry.place, checksum)
        if entry.place.startswith(("parameters/", "state/")):
            tally = Tally()
            tally.add(values)
            tally.tell(self.file, entry.place, strict=True)
        return float(values[-1]) if entry.shape and len(entry.shape) == 1 and entry.shape[0] else None


def _is_text(entry: Entry) -> bool:
    return entry.kind == "text" and "/" not in _bare(entry)


def _bare(entry: Entry) -> str:
    return entry.place.removeprefix("about/")


def _architecture(found: Any) -> Architecture | None:
    try:
        return None if found is None else Architecture.from_dict(found)
    except (ValueError, OverflowError):
        return None


def sizes(found: Inspection) -> dict[str, int]:
    """Bytes in each group at the top, and of each text."""
    tops = sorted(found.entries, key=lambda entry: entry.place.partition("/")[0])
    grouped = groupby(tops, key=lambda entry: entry.place.partition("/")[0])
    return {name: sum(entry.stored_bytes for entry in part) for name, part in grouped}
