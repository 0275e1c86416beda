"""nnkit's own view of what a page exported: the same rows and the same network, without any page."""

from __future__ import annotations

from nnkit.playground import archive
from nnkit.playground.given import Given, subject_for
from nnkit.playground.lab import Lab
from nnkit.playground.settings import Settings
from nnkit.playground.strokes import Strokes
from nnkit.playground.table import Table


def lab(content: bytes) -> Lab:
    """The network in an exported JSON file, with its weights."""
    found = archive.read(content)
    settings, notes = Settings().changed(found.settings)
    assert notes == []
    brought = found.given
    given = Given(brought if isinstance(brought, Strokes) else None, brought if isinstance(brought, Table) else None)
    subject = subject_for(settings, given)
    made = Lab(subject.settled(settings), subject)
    made.network.set_parameters(found.parameters)
    return made
