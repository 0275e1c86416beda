"""A file that a person drops on the page: rows, a network, or all of a page."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from pathlib import Path
from typing import Any

import nnkit
from nnkit import nn
from nnkit.data.arrays import Array
from nnkit.errors import NnkitError
from nnkit.names import clipped, listed
from nnkit.playground.archive import read
from nnkit.playground.given import Given
from nnkit.playground.lab import Lab
from nnkit.playground.on_plane import OnPlane
from nnkit.playground.settings import (
    DEEPEST,
    DIGITS,
    HIDDEN_ACTIVATIONS,
    OUTPUTS,
    TABLE,
    WIDEST,
    WIDEST_DIGITS,
)
from nnkit.playground.strokes import Strokes
from nnkit.playground.table import Table, read_table
from nnkit.playground.units import for_the_page, names_on_page


@dataclass(frozen=True)
class Imported:
    """Settings to change, what was given, and what the weights are once they are changed, if there are any."""

    settings: dict[str, Any]
    given: Given
    parameters: Callable[[Lab], dict[str, Array]] | None = None


def imported(name: str, content: bytes, lab: Lab, given: Given) -> Imported:
    """What is in a file, by the end of its name; ValueError or NnkitError if it cannot be taken."""
    end = Path(name).suffix.lower()
    if end not in READERS:
        raise ValueError(f"{name!r:.80} ends neither in {', '.join(READERS)}; drop a table, a network or a saved page")
    return READERS[end](name, content, lab, given)


def _csv(name: str, content: bytes, lab: Lab, given: Given) -> Imported:
    table = read_table(content, Path(name).name)
    chosen = {"tab": "plane", "data": TABLE, "target": table.target, "features": []}
    return Imported(chosen, replace(given, table=table))


def _json(name: str, content: bytes, lab: Lab, given: Given) -> Imported:
    found = read(content)
    settings, brought = found.settings, found.given
    if isinstance(brought, Strokes):
        given = replace(given, strokes=brought)
    if isinstance(brought, Table):
        given = replace(given, table=brought)
        settings = {"target": brought.target, **settings}
    parameters = found.parameters
    return Imported(settings, given, None if parameters is None else lambda lab: parameters)


def _network(name: str, content: bytes, lab: Lab, given: Given) -> Imported:
    network = _loaded(name, content)
    return Imported(_described(network, lab), given, lambda changed: for_the_page(network, changed))


def _loaded(name: str, content: bytes) -> nnkit.Network:
    """The network in a file; errors name the file as the person knows it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"network{Path(name).suffix.lower()}"
        path.write_bytes(content)
        try:
            return nnkit.load(path, untrusted=path.suffix == ".h5")
        except NnkitError as error:
            raise ValueError(str(error).replace(str(path), clipped(name))) from None


def _described(network: nnkit.Network, lab: Lab) -> dict[str, Any]:
    """The settings of a chain of dense layers; anything else is refused."""
    layers = list(getattr(network.module, "layers", ()))
    outputs: Sequence[str] = OUTPUTS
    if layers and isinstance(layers[-1], nn.Rescaling):  # on the page it is within the weights before it
        layers.pop()
        outputs = ["identity"]
    dense = [layer for layer in layers if isinstance(layer, nn.Dense)]
    rates = {layer.rate for layer in layers if isinstance(layer, nn.Dropout)}
    if not dense or len(dense) + sum(isinstance(layer, nn.Dropout) for layer in layers) < len(layers):
        raise ValueError("the page takes networks of dense layers, with dropout at most; this one has others")
    if any(layer.bias is None for layer in dense):
        raise ValueError("the page takes dense layers with a bias; one of this network has none")
    *hidden, last = dense
    _check_size([layer.units for layer in hidden], lab)
    _check_target(network, lab)
    features = _features(network, lab)
    if len(features) != network.input_shape[0]:
        raise ValueError(
            f"the network takes {network.input_shape[0]} features, and {len(features)} are chosen here; choose as many"
        )
    if network.output_shape[0] != lab.subject.goal.outputs:
        raise ValueError(
            f"the network has {network.output_shape[0]} outputs, and these data ask for {lab.subject.goal.outputs}; "
            "choose data with as many classes first"
        )
    return {
        **({} if lab.settings.tab == DIGITS else {"features": features}),
        "hidden": [layer.units for layer in hidden],
        "activations": [_name(layer, HIDDEN_ACTIVATIONS, "in hidden layers") for layer in hidden],
        "output": _name(last, outputs, "of outputs"),
        "dropout": float(max(rates, default=0.0)),
    }


def _features(network: nnkit.Network, lab: Lab) -> list[str]:
    """Those that it was trained on, if it says which; else those that are chosen."""
    names = None if network.preprocessing is None else network.preprocessing.features
    if names is None or not isinstance(lab.subject, OnPlane):
        return list(lab.subject.inputs)
    found, offered = names_on_page(names, lab), lab.subject.plane.offered
    if not set(found) <= set(offered):
        raise ValueError(
            f"the network was trained on {_listed(names)}, and there are {_listed(tuple(offered))} here; choose its "
            "data first"
        )
    return found


def _check_size(widths: list[int], lab: Lab) -> None:
    widest = WIDEST_DIGITS if lab.settings.tab == DIGITS else WIDEST
    if len(widths) > DEEPEST or max(widths, default=0) > widest:
        raise ValueError(
            f"the page has up to {DEEPEST} hidden layers of up to {widest:,} neurons here; this network has "
            f"{len(widths)} of up to {max(widths):,}"
        )


def _check_target(network: nnkit.Network, lab: Lab) -> None:
    learned = None if network.preprocessing is None else network.preprocessing.target
    plane = lab.subject.plane if isinstance(lab.subject, OnPlane) else None
    told_apart = network.classes if plane is not None and plane.targets and plane.classes else None
    if told_apart is not None and told_apart != lab.subject.classes:
        raise ValueError(
            f"the network tells {_listed(told_apart)} apart, and the classes here are {_listed(lab.subject.classes)}; "
            "choose its data first"
        )
    if plane is not None and learned in plane.targets and learned != plane.target_name:
        raise ValueError(
            f"the network has learned {learned!r}, and the target here is {plane.target_name!r}; choose {learned!r} as "
            "the target first"
        )


def _listed(names: Sequence[str]) -> str:
    """Names, of which a file may have any number."""
    return listed([f"'{clipped(name)[:40]}'" for name in names], most=5)


def _name(layer: nn.Dense, known: Sequence[str], where: str) -> str:
    """The name of its activation, if it is as the page has it."""
    found = layer.activation
    if isinstance(found, nn.Activation) and found.named and found.name in known:
        usual = {name: each.default for name, each in signature(found.function).parameters.items()}
        if all(usual[name] == value for name, value in found.parameters.items()):
            return found.name
    raise ValueError(f"the page has no {found!r:.80} {where}; there are {', '.join(known)}, without parameters")


READERS: dict[str, Callable[[str, bytes, Lab, Given], Imported]] = {
    ".csv": _csv,
    ".h5": _network,
    ".onnx": _network,
    ".json": _json,
}
