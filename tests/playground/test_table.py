"""CSV files that people drop on the page: what becomes of them, and all that is wrong with others."""

from __future__ import annotations

import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnkit.errors import DataError
from nnkit.playground.given import Given, subject_for
from nnkit.playground.lab import Lab
from nnkit.playground.settings import Settings
from nnkit.playground.table import Table, plane_of, read_table, scaled

QUICK = settings(max_examples=25, deadline=None)
RANDOM = np.random.default_rng(0)
FLOWERS = "width,height,depth,kind\n" + "".join(
    f"{w:.3f},{h:.3f},{d:.3f},{('rose', 'aster', 'lily')[row % 3]}\n"
    for row, (w, h, d) in enumerate(RANDOM.normal((1, 100, 5), (1, 50, 2), (30, 3)))
)


def table(header: str, *columns: object, rows: int = 12, name: str = "data.csv") -> Table:
    """Of columns that are functions of the row's number."""
    lines = [",".join(str(column(row)) for column in columns) for row in range(rows)]  # type: ignore[operator]
    return read_table("\n".join([header, *lines]).encode(), name)


def test_classes_by_name() -> None:
    found = read_table(FLOWERS.encode(), "flowers.csv")
    assert (found.name, found.columns, found.target) == ("flowers.csv", ("width", "height", "depth"), "kind")
    assert found.classes == ("aster", "lily", "rose")
    assert found.values is None
    assert found.labels is not None
    assert (found.numbers.dtype, found.labels.dtype) == (np.float64, np.int64)
    assert found.labels[:3].tolist() == [2, 0, 1]
    assert found.cells[:3] == ["rose", "aster", "lily"]


PEOPLE = "name,age,height,sex,fare,survived\n" + "".join(
    f"person {row},{20 + row},{1.5 + row / 100},{'fm'[row % 2]},{row % 4},{row % 2}\n" for row in range(20)
)


def test_columns_of_text_are_left_out() -> None:
    found = read_table(PEOPLE.encode(), "people.csv")
    assert (found.columns, found.target, found.classes) == (("age", "height", "fare"), "survived", ("0", "1"))
    assert found.sheet.texts_beside("survived") == ("name", "sex")
    plane = plane_of(found, Settings())
    assert plane.summary.endswith("2 classes of 'survived'; left out (not only numbers): 'name', 'sex'")
    assert plane.targets == ("name", "age", "height", "sex", "fare", "survived")


AIMED: dict[str, tuple[tuple, tuple]] = {  # columns and classes
    "sex": (("age", "height", "fare", "survived"), ("f", "m")),
    "fare": (("age", "height", "survived"), ("0", "1", "2", "3")),
    "height": (("age", "fare", "survived"), ()),
    "survived": (("age", "height", "fare"), ("0", "1")),
}


@pytest.mark.parametrize("target", AIMED)
def test_another_column_is_the_target(target: str) -> None:
    found = read_table(PEOPLE.encode(), "people.csv")
    columns, classes = AIMED[target]
    aimed = found.aimed_at(target)
    assert (aimed.columns, aimed.classes) == (columns, classes)
    plane = plane_of(aimed, Settings(target=target))
    assert plane.target_name == aimed.target == target
    assert (plane.columns, plane.classes) == (columns, classes)
    again = aimed.aimed_at("survived")
    np.testing.assert_array_equal(again.numbers, found.numbers)
    np.testing.assert_array_equal(again.labels, found.labels)
    np.testing.assert_array_equal(read_table(PEOPLE.encode(), "people.csv", target).cells, aimed.cells)


