"""The part of a page's script that makes the rows."""

from __future__ import annotations

from typing import NamedTuple

from nnkit.playground.features import DERIVED, chosen_features
from nnkit.playground.points import CLASSIFICATION, classes_of
from nnkit.playground.settings import DIGITS, DRAWN, TABLE, Settings
from nnkit.playground.source import assigned, call, listed, number, quoted
from nnkit.playground.strokes import Strokes, split_of
from nnkit.playground.strokes import plane_of as plane_of_strokes
from nnkit.playground.table import RANGE, Table

FORMULAS = {
    "x1": "x1",
    "x2": "x2",
    "x1^2": "x1**2",
    "x2^2": "x2**2",
    "x1x2": "x1 * x2",
    "sin(x1)": "np.sin(x1)",
    "sin(x2)": "np.sin(x2)",
}
"""What ``features.DERIVED`` computes, as a person writes it."""
PIXELS = {"digits": 64, "mnist": 784}


class Rows(NamedTuple):
    """Lines that end with ``x_train``, ``y_train``, ``x_test`` and ``y_test``.

    ``y`` are the labels of the ``classes``, or values from −1 to 1 where there are none.
    """

    lines: list[str]
    inputs: int
    classes: int


def rows_of(settings: Settings, given: Table | Strokes | None) -> Rows:
    """The rows of these settings, exactly those of the page.

    Raises:
        ValueError: a table or drawn points are meant, and there are none.

    >>> print(*rows_of(Settings(data="spiral", classes=3), None).lines, sep="\\n")
    x, y = drawn("spiral", rows=500, classes=3, noise=0.0, seed=0)
    test = held_out(y, 1 - 50 / 100, seed=0, stratified=True)
    x_train, y_train = x[~test], y[~test]
    x_test, y_test = x[test], y[test]
    """
    if settings.tab == DIGITS:
        return _digits(settings)
    if settings.data == TABLE:
        if not isinstance(given, Table):
            raise ValueError("there is no table for the script yet: drop a CSV file on the page")
        return _table(settings, given)
    if settings.data == DRAWN:
        if not isinstance(given, Strokes):
            raise ValueError("there are no points for the script yet: draw some on the page")
        return _strokes(settings, given)
    return _drawn(settings)


def _digits(settings: Settings) -> Rows:
    lines = [
        f'data = nnkit.data.load("{settings.data}")',
        "x_train, y_train = data.x_train, data.y_train",
        "x_test, y_test = data.x_test, data.y_test",
    ]
    return Rows(lines, PIXELS[settings.data], 10)


def _drawn(settings: Settings) -> Rows:
    classes = classes_of(settings.data, settings.classes)
    labelled = settings.data in CLASSIFICATION
    arguments = {"rows": settings.points, "classes": classes, "noise": settings.noise / 100, "seed": settings.seed}
    items = [quoted(settings.data), *(f"{name}={value!r}" for name, value in arguments.items())]
    lines = [
        f"x, y = {call('drawn', items, before=7)}",
        _split(_share(settings), settings, labelled),
    ]
    return _with_points(lines, settings, classes if labelled else 0)


def _strokes(settings: Settings, strokes: Strokes) -> Rows:
    plane = plane_of_strokes(strokes, settings)
    points = [
        f"[{x!r}, {y!r}, {value!r}]" for (x, y), value in zip(plane.rows.tolist(), plane.target.tolist(), strict=True)
    ]
    kind = ".astype(int)" if plane.classes else ""
    share, stratified = split_of(plane.target, settings)
    lines = [
        f"points = {call('np.array', [listed(points, indent=4)], before=9)}",
        f"x, y = points[:, :2], points[:, 2]{kind}",
        _split(_share(settings) if share == settings.test_share else repr(share), settings, stratified),
    ]
    return _with_points(lines, settings, len(plane.classes))


def _table(settings: Settings, table: Table) -> Rows:
    labelled = table.labels is not None
    read = call("read_table", ["Path(FILE).read_bytes()", "FILE", f"target={quoted(table.target)}"], before=8)
    lines = [
        assigned("FILE", quoted(table.name)),
        "",
        f"table = {read}",
        f"x = scaled(table.numbers, {RANGE:g})  # each column from -{RANGE:g} to {RANGE:g}",
        "y = table.labels" if labelled else "y = scaled(table.values, 1)  # from -1 to 1",
        _split(_share(settings), settings, labelled),
    ]
    if len(table.columns) == 2:
        return _with_points(lines, settings, len(table.classes))
    names = chosen_features(settings.features, table.columns)
    if names != table.columns:
        lines += [
            f"names = {listed(map(quoted, names), before=8)}",
            "x = x[:, [table.columns.index(name) for name in names]]",
        ]
    return Rows([*lines, *_parts("x")], len(names), len(table.classes))


def _with_points(lines: list[str], settings: Settings, classes: int) -> Rows:
    """With the features that are computed from two coordinates."""
    names = chosen_features(settings.features, tuple(DERIVED))
    if names == ("x1", "x2"):
        return Rows([*lines, *_parts("x")], len(names), classes)
    stacked = call("np.stack", [listed(FORMULAS[name] for name in names), "axis=1"], before=11)
    lines = [*lines, "x1, x2 = x[:, 0], x[:, 1]", f"features = {stacked}"]
    return Rows([*lines, *_parts("features")], len(names), classes)


def _parts(features: str) -> list[str]:
    return [
        f"x_{part}, y_{part} = {features}[{rows}], y[{rows}]" for part, rows in (("train", "~test"), ("test", "test"))
    ]


def _share(settings: Settings) -> str:
    return f"1 - {number(settings.train)} / 100"


def _split(share: str, settings: Settings, stratified: bool) -> str:
    return f"test = {call('held_out', ['y', share, f'seed={settings.seed}', f'stratified={stratified}'], before=7)}"
