"""A network as the layers that Keras would have, with their places in its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnkit import nn
from nnkit.errors import ArgumentError
from nnkit.formats.keras_weights.counterparts import COUNTERPARTS, LACKING, Counterpart
from nnkit.nn import Module
from nnkit.nn.module import join

if TYPE_CHECKING:
    from nnkit.network import Network

Shape = tuple[int, ...]
OTHERS = "net.save keeps all layers, and a .safetensors file all parameters by their names"


@dataclass(frozen=True)
class Layer:
    """A layer: where it stands in the network and in the file, its leaves as Keras's variables, and layers in it."""

    path: str
    module: Module
    counterpart: Counterpart
    place: str
    variables: tuple[tuple[str, Shape], ...]
    """(path of the leaf, shape in Keras), in Keras's order."""
    inner: tuple[Layer, ...] = ()
    """Of a Sequential its layers."""

    def __str__(self) -> str:
        return f"layer '{self.path}' ({type(self.module).__name__})"

    def walk(self) -> Iterator[Layer]:
        """The layer, and all in it."""
        yield self
        for layer in self.inner:
            yield from layer.walk()

    @property
    def model(self) -> bool:
        """Whether it is a Sequential."""
        return type(self.module) is nn.Sequential

    @property
    def holds(self) -> bool:
        """Whether it or a layer in it has variables."""
        return any(layer.variables for layer in self.walk())


def keras_layers(network: Network) -> tuple[Layer, ...]:
    """The layers of the equivalent ``keras.Sequential``; ArgumentError names one that Keras does not have.

    >>> import nnkit
    >>> net = nnkit.FeedForward(inputs=2, hidden=[4], outputs=1)
    >>> [(layer.place, layer.variables) for layer in keras_layers(net)]
    [('layers/dense', (('layers.0.weight', (2, 4)), ('layers.0.bias', (4,)))), \
('layers/dense_1', (('layers.1.weight', (4, 1)), ('layers.1.bias', (1,))))]
    """
    module = network.module
    parts = _parts(module, "") if type(module) is nn.Sequential else [("", module)]
    return tuple(_Builder(network).sequence(parts, "layers"))


def _parts(module: nn.Sequential, path: str) -> Iterator[tuple[str, Module]]:
    """The layers of a Sequential with their paths."""
    return ((join(path, f"layers.{number}"), layer) for number, layer in enumerate(module.layers))


def _in_steps(modules: Iterable[tuple[str, Module]]) -> Iterator[tuple[str, Module]]:
    """The layers with a PReLU that is the activation of a Dense as one of its own after it; a function is none."""
    for path, module in modules:
        yield path, module
        if type(module) is nn.Dense and type(module.activation) is not nn.Activation:
            yield join(path, "activation"), module.activation


class _Builder:
    """Goes through the layers in the order in which rows do, and knows how many axes these have."""

    def __init__(self, network: Network) -> None:
        layout = network._model.layout
        self._paths = {id(leaf): path for path, leaf in layout.declared.items()}
        self._shapes = layout.shapes
        self._axes = 1 + len(network.input_shape)
        self._seen: set[int] = set()

    def sequence(self, modules: Iterable[tuple[str, Module]], place: str) -> Iterator[Layer]:
        """One after the other; a layer that stands in a second place counts there, and is kept in the first alone."""
        counts: Counter[str] = Counter()
        for path, module in _in_steps(modules):
            counterpart = self._counterpart(module, path)
            group = numbered(counterpart.group, counts[counterpart.group])
            counts[counterpart.group] += 1
            if id(module) not in self._seen:
                self._seen.add(id(module))
                yield self._layer(module, path, counterpart, f"{place}/{group}")

    def _layer(self, module: Module, path: str, counterpart: Counterpart, place: str) -> Layer:
        variables = tuple(self._variables(module, counterpart))
        inner: Iterable[Layer] = ()
        if isinstance(module, nn.Sequential):
            inner = self.sequence(_parts(module, path), f"{place}/layers")
        elif isinstance(module, nn.Flatten):
            self._axes = 2
        return Layer(path, module, counterpart, place, variables, tuple(inner))

    def _variables(self, module: Module, counterpart: Counterpart) -> Iterator[tuple[str, Shape]]:
        for name, _ in counterpart.variables:
            leaf = getattr(module, name)
            if leaf is not None:
                path = self._paths[id(leaf)]
                wide = self._axes - 2 if isinstance(module, nn.PReLU) else 0
                yield path, (1,) * wide + self._shapes[path]

    def _counterpart(self, module: Module, path: str) -> Counterpart:
        kind = type(module)
        if kind in COUNTERPARTS:
            return COUNTERPARTS[kind]
        own = "it is a class of your own, of which Keras's files know nothing"
        raise ArgumentError(
            f"layer '{path}' ({kind.__name__}) has no counterpart in Keras: {LACKING.get(kind.__name__, own)}; {OTHERS}"
        )


def numbered(name: str, number: int) -> str:
    """What Keras calls the group of the layer of a class with this number, from 0.

    >>> numbered("dense", 0), numbered("dense", 1)
    ('dense', 'dense_1')
    """
    return f"{name}_{number}" if number else name
