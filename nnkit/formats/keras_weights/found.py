"""The layers that a file of Keras's holds: its groups as a tree, before any of the arrays is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nnkit.checkpoint.container import Container
from nnkit.errors import FileError
from nnkit.formats.keras_weights.counterparts import COUNTERPARTS, WITHOUT_VARIABLES
from nnkit.names import clipped, listed

LAYERS = ("layers", "_layer_checkpoint_dependencies")
"""The group of the layers in a model, and what Keras 2.13 called it."""

VARIABLES = "vars"
ASIDE = ("optimizer", "metrics")
"""What Keras keeps of a training at the top; so are names that begin with an underscore."""

DEEPEST = 32
REMAKE = "save the weights of a keras.Sequential of layers that nnkit has, one after the other"
_NUMBERED = re.compile(r"(.+)_([1-9][0-9]{0,8})")
_KNOWN = {found.group: len(found.variables) for found in COUNTERPARTS.values()}


@dataclass(frozen=True)
class Found:
    """One layer in a file: its place, the class and the number in its name, its variables, and the layers in it."""

    place: str
    kind: str
    number: int
    variables: tuple[str, ...]
    """Places of the arrays, in order."""
    inner: tuple[Found, ...] = ()
    model: bool = False
    """Whether it is a model with layers of its own."""

    def walk(self) -> Iterator[Found]:
        """The layer, and all in it."""
        yield self
        for layer in self.inner:
            yield from layer.walk()

    @property
    def holds(self) -> bool:
        """Whether it or a layer in it has variables."""
        return any(layer.variables for layer in self.walk())


def layers_in(file: Container, expected: int) -> tuple[Found, ...]:
    """The layers at the top of a file in which about ``expected`` things stand; FileError for what is no such file."""
    names = file.top(len(LAYERS) + len(ASIDE) + 1)
    if not names & set(LAYERS):
        raise file.refused(
            "",
            "has no /layers, which Keras 3 writes",
            "load it in a Keras model, and save that model's weights with Keras 3",
        )
    models = {name for name in names - {*LAYERS, VARIABLES, *ASIDE} if not name.startswith("_")}
    if models:
        raise _no_chain(file, models, "are attributes of a class, of which the file does not say in which order")
    tops = sorted(names & {*LAYERS, VARIABLES})
    tree = _Tree(file, file.walked(tops, expected))
    if own := tree.inner(VARIABLES):
        raise _no_chain(file, {f"{VARIABLES}/{name}" for name in own}, "belong to the model itself and to no layer")
    found = tree.model("", tops)
    if tree.strange:
        raise _no_chain(file, tree.strange, "have no counterpart in nnkit")
    return found


def _no_chain(file: Container, places: set[str], why: str) -> FileError:
    shown = [clipped(f"/{place}") for place in sorted(places)]
    return file.refused("", f"has {listed(shown, 10)}, which {why}", REMAKE)


class _Tree:
    """What was walked through, by group."""

    def __init__(self, file: Container, things: Mapping[str, bool]) -> None:
        self._file = file
        self._things = things
        self._inner: dict[str, list[str]] = {}
        for place in things:
            group, _, name = place.rpartition("/")
            self._inner.setdefault(group, []).append(name)
        self.strange: set[str] = set()

    def inner(self, place: str) -> list[str]:
        """Names of what stands in a group."""
        return self._inner.get(place, [])

    def model(self, place: str, names: Sequence[str]) -> tuple[Found, ...]:
        """The layers of a model, sorted by their numbers."""
        if place.count("/") > 2 * DEEPEST:
            raise self._file.refused(place, f"is nested more than {DEEPEST} deep")
        groups = [f"{place}/{name}".lstrip("/") for name in LAYERS if name in names]
        full = [group for group in groups if self.inner(group)]
        if len(full) > 1:
            raise self._file.refused(full[1], f"has layers, and so has /{full[0]}", REMAKE)
        found = [self._layer(f"{group}/{name}", name) for group in full for name in self.inner(group)]
        return tuple(sorted(found, key=lambda layer: (layer.kind, layer.number)))

    def _layer(self, place: str, name: str) -> Found:
        match = _NUMBERED.fullmatch(name)
        kind, number = (match[1], int(match[2])) if match else (name, 0)
        names = self.inner(place)
        variables, others = self._variables(place), set(names) - {VARIABLES}
        if others & set(LAYERS):
            self.strange |= {f"{place}/{other}" for other in others - set(LAYERS)}
            return Found(place, kind, number, variables, self.model(place, names), model=True)
        inner: tuple[Found, ...] = ()
        if kind == "dense" and "activation" in others:
            others.remove("activation")
            inner = (self._layer(f"{place}/activation", "activation"),)
        if others or not self._things[place] or kind not in {*_KNOWN, *WITHOUT_VARIABLES}:
            self.strange.add(place)
        return Found(place, kind, number, variables, inner)

    def _variables(self, place: str) -> tuple[str, ...]:
        """Places of the arrays of a layer: 0, 1, … without a gap."""
        group = f"{place}/{VARIABLES}"
        names = set(self.inner(group))
        if not self._things.get(group, True):
            raise self._file.refused(group, "is an array, and a group of arrays is expected")
        places = [f"{group}/{number}" for number in range(len(names))]
        if odd := names - {str(number) for number in range(len(names))}:
            raise self._file.refused(f"{group}/{min(odd)}", f"is not one of the {len(names)} arrays 0, 1, … of a layer")
        for inner in places:
            if self._things[inner]:
                raise self._file.refused(inner, "is a group, and an array is expected")
        return tuple(places)
