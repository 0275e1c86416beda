"""CSV files that are dropped on the page."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.playground.browser.driver import number
from tests.playground.browser.engine import lab
from tests.playground.browser.visits import Visit

RANDOM = np.random.default_rng(0)
FLOWERS = "width,height,depth,kind\n" + "".join(
    f"{w:.3f},{h:.3f},{d:.3f},{('rose', 'aster', 'lily')[row % 3]}\n"
    for row, (w, h, d) in enumerate(RANDOM.normal((1, 100, 5), (1, 50, 2), (60, 3)))
)
PRICES = "size,rooms,price\n" + "".join(f"{row},{row % 5},{row * 2.5}\n" for row in range(30))


def test_a_dropped_table_with_features_and_axes(visit: Visit) -> None:
    play = visit()
    play.drop("flowers.csv", FLOWERS.encode())
    play.notice("“flowers.csv” was read.")
    found = play.settled(data="table", features=["width", "height", "depth"], axes=["width", "height"])
    assert found["table"]["columns"] == ["width", "height", "depth"]
    assert "60 rows" in play.text("data-summary")
    assert "aster" in play.text("legend")
    width = np.loadtxt(FLOWERS.splitlines(), delimiter=",", skiprows=1, usecols=0)
    ends = [number(text) for text in play.page.locator(".axis.across span:not(.axis-name)").all_inner_texts()]
    margin = (width.max() - width.min()) / 10
    assert ends == pytest.approx([width.min() - margin, width.max() + margin], rel=0.01)
    play.click("feature-height")
    before = play.picture()
    play.choose("axis-1", "depth")
    play.settled(features=["width", "depth"], axes=["depth", "height"])
    play.steps(2)
    assert play.picture() != before
    engine = lab(play.look())
    assert engine.network.input_shape == (2,)
    assert play.number("test-loss") == pytest.approx(engine.scored().test_loss, abs=6e-4)


def test_another_target(visit: Visit) -> None:
    play = visit()
    play.drop("flowers.csv", FLOWERS.encode())
    play.settled(data="table", target="kind", features=["width", "height", "depth"])
    play.choose("target", "depth")
    play.settled(target="depth", problem="regression", features=["x1", "x2"])
    assert play.text("data-summary").endswith("values of 'depth'; left out (not only numbers): 'kind'")
    play.steps(2)
    assert play.number("test-loss") == pytest.approx(lab(play.look()).scored().test_loss, abs=6e-4)
    found = play.archive()["table"]
    assert (found["columns"], found["target"], [*found["texts"]]) == (["width", "height"], "depth", ["kind"])
    play.choose("target", "kind")
    play.settled(target="kind", problem="classification", features=["width", "height", "depth"])
    play.drop(
        "train.csv", ("who,a,b,c\n" + "".join(f"p{row},{row},{row % 7},{row % 2}\n" for row in range(30))).encode()
    )
    play.settled(target="c", features=["x1", "x2"])
    play.choose("target", "who")
    play.notice("train.csv: the target 'who' has 30 different texts")
    assert play.value("target") == "c"


def test_a_link_says_what_is_learned_of_a_table(visit: Visit) -> None:
    play = visit("#data=table&target=height&features=x2&axes=depth,width&hidden=3")
    play.drop("flowers.csv", FLOWERS.encode())
    found = play.settled(data="table", target="height", features=["x2"], hidden=[3])
    assert found["table"]["target"] == "height"
    play.drop("flowers.csv", FLOWERS.encode())  # once
    play.settled(data="table", target="kind", features=["width", "height", "depth"])


@pytest.mark.slow
def test_a_chosen_table_of_values(visit: Visit) -> None:
    play = visit()
    play.bring("prices.csv", PRICES.encode())
    found = play.settled(data="table", problem="regression", features=["x1", "x2"])
    assert found["table"]["target"] == "price"
    play.until(lambda: play.text("legend").split() == ["0", "72.5"], "what the colours stand for")
    play.click("feature-x1x2")
    play.settled(features=["x1", "x2", "x1x2"])
    play.steps(1)


WIDE = ",".join(f"c{at}" for at in range(1000)) + "\n" + f"{','.join(['1'] * 1000)}\n" * 20
BAD = {
    "text.csv": (b"a,b,c\n" + b"1,red,2\n" * 20, "left out (not only numbers): 'b'"),
    "missing.csv": (b"a,b,c\n" + b"1,2,3\n" * 10 + b"1,,3\n" * 3, "missing"),
    "wide.csv": (WIDE.encode(), "32"),
    "data.xlsx": (b"PK", "a file must end in .csv"),
    "other.json": (b'{"a": 1}', "page exported"),
}
"""Content of a file, and what the page has to say of it."""


def worse() -> dict[str, tuple[bytes, str]]:
    """Those that take longer."""
    return {
        "long.csv": (b"a,b,c\n" + b"1,2,3\n" * 1_000_000, "50,000"),
        "large.csv": (b"a,b,c\n" + b"1,2,3\n" * 2_800_000, "16 MB"),
        "empty.csv": (b"", "empty"),
        "other.h5": (b"no network", "other.h5"),
    }


@pytest.mark.parametrize("files", [lambda: BAD, pytest.param(worse, marks=pytest.mark.slow)], ids=["bad", "worse"])
def test_bad_files_are_refused_and_the_page_goes_on(
    visit: Visit, files: Callable[[], dict[str, tuple[bytes, str]]]
) -> None:
    play = visit(data="moons", hidden=[3])
    before = play.archive()
    for name, (content, words) in files().items():
        play.bring(name, content)
        play.notice(words)
        play.close_notices()
    assert play.archive() == before
    play.steps(1)
