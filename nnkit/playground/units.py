"""Files of networks speak of a table as it was measured; the page has columns from −5 to 5 and values from −1 to 1."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np

import nnkit
from nnkit import nn
from nnkit.data import Preprocessing
from nnkit.data.arrays import Array
from nnkit.data.scaling import Scaling
from nnkit.playground.features import COORDINATES
from nnkit.playground.goal import counts_right
from nnkit.playground.lab import Lab
from nnkit.playground.on_plane import OnPlane
from nnkit.playground.optimizer import optimizer_for
from nnkit.playground.points import RANGE


def for_a_file(lab: Lab) -> nnkit.Network:
    """A copy of the network that takes the columns of a table as its file has them, and gives values as they are there.

    Derived features keep the page's names, which no file has; and so does a target whose values an output activation
    keeps within bounds.
    """
    network, subject = copy.deepcopy(lab.network), lab.subject
    present = optimizer_for(lab.settings)
    if lab.step and lab.optimizer.config() != present.config():
        # The rate was changed while it trained, and a file says what it goes on with.
        x, y, loss = subject.x_train, subject.y_train, subject.goal.loss
        network.fit(x, y, epochs=0, optimizer=present, loss=loss, progress=False)
    if not isinstance(subject, OnPlane):
        return network
    scaling = _scaling(subject, subject.inputs)
    if scaling is None:
        network.preprocessing = Preprocessing(features=subject.inputs)
        return network
    target = subject.plane.target_name
    if subject.classes and counts_right(subject.goal):
        network.classes = subject.classes
    elif not subject.classes and subject.goal.activation == "identity":
        network.set_parameters(_stretched(network.parameters(), subject.unit, subject.zero))
    else:
        target = f"{target}, from {subject.goal.low} to {subject.goal.high}"
    names = tuple(subject.plane.columns[at] for at in _columns(subject, subject.inputs))
    network.preprocessing = Preprocessing(scaling, names, target)
    return network


def derived_inputs(lab: Lab) -> tuple[str, ...]:
    """What a network that has learned a table takes and no file has: features that are computed from two columns."""
    subject = lab.subject
    if not isinstance(subject, OnPlane) or not subject.plane.targets or _columns(subject, subject.inputs):
        return ()
    return tuple(name for name in subject.inputs if name not in COORDINATES)


def for_the_page(network: nnkit.Network, lab: Lab) -> dict[str, Array]:
    """The parameters of a network of a file in the units of a page that has taken its settings."""
    found, subject, last = network.parameters(), lab.subject, network.module.outermost()
    if isinstance(last, nn.Rescaling):
        found = _stretched(found, np.asarray(last.scale), np.asarray(last.offset))
    if network.input_shape != lab.network.input_shape:
        return found
    none = Scaling(np.zeros(len(subject.inputs)), np.ones(len(subject.inputs)))
    theirs = none if network.preprocessing is None else network.preprocessing.scaling or none
    ours = _scaling(subject, subject.inputs) if isinstance(subject, OnPlane) else None
    if ours is None:
        ours = none
    elif isinstance(subject, OnPlane) and not subject.classes and subject.goal.activation == "identity":
        found = _stretched(found, 1 / subject.unit, -subject.zero / subject.unit)
    weight, bias, *_ = found
    found[bias] = found[bias] + ((ours.mean - theirs.mean) / theirs.scale) @ found[weight]
    found[weight] = found[weight] * (ours.scale / theirs.scale)[:, None]
    return found


def names_on_page(names: Sequence[str], lab: Lab) -> list[str]:
    """What the page calls the columns of a file."""
    subject = lab.subject
    if not isinstance(subject, OnPlane) or not subject.plane.of_points:
        return list(names)
    known = dict(zip(subject.plane.columns, COORDINATES, strict=True))
    return [known.get(name, name) for name in names]


def _columns(subject: OnPlane, names: Sequence[str]) -> list[int]:
    """Which columns of the table these features are; empty where one of them is none."""
    offered = COORDINATES if subject.plane.of_points else subject.plane.columns
    return [offered.index(name) for name in names] if set(names) <= set(offered) else []


def _scaling(subject: OnPlane, names: Sequence[str]) -> Scaling | None:
    """How the page scales the columns of a table that these features are; None where they are not that."""
    at = _columns(subject, names)
    if not subject.plane.ends or not at:
        return None
    low, high = np.asarray([subject.plane.ends[column] for column in at]).T
    return Scaling((low + high) / 2, np.where(high > low, (high - low) / (2 * RANGE), 1.0))


def _stretched(parameters: dict[str, Array], unit: float | Array, zero: float | Array) -> dict[str, Array]:
    """With outputs that are so many times what they are, and so much more."""
    *_, weight, bias = parameters
    return {**parameters, weight: parameters[weight] * unit, bias: parameters[bias] * unit + zero}
