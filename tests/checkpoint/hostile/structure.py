"""Files whose links, data sets, names or groups are not as nnkit writes them: 11 to 40."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from tests.checkpoint.files import WEIGHT
from tests.checkpoint.hostile.case import Case, Edit, both, plain
from tests.checkpoint.hostile.shaped import agreeing
from tests.checkpoint.raw import sealed, spans
from tests.checkpoint.test_hostile import HOSTILE, VALUES

NO_LINK, NOT_EXPECTED = "is a link, and nnkit follows none", "which nothing here expects"
TYPE = f"/{WEIGHT} has type .*, and little-endian float32 is expected"

MANY = "the file has an index of something else than names, such as many attributes; nnkit writes none"

KNOWN = {
    11: ("external link",),
    12: ("soft link", "soft link to a text", "soft link as the version"),
    13: ("a group that contains itself",),
    14: ("two names for one array",),
    15: ("external link on the way",),
    16: ("a named type", "a type from elsewhere"),
    17: ("references",),
    18: ("external storage",),
    19: ("virtual",),
    21: ("nothing stored", "a terabyte declared"),
    22: ("a chunk missing",),
    23: ("a compression bomb", "a chunk too short", "not gzip"),
    24: ("another filter",),
    25: ("as S4", "text of any length"),
    26: ("compound",),
    27: ("as >f4", "as <f8", "as <f2", "as <i4", "as <c8", "as ?"),
    28: ("null space", "scalar"),
    30: ("another rank",),
    31: ("right size, wrong shape",),
    32: ("can grow",),
    34: ("an odd name",),
    36: ("an array missing", "a group missing", "a text missing"),
    37: ("an array more", "a group more", "many at the top", "many in a group"),
    38: ("an attribute", "an attribute at the top"),
}
"""Cases of ``test_hostile`` by their numbers in the list."""


def made(**options: object) -> Edit:
    """Another data set as the weight."""

    def edit(file: h5py.File) -> None:
        del file[WEIGHT]
        file.create_dataset(WEIGHT, **options)

    return edit


def low_level(kind: object, shape: tuple[int, ...], change: Callable[[object], object]) -> Edit:
    """A data set with properties for which h5py has no option."""

    def edit(file: h5py.File) -> None:
        del file[WEIGHT]
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        change(properties)
        where = file[WEIGHT.rpartition("/")[0]].id
        h5py.h5d.create(where, b"weight", kind, h5py.h5s.create_simple(shape), properties)

    return edit


def named(name: str, group: str = "parameters") -> Edit:
    """A group more, of this name."""
    return lambda file: h5py.h5g.create(file[group].id, name.encode())


def _region(file: h5py.File) -> None:
    there = file["parameters/layers/2/weight"].regionref[:1]
    made(shape=(3, 4), dtype=h5py.regionref_dtype)(file)
    file[WEIGHT][0, 0] = there


def _filtered(properties: h5py.h5p.PropDCID) -> None:
    properties.set_chunk((3, 4))
    properties.set_filter(32_999, h5py.h5z.FLAG_OPTIONAL, (1, 2, 3))


def _stored_with_a_plug_in(file: h5py.File) -> None:
    low_level(h5py.h5t.IEEE_F32LE, (3, 4), _filtered)(file)
    file[WEIGHT].id.write_direct_chunk((0, 0), VALUES.tobytes())


def _twins(file: h5py.File) -> None:
    for name in ("é", "e\u0301"):
        named(name)(file)


def _deep(depth: int) -> Edit:
    return lambda file: file.create_group("parameters/" + "/".join("x" * depth))


def attributes(count: int) -> Edit:
    """As many on one data set."""

    def edit(file: h5py.File) -> None:
        thing, space = file[WEIGHT].id, h5py.h5s.create(h5py.h5s.SCALAR)
        for number in range(count):
            h5py.h5a.create(thing, b"%x" % number, h5py.h5t.STD_I8LE, space)

    return edit


def _claimed(path: Path) -> None:
    """The tree of attributes says that it has a million."""
    with h5py.File(path, "r+") as file:
        attributes(20)(file)
    data = bytearray(path.read_bytes())
    places = spans(bytes(data))
    for span in places:
        start = span.start
        if data[start : start + 4] == b"BTHD" and int.from_bytes(data[start + 26 : start + 34], "little") == 20:
            data[start + 26 : start + 34] = (1_000_000).to_bytes(8, "little")
    path.write_bytes(sealed(data, places))


def _unknown_link(path: Path) -> None:
    """A link of a kind that only the program knows that made it."""
    with h5py.File(path, "r+") as file:
        del file[WEIGHT]
        file[WEIGHT] = h5py.ExternalLink("other.h5", "/x")
    data = path.read_bytes()
    places = spans(data)
    place = data.index(b"weight", data.index(b"other.h5") - 30)
    kind = data.rindex(b"\x40", 0, place)
    path.write_bytes(sealed(data[:kind] + b"\x50" + data[kind + 1 :], places))


def _reordered() -> h5py.h5t.TypeFloatID:
    """A float32 whose sign stands where nobody expects it."""
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_fields(0, 24, 8, 1, 23)
    return kind


OPAQUE = np.dtype("V4")
MORE: list[tuple[int, str, Edit, str]] = [
    (11, "external link to a file that is there", lambda f: _link(f, h5py.ExternalLink("other.h5", "/x")), NO_LINK),
    (11, "external link as a text", lambda f: _link(f, h5py.ExternalLink("other.h5", "/t"), "training"), NO_LINK),
    (12, "soft link to nothing", lambda f: _link(f, h5py.SoftLink("/absent")), NO_LINK),
    (12, "soft link to itself", lambda f: _link(f, h5py.SoftLink(f"/{WEIGHT}")), NO_LINK),
    (13, "the top within", lambda f: _link(f, f["/"], "parameters/layers/2"), "stands in two places|lacks|leads to"),
    (15, "external link at the top", lambda f: _link(f, h5py.ExternalLink("other.h5", "/"), "parameters"), NO_LINK),
    (17, "regions", _region, TYPE),
    (18, "external storage that is there", made(shape=(3, 4), dtype="<f4", external=[("other.bin", 0, 48)]), "outside"),
    (20, "2⁶⁴ values", made(shape=(2**32, 2**32), dtype="<f4", chunks=(1, 1)), r"and \(3, 4\) is expected"),
    (22, "a chunk of 4 GB", made(shape=(3, 4), maxshape=(None, None), dtype="<f4", chunks=(2**15, 2**15)), "can grow"),
    (24, "a plug-in", _stored_with_a_plug_in, f"/{WEIGHT} is packed with the filter 32999; gzip and shuffle can"),
    (24, "lzf", made(data=VALUES, compression="lzf"), f"/{WEIGHT} is packed with the filter 32000"),
    (24, "scale and offset", made(data=VALUES.astype("i4"), scaleoffset=0), TYPE),
    (26, "enum", made(shape=(3, 4), dtype=h5py.enum_dtype({"a": 1}, "<i4")), TYPE),
    (26, "opaque", made(shape=(3, 4), dtype=h5py.opaque_dtype(OPAQUE)), TYPE),
    (26, "lists", made(shape=(3, 4), dtype=h5py.vlen_dtype("<f4")), TYPE),
    (26, "arrays", made(shape=(3, 4), dtype=np.dtype(("<f4", (2,)))), TYPE),
    (27, "float128", made(data=np.zeros((3, 4), np.longdouble)), TYPE),
    (27, "float16, big-endian", low_level(h5py.h5t.IEEE_F16BE, (3, 4), lambda _: None), TYPE),
    (27, "float32 of the VAX", low_level(_reordered(), (3, 4), lambda _: None), TYPE),
    (29, "a fill value", made(shape=(3, 4), dtype="<f4", fillvalue=7.0), "needs 48 bytes, and 0 are stored"),
    (
        29,
        "a fill value in chunks",
        made(shape=(3, 4), dtype="<f4", fillvalue=7.0, chunks=(1, 4)),
        "needs 48 bytes, and",
    ),
    (30, "an axis more", made(data=VALUES[None]), r"has shape \(1, 3, 4\), and \(3, 4\)"),
    (32, "can grow to twice its size", made(data=VALUES, maxshape=(6, 4)), r"can grow to \(6, 4\)"),
    (34, "..", named(".."), f"has /parameters/.., {NOT_EXPECTED}"),
    (34, "../", lambda f: f.create_group("parameters/../../x"), "/parameters/../../x"),
    (34, "absolute", lambda f: f.create_group("/etc/passwd"), f"has /etc, {NOT_EXPECTED}"),
    (34, "backslash", named("..\\x"), rf"has /parameters/..\\x, {NOT_EXPECTED}"),
    (34, "newline", named("a\nb"), r"has '/parameters/a\\nb', which"),
    (34, "marks for the terminal", named("\x1b[31m"), r"has '/parameters/\\x1b\[31m', which"),
    (34, "right to left", named("\u202egnp.h5"), r"has '/parameters/\\u202egnp.h5', which"),
    (34, "10,000 characters", named("x" * 10_000), r"has /parameters/xxx+\.\.\., which"),
    (
        34,
        "not UTF-8",
        lambda f: h5py.h5g.create(f["parameters"].id, b"weigh\xff"),
        r"/parameters/weigh\\xff is not there, or has a name that is not UTF-8",
    ),
    (34, "not UTF-8, at the top", lambda f: h5py.h5g.create(f.id, b"\xff"), r"has /\\xff, which nothing here expects"),
    (34, "two names that look the same", _twins, "has /parameters/e\u0301, /parameters/é, which"),
    (
        34,
        "10,000 characters in the path of a text",
        named("x" * 10_000, "/"),
        "has an index of something else",
    ),
    (35, "__class__", named("__class__"), f"has /parameters/__class__, {NOT_EXPECTED}"),
    (35, "__init__", lambda f: f.move(WEIGHT, "parameters/layers/0/__init__"), "lacks .* and has .*/__init__, which"),
    (37, "a link more", lambda f: f.update({"x": h5py.SoftLink("/format")}), f"has /x, {NOT_EXPECTED}"),
    (38, "20,000 attributes", attributes(20_000), MANY),
    (39, "33 deep", _deep(33), "which nothing here expects"),
    (40, "an attribute of 30 MB", lambda f: f["format"].attrs.create("a", np.zeros(7_500_000, "<f4")), "attributes"),
    (40, "an attribute of 60 kB", lambda f: f.attrs.create("a", np.zeros(60_000, "i1")), "the file has 1 attributes"),
]


def _link(file: h5py.File, link: object, place: str = WEIGHT) -> None:
    del file[place]
    file[place] = link


CASES = [
    plain(36, "all of it missing", lambda f: [f.pop(name) for name in list(f) if name != "format"], "lacks /"),
    plain(39, "900 deep", _deep(900), "which nothing here expects"),
    plain(39, "5,000 deep", _deep(5000), r"leads to more than the \d+ things that are expected"),
    *(case for number, names in KNOWN.items() for name in names for case in both(number, name, *HOSTILE[name])),
    *(case for row in MORE for case in both(*row)),
    *(case for row in agreeing() for case in both(*row)),
    Case(12, "a link of an unknown kind", _unknown_link, "cannot be read|is a link|damaged"),
    Case(38, "a million attributes claimed", _claimed, MANY),
    *both(33, "NaN", lambda f: f[WEIGHT].write_direct(np.full((3, 4), np.nan, "f4")), "holds 12 NaN", warns=True),
    *both(33, "infinity", lambda f: f[WEIGHT].write_direct(np.full((3, 4), np.inf, "f4")), "holds", warns=True),
]
