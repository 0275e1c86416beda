"""Mutations by the library: names, types, shapes, chunks, filters, attributes and links."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import h5py
import numpy as np

Change = Callable[[Random, h5py.File], object]
TYPES = ("<f4", ">f4", "<f8", "<f2", "<i8", "u1", "?", "<c8", "S4", "V3", [("a", "<f4")], ("<f4", (2,)))
REFUSED = (OSError, ValueError, TypeError, KeyError, RuntimeError, AttributeError)
NAMES = ("x", "..", "weight", "bias", "__class__", "a\nb", "é", "e\u0301", "\u202e", "0", "1", "state", "n" * 300)


def mutated(draw: Random, file: h5py.File) -> None:
    """A few changes to an open file."""
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        try:
            draw.choice(CHANGES)(draw, file)
        except (*REFUSED, IndexError, MemoryError, OverflowError):
            continue  # the library does not make such a file, or an earlier change is in the way


def _all(file: h5py.File) -> dict[str, Any]:
    found: dict[str, Any] = {}
    file.visititems(found.__setitem__)
    return found


def _some(draw: Random, file: h5py.File, kind: type = object) -> str:
    return draw.choice(sorted(name for name, thing in _all(file).items() if isinstance(thing, kind)))


def _array(draw: Random, file: h5py.File) -> tuple[str, Any]:
    """One with its values; one of the parameters, mostly."""
    names = sorted(name for name, thing in _all(file).items() if isinstance(thing, h5py.Dataset))
    numbers = [name for name in names if "/" in name]
    name = draw.choice(numbers if numbers and draw.random() < 0.8 else names)
    if file[name].size is None or file[name].size > 10**6:
        raise ValueError("an earlier change has made it too large to be read")
    return name, file[name][()]


def _new(file: h5py.File, name: str, **options: Any) -> Any:
    """A data set in place of another one."""
    del file[name]
    return file.create_dataset(name, **options)


def _delete(draw: Random, file: h5py.File) -> None:
    del file[_some(draw, file)]


def _rename(draw: Random, file: h5py.File) -> None:
    name = _some(draw, file)
    file.move(name, f"{name.rpartition('/')[0]}/{draw.choice(NAMES)}")


def _swap(draw: Random, file: h5py.File) -> None:
    first, second = _some(draw, file, h5py.Dataset), _some(draw, file, h5py.Dataset)
    file.move(first, "swapped")
    file.move(second, first)
    file.move("swapped", second)


def _add(draw: Random, file: h5py.File) -> None:
    where = file[draw.choice(["/", _some(draw, file, h5py.Group)])]
    if draw.random() < 0.5:
        where.create_group(draw.choice(NAMES))
    else:
        where[draw.choice(NAMES)] = draw.choice([1.0, "text", np.ones((2, 3)), np.int32(7)])


def _nest(draw: Random, file: h5py.File) -> None:
    file.create_group("parameters/" + "/".join("x" * draw.choice((3, 40, 150))))


def _crowd(draw: Random, file: h5py.File) -> None:
    where = file[_some(draw, file, h5py.Group)]
    for number in range(draw.choice((10, 100, 1200))):
        where.create_group(f"more{number}")


def _retype(draw: Random, file: h5py.File) -> None:
    name, value = _array(draw, file)
    _new(file, name, shape=value.shape, dtype=np.dtype(draw.choice(TYPES)))


def _reshape(draw: Random, file: h5py.File) -> None:
    name, value = _array(draw, file)
    sizes = [0, 1, 2, 3, 4, 5, 1000, 2**20, 2**31, 2**40, 2**62]
    shapes = [value.shape[::-1], (value.size,), (*value.shape, 1), value.shape[1:], ()]
    shape = draw.choice([*shapes, tuple(draw.choice(sizes) for _ in range(draw.randrange(4)))])
    if value.size == int(np.prod(shape, dtype=object)):
        _new(file, name, data=value.reshape(shape))
    else:
        _new(file, name, shape=shape, dtype=value.dtype, chunks=draw.choice([None, True]), fillvalue=0)


def _repack(draw: Random, file: h5py.File) -> None:
    name, value = _array(draw, file)
    filters = draw.choice(
        [{}, {"compression": "gzip"}, {"compression": "lzf"}, {"shuffle": True}, {"fletcher32": True},
         {"compression": "gzip", "shuffle": True, "fletcher32": True}, {"scaleoffset": 2}]
    )  # fmt: skip
    chunks = tuple(draw.randint(1, max(1, size)) for size in value.shape)
    grows = {"maxshape": tuple(None for _ in value.shape)} if draw.random() < 0.2 else {}
    _new(file, name, data=value, chunks=chunks, **filters, **grows)


def _chunk(draw: Random, file: h5py.File) -> None:
    """Bytes of another kind in a chunk, or none."""
    name, value = _array(draw, file)
    chunks = tuple(draw.randint(1, max(1, size)) for size in value.shape)
    made = _new(file, name, shape=value.shape, dtype=value.dtype, chunks=chunks, compression="gzip", shuffle=True)
    raw = np.ones(chunks, value.dtype).tobytes()
    packed = zlib.compress(bytes(draw.choice((1, 48, 10**7))), 9)
    for start in np.ndindex(*(-(-size // chunk) for size, chunk in zip(value.shape, chunks, strict=True))):
        where = tuple(at * chunk for at, chunk in zip(start, chunks, strict=True))
        data = draw.choice([raw, zlib.compress(raw), packed, draw.randbytes(20), b"", packed[:-3]])
        if draw.random() < 0.9:
            made.id.write_direct_chunk(where, data, filter_mask=draw.choice((0, 0, 1, 2, 3, 2**31)))


def _elsewhere(draw: Random, file: h5py.File) -> None:
    name, value = _array(draw, file)
    if draw.random() < 0.5:
        _new(file, name, shape=value.shape, dtype=value.dtype, external=[("other.bin", 0, max(value.nbytes, 1))])
    else:
        layout = h5py.VirtualLayout(value.shape, value.dtype)
        layout[...] = h5py.VirtualSource("other.h5", "x", value.shape)
        del file[name]
        file.create_virtual_dataset(name, layout)


def _link(draw: Random, file: h5py.File) -> None:
    name, target = _some(draw, file), _some(draw, file)
    link = draw.choice(
        [h5py.SoftLink(f"/{target}"), h5py.SoftLink("."), h5py.ExternalLink("other.h5", "/x"), file[target], file["/"]]
    )
    del file[name]
    file[name] = link


def _attribute(draw: Random, file: h5py.File) -> None:
    thing = file[draw.choice(["/", _some(draw, file)])]
    value = draw.choice([1, "text", np.zeros(5000), np.array(["a"], object), h5py.Empty("f4"), thing.ref])
    for number in range(draw.choice((1, 1, 20))):
        thing.attrs[f"{draw.choice(NAMES)}{number}"] = value


def _values(draw: Random, file: h5py.File) -> None:
    """Other numbers, at the limits of their type."""
    name, value = _array(draw, file)
    if value.dtype.kind in "fi" and value.size:
        flat = np.atleast_1d(value).reshape(-1)
        odd = (
            (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e38, 1e-45, 3.0) if value.dtype.kind == "f" else (0, 1, 2, -1, 2**40)
        )
        flat[draw.randrange(flat.size)] = draw.choice(odd)
        file[name][...] = flat.reshape(value.shape)


def _kind(draw: Random, file: h5py.File) -> None:
    """A group for an array, an array for a group, a type, or nothing in it."""
    name = _some(draw, file)
    del file[name]
    file[name] = draw.choice([np.ones(3), np.dtype("<f4"), h5py.Empty("<f4"), np.array(["a"], object), b"text"])


def _text(draw: Random, file: h5py.File) -> None:
    """A text that is declared otherwise than it is."""
    name = draw.choice(("architecture", "training", "checksums"))
    value = file[name][()]
    form = draw.choice(
        [
            np.array([value]),
            np.array(value),
            h5py.Empty("S5"),
            np.array(value.decode(), object),
            np.frombuffer(value, "u1"),
        ]
    )
    del file[name]
    file[name] = form


CHANGES: tuple[Change, ...] = (
    _delete, _rename, _swap, _add, _nest, _crowd, _retype, _reshape, _repack, _repack, _chunk, _chunk, _elsewhere,
    _link, _attribute, _values, _values, _kind, _text,
)  # fmt: skip
