"""The table of layers in PyTorch: what module each of them is there, and what its parameters are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from nnkit import nn
from nnkit.errors import ArgumentError
from nnkit.formats.matching import Shape
from nnkit.formats.torch_activations import code_of, is_identity
from nnkit.formats.torch_forms import COLUMN, SAME, SLOPES, TRANSPOSED, Form
from nnkit.nn.leaves import Declared
from nnkit.nn.module import join

if TYPE_CHECKING:
    from nnkit.network import Network


@dataclass(frozen=True)
class Place:
    """One array of a module in PyTorch: the leaf that it is, the leaf's shape, and how it stands there."""

    leaf: str
    shape: Shape
    form: Form


@dataclass(frozen=True)
class Piece:
    """One module of the Sequential in PyTorch, for a layer or a part of one.

    ``code`` makes it, and is None where PyTorch has no such module. ``places`` go by the names that PyTorch gives them;
    ``older`` gives those that earlier versions gave. ``counter`` is a count that nothing is computed from.
    """

    path: str
    layer: nn.Module
    code: str | None
    places: Mapping[str, Place] = field(default_factory=dict)
    older: Mapping[str, str] = field(default_factory=dict)
    counter: str | None = None
    note: str = ""


def pieces(network: Network) -> list[Piece]:
    """The modules of the Sequential in PyTorch that computes what the network does, in order.

    Raises ArgumentError for a layer whose parameters have no place there.
    """
    return list(_Walk(network).through(network.module, ""))


def called(layer: nn.Module, path: str) -> str:
    """A layer in a message."""
    return f"layer '{path}' ({type(layer).__name__})" if path else f"the network's module ({type(layer).__name__})"


class _Walk:
    """From layer to layer, with what has to be known of each."""

    def __init__(self, network: Network) -> None:
        layout = network._model.layout
        self.axes = 1 + len(layout.input_shape)  # of what comes into the next layer
        self._shapes = layout.shapes
        self._paths = {id(leaf): path for path, leaf in layout.declared.items()}

    def through(self, layer: nn.Module, path: str) -> Iterator[Piece]:
        """The pieces of a layer."""
        if type(layer) not in TABLE:
            raise self.refused(layer, path, "has no counterpart in torch.nn")
        return TABLE[type(layer)](self, layer, path)

    def place(self, leaf: Declared, form: Form = SAME) -> Place:
        """Where a leaf goes."""
        path = self._paths[id(leaf)]
        return Place(path, self._shapes[path], form)

    def check_axes(self, layer: nn.Module, path: str, module: str) -> None:
        """Refuse rows of several axes."""
        if self.axes > 2:
            raise self.refused(
                layer, path, f"has its features in the last of {self.axes} axes, where torch.nn.{module} takes axis 1"
            )

    def refused(self, layer: nn.Module, path: str, reason: str) -> ArgumentError:
        """The error for a layer."""
        return ArgumentError(f"{called(layer, path)} {reason}; layout='nnkit' keeps the parameters of every layer")


def _sequential(walk: _Walk, layer: nn.Sequential, path: str) -> Iterator[Piece]:
    for number, inner in enumerate(layer.layers):
        yield from walk.through(inner, join(path, f"layers.{number}"))


def _dense(walk: _Walk, layer: nn.Dense, path: str) -> Iterator[Piece]:
    places = {"weight": walk.place(layer.weight, TRANSPOSED)}
    inputs, units = places["weight"].shape
    if layer.bias is not None:
        places["bias"] = walk.place(layer.bias)
    yield Piece(path, layer, f"nn.Linear({inputs}, {units}{'' if 'bias' in places else ', bias=False'})", places)
    if not is_identity(layer.activation):
        yield from walk.through(layer.activation, join(path, "activation"))


def _activation(walk: _Walk, layer: nn.Activation, path: str) -> Iterator[Piece]:
    yield Piece(path, layer, code_of(layer))


def _prelu(walk: _Walk, layer: nn.PReLU, path: str) -> Iterator[Piece]:
    walk.check_axes(layer, path, "PReLU")
    slope = walk.place(layer.slope, SLOPES)
    yield Piece(path, layer, f"nn.PReLU({slope.shape[0]})", {"weight": slope})


def _batch_norm(walk: _Walk, layer: nn.BatchNorm, path: str) -> Iterator[Piece]:
    walk.check_axes(layer, path, "BatchNorm1d")
    places = _scaled(walk, layer) | {
        "running_mean": walk.place(layer.mean),
        "running_var": walk.place(layer.variance),
    }
    size = places["weight"].shape[0]
    code = f"nn.BatchNorm1d({size}, eps={layer.eps!r}, momentum={layer.momentum!r})"
    yield Piece(path, layer, code, places, counter="num_batches_tracked")


