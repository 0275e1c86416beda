"""An HDF5 file that is not trusted: opened, walked through and read so that nothing in it leads elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from nnkit.checkpoint import stored
from nnkit.checkpoint.blocks import Shape, Where
from nnkit.checkpoint.checksum import Digest, digest
from nnkit.checkpoint.chunks import read_pieces
from nnkit.checkpoint.indexes import check_indexes
from nnkit.checkpoint.inventory import Entry, listing, names_in
from nnkit.checkpoint.source import beginning
from nnkit.data.arrays import Array
from nnkit.errors import FileError
from nnkit.names import clipped

SIGNATURE = b"\x89HDF\r\n\x1a\n"
DAMAGED = "use another copy, or save the network again"
CHANGED = "does not have the checksum that was saved with it, so some of it has changed"
MOST_BYTES = 100_000_000_000
UNPACKED, FREE_BYTES = 20, 64_000_000  # values may be this many times as large as the file, and need not be below that
SLACK = 1000  # things beyond those expected that are still looked at, so that they can be named


class Container:
    """The data sets of one open file by their paths, such as ``parameters/layers/0/weight``."""

    def __init__(self, path: Path, file: Any, file_bytes: int, attributes: int = 0) -> None:
        self.path = path
        self._file = file
        self._bytes = file_bytes
        self._attributes = attributes  # that a thing may have; none is read

    def refused(self, place: str, reason: str, fix: str = DAMAGED) -> FileError:
        """The error for something in the file."""
        return refusal(self.path, place, reason, fix)

    def text(self, place: str) -> bytes:
        """One text."""
        return bytes(self._read(place, lambda dataset: stored.check_text(dataset, self._bytes)))

    def whole_number(self, place: str) -> int:
        """One integer."""
        return int(self._read(place, lambda dataset: stored.check_whole_number(dataset, self._bytes)))

    def has(self, place: str) -> bool:
        """Whether something of that name stands at the top."""
        with self._library(place):
            return place in self._file.id

    def top(self, expected: int) -> set[str]:
        """What stands at the top, unless that is far more than expected."""
        with self._library(""):
            self._check_attributes("", self._file)
            if len(self._file) > expected + SLACK:
                raise ValueError(f"holds {len(self._file):,} things; {expected} are expected")
            return set(names_in(self._file))

    def check_top(self, names: set[str]) -> None:
        """Refuse other names at the top than these, and any attribute there."""
        self._check_names(self.top(len(names)), names, DAMAGED)

    def listed(self) -> list[Entry]:
        """What stands in the file, as far as it can be seen; nothing is read, and no link followed."""
        with self._library(""):
            return listing(self._file)

    def check_tree(self, leaves: set[str], groups: set[str], fix: str = DAMAGED) -> None:
        """Refuse anything below these groups but these leaves, and leaves or groups that are not there."""
        found = self.walked([name for name in groups if "/" not in name], len(leaves) + len(groups))
        self._check_names(set(found), leaves | groups, fix)
        for place, is_group in found.items():
            if is_group != (place in groups):
                raise self.refused(
                    place, f"is {'a group' if is_group else 'an array'} where the other is expected", fix
                )

    def shape(self, place: str) -> tuple[int, ...] | None:
        """That of an array that ``walked`` has found; None for one that has none."""
        with self._library(place):
            shape: tuple[int, ...] | None = self._file[place].shape
            return shape

    def holds(self, tops: list[str], number: int) -> bool:
        """Whether as many groups and arrays as this stand at and below some names."""
        import h5py

        count, rest = 0, [(name, self._file, name) for name in tops if self.has(name)]
        while rest and count + len(rest) < number:
            place, group, name = rest.pop()
            count += 1
            with self._library(place):
                thing = self._child(group, name, place)
                if isinstance(thing, h5py.Group):
                    if count + len(rest) + len(thing) >= number:
                        return True
                    rest += [(f"{place}/{inner}", thing, inner) for inner in names_in(thing)]
        return count + len(rest) >= number

    def check_sizes(self, shapes: Mapping[str, Shape], *dtypes: str, fix: str = DAMAGED) -> None:
        """Refuse arrays of other shapes or types than these, or that are not all in this file."""
        total = needed = 0
        for place, shape in shapes.items():
            with self._library(place, fix):
                total += stored.check_numbers(self._file[place], shape, dtypes, self._bytes)
                needed += prod(shape) * self._file[place].dtype.itemsize
        if total > self._bytes:
            raise self.refused("", f"claims {total:,} bytes of values in {self._bytes:,}")
        if not plausible(needed, self._bytes):
            raise self.refused(
                "",
                f"would be {needed:,} bytes of values, unpacked from a file of {self._bytes:,}",
                "save such a network without packing it",
            )

    def numbers(self, place: str, checksum: str | None = None) -> Array:
        """The values of an array that ``check_sizes`` has let pass, as ``pieces`` gives them."""
        with self._library(place):
            dataset = self._file[place]
            values = np.empty(dataset.shape, dataset.dtype)
        for where, piece in self.pieces(place, checksum):
            values[where] = piece
        return values

    def pieces(self, place: str, checksum: str | None = None) -> Iterator[tuple[Where, Array]]:
        """The values of such an array, piece by piece, each with its indices.

        What comes must not be used before the last piece has come: an error after it says that they do not have the
        checksum, if there is one.
        """
        total = Digest()
        with self._library(place):
            for where, piece in read_pieces(self._file[place]):
                total.add(piece)
                yield where, piece
        if checksum is not None and total.hex != checksum:
            raise self.refused(place, CHANGED)

    def check_digest(self, place: str, values: Array, checksum: str) -> None:
        """Refuse values with another checksum."""
        if digest(values) != checksum:
            raise self.refused(place, CHANGED)

    def _read(self, place: str, check: Callable[[Any], None]) -> Any:
        import h5py

        with self._library(place):
            dataset = self._file
            for name in place.split("/"):
                dataset = self._child(dataset, name, place)
            if not isinstance(dataset, h5py.Dataset):
                raise ValueError("is a group, and one value is expected")
            check(dataset)
            return dataset[()]

    def walked(self, tops: list[str], expected: int) -> dict[str, bool]:
        """Everything below some groups, and whether it is a group. Nothing may stand in two places.

        Far more than expected is refused.
        """
        import h5py

        found: dict[str, bool] = {}
        seen: set[int] = set()
        rest = [(name, self._file, name) for name in sorted(tops)]
        while rest:
            place, group, name = rest.pop()
            with self._library(place):
                thing = self._child(group, name, place)
                found[place] = isinstance(thing, h5py.Group)
                address = h5py.h5o.get_info(thing.id).addr
                if address in seen:
                    raise ValueError("stands in two places")
                seen.add(address)
                if found[place]:
                    if len(found) + len(rest) + len(thing) > expected + SLACK:
                        raise ValueError(f"leads to more than the {expected} things that are expected")
                    rest += [(f"{place}/{inner}", thing, inner) for inner in names_in(thing)]
        return found

    def _child(self, group: Any, name: str, place: str) -> Any:
        """What a group has under a name, if it has it itself: links lead anywhere, to other files too."""
        import h5py

        link = group.get(name, getlink=True)
        if link is None:
            raise ValueError("is not there, or has a name that is not UTF-8")
        if not isinstance(link, h5py.HardLink):
            raise ValueError("is a link, and nnkit follows none")
        thing = group[name]
        if not isinstance(thing, (h5py.Group, h5py.Dataset)):
            raise ValueError("is a data type, and nnkit keeps none")
        self._check_attributes(place, thing)
        return thing

    def _check_attributes(self, place: str, thing: Any) -> None:
        import h5py

        if (count := h5py.h5a.get_num_attrs(thing.id)) > self._attributes:
            raise self.refused(place, f"has {count:,} attributes, and nnkit reads none", "remove them")

    def _check_names(self, found: set[str], expected: set[str], fix: str) -> None:
        reasons = []
        if missing := sorted(expected - found):
            reasons.append(f"lacks {_listed(missing)}")
        if extra := sorted(found - expected):
            reasons.append(f"has {_listed(extra)}, which nothing here expects")
        if reasons:
            raise self.refused("", " and ".join(reasons), fix)

    @contextmanager
    def _library(self, place: str, fix: str = DAMAGED) -> Iterator[None]:
        """What the library and the checks raise about a place, as one error."""
        try:
            yield
        except (FileError, MemoryError):
            raise
        except Exception as error:  # on damaged files, the library raises nearly every kind
            raise self.refused(place, _reason(error), fix) from error


def plausible(needed: int, file_bytes: int) -> bool:
    """Whether a file of this size may hold so many bytes of values, packed as they may be."""
    return needed <= max(FREE_BYTES, UNPACKED * file_bytes)


def refusal(path: Path, place: str, reason: str, fix: str = DAMAGED) -> FileError:
    """The error for something in a file."""
    return FileError(f"{path}: {_shown(place)} {reason}; {fix}")


@contextmanager
def opened(path: Path, wanted: str = "a file that net.save wrote", attributes: int = 0) -> Iterator[Container]:
    """An HDF5 file for reading; ``wanted`` says which one in errors, and ``attributes`` how many a thing may have."""
    size = check_file(path, wanted)
    with path.open("rb", buffering=0) as stream:
        _check_indexes(path, stream)
    with _opened(path, path, size, attributes) as file:
        yield file


@contextmanager
def opened_stream(path: Path, stream: Any, size: int) -> Iterator[Container]:
    """An HDF5 file that is open already, and has this many bytes; its path is for messages alone."""
    _check_indexes(path, stream)
    with _opened(path, stream, size) as file:
        yield file


def _check_indexes(path: Path, stream: Any) -> None:
    try:
        check_indexes(stream)
    except ValueError as error:
        raise refusal(path, "", str(error)) from error


@contextmanager
def _opened(path: Path, source: Any, size: int, attributes: int = 0) -> Iterator[Container]:
    import h5py

    with _damaged(path):
        file = h5py.File(source, "r", locking=False)  # files are replaced and never changed, so that a lock is no help
    try:
        yield Container(path, file, size, attributes)
    except BaseException:
        with suppress(Exception):  # what was found first is what counts
            file.close()
        raise
    with _damaged(path):
        file.close()


@contextmanager
def _damaged(path: Path) -> Iterator[None]:
    """What the library raises of a file as a whole."""
    try:
        yield
    except Exception as error:
        raise FileError(f"{path} is damaged: {_reason(error)}; {DAMAGED}") from error


def check_file(path: Path, wanted: str = "a file that net.save wrote") -> int:
    """The size of a file that begins as HDF5 does; others are refused before the library sees them."""
    size, start = beginning(path, len(SIGNATURE) + 4, wanted)
    if not start:
        raise FileError(f"{path} is empty; {DAMAGED}")
    if start[: len(SIGNATURE)] != SIGNATURE:
        raise FileError(f"{path} is not an HDF5 file; give the name of {wanted}")
    if start[8:9] in (b"\2", b"\3") and start[11:] != b"\0":  # the library looks at it only where it can lock files
        raise FileError(f"{path} is still open for writing, or what wrote it did not come to its end; {DAMAGED}")
    if size > MOST_BYTES:
        raise FileError(f"{path} has {size:,} bytes, more than the {MOST_BYTES:,} that are read; {DAMAGED}")
    return size


def _reason(error: Exception) -> str:
    """The error in one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if isinstance(error, ValueError) else f"cannot be read ({text})"


def _shown(place: str) -> str:
    return "the file" if not place else clipped(f"/{place}")


def _listed(places: list[str]) -> str:
    """Places for a message; a group is left out where something in it is named."""
    parents = {place.rpartition("/")[0] for place in places}
    last = [clipped(f"/{place}") for place in places if place not in parents]
    return ", ".join(last[:10]) + (f" and {len(last) - 10} more" if len(last) > 10 else "")
