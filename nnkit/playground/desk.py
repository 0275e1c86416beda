"""The process of one network: does what is asked, trains in between, and shows what has become of it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from math import isfinite
from typing import Any

from nnkit.errors import NnkitError
from nnkit.playground import actions, frames, wire
from nnkit.playground.frames import Frame
from nnkit.playground.given import Given, subject_for
from nnkit.playground.inbox import Inbox, Message
from nnkit.playground.lab import Figures, Lab
from nnkit.playground.meter import Meter
from nnkit.playground.pump import Pump
from nnkit.playground.settings import SUBJECT, Settings, place


class Desk:
    """Keeps what was given and the lab that follows from it and its settings.

    ``news`` are the events that the page has to be told of once the answer is given.
    """

    def __init__(self, inbox: Inbox, send: Callable[[int, bytes], None]) -> None:
        self.lane = 0
        self.given = Given()
        self.lab = Lab(Settings(), subject_for(Settings(), self.given))
        self.running = False
        self.unshown = False
        self.news: set[str] = set()
        self._inbox, self._send = inbox, send
        self._warned: Any = None
        self._meter = Meter()
        self._planner = ThreadPoolExecutor(1, "nnkit-plan")

    # -- the days of a desk

    def serve(self) -> None:
        """For ever: what is asked first, then training, then showing."""
        while True:
            message = self._inbox.take()
            if callable(message):
                message()
            elif message is not None:
                self._handle(message)
            elif self.running:
                self.train()
            elif self.unshown and self._inbox.may_send:
                self._show(self.lab.scored())
            else:
                self._inbox.wait(None, leave=self.unshown)
            self._tell()

    def _handle(self, message: Message) -> None:
        """Do what is asked, and answer. What cannot be done leaves everything as it was."""
        number = message.get("id")
        try:
            answer = actions.ACTIONS[message["do"]](self, message)
        except (NnkitError, ValueError) as error:
            self._answer(number, {"error": str(error)})
        except Exception as error:  # a fault of ours: the person goes on with what is there
            traceback.print_exc(file=sys.stderr)
            self._answer(number, {"error": f"that went wrong inside ({type(error).__name__}: {error})"})
        else:
            if answer is not None:
                self._answer(number, {"ok": True} | answer)

    def _answer(self, number: Any, content: Mapping[str, Any]) -> None:
        if number is not None:
            self._text({"re": number, "lane": self.lane, **content})

    def _text(self, message: Mapping[str, Any]) -> None:
        self._send(wire.TEXT, wire.text(message))

    def event(self, name: str, **content: Any) -> None:
        """Tell the page of something."""
        self._text({"event": name, "lane": self.lane, **content})

    def send_file(self, head: Mapping[str, Any], content: bytes) -> None:
        """Give the page a file."""
        self._send(wire.BINARY, frames.file(self.lane, wire.text(head), content))

    # -- training

    def train(self, once: bool = False) -> None:
        """Until something is asked, or it ends by itself."""
        self._meter.start()
        pump = Pump(self.lab, self._inbox, self._attend, self._turn, once)
        try:
            ended = self.lab.fit(pump)
        except NnkitError as error:
            self.stop("error", str(error))
            return
        self.unshown = True
        if ended is not None:
            self.stop(*ended)

    def stop(self, why: str, reason: str) -> None:
        """End the training, and say why."""
        self.running = False
        self.unshown = True
        self.event("running", running=False, why=why, reason=reason)

    def _attend(self) -> None:
        """Do what only looks at the network."""
        while (message := self._inbox.take(actions.LOOKING)) is not None:
            assert not callable(message)
            self._handle(message)

    def _turn(self) -> bool:
        """One turn of training; whether it has reached what was wanted."""
        if not self._inbox.may_send and self.lab.settings.stop == "never":
            return False
        self._meter.mark(self.lab.step)
        figures = self.lab.scored(whole=False)
        self._show(figures)
        reason = self.lab.reached(figures)
        if reason is not None:
            self.stop("goal", reason)
        return reason is not None

    # -- showing

    def _show(self, figures: Figures) -> None:
        """A frame, if the page can take one."""
        lab = self.lab
        lab.curve.add(lab.epoch, figures.train_loss, figures.test_loss)
        self.unshown = not self._inbox.may_send
        if self.unshown:
            return
        sections = lab.subject.sections(lab)
        self._warn_of_dead(lab)
        if figures.confusion is not None:
            sections[frames.CONFUSION] = figures.confusion.astype("<u4").tobytes()
        if figures.others:
            sections[frames.FIGURES] = wire.text({name: v for name, v in figures.others.items() if isfinite(v)})
        speed = self._meter.per_s if self.running else 0.0
        number = self._inbox.next_frame()
        frame = Frame(self.lane, number, lab.step, lab.epoch, figures.four, speed, sections)
        self._send(wire.BINARY, frame.written())

    def _warn_of_dead(self, lab: Lab) -> None:
        """Say once that a network cannot learn any more."""
        if lab.dead_layer is None or lab.network is self._warned:
            return
        self._warned = lab.network
        what = (
            f"no slope comes through hidden layer {lab.dead_layer}, whatever the training row (dead or saturated "
            "neurons): nothing before it can learn"
        )
        self.event("note", message=f"{what}. Try another seed, activation or learning rate, and reset")

    def _tell(self) -> None:
        """Events about all that is new."""
        news, self.news = self.news, set()
        if "state" in news:
            self.event("state", **self.lab.state(), running=self.running)
            self.unshown = True
        if "data" in news:
            self.event("data", **self.lab.subject.event())
        if "plan" in news:
            self._planner.submit(self._plan, self.lab)

    def _plan(self, lab: Lab) -> None:
        """Explain the step of a lab, beside its training; it takes a few tenths of a second."""
        if lab.planned_for == self.lab.planned_for:
            try:
                found = lab.plan()
            except Exception:  # a fault of ours: the page goes on without it
                traceback.print_exc(file=sys.stderr)
            else:
                self._inbox.put(lambda: self._planned(lab, found))

    def _planned(self, lab: Lab, found: Mapping[str, Any]) -> None:
        if lab.planned_for == self.lab.planned_for:
            self.event("plan", **found)

    # -- changes

    def take(self, settings: Settings, given: Given, fresh: bool = False) -> None:
        """Go over to these, whole or not at all: ValueError or NnkitError where they cannot be."""
        old, given = self.lab, given.aimed(settings)
        same = given == self.given and not old.settings.differ(settings, SUBJECT)
        subject = old.subject if same else subject_for(settings, given)
        self.lab = old.with_settings(subject.settled(settings), subject, fresh)
        self.given = given
        self.news |= {"state"} | ({"data"} if subject is not old.subject else set())
        self.news |= {"plan"} if self.lab.planned_for != old.planned_for else set()
        if self.running and not subject.ready:
            self.stop("error", subject.summary)

    def change(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Change settings; each that cannot be stays, and a note says so."""
        settings, notes = self.lab.settings.changed(given)
        try:
            self.take(settings, self.given)
        except (NnkitError, ValueError) as error:
            if len(given) > 1:  # the others may well be
                one_by_one = [self.change({name: given[name]})["notes"] for name in sorted(given, key=place)]
                return self.settled([note for found in one_by_one for note in found])
            notes.append(str(error))
        return self.settled(notes)

    def settled(self, notes: list[str]) -> dict[str, Any]:
        """The answer to a change."""
        return {"settings": self.lab.settings.to_dict(), "notes": notes}