def _layer_norm(walk: _Walk, layer: nn.LayerNorm, path: str) -> Iterator[Piece]:
    places = _scaled(walk, layer)
    yield Piece(path, layer, f"nn.LayerNorm({places['weight'].shape[0]}, eps={layer.eps!r})", places)


def _group_norm(walk: _Walk, layer: nn.GroupNorm, path: str) -> Iterator[Piece]:
    walk.check_axes(layer, path, "GroupNorm")
    places = _scaled(walk, layer)
    yield Piece(path, layer, f"nn.GroupNorm({layer.groups}, {places['weight'].shape[0]}, eps={layer.eps!r})", places)


def _rms_norm(walk: _Walk, layer: nn.RMSNorm, path: str) -> Iterator[Piece]:
    weight = walk.place(layer.weight)
    yield Piece(path, layer, f"nn.RMSNorm({weight.shape[0]}, eps={layer.eps!r})", {"weight": weight})


def _scaled(walk: _Walk, layer: Any) -> dict[str, Place]:
    return {"weight": walk.place(layer.weight), "bias": walk.place(layer.bias)}


def _weight_norm(walk: _Walk, layer: nn.WeightNorm, path: str) -> Iterator[Piece]:
    own = {"parametrizations.weight.original0": walk.place(layer.length, COLUMN)}
    return _around(walk, layer, path, "weight_norm({})", "parametrizations.weight.original1", own, OLD_WEIGHT_NORM)


def _spectral_norm(walk: _Walk, layer: nn.SpectralNorm, path: str) -> Iterator[Piece]:
    code = f"spectral_norm({{}}, n_power_iterations={layer.iterations}, eps={layer.eps!r})"
    own = {"parametrizations.weight.0._u": walk.place(layer.u), "parametrizations.weight.0._v": walk.place(layer.v)}
    return _around(walk, layer, path, code, "parametrizations.weight.original", own, OLD_SPECTRAL_NORM)


OLD_WEIGHT_NORM = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}
OLD_SPECTRAL_NORM = {
    "weight_orig": "parametrizations.weight.original",
    "weight_u": "parametrizations.weight.0._u",
    "weight_v": "parametrizations.weight.0._v",
}


def _around(
    walk: _Walk, layer: Any, path: str, code: str, weight: str, own: dict[str, Place], older: dict[str, str]
) -> Iterator[Piece]:
    """A layer around a Dense, whose weight has another name then."""
    if type(layer.module) is not nn.Dense:
        raise walk.refused(layer, path, f"is around {layer.module!r}, which has no counterpart in torch.nn")
    linear, *after = _dense(walk, layer.module, join(path, "module"))
    bias = {name: place for name, place in linear.places.items() if name == "bias"}
    places = bias | own | {weight: linear.places["weight"]}
    made = f"nn.utils.parametrizations.{code.format(linear.code)}"
    yield replace(linear, path=path, layer=layer, code=made, places=places, older=older)
    yield from after


def _flatten(walk: _Walk, layer: nn.Flatten, path: str) -> Iterator[Piece]:
    walk.axes = 2
    yield Piece(path, layer, "nn.Flatten()")


def _dropout(walk: _Walk, layer: nn.Dropout | nn.AlphaDropout, path: str) -> Iterator[Piece]:
    yield Piece(path, layer, f"nn.{type(layer).__name__}({layer.rate!r})")


def _rescaling(walk: _Walk, layer: nn.Rescaling, path: str) -> Iterator[Piece]:
    yield Piece(path, layer, None)


def _nothing_in_predictions(walk: _Walk, layer: nn.Module, path: str) -> Iterator[Piece]:
    yield Piece(path, layer, "nn.Identity()", note=f"{layer!r} acts in training alone, and torch.nn has none")


TABLE: dict[type[nn.Module], Callable[[_Walk, Any, str], Iterator[Piece]]] = {
    nn.Activation: _activation,
    nn.ActivityRegularization: _nothing_in_predictions,
    nn.AlphaDropout: _dropout,
    nn.BatchNorm: _batch_norm,
    nn.Dense: _dense,
    nn.Dropout: _dropout,
    nn.Flatten: _flatten,
    nn.GaussianDropout: _nothing_in_predictions,
    nn.GaussianNoise: _nothing_in_predictions,
    nn.GroupNorm: _group_norm,
    nn.LayerNorm: _layer_norm,
    nn.PReLU: _prelu,
    nn.Rescaling: _rescaling,
    nn.RMSNorm: _rms_norm,
    nn.Sequential: _sequential,
    nn.SpectralNorm: _spectral_norm,
    nn.WeightNorm: _weight_norm,
}
