"""Pictures of the page, compared with those that somebody approved.

Other fonts and other processors may move a letter and turn a shade; a part that is missing or elsewhere is found.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from nnkit.data.arrays import Array
from tests.playground.browser.driver import Play

APPROVED = Path(__file__).parent / "approved"
FINER, BLOCK = 4, 16
MEAN, LARGEST = 3.0, 20.0
"""Of 255: the mean difference of all, and that of the worst block. The same page twice has 0 and 5, one without its
smallest card 23."""
TALLER = 24
COLOURS = 128


def taken(play: Play) -> Image.Image:
    """The whole page in one window, without what is measured anew each time."""
    height = play.page.evaluate("() => document.documentElement.scrollHeight")
    size = play.page.viewport_size
    assert size is not None
    play.page.set_viewport_size({"width": size["width"], "height": height})
    play.page.wait_for_timeout(200)  # canvases follow the window
    content = play.page.screenshot(animations="disabled", mask=[play.by("usage")], mask_color="#808080", caret="hide")
    return Image.open(io.BytesIO(content)).convert("RGB")


def apart(one: Image.Image, other: Image.Image) -> str | None:
    """How two pictures differ too much; None if they do not."""
    if one.width != other.width or abs(one.height - other.height) > TALLER:
        return f"one has {one.width} × {one.height} pixels, the other {other.width} × {other.height}"
    height = min(one.height, other.height)
    difference = np.abs(_small(one, height) - _small(other, height))
    if difference.mean() > MEAN:
        return f"the mean difference is {difference.mean():.2f}, at most {MEAN:g} is allowed"
    blocks = _blocks(difference)
    down, across = (int(at) for at in np.unravel_index(blocks.argmax(), blocks.shape))
    if blocks.max() > LARGEST:
        place = f"{across * BLOCK * FINER}, {down * BLOCK * FINER}"
        return f"around ({place}) the difference is {blocks.max():.1f}, at most {LARGEST:g} is allowed"
    return None


def _small(image: Image.Image, height: int) -> Array:
    """Means of FINER × FINER pixels, (rows, columns, 3)."""
    found = np.asarray(image, dtype=np.float64)[: height // FINER * FINER, : image.width // FINER * FINER]
    rows, columns = found.shape[0] // FINER, found.shape[1] // FINER
    return found.reshape(rows, FINER, columns, FINER, 3).mean(axis=(1, 3))


def _blocks(difference: Array) -> Array:
    """Means of BLOCK × BLOCK of these, those at the edges of fewer."""
    rows, columns = (range(0, size, BLOCK) for size in difference.shape[:2])
    means = [[difference[y : y + BLOCK, x : x + BLOCK].mean() for x in columns] for y in rows]
    return np.array(means)


def path(name: str) -> Path:
    return APPROVED / f"{name}.png"


def approved(name: str) -> Image.Image:
    return Image.open(path(name)).convert("RGB")


def keep(image: Image.Image, where: Path) -> None:
    """Write a picture with few colours, which makes the file small."""
    image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(where, optimize=True)