def test_a_column_that_cannot_be_learned_is_no_target() -> None:
    gap = PEOPLE.replace(",f,2,", ",,2,", 1)
    found = read_table(gap.encode(), "people.csv")
    with pytest.raises(DataError, match="the target 'name' has 20 different texts in 20 rows"):
        found.aimed_at("name")
    with pytest.raises(DataError, match=r"people\.csv, line 4: the value in column 'sex' is missing; fill it in"):
        found.aimed_at("sex")
    with pytest.raises(
        DataError, match=r"^people\.csv has no column 'hight'\. Did you mean 'height'\? It has 'name', "
    ):
        read_table(gap.encode(), "people.csv", "hight")


LAST = {
    "names": (lambda row: f"name {row}", "c"),
    "few notes": (lambda row: f"note {row}" if row < 3 else "", "c"),
    "many places": (lambda row: f"place {row % 15}", "c"),
    "always the same": (lambda row: 7, "c"),
    "classes": (lambda row: f"note {row % 5}", "last"),
    "numbers": (lambda row: row + 0.5, "last"),
}


@pytest.mark.parametrize(("last", "target"), LAST.values(), ids=LAST)
def test_what_cannot_be_learned_is_not_the_target(last: object, target: str) -> None:
    assert table("a,b,c,last", *[lambda row: row * 1.5] * 3, last, rows=40).target == target


TEXTS = {
    "none at first": lambda row: "" if row < 5 else f"C{row}",
    "none and some": lambda row: ("none", "some")[row % 2],
    "tickets": lambda row: f"PC {row}" if row % 5 == 4 else 113803 + row,
    "names of numbers": lambda row: f"1_{row}",
}


@pytest.mark.parametrize("cell", TEXTS.values(), ids=TEXTS)
def test_text_may_look_like_numbers_at_first(cell: object) -> None:
    found = table("a,b,c,y", lambda row: row, lambda row: -row, cell, lambda row: row % 2, rows=40)
    assert (found.columns, found.sheet.texts_beside("y")) == (("a", "b"), ("c",))


@pytest.mark.parametrize("header", ["x1^2,x2^2,x1x2,y", "x1,x2,x1x2,y"])
def test_columns_may_be_called_like_features(header: str) -> None:
    given = Given(table=table(header, *[lambda row: row] * 3, lambda row: row % 2))
    settings = Settings().changed({"data": "table", "features": []})[0]
    made = Lab(settings, subject_for(settings, given))
    assert made.subject.inputs == tuple(header.split(",")[:3])


def test_rows_may_have_lines() -> None:
    rows = "".join(f'{row},{row % 7},"a\nb\nc",{row % 2}\n' for row in range(20_000))
    assert len(read_table(f"a,b,note,y\n{rows}".encode(), "x.csv").numbers) == 20_000


def test_a_gap_among_numbers_at_the_end_is_told() -> None:
    with pytest.raises(DataError, match=r"data\.csv, line 5: the value in column 'last' is missing"):
        table("a,b,c,last", *[lambda row: row] * 3, lambda row: "" if row == 3 else row)


TARGETS = {
    "few whole numbers": (lambda row: row % 3 + 4, ("4", "5", "6")),
    "ten": (lambda row: row % 10, tuple("0123456789")),
    "eleven whole numbers": (lambda row: row % 11, ()),
    "each once": (lambda row: row, ()),
    "fractions": (lambda row: row % 2 * 0.5, ()),
    "words": (lambda row: "yes" if row % 2 else "no", ("no", "yes")),
    "words that are code": (lambda row: f"'\"{row % 2}\\n)", ("'\"0\\n)", "'\"1\\n)")),
}


@pytest.mark.parametrize(("cell", "classes"), TARGETS.values(), ids=TARGETS)
def test_what_makes_a_target_classes(cell: object, classes: tuple) -> None:
    found = table("a;b;y", lambda row: f"{row};{row * row};{cell(row)}", rows=40)  # type: ignore[operator]
    assert found.classes == classes
    assert (found.labels is None) == (not classes)
    if not classes:
        assert found.values is not None
        assert found.values.dtype == np.float64
        assert found.values.tolist() == [float(cell(row)) for row in range(40)]  # type: ignore[operator]


