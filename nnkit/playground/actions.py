"""What a page may ask of its network. Each action gives what its answer says, or None if that comes another way."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, Any

from nnkit.errors import NnkitError
from nnkit.playground.choices import choices
from nnkit.playground.exports import exported
from nnkit.playground.given import Given
from nnkit.playground.imports import imported
from nnkit.playground.inbox import Message
from nnkit.playground.lab import Lab
from nnkit.playground.on_digits import OnDigits
from nnkit.playground.on_plane import OnPlane
from nnkit.playground.settings import DRAWN, PLANE
from nnkit.playground.strokes import strokes
from nnkit.playground.units import derived_inputs

if TYPE_CHECKING:
    from nnkit.playground.desk import Desk

ALL = {"state", "data", "plan"}
"""The events about a network."""
Answer = dict[str, Any]
Action = Callable[["Desk", Message], Answer | None]


def _hello(desk: Desk, message: Message) -> Answer:
    answer = _again(desk, message) if message.get("resumed") else _begin(desk, message)
    return answer | {"choices": choices()}


def _begin(desk: Desk, message: Message) -> Answer:
    """The first settings."""
    desk.lane = message.get("lane", 0)
    given = message.get("settings")
    wanted = {"device": message["device"]} if "device" in message else {}
    answer = desk.change(wanted | (given if isinstance(given, dict) else {}))
    desk.news |= ALL
    return answer


def _again(desk: Desk, message: Message) -> Answer:
    """The page has come back."""
    desk.news |= ALL
    return desk.settled([])


def _away(desk: Desk, message: Message) -> Answer:
    desk.running = False
    return {}


def _set(desk: Desk, message: Message) -> Answer:
    settings = message.get("settings")
    if not isinstance(settings, dict):
        raise ValueError(f"settings is {settings!r:.80}, expected an object")
    return desk.change(settings)


def _play(desk: Desk, message: Message) -> Answer:
    if not desk.lab.subject.ready:
        raise ValueError(desk.lab.subject.summary)
    desk.running = True
    desk.event("running", running=True)
    return {}


def _pause(desk: Desk, message: Message) -> Answer:
    desk.running, desk.unshown = False, True
    desk.event("running", running=False)
    return {}


def _step(desk: Desk, message: Message) -> Answer:
    desk.train(once=True)
    return {}


def _reset(desk: Desk, message: Message) -> Answer:
    desk.lab = Lab(desk.lab.settings, desk.lab.subject)
    desk.news |= {"state", "plan"}  # a plan that is being made is of the network before
    return {}


def _hover(desk: Desk, message: Message) -> Answer:
    neuron, subject = message.get("neuron"), desk.lab.subject
    if isinstance(subject, OnPlane):
        subject.hovered = None if neuron is None else desk.lab.neuron(neuron)
        desk.unshown = True
    return {}


def _edit(desk: Desk, message: Message) -> Answer:
    index: Any = message.get("index")
    value: Any = message.get("value")
    if not isinstance(index, list) or any(type(at) is not int for at in index):
        raise ValueError(f"index is {index!r:.80}, expected a list of whole numbers")
    if type(value) not in (int, float) or not isfinite(value):
        raise ValueError(f"value is {value!r:.80}, expected a finite number")
    desk.lab.edit(str(message.get("path")), index, value)
    desk.unshown = True
    return {}


def _points(desk: Desk, message: Message) -> Answer:
    drawn = strokes(message.get("points"))
    settings, notes = desk.lab.settings.changed({"tab": PLANE, "data": DRAWN})
    desk.take(settings, Given(drawn, desk.given.table))
    return desk.settled(notes)


def _export(desk: Desk, message: Message) -> None:
    given = desk.given.named(desk.lab.settings.data)
    name, kind, content = exported(message.get("format"), desk.lab, given)
    desk.send_file({"re": message.get("id"), "name": name, "type": kind}, content)
    derived = derived_inputs(desk.lab) if name.endswith((".h5", ".onnx")) else ()
    if derived:
        what = f"the file takes {', '.join(derived)}, which the table does not have"
        desk.event("note", message=f"{what}: it cannot predict from the same CSV; train on columns alone for that")


def _import(desk: Desk, message: Message) -> Answer:
    found = imported(str(message.get("name")), message["content"], desk.lab, desk.given)
    settings, notes = desk.lab.settings.changed(found.settings)
    before = desk.lab, desk.given
    desk.take(settings, found.given, fresh=True)
    try:
        if found.parameters is not None:
            desk.lab.network.set_parameters(found.parameters(desk.lab))
            desk.lab.remark("weights were read from a file")
    except NnkitError:
        desk.lab, desk.given = before
        raise
    return desk.settled(notes)


def _draw(desk: Desk, message: Message) -> Answer:
    _digits(desk).draw(message.get("pixels"))
    desk.unshown = True
    return {}


def _mistakes(desk: Desk, message: Message) -> Answer:
    start, count = message.get("from", 0), message.get("count", 60)
    if type(start) is not int or type(count) is not int or start < 0 or count < 0:
        raise ValueError(f"from is {start!r:.80} and count {count!r:.80}; expected whole numbers from 0 up")
    return _digits(desk).mistakes(desk.lab, start, count)


def _digits(desk: Desk) -> OnDigits:
    if isinstance(desk.lab.subject, OnDigits):
        return desk.lab.subject
    raise ValueError("that is for the tab of digits")


LOOKING = ("hover", "draw", "mistakes", "export")
"""Those for which training goes on."""
ACTIONS: dict[str, Action] = {
    "hello": _hello,
    "begin": _begin,
    "again": _again,
    "away": _away,
    "set": _set,
    "play": _play,
    "pause": _pause,
    "step": _step,
    "reset": _reset,
    "hover": _hover,
    "edit": _edit,
    "points": _points,
    "export": _export,
    "import": _import,
    "draw": _draw,
    "mistakes": _mistakes,
}
