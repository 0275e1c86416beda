"""What a file says of a network, checked as a whole before anything is built; the values are still in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from nnkit._version import __version__
from nnkit.checkpoint.architecture import Architecture, check_keys
from nnkit.checkpoint.blocks import Shape
from nnkit.checkpoint.container import DAMAGED
from nnkit.checkpoint.epochs import Epochs, record_of
from nnkit.checkpoint.extent import check_extent
from nnkit.checkpoint.modules import rebuilt
from nnkit.checkpoint.places import (
    CHECKSUMS,
    EPOCHS,
    FORMAT,
    GROUPS,
    HISTORY,
    PROGRESS,
    PROGRESS_GROUPS,
    RECORD,
    TEXTS,
    TIMES,
    WRITER,
    groups,
    places,
)
from nnkit.checkpoint.progress import Progress
from nnkit.checkpoint.readable import Readable
from nnkit.checkpoint.sample import inputs_shape
from nnkit.checkpoint.spread import expected, gathered
from nnkit.checkpoint.text import parsed
from nnkit.checkpoint.training import Training
from nnkit.data.arrays import Array
from nnkit.errors import FileError
from nnkit.names import clipped
from nnkit.nn import Module
from nnkit.nn.serial import is_custom
from nnkit.training.layout import Layout, moments
from nnkit.training.past import Past
from nnkit.training.standing import Standing, shapes
from nnkit.training.targets import names_for

T = TypeVar("T")
DOUBLE = (HISTORY, TIMES, "curvature")
"""Groups whose arrays are in double precision, whatever the network is in."""


class Read(NamedTuple):
    """An open file whose structure is known to be right."""

    file: Readable
    version: int
    sums: Mapping[str, str]
    architecture: Architecture
    training: Training
    past: Past
    progress: Progress | None
    module: Module
    layout: Layout

    def standing(self) -> Standing:
        """Where the training stood, with all arrays."""
        assert self.progress is not None
        found = shapes(self.progress.facts, self.layout)
        return self.progress.standing(self.past, gathered(found, self.layout, self.numbers))

    def numbers(self, place: str) -> Array:
        """The values of an array."""
        return self.file.numbers(place, self.sums[place])


def read(file: Readable, into: Module | None) -> Read:
    """Everything but the values of a network; ``into`` is its module if the file cannot describe it."""
    version = _version(file)
    sums = _checksums(file, version)
    texts = _checked_texts(file, version, sums)

    def described(name: str, make: Callable[[Any], T]) -> T:
        return _parsed(file, name, texts[name], make)

    architecture = described("architecture", Architecture.from_dict)
    training = described("training", Training.from_dict)
    module, layout = _module(file, architecture, into)
    _check_classes(file, architecture, names_for(module, layout))
    progress: Progress | None = None
    found: dict[str, Shape] = {place: layout.shapes[leaf] for leaf, place in places(layout).items()}
    known, record = Epochs((), 0), None
    if version > 1:
        known, record = described(EPOCHS, Epochs.from_dict), described(RECORD, record_of)
        rows = inputs_shape(layout.input_shape)
        found |= known.shapes() | {"sample/inputs": rows, "sample/outputs": (rows[0], *layout.output_shape)}
    if PROGRESS in texts:
        progress = _progress(file, texts, known)
        _check_moments(file, progress, training, layout)
        found |= expected(shapes(progress.facts, layout), layout)
    fix = DAMAGED if into is None else f"build into={type(into).__name__}(…) as it was when the network was saved"
    _check_arrays(file, version, found, layout.dtype, fix)
    _check_sums(file, sums, {"format", *texts, *found})
    past = known.past(record, lambda place: file.numbers(place, sums[place])) if version > 1 else Past()
    return Read(file, version, sums, architecture, training, past, progress, module, layout)


def architecture_in(file: Readable) -> Architecture:
    """What a network is, from the texts alone."""
    version = _version(file)
    texts = _checked_texts(file, version, _checksums(file, version))
    return _parsed(file, "architecture", texts["architecture"], Architecture.from_dict)


def progress_in(file: Readable) -> Progress | None:
    """Where a training stood, from the texts alone; None for the file of a network."""
    version = _version(file)
    texts = _checked_texts(file, version, _checksums(file, version))
    if PROGRESS not in texts:
        return None
    known = _parsed(file, EPOCHS, texts[EPOCHS], Epochs.from_dict)
    return _progress(file, texts, known)


def _progress(file: Readable, texts: Mapping[str, bytes], known: Epochs) -> Progress:
    belongs = (texts["architecture"], texts["training"], known.total)
    return _parsed(file, PROGRESS, texts[PROGRESS], lambda found: Progress.from_dict(found, *belongs))


def _version(file: Readable) -> int:
    """That of a file that has at its top what it should."""
    if not file.has("format"):
        raise file.refused("", "has no /format, so that nnkit did not write it", "give a file that net.save wrote")
    version = file.whole_number("format")
    if version > FORMAT:
        reason = f"is {version}, and this nnkit {__version__} reads versions up to {FORMAT}"
        raise file.refused("format", reason, f"install {_writer(file)}")
    if version < 1:
        raise file.refused("format", f"is {version}, and versions begin at 1")
    wanted = {"format", CHECKSUMS} | {place.split("/")[0] for place in (*TEXTS[version], *GROUPS[version])}
    there = file.top(len(wanted))
    progress = there & {PROGRESS, *PROGRESS_GROUPS} if version > 1 and PROGRESS in there else set()
    file.check_top(wanted | progress)
    return version


def _writer(file: Readable) -> str:
    """The version that wrote a file of a newer format, as far as it says so."""
    try:
        found = parsed(file.text(WRITER))["nnkit"]
    except (FileError, ValueError, TypeError, KeyError):
        found = None
    return f"nnkit {clipped(found)} or newer, which wrote it" if isinstance(found, str) else "a newer nnkit"


def _checksums(file: Readable, version: int) -> dict[str, str]:
    sums: dict[str, str] = _parsed(file, CHECKSUMS, file.text(CHECKSUMS), _texts_only)
    file.check_digest("format", np.array(version, "<i8"), sums.get("format", ""))
    return sums


def _texts_only(found: Any) -> dict[str, str]:
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError("is not an object of texts")
    return found


def _checked_texts(file: Readable, version: int, sums: Mapping[str, str]) -> dict[str, bytes]:
    """The JSON texts with their checksums."""
    names = [*TEXTS[version], *([PROGRESS] if version > 1 and file.has(PROGRESS) else [])]
    texts = {name: file.text(name) for name in names}
    for name, text in texts.items():
        file.check_digest(name, np.array(text), sums.get(name, ""))
    return texts


def _parsed(file: Readable, name: str, text: bytes, make: Callable[[Any], T]) -> T:
    try:
        return make(parsed(text))
    except (ValueError, OverflowError) as error:
        raise file.refused(name, str(error)) from error


def _module(file: Readable, architecture: Architecture, into: Module | None) -> tuple[Module, Layout]:
    """The module and its layout, by a trace that knows shapes alone."""
    if into is not None:
        return into, Layout.of(into, architecture.input_shape, architecture.dtype)
    if is_custom(architecture.module):
        raise file.refused(
            "architecture",
            "has classes, functions or shared weights of your own, which a file cannot hold",
            "build the module as it was and write nnkit.load(path, into=module)",
        )
    check_extent(file, architecture)
    try:
        module = rebuilt(architecture.module)
        return module, Layout.of(module, architecture.input_shape, architecture.dtype)
    except Exception as error:  # anything can stand in a file, and the layers see it first
        raise file.refused("architecture", f"cannot be built: {error}") from error


def _check_classes(file: Readable, architecture: Architecture, count: int) -> None:
    """Refuse names that are not those of the outputs."""
    names = architecture.classes
    if names is not None and (len(names) != count or len(set(names)) != count):
        reason = f"has {len(set(names)):,} different names of classes for a network that tells {count:,} apart"
        raise file.refused("architecture", reason)


def _check_moments(file: Readable, progress: Progress, training: Training, layout: Layout) -> None:
    """Refuse moments that the optimiser does not have, if nnkit knows it."""
    if training.optimizer is None:
        return
    wanted = {leaf.name: list(leaf.shape) for leaf in moments(training.optimizer, layout)}
    found = progress.facts["moments"]
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            reason = f"has '{name}' of shape {found.get(name)}, and the optimizer has {wanted.get(name)}"
            raise file.refused(PROGRESS, reason)


def _check_arrays(file: Readable, version: int, found: Mapping[str, Shape], dtype: str, fix: str) -> None:
    """Refuse what is not exactly these arrays, all of them in the file."""
    inner = {place for place in TEXTS[version] if "/" in place}
    file.check_tree({*found, *inner}, {*GROUPS[version], *groups(found)}, fix)
    double = {place: shape for place, shape in found.items() if place.startswith(DOUBLE)}
    file.check_sizes(double, "float64", fix=fix)
    file.check_sizes({place: shape for place, shape in found.items() if place not in double}, dtype, fix=fix)


def _check_sums(file: Readable, sums: Mapping[str, str], names: set[str]) -> None:
    try:
        check_keys(sums, names)
    except ValueError as error:
        raise file.refused(CHECKSUMS, str(error)) from error