def test_the_plane_has_the_units_of_the_page() -> None:
    found = read_table(FLOWERS.encode(), "flowers.csv")
    plane = plane_of(found, Settings(seed=3, train=70, axes=("depth", "width")))
    assert plane.rows.min(axis=0).tolist() == [-5] * 3
    assert plane.rows.max(axis=0).tolist() == [5] * 3
    low, high = found.numbers.min(axis=0), found.numbers.max(axis=0)
    for at, side in ((0, -6), (1, 6)):  # the formula of the scaling, the other way round
        np.testing.assert_allclose([ends[at] for ends in plane.ends], low + (side + 5) / 10 * (high - low))
    assert plane.values == (-1, 1)
    assert (plane.columns, plane.axes, plane.of_points) == (("width", "height", "depth"), (2, 0), False)
    assert plane.classes == found.classes
    assert plane.summary == "flowers.csv: 30 rows, 3 columns, 3 classes of 'kind'"
    assert np.bincount(plane.target[plane.test]).tolist() == [3, 3, 3]
    assert plane.grid(4).shape == (16, 3)


def test_values_come_to_minus_one_to_one() -> None:
    found = table("a,b,c,price", *[lambda row: row] * 3, lambda row: 100.5 + row * 10)
    plane = plane_of(found, Settings())
    np.testing.assert_allclose(plane.target, np.linspace(-1, 1, 12), atol=1e-15)
    assert plane.values == (100.5, 210.5)
    assert len(plane.ends) == 3
    assert plane.classes == ()
    assert plane.test.sum() == 6
    assert plane.summary == "data.csv: 12 rows, 3 columns, values of 'price'"


@pytest.mark.parametrize(
    ("wanted", "axes"),
    [((), (0, 1)), (("c",), (2, 0)), (("c", "b"), (2, 1)), (("gone", "b"), (1, 0)), (("x1", "x2"), (0, 1))],
)
def test_axes_are_columns(wanted: tuple, axes: tuple) -> None:
    found = table("a,b,c,y", *[lambda row: row] * 3, lambda row: row % 2)
    assert plane_of(found, Settings(axes=wanted)).axes == axes


def test_features_are_derived_from_two_columns() -> None:
    found = table("a,b,y", lambda row: row, lambda row: row**2, lambda row: row % 2)
    plane = plane_of(found, Settings())
    assert plane.of_points
    assert plane.columns == ("a", "b")
    assert "x1x2" in plane.offered


def test_a_constant_column_stays_zero() -> None:
    found = table("a,b,c,y", lambda row: row, lambda row: 7, lambda row: -row, lambda row: row % 2)
    plane = plane_of(found, Settings())
    assert not plane.rows[:, 1].any()
    assert plane.ends[1] == (7, 7)


@QUICK
@given(st.lists(st.floats(-3e38, 3e38), min_size=1, max_size=20), st.sampled_from([1.0, 5.0]))
def test_scaling_stays_in_range_and_in_order(values: list[float], limit: float) -> None:
    found = scaled(np.array(values), limit)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= limit
    assert (np.diff(found[np.argsort(values)]) >= 0).all()


@QUICK
@given(st.lists(st.integers(0, 9), min_size=20, max_size=60), st.floats(10, 90), st.integers(0, 2**32 - 1))
def test_both_parts_have_rows(labels: list[int], train: float, seed: int) -> None:
    cells = "".join(f"{row},{row},c{label}\n" for row, label in enumerate(labels))
    if len(set(labels)) > 1:
        plane = plane_of(read_table(f"a,b,y\n{cells}".encode(), "x.csv"), Settings(train=train, seed=seed))
        assert 0 < plane.test.sum() < len(plane.test)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd", "passwd"), ("C:\\data\\iris.csv", "iris.csv"), ("", "table.csv"), ("..", "table.csv"),
        ("a\nb\0c.csv", "abc.csv"), ("x" * 500 + ".csv", "x" * 56 + ".csv"), ("größe 1.csv", "größe 1.csv"),
        ("\ud800.csv", ".csv"),
    ],
)  # fmt: skip
def test_names_of_files_are_plain(given: str, name: str) -> None:
    assert read_table(FLOWERS.encode(), given).name == name


