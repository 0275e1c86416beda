"""Where things stand in the file, as docs/FORMAT.md has it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from nnkit.errors import ArgumentError, FileError
from nnkit.training.layout import Layout

FORMAT = 2
"""The version that is written, and the newest one that is read."""

CHECKSUMS = "checksums"
RECORD, EPOCHS, WRITER = "about/record", "about/epochs", "about/written_by"
HISTORY, TIMES = "about/history", "about/times"
TEXTS = {1: ("architecture", "training"), 2: ("architecture", "training", RECORD, EPOCHS, WRITER)}
"""The JSON texts of every file of a version. At its top stand at most eight things: more make a tree in HDF5."""
GROUPS = {1: ("parameters", "state"), 2: ("parameters", "state", "sample", "about", HISTORY, TIMES)}
"""Its groups that are there even when they are empty."""
PROGRESS = "progress"
"""The JSON text that makes a network's file the checkpoint of a training."""
PROGRESS_GROUPS = ("moments", "trained", "curvature", "callbacks")
"""What a checkpoint has beside it, where there is any."""


def as_path(path: str | os.PathLike[str]) -> Path:
    """The path of a file as the user means it; ``~`` is the home folder."""
    if not isinstance(path, (str, os.PathLike)) or "\0" in str(path):
        raise ArgumentError(f"path must be the name of a file, such as 'net.h5', got {path!r}")
    return Path(os.path.expanduser(path))


def places(layout: Layout) -> dict[str, str]:
    """For each leaf its place in the file.

    >>> from nnkit.nn import BatchNorm
    >>> list(places(Layout.of(BatchNorm(), (2,), "float32")).values())
    ['parameters/weight', 'parameters/bias', 'state/mean', 'state/variance']
    """
    kinds = {"parameters": layout.parameters, "state": layout.states}
    return {leaf: place_of(kind, leaf) for kind, leaves in kinds.items() for leaf in leaves}


def groups(found: Iterable[str]) -> set[str]:
    """The groups that hold these places."""
    return {place.rsplit("/", depth)[0] for place in found for depth in range(1, place.count("/") + 1)}


def place_of(kind: str, leaf: str) -> str:
    """A path of the tree as a path of groups; dots separate in the one, slashes in the other.

    >>> place_of("parameters", "layers.0.weight")
    'parameters/layers/0/weight'
    """
    if "/" in leaf or "\0" in leaf or "" in leaf.split("."):
        raise FileError(
            f"the leaf {leaf!r} cannot be named in a file: '/', NUL and empty names do not work there; "
            "rename the attribute or the key of the dictionary that holds it"
        )
    return f"{kind}/{leaf.replace('.', '/')}"
