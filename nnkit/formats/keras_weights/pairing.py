"""Which layer in a file is which layer of the network: by class, in the order of their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from nnkit import nn
from nnkit.checkpoint.container import Container
from nnkit.formats.keras_weights.found import LAYERS, REMAKE, VARIABLES, Found
from nnkit.formats.keras_weights.tree import Layer, Shape, numbered

Wanted = dict[str, tuple[Layer, str, Shape]]
"""Place of each array → the layer and the leaf that it is for, and the shape that it has to have."""

T = TypeVar("T", Layer, Found)


def paired(file: Container, layers: Sequence[Layer], found: Sequence[Found]) -> Wanted:
    """Where each leaf of the network stands in the file; what is not there has the place where it would stand.

    Models in models go with a Sequential in a Sequential. A model around all the rest makes no difference, and where
    the file has no models in its model, the order of the layers is known without.
    """
    pairing = _Pairing(file)
    pairing.level(_unwrapped(layers), _unwrapped(found))
    return pairing.wanted


def _unwrapped(layers: Sequence[T]) -> Sequence[T]:
    """What is in a model that has all variables in it."""
    while True:
        full = [layer for layer in layers if layer.holds]
        if len(full) != 1 or not full[0].model:
            return layers
        layers = full[0].inner


def _flat(layers: Sequence[Layer]) -> Iterator[Layer]:
    """The layers in the order in which rows go through them, without Sequentials."""
    for layer in layers:
        yield from _flat(layer.inner) if layer.model else (layer,)


class _Pairing:
    """Collects what is wanted, model by model."""

    def __init__(self, file: Container) -> None:
        self._file = file
        self.wanted: Wanted = {}

    def level(self, layers: Sequence[Layer], found: Sequence[Found]) -> None:
        """The layers of one model."""
        models = [layer for layer in found if layer.model and layer.holds]
        order = layers if models else list(_flat(layers))
        self._models([layer for layer in order if layer.model and layer.holds], models)
        place = found[0].place.rpartition("/")[0] if found else LAYERS[0]
        done = self._activations(order, found)
        for group in sorted({layer.counterpart.group for layer in order if layer.variables}):
            mine = [layer for layer in order if layer.counterpart.group == group and id(layer) not in done]
            theirs = [layer for layer in found if layer.kind == group and not layer.model]
            free = 1 + max((layer.number for layer in theirs), default=-1)
            places = [layer.place for layer in theirs]
            places += [f"{place}/{numbered(group, free + more)}" for more in range(len(mine) - len(theirs))]
            for layer, where in zip(mine, places, strict=False):  # what is there beyond that is found later
                self._want(layer, where)

    def _want(self, layer: Layer, place: str) -> None:
        for number, (leaf, shape) in enumerate(layer.variables):
            self.wanted[f"{place}/{VARIABLES}/{number}"] = layer, leaf, shape

    def _models(self, mine: Sequence[Layer], theirs: Sequence[Found]) -> None:
        """Models in the model, which must be as many, and of one class, since only then their order is known."""
        shown = ", ".join(f"/{layer.place}" for layer in theirs)
        if len(mine) != len(theirs):
            raise self._file.refused(
                "",
                f"has a model in its model, {shown}, and the network there has {len(mine)} of them",
                "nest the layers of the network as those of the model are, nnkit.nn.Sequential in nnkit.nn.Sequential",
            )
        if len({layer.kind for layer in theirs}) > 1:
            raise self._file.refused("", f"does not say in which order {shown} compute", REMAKE)
        for layer, model in zip(mine, theirs, strict=True):
            self.level(layer.inner, model.inner)

    def _activations(self, order: Sequence[Layer], found: Sequence[Found]) -> set[int]:
        """PReLUs that are the activation of a Dense in the file and follow it here; the others are layers of their own.

        Keras keeps ``Dense(8, activation=PReLU())`` as /layers/dense/activation.
        """
        done = set()
        mine = [number for number, layer in enumerate(order) if isinstance(layer.module, nn.Dense)]
        theirs = [layer for layer in found if layer.kind == "dense" and not layer.model]
        for number, layer in zip(mine, theirs, strict=False):
            after = order[number + 1] if number + 1 < len(order) else None
            if after is not None and isinstance(after.module, nn.PReLU) and any(part.variables for part in layer.inner):
                self._want(after, layer.inner[0].place)
                done.add(id(after))
        return done
