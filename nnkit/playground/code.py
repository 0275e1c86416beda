"""The network of a page as a Python script that makes and trains it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnkit.optimizers import OPTIMIZERS
from nnkit.playground.code_rows import rows_of
from nnkit.playground.goal import Goal, counts_right, goal_for
from nnkit.playground.optimizer import arguments
from nnkit.playground.settings import Settings
from nnkit.playground.source import call, listed, number, quoted
from nnkit.playground.strokes import Strokes
from nnkit.playground.table import Table

Lines = Iterator[str]
SCALED = "# The inputs of this file are the scaled columns; those of the page's HDF5 file are as they were measured."


def python_code(
    settings: Settings,
    given: Table | Strokes | None = None,
    epochs: int = 100,
    remarks: Sequence[str] = (),
) -> str:
    """A script that makes the rows and the network of the page, trains and tests it, and saves it as ``net.h5``.

    What a person named or drew gets into the script as literals only. ``remarks`` are what became of the page's network
    beside its settings.

    Raises:
        ValueError: a table or drawn points are meant, and there are none, or too few.
        ArgumentError: output and loss that do not go together.

    >>> code = python_code(Settings(noise=10))
    >>> print(code[code.index("x, y") :].partition("\\n")[0])
    x, y = drawn("circle", rows=500, classes=2, noise=0.1, seed=0)
    """
    rows = rows_of(settings, given)
    goal = goal_for(settings, rows.classes)
    own = _targets(goal, rows.classes)
    body = [
        f"EPOCHS = {epochs}",
        "",
        *rows.lines,
        *(["", "", "def targets(y):", f"    return {own}", "", ""] if own else [""]),
        *_network(settings, goal, rows.inputs),
        *_fit(settings, goal, own),
        "",
        *_scores(goal, rows.classes, own),
        *([SCALED] if isinstance(given, Table) else []),
        'net.save("net.h5")',
    ]
    head = '"""A network of nnkit\'s playground; the script needs nnkit and NumPy."""'
    beside = [f"# On the page, {remark}." for remark in remarks]
    if remarks:
        beside.append("# This script does not repeat that, and gives other figures than the page.")
    return "\n".join([head, *beside, "", *_imports("\n".join(body)), "", *body]) + "\n"


def _imports(body: str) -> Lines:
    """Those of what the body calls."""
    if "Path(FILE)" in body:
        yield from ("from pathlib import Path", "")
    yield "import nnkit"
    if "np." in body:
        yield "import numpy as np"
    if " held_out(" in body:
        yield "from nnkit.playground.plane import held_out"
    if " drawn(" in body:
        yield "from nnkit.playground.points import drawn"
    if " read_table(" in body:
        yield "from nnkit.playground.table import read_table, scaled"


def _targets(goal: Goal, classes: int) -> str:
    """What ``fit`` gets for labels or values y, if it is not y itself."""
    if goal.low is None or goal.high is None:
        return ""
    signed = goal.low < 0
    if not classes:
        return "" if signed else "(y + 1) / 2  # from 0 to 1"
    if goal.outputs == 1:
        return "np.where(y == 1, 1.0, -1.0)" if signed else ""
    return f"np.where(y[:, None] == np.arange({classes}), 1.0, -1.0)" if signed else f"np.eye({classes})[y]"


def _network(settings: Settings, goal: Goal, inputs: int) -> Lines:
    named = [quoted(name) for name in settings.activations]
    alike = len(set(named)) == 1
    yield "net = nnkit.FeedForward("
    yield f"    inputs={inputs},"
    if settings.hidden:
        yield f"    hidden={listed(map(str, settings.hidden), indent=4, before=7, after=1)},"
    yield f"    outputs={goal.outputs},"
    if settings.hidden:
        yield f"    activation={named[0] if alike else listed(named, indent=4, before=11, after=1)},"
    yield f"    output_activation={quoted(goal.activation)},"
    if settings.dropout:
        yield f"    dropout={number(settings.dropout)},"
    if settings.penalty != "none" and settings.strength:
        yield f"    {settings.penalty}={number(settings.strength)},"
    if settings.device != "cpu":
        yield f"    device={quoted(settings.device)},"
    yield f"    seed={settings.seed},"
    yield ")"


def _fit(settings: Settings, goal: Goal, own: str) -> Lines:
    made = f"nnkit.optimizers.{OPTIMIZERS[settings.optimizer].__name__}"
    items = [f"{name}={number(value)}" for name, value in arguments(settings).items()]
    yield "net.fit("
    yield "    x_train,"
    yield f"    {'targets(y_train)' if own else 'y_train'},"
    yield "    epochs=EPOCHS,"
    yield f"    batch_size={settings.batch},"
    yield f"    optimizer={call(made, items, indent=4, before=10, after=1)},"
    yield f"    loss={quoted(goal.loss)},"
    yield f"    compile={quoted(settings.compile)},"
    yield ")"


def _scores(goal: Goal, classes: int, own: str) -> Lines:
    yield f"scores = net.test(x_test, {'targets(y_test)' if own else 'y_test'})"
    if not classes:
        yield 'print(f"test loss {scores.loss:.4f}, R2 {scores.r2:.4f}")'
        return
    if counts_right(goal):
        yield "accuracy = scores.accuracy"
    elif goal.outputs > 1:
        yield "accuracy = (net.predict(x_test).argmax(axis=1) == y_test).mean()"
    else:
        assert goal.low is not None
        assert goal.high is not None
        middle = number((goal.low + goal.high) / 2)
        yield f"accuracy = ((net.predict(x_test)[:, 0] > {middle}) == y_test).mean()"
    yield 'print(f"test loss {scores.loss:.4f}, accuracy {accuracy:.1%}")'