def csv(header: str, row: str, rows: int = 12) -> bytes:
    return f"{header}\n{f'{row}{chr(10)}' * rows}".encode()


TWICE = "a,b,y\n" + "1,2,0\n3,4,1\n" * 8
WRONG = {
    "empty": (b"", r"x\.csv is empty; expected a line with the names of the columns, then rows"),
    "white": (b" \n\r\n", r"is empty"),
    "a header only": (b"a,b,y\n", r"x\.csv has a header and no rows; add rows to learn from"),
    "nine rows": (csv("a,b,y", "1,2,3", 9), r"x\.csv has 9 rows, expected 10 to 50,000; add rows to learn from"),
    "too many rows": (
        csv("a,b,y", "1,2,3", 50_001),
        r"x\.csv has 50,001 rows, and 50,000 are the most; take a sample of them, or train with nnkit\.data\.load",
    ),
    "too many bytes": (b"a" * 16_000_001, r"has 16,000,001 bytes, and 16,000,000 are the most; leave rows or columns"),
    "blank lines": (
        TWICE.encode() + b"\n" * 1_000_001,
        r"^x\.csv has more than 1,000,000 blank lines; take them out",
    ),
    "one column": (b"y\n" + b"1\n" * 20, r"x\.csv has 0 columns of numbers beside the target 'y'"),
    "one feature": (
        csv("a,y", "1,2"),
        r"x\.csv has 1 column of numbers beside the target 'y', and the plane shows two; add a column",
    ),
    "33 columns": (
        csv(f"{'c,' * 33}y", f"{'1,' * 33}2"),
        r"has 33 columns beside the target, and 32 are the most; keep",
    ),
    "a thousand columns": (b"a," * 1000 + b"y", r"has 1,000 columns beside the target, and 32 are the most"),
    "a million columns": (b"," * 1_000_000, r"has 1,000,000 columns beside the target, and 32 are the most"),
    "columns behind a line end": (
        csv('"a\n",' + ",".join(f"c{number}" for number in range(40)), ("1," * 41)[:-1]),
        r"has 40 columns beside the target, and 32 are the most",
    ),
    "text": (
        csv("a,city,y", "1,Rome,0"),
        r"numbers beside the target 'y', and the plane shows two; left out \(not only numbers\): 'city'; add a",
    ),
    "text among numbers": (
        f"{TWICE}1,Rome,0\n".encode(),
        r"x\.csv, line 18: column 'b' holds text \('Rome'\); networks take numbers",
    ),
    "a decimal comma": (csv("a;b;y", "1;2,5;0"), r"line 2: '2,5' in column 'b' has a decimal comma; write a point"),
    "missing": (f"{TWICE}1,,0\n".encode(), r"x\.csv, line 18: the value in column 'b' is missing; fill it in"),
    "missing target": (f"{TWICE}1,2,\n".encode(), r"x\.csv, line 18: the value in column 'y' is missing; fill it in"),
    "infinite": (
        f"{TWICE}1,inf,0\n".encode(),
        r"line 18: 'inf' in column 'b' is infinite; correct it, or remove the line",
    ),
    "infinite target": (csv("a,b,y", "1,2,inf"), r"x\.csv: the target 'y' has infinity at row 0"),
    "beyond float32": (csv("a,b,y", "1e39,2,3"), r"x\.csv, column 'a' has 1e\+39 at row 0, too large for float32"),
    "short": (f"{TWICE}1,2\n".encode(), r"x\.csv, line 18 has 2 values, the header has 3; complete the line"),
    "no header": (b"1,2,3\n4,5,6\n", r"x\.csv begins with numbers \(1, 2, 3\); add a first line"),
    "two of a name": (b"a,a,y\n1,2,3\n", r"x\.csv has two columns named 'a'"),
    "latin-1": ("a,b,größe\n1,2,3\n".encode("latin-1"), r"^x\.csv is not UTF-8 text \(byte 6\): save it as UTF-8"),
    "utf-16": (TWICE.encode("utf-16"), r"^x\.csv is not UTF-8 text"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0", r"^x\.csv is not UTF-8 text"),
    "open quotes": (
        b'a,b,y\n1,2,"3\n',
        r"^x\.csv is no well-formed CSV file: unexpected end of data; check its quotes",
    ),
    "one class": (csv("a,b,y", "1,2,cat"), r"the target 'y' is 'cat' in every row; there is nothing to tell apart"),
    "one number": (csv("a,b,y", "1,2,7"), r"the target 'y' is '7' in every row; there is nothing to tell apart"),
    "one value": (csv("a,b,y", "1,2,0.5"), r"the target 'y' is 0\.5 in every row; there is nothing to learn"),
    "eleven classes": (
        ("a,b,y\n" + "".join(f"1,2,c{row % 11}\n" for row in range(44))).encode(),
        r"the target 'y' has 11 classes, and 10 are the most; put some together, or choose another column",
    ),
    "names": (
        ("a,b,y\n" + "".join(f"1,2,name{row}\n" for row in range(50))).encode(),
        r"the target 'y' has 50 different texts, such as 'name0', in 50 rows; that is no class to learn",
    ),
    "few names": (
        ("a,b,y\n" + "".join(f"1,2,name{row}\n" for row in range(10))).encode(),
        r"the target 'y' has 10 different texts in 10 rows; that is no class to learn: choose another column as the",
    ),
    "a long name": (
        csv(f"{'a' * 81},b,y", "1,2,3"),
        r"has the column 'aaa.*'; expected a name of at most 80 characters",
    ),
    "a name with a bell": (
        csv("a\a,b,y", "1,2,3"),
        r"has the column 'a\\x07'; expected a name of at most 80 characters",
    ),
    "a long class": (f"{TWICE}1,2,{'c' * 90}\n".encode(), r"has the class 'ccc.*'; expected a name of at most 80"),
}


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_table(content, "folder/x.csv")
    assert len(str(caught.value)) < 600


def test_a_long_cell_makes_no_long_message() -> None:
    with pytest.raises(DataError, match=r"column 'b' holds text \('zzz.*\.\.\.$") as caught:
        read_table(f"{TWICE}1,{'z' * 5000},3".encode(), "x.csv")
    assert len(str(caught.value)) == 400


HUGE = {
    "rows": b"a,b,c\n" + b"1,2,3\n" * 1_000_000,
    "line ends": b"a" + b"\r\n" * 7_900_000,
    "columns": b"a," * 7_900_000,
    "quotes": b'"' * 16_000_000,
    "columns of a second line": b'"a\n' + b"b," * 7_900_000,
}


@pytest.mark.parametrize("content", HUGE.values(), ids=HUGE)
def test_what_is_huge_is_refused_quickly(content: bytes) -> None:
    began = time.process_time()
    with pytest.raises(DataError):
        read_table(content, "x.csv")
    assert time.process_time() - began < 1


@QUICK
@given(st.binary(max_size=200) | st.text("ab,;\"'\n\r\t 01.e-é\0", max_size=200).map(str.encode))
def test_whatever_comes_is_a_table_or_refused(content: bytes) -> None:
    for start in (b"", b"a,b,y\n" + b"1,2,0\n3,4,1\n" * 5):
        with suppress(DataError):
            found = read_table(start + content, "x.csv")
            assert 0 < plane_of(found, Settings()).test.sum() < len(found.numbers)
