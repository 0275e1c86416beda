"""An HDF5 file that is not trusted: opened, walked through and read so that nothing in it leads elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from nnkit.checkpoint import stored
from nnkit.checkpoint.checksum import digest
from nnkit.checkpoint.chunks import read_chunks
from nnkit.checkpoint.source import beginning
from nnkit.data.arrays import Array
from nnkit.errors import FileError
from nnkit.names import clipped

SIGNATURE = b"\x89HDF\r\n\x1a\n"
DAMAGED = "use another copy, or save the network again"
SLACK = 1000  # things beyond those expected that are still looked at, so that they can be named


class Container:
    """The data sets of one open file by their paths, such as ``parameters/layers/0/weight``."""

    def __init__(self, path: Path, file: Any, file_bytes: int) -> None:
        self.path = path
        self._file = file
        self._bytes = file_bytes

    def refused(self, place: str, reason: str, fix: str = DAMAGED) -> FileError:
        """The error for something in the file."""
        return FileError(f"{self.path}: {_shown(place)} {reason}; {fix}")

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

    def check_top(self, names: set[str]) -> None:
        """Refuse other names at the top than these, and any attribute there."""
        with self._library(""):
            self._check_attributes("", self._file)
            if len(self._file) > len(names) + SLACK:
                raise ValueError(f"holds {len(self._file):,} things; {len(names)} are expected")
            found = set(self._file)
        self._check_names(found, names, DAMAGED)

    def check_tree(self, leaves: set[str], groups: set[str], fix: str = DAMAGED) -> None:
        """Refuse anything below these groups but these leaves, and leaves or groups that are not there."""
        found = self._walked([name for name in groups if "/" not in name], len(leaves) + len(groups) + SLACK)
        self._check_names(set(found), leaves | groups, fix)
        for place, is_group in found.items():
            if is_group != (place in groups):
                raise self.refused(
                    place, f"is {'a group' if is_group else 'an array'} where the other is expected", fix
                )

    def check_sizes(self, shapes: Mapping[str, tuple[int, ...]], dtype: str, fix: str = DAMAGED) -> None:
        """Refuse arrays of other shapes or types than these, or that are not all in this file."""
        total = 0
        for place, shape in shapes.items():
            with self._library(place, fix):
                total += stored.check_numbers(self._file[place], shape, dtype, self._bytes)
        if total > self._bytes:
            raise self.refused("", f"claims {total:,} bytes of values in {self._bytes:,}")

    def numbers(self, place: str, checksum: str) -> Array:
        """The values of an array that ``check_sizes`` has let pass: with this checksum, and finite."""
        with self._library(place):
            dataset = self._file[place]
            values = read_chunks(dataset) if dataset.chunks else np.asarray(dataset[()])
            self.check_digest(place, values, checksum)
            if not np.isfinite(values).all():
                raise ValueError("holds NaN or infinity")
        return values

    def check_digest(self, place: str, values: Array, checksum: str) -> None:
        """Refuse values with another checksum."""
        if digest(values) != checksum:
            raise self.refused(place, "does not have the checksum that was saved with it, so some of it has changed")

    def _read(self, place: str, check: Callable[[Any], None]) -> Any:
        import h5py

        with self._library(place):
            dataset = self._child(self._file, place, place)
            if not isinstance(dataset, h5py.Dataset):
                raise ValueError("is a group, and one value is expected")
            check(dataset)
            return dataset[()]

    def _walked(self, tops: list[str], most: int) -> dict[str, bool]:
        """Everything below some groups, and whether it is a group. Nothing may stand in two places."""
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
                    if len(found) + len(rest) + len(thing) > most:
                        raise ValueError(f"leads to more than the {most - SLACK} things that are expected")
                    rest += [(f"{place}/{inner}", thing, inner) for inner in thing]
        return found

    def _child(self, group: Any, name: str, place: str) -> Any:
        """What a group has under a name, if it has it itself: links lead anywhere, to other files too."""
        import h5py

        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError("is a link, and nnkit follows none")
        thing = group[name]
        if not isinstance(thing, (h5py.Group, h5py.Dataset)):
            raise ValueError("is a data type, and nnkit keeps none")
        self._check_attributes(place, thing)
        return thing

    def _check_attributes(self, place: str, thing: Any) -> None:
        import h5py

        if count := h5py.h5a.get_num_attrs(thing.id):
            raise self.refused(place, f"has {count:,} attributes, and nnkit writes none", "remove them")

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


@contextmanager
def opened(path: Path) -> Iterator[Container]:
    """An HDF5 file for reading."""
    import h5py

    size = _checked_size(path)
    try:
        file = h5py.File(path, "r", locking=False)  # files are replaced and never changed, so that a lock is no help
    except Exception as error:
        raise FileError(f"{path} is damaged: {_reason(error)}; {DAMAGED}") from error
    try:
        yield Container(path, file, size)
    finally:
        file.close()


def _checked_size(path: Path) -> int:
    """The size of a file that begins as HDF5 does."""
    size, start = beginning(path, len(SIGNATURE), "a file that net.save wrote")
    if not start:
        raise FileError(f"{path} is empty; {DAMAGED}")
    if start != SIGNATURE:
        raise FileError(f"{path} is not an HDF5 file; give the name of a file that net.save wrote")
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
