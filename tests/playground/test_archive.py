"""Pages as JSON: what comes back is what was written, and nothing in a file is trusted."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnkit
from nnkit.playground import archive
from nnkit.playground.archive import read, written
from nnkit.playground.settings import Settings
from nnkit.playground.strokes import Strokes, strokes
from nnkit.playground.table import Table, plane_of, read_table

POINTS = strokes([[1, -2.5, 0], [0.1, 6, 1], [3, 3, -0.3]])
HEADER = "a,b,kind\n"
CLASSES = read_table((HEADER + "".join(f"{i / 7},{i},c{i % 3}\n" for i in range(12))).encode(), "c.csv")
NUMBERED = read_table((HEADER + "".join(f"{i / 7},{i},{i % 10 - 4}\n" for i in range(30))).encode(), "n.csv")
NAMED = read_table(
    ("name,a,b,c,kind\n" + "".join(f"row {i},{i / 7},{i * i},{-i},c{i % 3}\n" for i in range(12))).encode(), "t.csv"
)
VALUES = read_table((HEADER + "".join(f"{i / 7},{i},{i / 3}\n" for i in range(12))).encode(), "v.csv")
QUICK = settings(max_examples=25, deadline=None)


def test_a_page_comes_back() -> None:
    net = nnkit.FeedForward(inputs=2, hidden=[4, 2], outputs=1, seed=3)
    chosen = Settings(noise=12.5, hidden=(4, 2), seed=3)
    found = read(written(chosen, net.parameters(), POINTS))
    assert Settings().changed(found.settings) == (chosen, [])
    assert list(found.parameters) == list(net.parameters())
    for path, value in net.parameters().items():
        assert found.parameters[path].dtype == np.float32
        np.testing.assert_array_equal(found.parameters[path], value)
    net.set_parameters(found.parameters)
    assert found.given == POINTS
    assert read(written(chosen, {})).given is None


@pytest.mark.parametrize(
    "table",
    [CLASSES, NUMBERED, VALUES, NAMED, NAMED.aimed_at("b")],
    ids=["classes", "numbered classes", "values", "with names", "with another target"],
)
def test_a_table_comes_back(table: Table) -> None:
    found = read(written(Settings(data="table"), {}, table)).given
    assert isinstance(found, Table)
    assert (found.name, found.columns, found.target) == (table.name, table.columns, table.target)
    assert found.classes == table.classes
    np.testing.assert_array_equal(found.numbers, table.numbers)
    np.testing.assert_array_equal(found.cells, table.cells)
    assert found.sheet.texts_beside(found.target) == table.sheet.texts_beside(table.target)
    assert list(found.sheet.columns) == list(table.sheet.columns)
    assert plane_of(found, Settings()).summary == plane_of(table, Settings()).summary


FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@QUICK
@given(st.lists(FLOATS, min_size=1, max_size=12), st.integers(1, 3))
def test_every_float32_comes_back(values: list[float], rows: int) -> None:
    vector = np.array(values, np.float32)
    arrays = {"vector": vector, "matrix": np.tile(vector, (rows, 1)), "one": vector[-1]}
    found = read(written(Settings(), arrays)).parameters
    for path, value in arrays.items():
        assert found[path].tobytes() == value.tobytes()
        assert found[path].shape == value.shape


def test_the_greatest_float32_comes_back() -> None:
    value = np.array([1, -1, 0.5**24], np.float32) * np.finfo(np.float32).max
    np.testing.assert_array_equal(read(written(Settings(), {"w": value})).parameters["w"], value)


def test_weights_that_diverged_are_not_written() -> None:
    with pytest.raises(ValueError, match=r"layers\.0\.bias has weights that are no finite numbers any more; reset the"):
        written(Settings(), {"layers.0.bias": np.array([1, np.nan], np.float32)})


def test_what_nobody_could_read_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 1000)
    with pytest.raises(
        ValueError, match=r"the file would have \d,\d+ bytes, and 1,000 are the most .*; export the netw"
    ):
        written(Settings(), {"weight": np.ones(500, np.float32)})


def page(**parts: Any) -> bytes:
    return json.dumps({archive.MARK: 1, **parts}).encode()


def with_table(**parts: Any) -> bytes:
    described = json.loads(written(Settings(), {}, CLASSES))["table"]
    del described["order"]  # which files of before do not have
    return page(table={**described, **parts})


def parameters(text: str) -> bytes:
    return f'{{"nnkit playground":1,"parameters":{text}}}'.encode()


WRONG = {
    "empty": (b"", r"the file is no JSON: Expecting value"),
    "half": (b'{"nnkit playground":1,', r"the file is no JSON: .*; expected what a page exported"),
    "not text": (b"\x89HDF\r\n", r"the file is not UTF-8 text \(byte 0\)"),
    "deep": (b"[" * 1_000_000, r"lists in lists beyond all measure"),
    "deep in its place": (parameters('{"w":' + "[" * 100_000 + "]" * 100_000 + "}"), r"lists in lists beyond all"),
    "large": (b" " * 16_000_001, r"the file has 16,000,001 bytes, and 16,000,000 are the most"),
    "another object": (b"{}", r'none that a page exported: expected an object with "nnkit playground": 1'),
    "a list": (b"[1]", r"the file is none that a page exported"),
    "a later version": (b'{"nnkit playground":2}', r"has version 2, and this nnkit reads version 1; update it"),
    "a strange version": (b'{"nnkit playground":true}', r"has version True, and this nnkit reads version 1"),
    "something else": (page(code="x"), r"the file has 'code', expected settings, parameters, points, table and"),
    "NaN": (parameters('{"w":[NaN]}'), r"the file has NaN in it, which is no number"),
    "infinity": (parameters('{"w":[-Infinity]}'), r"the file has -Infinity in it, which is no number"),
    "beyond float64": (parameters('{"w":[1e999]}'), r"the parameter 'w' has inf in it, expected finite numbers"),
    "beyond float32": (parameters('{"w":[1e39]}'), r"the parameter 'w' has 1e\+39 in it, expected finite numbers"),
    "many digits": (parameters('{"w":[' + "9" * 5000 + "]}"), r"the file has a number of 5,000 digits"),
    "a huge whole number": (parameters('{"w":[' + "9" * 400 + "]}"), r"the parameter 'w' has 9999.* in it, expected"),
    "text": (parameters('{"w":["1"]}'), r"the parameter 'w' has '1' in it, expected finite numbers"),
    "yes": (parameters('{"w":[[true]]}'), r"the parameter 'w' has True in it"),
    "null": (parameters('{"w":[1,null]}'), r"the parameter 'w' has None in it"),
    "an object": (parameters('{"w":{"a":1}}'), r"the parameter 'w' has \{'a': 1\} in it"),
    "three axes": (parameters('{"w":[[[1]]]}'), r"the parameter 'w' has \[1\] in it"),
    "ragged": (parameters('{"w":[[1,2],[3]]}'), r"the parameter 'w' has rows of different lengths, or empty ones"),
    "mixed": (parameters('{"w":[[1],2]}'), r"the parameter 'w' has rows of different lengths"),
    "mixed otherwise": (parameters('{"w":[2,[1]]}'), r"the parameter 'w' has \[1\] in it"),
    "empty rows": (parameters('{"w":[[],[]]}'), r"the parameter 'w' has rows of different lengths, or empty ones"),
    "no paths": (parameters("[1]"), r"the parameters are \[1\], expected an object with an array for each path"),
    "many paths": (page(parameters={str(n): 1 for n in range(101)}), r"the parameters are .*, expected an object"),
    "no settings": (page(settings=[]), r"the settings are \[\], expected an object with a value for each name"),
    "many settings": (page(settings={str(n): 1 for n in range(101)}), r"the settings are .*, expected an object"),
    "settings in settings": (page(settings={"tab": {"a": 1}}), r"the setting 'tab' is \{'a': 1\}, expected a number"),
    "lists in lists": (page(settings={"hidden": [[1]]}), r"the setting 'hidden' is \[\[1\]\], expected a number, text"),
    "two kinds of data": (page(points=[], table={}), r"the file has points and a table; expected one of them"),
    "no points": (page(points=3), r"the points are 3, expected a list"),
    "points far away": (page(points=[[9, 0, 0]]), r"point 1 has the coordinate 9, expected a number from -6 to 6"),
    "no table": (page(table=3), r"the table is 3, expected its name, columns, target, numbers and cells"),
    "a part": (page(table={"name": "x"}), r"the table is \{'name': 'x'\}, expected its name, columns"),
    "a number for a name": (with_table(name=3), r"names that are no text"),
    "a number for a target": (with_table(target=3), r"names that are no text; expected text for the file, the columns"),
    "numbers for columns": (with_table(columns=[1, 2]), r"names that are no text"),
    "two of a name": (with_table(columns=["a", "a"]), r"the table has two columns of one name; give each its own"),
    "the target's name": (with_table(columns=["a", "kind"]), r"the table has two columns of one name"),
    "no columns": (with_table(columns=[], numbers=[]), r"the table has numbers of shape \(0,\); expected 0 columns"),
    "other columns": (with_table(columns=["a", "b", "c"]), r"numbers of shape \(12, 2\); expected 3 columns and"),
    "other rows": (with_table(cells=["x"]), r"numbers of shape \(12, 2\); expected 2 columns and a cell for each row"),
    "cells that are none": (with_table(cells="x" * 12), r"expected 2 columns and a cell for each row"),
    "mixed cells": (with_table(cells=["x", 1] * 6), r"the target of the table has 'x' in it, expected finite numbers"),
    "missing cells": (with_table(cells=["nan", "1"] * 6), r"c\.csv, line 2: the value in column 'kind' is missing"),
    "texts of other rows": (with_table(texts={"t": ["x"]}), r"the table has texts that are none, or not one for each"),
    "texts that are none": (with_table(texts={"t": [1] * 12}), r"the table has texts that are none, or not one for"),
    "text for texts": (with_table(texts="t"), r"the table has the texts 't', expected an object with a list"),
    "another order": (with_table(order=["a", "b", "b"]), r"the table has the order \['a', 'b', 'b'\], expected the"),
    "no order": (with_table(order=3), r"the table has the order 3, expected the names of all its columns, each once"),
    "texts of a column's name": (with_table(texts={"a": ["x"] * 12}), r"the table has two columns of one name"),
    "few rows": (with_table(numbers=[[1, 2]], cells=["x"]), r"c\.csv has 1 row, expected 10 to 50,000; add rows"),
    "many rows": (with_table(numbers=[[1, 2]] * 50_001, cells=["x"] * 50_001), r"c\.csv has 50001 rows, expected"),
    "one column": (with_table(columns=["a"], numbers=[[1]] * 12), r"c\.csv has 1 column of numbers beside the target"),
    "many columns": (
        with_table(columns=[f"c{number}" for number in range(40)], numbers=[[1] * 40] * 12),
        r"c\.csv has 40 columns beside the target, and 32 are the most",
    ),
    "no name of a class": (with_table(cells=["", "x"] * 6), r"c\.csv, line 2: the value in column 'kind' is missing"),
    "a bell": (with_table(columns=["a\a", "b"]), r"c\.csv has the column 'a\\x07'; expected a name of at most 80"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told(content: bytes, message: str) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match=message) as caught:
        read(content)
    assert len(str(caught.value)) < 500
    assert time.process_time() - began < 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
PARTS = st.dictionaries(st.sampled_from(["settings", "parameters", "points", "table"]), JSON, max_size=3)


@settings(max_examples=20, deadline=None)
@given(PARTS | st.fixed_dictionaries({"table": st.fixed_dictionaries(
    {"name": JSON, "columns": JSON, "target": JSON, "numbers": JSON, "cells": JSON, "texts": JSON}
)}))  # fmt: skip
def test_whatever_comes_is_plain_data_or_refused(parts: dict) -> None:
    try:
        found = read(page(**parts))
    except ValueError:
        return
    assert all(isinstance(value, np.ndarray) and np.isfinite(value).all() for value in found.parameters.values())
    assert isinstance(found.given, Strokes | Table | None)


def test_the_name_of_a_file_is_none_of_a_path() -> None:
    found = read(with_table(name="../../etc/passwd")).given
    assert isinstance(found, Table)
    assert found.name == "passwd"
