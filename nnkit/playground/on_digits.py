"""Handwritten digits: pictures of the data set, and one that a person draws."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from functools import cache
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np

import nnkit
from nnkit.data import Dataset
from nnkit.data.arrays import Array
from nnkit.playground import frames
from nnkit.playground.digit_sets import MNIST, at_hand_here
from nnkit.playground.goal import chosen, goal_for, targets
from nnkit.playground.maps import as_map
from nnkit.playground.settings import Settings
from nnkit.playground.subject import Rows

if TYPE_CHECKING:
    from nnkit.playground.lab import Lab

PICTURES = 64
SCORED = 2000
"""Rows that are scored while it trains."""
MOST_MISTAKES = 60


@cache
def _data(name: str) -> Dataset:
    if name not in at_hand_here():
        what = (
            "the files of MNIST are not on this machine: nnkit.data.load('mnist') downloads them"
            if name == MNIST
            else 'the small digits come with scikit-learn: pip install "nnkit[data]"'
        )
        raise ValueError(what)
    return nnkit.data.load(name)


class OnDigits:
    """The subject of a network that learns digits."""

    def __init__(self, settings: Settings) -> None:
        data = _data(settings.data)
        self.classes = data.classes or ()
        self.goal = goal_for(settings, len(self.classes))
        self.unit = 1.0
        self.side = isqrt(data.x_train.shape[1])
        self.inputs = tuple(f"pixel {number}" for number in range(data.x_train.shape[1]))
        self.x_train, self.y_train = data.x_train, targets(self.goal, data.y_train, len(self.classes))
        self.summary = f"{data.name}: {len(data.x_train):,} digits to learn, {len(data.x_test):,} to test"
        self._labels = np.asarray(data.y_train, np.int64)
        self._test = (
            data.x_test,
            targets(self.goal, data.y_test, len(self.classes)),
            np.asarray(data.y_test, np.int64),
        )
        self.drawing: Array | None = None

    @property
    def ready(self) -> bool:
        """It is."""
        return True

    def settled(self, settings: Settings) -> Settings:
        """As they are."""
        return settings

    def scored_rows(self, whole: bool) -> Iterator[Rows]:
        """The first rows of both while it trains; of the test rows else all."""
        yield self.x_train[:SCORED], self.y_train[:SCORED], self._labels[:SCORED]
        x, y, labels = self._test
        yield (x, y, labels) if whole else (x[:SCORED], y[:SCORED], labels[:SCORED])

    def event(self) -> dict[str, Any]:
        """What a page shows of the set."""
        return {
            "kind": "classification",
            "points": {"x": [], "y": [], "label": [], "test": []},
            "range": [0, 1],
            "axes": ["", ""],
            "classes": list(self.classes),
            "features": [],
            "rows": [len(self.x_train), len(self._test[0])],
            "summary": self.summary,
            "columns": None,
            "size": self.side,
        }

    def draw(self, pixels: str | None) -> None:
        """Take what a person drew: one byte for each pixel, in base64; None for nothing."""
        if pixels is None:
            self.drawing = None
            return
        content = b64decode(pixels, validate=True)
        if len(content) != self.side**2:
            raise ValueError(f"a drawing has {self.side} × {self.side} pixels, one byte each; got {len(content)} bytes")
        self.drawing = (np.frombuffer(content, np.uint8)[None] / 255).astype(np.float32)

    def sections(self, lab: Lab) -> dict[int, bytes]:
        """The first layer's weights as pictures, and the activations for the drawing."""
        first = lab.layers[1].weight
        assert first is not None
        weights = lab.network.parameters()[first][:, :PICTURES].T
        largest = np.abs(weights).max(axis=1, keepdims=True)
        sections = {frames.MAPS: as_map(weights / np.where(largest > 0, largest, 1))}
        if self.drawing is not None:
            sections[frames.ACTIVATIONS] = np.concatenate(lab.activations(self.drawing), axis=1).astype("<f4").tobytes()
        return sections

    def mistakes(self, lab: Lab, start: int, count: int) -> dict[str, Any]:
        """Test digits that it takes for others, the surest first."""
        x, _, labels = self._test
        with np.errstate(all="ignore"):
            predictions = lab.network.predict(x)
        said = chosen(self.goal, predictions)
        sure = predictions[np.arange(len(said)), said]
        wrong = np.flatnonzero(said != labels)
        wrong = wrong[np.argsort(-sure[wrong], kind="stable")]
        shown = wrong[start : start + min(count, MOST_MISTAKES)]
        return {
            "total": len(wrong),
            "size": self.side,
            "items": [
                {
                    "index": int(at),
                    "label": self.classes[labels[at]],
                    "predicted": self.classes[said[at]],
                    "probability": round(float(np.nan_to_num(sure[at])), 4),
                }
                for at in shown
            ],
            "pixels": b64encode(np.rint(x[shown] * 255).astype(np.uint8).tobytes()).decode(),
        }
