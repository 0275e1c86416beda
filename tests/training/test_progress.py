import html
import io
import os
import re
import sys
import time
from types import ModuleType

import pytest

from nnkit.training.progress import Progress


class Tty(io.StringIO):
    """A terminal that keeps everything written to it."""

    encoding = "utf-8"

    def isatty(self):
        return True

    def draws(self):
        return self.getvalue().split("\r")[1:]


class Hand:
    """A clock that the test turns by hand."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture(autouse=True)
def _terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delitem(sys.modules, "IPython", raising=False)


@pytest.fixture
def hand():
    return Hand()


def train(progress, hand, epochs=3, steps=100, step_s=0.05, validation_s=0.0, stop_after=None):
    """Drive `progress` as the training loop does."""
    progress.begin(epochs, steps)
    for epoch in range(1, epochs + 1):
        for step in range(1, steps + 1):
            hand.now += step_s
            progress.update(epoch, step, {"loss": 1 / epoch, "accuracy": 0.5})
        hand.now += validation_s
        progress.epoch_end(epoch, {"loss": 1 / epoch, "accuracy": 0.5, "val_loss": 2 / epoch})
        if epoch == stop_after:
            break
    progress.end("done")


def test_a_terminal_shows_one_line_with_everything(hand):
    tty = Tty()
    train(Progress(tty, clock=hand), hand)
    first, last = tty.draws()[0], tty.draws()[-1]
    assert first == "epoch 1/3  [                    ]    0/100  0 s"
    assert last.rstrip("\n").startswith("epoch 3/3  [████████████████████]  100/100  loss 0.3333  accuracy 0.5000")
    assert last.split()[-3:] == ["15", "s", "done"]
    assert tty.getvalue().count("\n") == 2


def test_values_of_the_validation_stay_in_the_line(hand):
    tty = Tty()
    train(Progress(tty, clock=hand), hand, epochs=2)
    second = [line for line in tty.draws() if line.startswith("epoch 2/2")]
    assert "accuracy 0.5000  val_loss 2.000  ETA" in second[0]


def test_a_terminal_is_redrawn_ten_times_per_second(hand):
    tty = Tty()
    train(Progress(tty, clock=hand), hand, epochs=1000, steps=10, step_s=1e-4)
    assert 10 <= len(tty.draws()) <= 13


def test_a_shorter_line_covers_the_longer_one_before(hand):
    tty = Tty()
    train(Progress(tty, clock=hand), hand)
    shown = ""
    for line in tty.draws():
        shown = line.rstrip("\n") + shown[len(line) :]
        assert shown == line or line.endswith("done\n")


@pytest.mark.parametrize("columns", [5, 20, 30, 40, 60, 80, 200])
def test_a_line_never_wraps(hand, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    tty = Tty()
    train(Progress(tty, clock=hand), hand, epochs=10)
    longest = max(len(line.split("\n")[0]) for line in tty.draws())
    assert longest < columns


def test_a_narrow_terminal_drops_the_steps_then_the_bar(hand, monkeypatch):
    monkeypatch.setenv("COLUMNS", "64")
    tty = Tty()
    train(Progress(tty, clock=hand), hand)
    assert "epoch 1/3  [▏          ]  loss 1.000  accuracy 0.5000  ETA 0:15" in tty.draws()[2]
    assert "epoch 3/3  loss 0.3333  accuracy 0.5000  val_loss 0.6667" in tty.draws()[-1]


def test_a_real_terminal_is_asked_for_its_width(hand, monkeypatch):
    tty = Tty()
    tty.fileno = lambda: 1
    monkeypatch.setattr("os.get_terminal_size", lambda descriptor: os.terminal_size((30, 9)))
    train(Progress(tty, clock=hand), hand)
    assert max(len(line.split("\n")[0]) for line in tty.draws()) < 30


@pytest.mark.parametrize("encoding", ["ascii", None, "no-such-encoding"])
def test_a_terminal_without_unicode_gets_an_ascii_bar(hand, encoding):
    tty = Tty()
    tty.__class__ = type("Plain", (Tty,), {"encoding": encoding})
    train(Progress(tty, clock=hand), hand)
    assert "[####################]" in tty.draws()[-1]
    assert tty.getvalue().isascii()


def test_there_are_no_colours(hand):
    tty = Tty()
    train(Progress(tty, clock=hand), hand)
    assert "\x1b" not in tty.getvalue()


def seconds_left(line):
    match = re.search(r"ETA (\d+):(\d\d)", line)
    return match and int(match[1]) * 60 + int(match[2])


def test_the_time_left_is_right_at_a_steady_rate(hand):
    tty = Tty()
    tty.write = lambda text, write=tty.write: write(text.replace("\r", f"\r{hand.now:8.2f} "))
    train(Progress(tty, clock=hand), hand, epochs=10, steps=500, step_s=0.02)
    checked = [(float(line[:8]), seconds_left(line)) for line in tty.draws()]
    checked = [(now, left) for now, left in checked if left is not None and now > 0.5]
    assert len(checked) > 500
    for now, left in checked:
        assert left == pytest.approx(100 - now, rel=0.1, abs=0.6)
    assert [left for _, left in checked] == sorted((left for _, left in checked), reverse=True)


def test_the_time_left_learns_what_validation_takes(hand):
    tty = Tty()
    tty.write = lambda text, write=tty.write: write(text.replace("\r", f"\r{hand.now:8.2f} "))
    train(Progress(tty, clock=hand), hand, epochs=5, steps=100, step_s=0.1, validation_s=10)
    later = [(float(line[:8]), seconds_left(line)) for line in tty.draws() if float(line[:8]) > 20.5]
    for now, left in later[:-2]:
        assert left == pytest.approx(100 - now, rel=0.1, abs=1)


def lines_of(hand, **training):
    log = io.StringIO()
    train(Progress(log, clock=hand), hand, **training)
    return log.getvalue().splitlines()


def test_a_log_has_a_line_for_every_slow_epoch(hand):
    lines = lines_of(hand, epochs=3, step_s=0.2)
    assert lines == [
        "epoch 1/3  loss 1.000  accuracy 0.5000  val_loss 2.000  ETA 0:40",
        "epoch 2/3  loss 0.5000  accuracy 0.5000  val_loss 1.000  ETA 0:20",
        "epoch 3/3  loss 0.3333  accuracy 0.5000  val_loss 0.6667  60 s",
        "done",
    ]


def test_a_log_of_fast_epochs_has_a_line_in_ten_seconds_with_the_first_and_the_last(hand):
    lines = lines_of(hand, epochs=100, steps=10, step_s=0.045)
    epochs = [int(line.split("/")[0].removeprefix("epoch")) for line in lines[:-1]]
    assert epochs == [1, 24, 47, 70, 93, 100]


def test_a_log_of_a_run_that_stops_early_has_its_last_epoch(hand):
    lines = lines_of(hand, epochs=100, steps=10, step_s=0.01, stop_after=7)
    assert [line[:9] for line in lines] == ["epoch   1", "epoch   7", "done"]


def test_a_dumb_terminal_gets_plain_lines(hand, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    tty = Tty()
    train(Progress(tty, clock=hand), hand)
    assert "\r" not in tty.getvalue()
    assert tty.getvalue().startswith("epoch 1/3")


def test_standard_error_is_the_default(hand, capsys):
    train(Progress(clock=hand), hand)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("epoch 1/3")


def test_a_program_without_a_console_shows_nothing(hand, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", None)
    train(Progress(clock=hand), hand)
    assert capsys.readouterr().out == ""


def test_disabled_shows_nothing(hand, capsys):
    tty = Tty()
    train(Progress(tty, enabled=False, clock=hand), hand)
    train(Progress(enabled=False, clock=hand), hand)
    assert tty.getvalue() == ""
    assert capsys.readouterr() == ("", "")


class Broken(Tty):
    """A pipe whose reader goes away after some writes."""

    def __init__(self, error, writes):
        super().__init__()
        self._error, self._writes = error, writes

    def write(self, text):
        self._writes -= 1
        if self._writes < 0:
            raise self._error
        return super().write(text)


@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), ValueError("closed"), OSError("no space")])
@pytest.mark.parametrize("writes", [0, 5])
@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_a_stream_that_breaks_ends_the_display_only(hand, monkeypatch, error, writes, term):
    monkeypatch.setenv("TERM", term)
    stream = Broken(error, writes)
    train(Progress(stream, clock=hand), hand, epochs=20)
    assert stream._writes == -1


def test_a_closed_stream_and_one_that_is_none(hand):
    closed = io.StringIO()
    closed.close()
    train(Progress(closed, clock=hand), hand)
    train(Progress(object(), clock=hand), hand)
    assert closed.closed
    assert hand.now > 0  # both trainings came to their end


def test_an_interrupt_while_drawing_is_not_swallowed(hand):
    with pytest.raises(KeyboardInterrupt):
        train(Progress(Broken(KeyboardInterrupt(), 3), clock=hand), hand)


class Handle:
    def __init__(self, first):
        self.shown = [first]

    def update(self, picture):
        self.shown.append(picture)


@pytest.fixture
def notebook(monkeypatch):
    """Stand-ins for IPython and its display; returns the list of display handles."""
    handles = []

    def display(picture, display_id):
        assert display_id is True
        handles.append(Handle(picture))
        return handles[-1]

    ipython, displays = ModuleType("IPython"), ModuleType("IPython.display")
    shell = type("ZMQInteractiveShell", (), {})
    ipython.get_ipython = type("Shell", (shell,), {})
    displays.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", displays)
    return handles


def test_a_notebook_updates_one_output(hand, notebook, capsys):
    train(Progress(clock=hand), hand, epochs=2)
    (handle,) = notebook
    assert 20 < len(handle.shown) < 50
    assert repr(handle.shown[-1]) == "epoch 2/2  loss 0.5000  accuracy 0.5000  val_loss 1.000  10 s\ndone"
    assert '<progress value="1.0000" max="1">' in handle.shown[-1]._repr_html_()
    assert repr(handle.shown[0]) == "epoch 1/2  0 s"
    assert capsys.readouterr() == ("", "")


def test_a_notebook_shows_names_as_text_and_not_as_html(hand, notebook):
    progress = Progress(clock=hand)
    progress.begin(1, 1)
    progress.epoch_end(1, {"<b>": 1.0})
    progress.end("a < b")
    page = notebook[0].shown[-1]._repr_html_()
    assert html.escape("<b>") in page
    assert "a &lt; b" in page


def test_a_stream_goes_before_the_notebook(hand, notebook):
    log = io.StringIO()
    train(Progress(log, clock=hand), hand)
    assert notebook == []
    assert log.getvalue()


def test_ipython_in_a_terminal_or_broken_is_no_notebook(hand, notebook, monkeypatch, capsys):
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: None)
    train(Progress(clock=hand), hand)
    monkeypatch.delattr(sys.modules["IPython"], "get_ipython")
    train(Progress(clock=hand), hand)
    assert notebook == []
    assert capsys.readouterr().err.count("done") == 2


def test_a_notebook_that_goes_away_does_not_stop_training(hand, notebook, monkeypatch):
    monkeypatch.setattr(Handle, "update", lambda self, picture: 1 / 0)
    train(Progress(clock=hand), hand)
    assert len(notebook) == 1


def test_ipython_is_never_imported(hand):
    train(Progress(io.StringIO(), clock=hand), hand)
    train(Progress(enabled=False, clock=hand), hand)
    assert "IPython" not in sys.modules


def test_an_update_that_comes_too_early_costs_next_to_nothing():
    progress = Progress(Tty())
    progress.begin(1, 10**9)
    values = {"loss": 0.1}
    progress._due_s = float("inf")

    def cost():
        start = time.perf_counter()
        for step in range(1000):
            progress.update(1, step, values)
        return (time.perf_counter() - start) / 1000

    assert min(cost() for _ in range(20)) < 2e-6


def test_calls_out_of_order_do_no_harm(hand):
    tty = Tty()
    progress = Progress(tty, clock=hand)
    progress.update(1, 1, {})
    progress.end()
    assert tty.getvalue() == ""
    progress.begin(0, 0)
    hand.now += 1
    progress.update(1, 1, {})
    progress.epoch_end(1, {})
    progress.end()
    shown = tty.getvalue()
    progress.end("again")
    assert tty.getvalue() == shown
