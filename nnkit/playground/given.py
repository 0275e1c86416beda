"""The rows that settings speak of: drawn from a seed, by a person, or read from a file."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nnkit.playground import strokes, table
from nnkit.playground.on_digits import OnDigits
from nnkit.playground.on_plane import OnPlane
from nnkit.playground.plane import Plane, held_out
from nnkit.playground.points import CLASSIFICATION, classes_of, drawn
from nnkit.playground.settings import DIGITS, DRAWN, TABLE, Settings
from nnkit.playground.strokes import NotEnough, Strokes
from nnkit.playground.subject import Subject
from nnkit.playground.table import Table


@dataclass(frozen=True)
class Given:
    """What a person brought: points that they drew, and a table."""

    strokes: Strokes | None = None
    table: Table | None = None

    def named(self, data: str) -> Strokes | Table | None:
        """What settings with these data use of it."""
        return {DRAWN: self.strokes, TABLE: self.table}.get(data)

    def aimed(self, settings: Settings) -> Given:
        """With the table as these settings want it, if they do; DataError where it cannot be so."""
        if settings.data != TABLE or self.table is None:
            return self
        return replace(self, table=self.table.aimed_at(settings.target))


def subject_for(settings: Settings, given: Given) -> Subject:
    """The rows of these settings; ValueError or NnkitError where they cannot be had."""
    if settings.tab == DIGITS:
        return OnDigits(settings)
    return OnPlane(settings, _plane(settings, given))


def _plane(settings: Settings, given: Given) -> Plane:
    if settings.data == TABLE:
        if given.table is None:
            raise ValueError("there is no table yet: drop a CSV file on the page; a link does not hold its rows")
        return table.plane_of(given.table, settings)
    if settings.data == DRAWN:
        try:
            return strokes.plane_of(given.strokes or Strokes(()), settings)
        except NotEnough as error:
            return _empty(settings, str(error))
    return _generated(settings)


def _generated(settings: Settings) -> Plane:
    classes = classes_of(settings.data, settings.classes)
    x, y = drawn(settings.data, settings.points, classes, settings.noise / 100, settings.seed)
    labelled = settings.data in CLASSIFICATION
    test = held_out(y, settings.test_share, settings.seed, labelled)
    names = tuple(str(number) for number in range(classes)) if labelled else ()
    what = f"{classes} classes" if labelled else "a value from −1 to 1"
    return Plane(x, y, test, names, summary=f"{settings.data}: {len(x)} points, {what}")


def _empty(settings: Settings, summary: str) -> Plane:
    """A plane that waits for points."""
    names = tuple(str(number) for number in range(settings.classes)) if settings.problem == "classification" else ()
    target = np.zeros(0, np.int64 if names else np.float64)
    return Plane(np.zeros((0, 2)), target, np.zeros(0, bool), names, summary=summary)
