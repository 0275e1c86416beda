"""CSV files as data sets, for prediction, and with everything wrong that users' files have."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nnkit.data import load
from nnkit.data.csv_file import read_csv
from nnkit.data.files import read_features
from nnkit.errors import DataError, FileError

RANDOM = np.random.default_rng(0)
FLOWERS = ["width,height,kind"] + [
    f"{w:.3f},{h:.3f},{kind}"
    for kind, middle in (("rose", 2), ("aster", 5), ("lily", 9))
    for w, h in RANDOM.normal((middle, 100 * middle), (1, 50), (20, 2))
]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes text, or lines, to a CSV file."""

    def write(text: str | list[str] | bytes, name: str = "data.csv") -> Path:
        content = "\n".join(text) + "\n" if isinstance(text, list) else text
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_text_classes_are_encoded_and_columns_standardised(write: Callable[..., Path]) -> None:
    data = load(write(FLOWERS))
    assert data.classes == ("aster", "lily", "rose")
    assert (data.features, data.target, data.name) == (("width", "height"), "kind", "data.csv")
    assert (data.x_train.shape, data.x_test.shape) == ((48, 2), (12, 2))
    assert (data.x_train.dtype, data.y_train.dtype) == (np.float32, np.int32)
    assert np.bincount(data.y_test).tolist() == [4, 4, 4]
    np.testing.assert_allclose(data.x_train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(data.x_train.std(axis=0), 1, atol=1e-6)
    means = [data.x_train[data.y_train == i, 0].mean() for i in range(3)]
    assert means[2] < means[0] < means[1]  # rose, aster, lily: the labels go with the rows


def test_the_seed_chooses_the_test_rows(write: Callable[..., Path]) -> None:
    path = write(FLOWERS)
    assert load(path, seed=1).sha256 == load(str(path), seed=1).sha256 != load(path, seed=2).sha256


def test_the_target_is_the_last_column_or_the_one_named(write: Callable[..., Path]) -> None:
    path = write(["price,rooms,size"] + [f"{i * 1000.5},{i % 7 + 1},{i + 20}" for i in range(40)])
    assert load(path).target == "size"
    data = load(path, target="price")
    assert data.features == ("rooms", "size")
    assert data.classes is None
    assert data.y_train.dtype == np.float32
    assert data.y_train.max() > 10_000


TARGETS = {
    "few whole numbers": ([i % 3 + 4 for i in range(40)], ("4", "5", "6")),
    "whole numbers with a point": ([f"{i % 2}.0" for i in range(40)], ("0", "1")),
    "negative": ([i % 2 * 2 - 1 for i in range(40)], ("-1", "1")),
    "many whole numbers": ([i % 25 for i in range(60)], None),
    "each once": (list(range(15)), None),
    "fractions": ([0.5, 1, 0.5, 1, 0.5, 1], None),
    "words": (["yes", "no", "no", "yes", "no"], ("no", "yes")),
    "mixed": (["1", "2", "x", "1", "2", "x"], ("1", "2", "x")),
    "names with underscores": (["1_0", "2_0"] * 5, ("1_0", "2_0")),
    "zeros in front": (["00123", "04567"] * 5, ("00123", "04567")),
    "zeros in front that differ": (["1", "01", "001"] * 5, ("001", "01", "1")),
    "zeros in front of many": ([f"{i:03d}" for i in range(25)] * 2, tuple(f"{i:03d}" for i in range(25))),
    "zeros in front, each once": ([f"{i:03d}" for i in range(25)], None),
    "zeros in front of fractions": (["00.5", "01.5"] * 5, None),
    "exponents": (["1e3", "2E3", "1E5"] * 5, ("1E5", "1e3", "2E3")),
    "many exponents": ([f"{i}e3" for i in range(25)] * 2, None),
    "exponents of fractions": (["1e3", "1e-3"] * 5, None),
    "exponents after a point": (["0.000e+00", "1.000e+00"] * 5, ("0", "1")),
    "too long for a number": ([f"{2**63}", f"{2**63 + 1}"] * 5, (f"{2**63}", f"{2**63 + 1}")),
    "none as a class": (["none", "mild"] * 5, ("mild", "none")),
}


@pytest.mark.parametrize(("cells", "classes"), TARGETS.values(), ids=TARGETS)
def test_what_makes_a_target_classes(write: Callable[..., Path], cells: list, classes: tuple | None) -> None:
    data = load(write(["x,y"] + [f"{i},{cell}" for i, cell in enumerate(cells)]))
    assert data.classes == classes


FORMS = {
    "semicolons": 'a;"b";y\r\n1;2;0\r\n3;4;1\r\n',
    "tabs": "a\tb\ty\n1\t2\t0\n3\t4\t1\n",
    "byte-order mark": "\ufeffa,b,y\n1,2,0\n3,4,1\n",
    "blank lines and spaces": "a, b ,y\n\n 1 , 2,0\n\n3,4,1\n\n",
    "blanks": "a,b,y\n1,2,0\n  \n3,4,1\n   \n\t",
    "quotes": '"a","b","y"\n"1","2","0"\n"3","4","1"\n',
    "no end of line": "a,b,y\n1,2,0\n3,4,1",
    "old line ends": "a,b,y\r1,2,0\r3,4,1\r",
}


@pytest.mark.parametrize("text", ["1990,1991,place\n1,2.5,x\n", "1100.5,1102.5,octane\n1,2.5,88\n"])
def test_numbers_may_be_names(write: Callable[..., Path], text: str) -> None:
    """Years; wavelengths, where the name of the last column says that it is one."""
    assert read_csv(write(text), None, None, want_target=True).names == tuple(text.split(",")[:2])


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_forms_of_the_format(write: Callable[..., Path], text: str) -> None:
    table = read_csv(write(text), None, None, want_target=True)
    assert table.names == ("a", "b")
    assert table.target == "y"
    assert table.cells == ["0", "1"]
    np.testing.assert_array_equal(table.numbers, [[1, 2], [3, 4]])


def test_tabs_may_be_in_the_name_of_the_file(write: Callable[..., Path]) -> None:
    path = write("a\ty\n1\tno\n2\tyes\n3\tno\n4\tyes\n", "data.TSV")
    assert load(path, target="y").classes == ("no", "yes")
    assert read_features(path, target="y").tolist() == [[1], [2], [3], [4]]


def test_true_and_false_are_one_and_zero_but_classes_in_the_target(write: Callable[..., Path]) -> None:
    table = read_csv(write("a,b,y\nTrue,0.5,True\n FALSE ,2,False\n"), None, None, want_target=True)
    assert table.numbers.tolist() == [[1, 0.5], [0, 2]]
    assert table.cells == ["True", "False"]


def test_a_delimiter_and_a_line_end_within_quotes(write: Callable[..., Path]) -> None:
    table = read_csv(write('a,y\n1,"x, the\nfirst"\n2,z\n'), None, None, want_target=True)
    assert table.cells == ["x, the\nfirst", "z"]


WRONG = {
    "empty": ("", DataError, r"data.csv is empty; expected a line with the names of the columns"),
    "white": (" \n\n", DataError, r"data.csv is empty"),
    "header only": ("a,b,y\n", DataError, r"data.csv has a header and no rows; add rows"),
    "no header": ("1,2\n3,4\n", DataError, r"begins with numbers \(1, 2\); add a first line with the columns' names"),
    "no header, but text": (
        "5.1,3.5,1.4,1.4,setosa\n4.9,3,1.4,0.2,setosa\n",
        DataError,
        r"data.csv begins with numbers \(5.1, 3.5, 1.4\); add a first line with the columns' names",
    ),
    "no header, but classes": (
        "5.1,3,setosa\n4.9,3,rosa\n4.8,3,setosa\n",
        DataError,
        r"begins with numbers \(5.1, 3\); add a first line with the columns' names",
    ),
    "bars": (
        "a|y\n1|2\n",
        DataError,
        r"the column 'a\|y' only; .* needed, with commas, semicolons or tabs between them",
    ),
    "for spreadsheets": (
        "sep=;\na;y\n1;2\n",
        DataError,
        r"begins with 'sep=;', which spreadsheets read; remove that line",
    ),
    "numbers of the rows": (
        ",a,y\n0,1,2\n",
        DataError,
        r"no name for column 1; name it in the first line, or leave out the numbers of the rows: to_csv\(…, index=F",
    ),
    "empty quotes": ('a,y\n1,0\n""\n', DataError, r"line 3 has 1 value, the header has 2"),
    "twice": ("a,b,a\n1,2,3\n", DataError, r"data.csv has two columns named 'a'; give each its own name"),
    "no name": ("a,,y\n1,2,3\n", DataError, r"data.csv has no name for column 2; name it in the first line"),
    "one column": ("a\n1\n", DataError, r"has the column 'a' only; features and a target are needed"),
    "short": ("a,b,y\n1,2,0\n3,4\n", DataError, r"data.csv, line 3 has 2 values, the header has 3; complete the line"),
    "long": ("a,b,y\n1,2,0,9\n", DataError, r"data.csv, line 2 has 4 values, the header has 3"),
    "line after quotes": ('a,y\n1,"x\ny"\n2\n', DataError, r"data.csv, line 4 has 1 value, the"),
    "missing": (
        "a,b,y\n1,2,0\n\n3,,1\n",
        DataError,
        r"data.csv, line 4: the value in column 'b' is missing; fill it in",
    ),
    "NA": ("a,b,y\n1,NA,0\n", DataError, r"data.csv, line 2: the value in column 'b' is missing \('NA'\)"),
    "nan": ("a,b,y\n1,2,0\n1,NaN,0\n", DataError, r"data.csv, line 3: the value in column 'b' is missing \('NaN'\)"),
    "C's nan": ("a,b,y\n1,-nan,0\n", DataError, r"data.csv, line 2: the value in column 'b' is missing \('-nan'\)"),
    "infinity": ("a,b,y\n1,-Inf,0\n", DataError, r"data.csv, line 2: '-Inf' in column 'b' is infinite; correct it"),
    "beyond float64": (
        "a,y\n1e400,0\n",
        DataError,
        r"line 2: '1e400' in column 'a' is too large for a number \(at most",
    ),
    "more are missing": (
        "a,b,y\n1,2,0\n3,,1\n3,4,1\n,,1\n5,-,0\n1,2,\n",
        DataError,
        r"data.csv, line 3: the value in column 'b' is missing, and 2 more lines have gaps; fill them in, or",
    ),
    "nan, and another": (
        "a,b,y\n1,2,0\n1,nan,0\nnan,inf,0\n",
        DataError,
        r"line 3: the value in column 'b' is missing \('nan'\), and 1 more line has a gap; fill them in, or remove the",
    ),
    "more targets are missing": (
        "a,y\n1,0\n2,\n3,?\n4,na\n",
        DataError,
        r"data.csv, line 3: the value in column 'y' is missing, and 2 more lines have gaps; fill them in",
    ),
    "missing target": (
        "a,y\n1,0\n2,\n",
        DataError,
        r"data.csv, line 3: the value in column 'y' is missing; fill it in",
    ),
    "nan target": ("a,y\n1,0\n2,nan\n", DataError, r"line 3: the value in column 'y' is missing \('nan'\)"),
    "infinite target": ("a,y\n1,inf\n2,1\n", DataError, r"the target 'y' has infinity at row 0"),
    "text": (
        "a,city,y\n1,Rome,0\n",
        DataError,
        r"data.csv, line 2: column 'city' holds text \('Rome'\); networks take",
    ),
    "beyond float32": ("a,y\n1e300,1\n2,2\n3,5.5\n", DataError, r"data.csv has 1e\+300 at row 0, column 0, too large"),
    "underscore": ("a,b,y\n1,2,0\n1,1_000,0\n", DataError, r"line 3: column 'b' holds text \('1_000'\)"),
    "decimal comma": ("a;b;y\n1;2,5;0\n", DataError, r"line 2: '2,5' in column 'b' has a decimal comma; write a point"),
    "thousands": (
        'a,y\n"1,000",0\n',
        DataError,
        r"'1,000' in column 'a' has a comma; leave it out if it parts thousands, write a point if decimals follow",
    ),
    "millions": ('a,y\n"1,000,000.5",0\n', DataError, r"'1,000,000.5' in column 'a' has a comma; leave it out if it"),
    "text among numbers": (
        ["a,y", *(f"{i},{i / 7}" for i in range(30)), "5,12 kg"],
        DataError,
        r"line 32: column 'y' holds text \('12 kg'\); most of the target is numbers: correct this value, or remove the",
    ),
    "gaps among numbers": (
        ["a,y", *(f"{i},{i / 7}" for i in range(30)), "5,-", "6,none"],
        DataError,
        r"line 32: the value in column 'y' is missing \('-'\), and 1 more line has a gap; fill them in",
    ),
    "infinity among numbers": (
        ["a,y", *(f"{i},{i / 7}" for i in range(30)), "5,inf"],
        DataError,
        "'inf' in column 'y' is",
    ),
    "decimal commas in the target": (
        ["a;y", *(f"{i};{i},{i % 7}" for i in range(30))],
        DataError,
        r"line 2: '0,0' in column 'y' has a decimal comma; write a point",
    ),
    "one class": ("a,y\n1,0\n2,0\n3,0\n", DataError, r"'y' is '0' in every row; there is nothing to tell apart"),
    "each class once": ("a,y\n1,p\n2,n\n", DataError, r"data.csv has 2 rows of 2 classes, too few to keep one for"),
    "names": (
        "a,y\n" + "".join(f"{i},name{i}\n" for i in range(50)),
        DataError,
        r"has 50 different texts, such as 'name0'",
    ),
    "zip": (b"PK\x03\x04\x00\x00", FileError, r"data.csv is not UTF-8 text: it has zero bytes in it; save it as CSV"),
    "utf-16": ("a,y\n1,2\n".encode("utf-16"), FileError, r"is not UTF-8 text"),
    "latin-1": ("a,größe\n1,2\n".encode("latin-1"), FileError, r"is not UTF-8 text \(byte 4\): save it as UTF-8"),
    "latin-1 below": ("a,y\n1,süß\n".encode("latin-1"), FileError, r"is not UTF-8 text"),
    "open quotes": ('a,y\n1,"2\n', FileError, r"is no well-formed CSV file: unexpected end of data; check its quotes"),
    "text after quotes": ('a,y\n1,"2"x\n', FileError, r"is no well-formed CSV file: ',' expected after '\"'"),
    "open quotes in the header": ('a,"y\n1,2\n', FileError, r"is no well-formed CSV file"),
}


@pytest.mark.parametrize(("text", "error", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_place(
    write: Callable[..., Path], text: str | list[str] | bytes, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        load(write(text))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"absent.csv does not exist; check the path"):
        load(tmp_path / "absent.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(FileError, match=r"pipe.csv is no ordinary file, such as a pipe, .*; save it as a file"):
        load(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(FileError, match=r"folder.csv is a folder; name the file in it"):
        load(tmp_path / "folder.csv")


def test_a_file_that_may_not_be_read(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(FLOWERS)

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FileError, match=r"data.csv cannot be read: Permission denied; check its permissions"):
        load(path)


def test_a_target_that_is_not_there(write: Callable[..., Path]) -> None:
    with pytest.raises(
        DataError, match=r"has no column 'kynd'. Did you mean 'kind'\? It has 'width', 'height', 'kind'"
    ):
        load(write(FLOWERS), target="kynd")
    with pytest.raises(DataError, match=r"has no column 'q'. It has 'width'"):
        load(write(FLOWERS), target="q")


def test_features_for_prediction_are_matched_by_name(write: Callable[..., Path]) -> None:
    data = load(write(FLOWERS))
    other = write(["note,height,id,width", "new,500,7,5.0", "old,900,8,9.0"], "new.csv")
    x = read_features(other, data.features, data.target)
    assert x.dtype == np.float64
    assert x.tolist() == [[5.0, 500], [9.0, 900]]


def test_features_without_names_are_all_but_the_target(write: Callable[..., Path]) -> None:
    path = write(["a,y,b", "1,cat,2", "3,dog,4"])
    assert read_features(path, target="y").tolist() == [[1, 2], [3, 4]]
    assert read_features(write(["a,b", "1,2"]), target="y").tolist() == [[1, 2]]
    assert read_features(write(["a", "1", "2"]), features=("a",)).tolist() == [[1], [2]]


def test_missing_feature_columns_are_named(write: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=r"has no column 'b', 'c', which the network was trained on; it has 'a', 'y'"):
        read_features(write("a,y\n1,2\n"), features=("a", "b", "c"))
