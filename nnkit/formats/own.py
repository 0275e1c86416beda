"""Parameters and states from a file that ``net.save`` wrote, into a network that is there."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnkit import checkpoint
from nnkit.data import Scaling
from nnkit.errors import FileError, NnkitWarning
from nnkit.formats.matching import mismatch
from nnkit.nn.serial import is_custom, to_config

if TYPE_CHECKING:
    from nnkit.network import Network


def load_parameters(network: Network, path: Path) -> None:
    """Copy them by their paths, converted to the network's data type; all of them or none.

    Raises:
        FileError: the file cannot be loaded, or the names and shapes in it are others.

    >>> import nnkit, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "net.h5"
    >>> net, other = (nnkit.FeedForward(inputs=2, outputs=1, seed=seed) for seed in (1, 2))
    >>> net.save(path)
    >>> other.load_parameters(path)
    >>> bool((other.predict([[1.0, 2.0]]) == net.predict([[1.0, 2.0]])).all())
    True
    """
    saved = checkpoint.load(path, into=network.module if is_custom(to_config(network.module)) else None)
    problem = mismatch(network._model.layout.shapes, saved._model.layout.shapes)
    if problem is not None:
        raise FileError(f"{path} {problem}; make the network as it was when it was saved, or call nnkit.load(path)")
    values = saved._model.values()
    with np.errstate(over="ignore"):
        beyond = [name for name, value in values.items() if not np.isfinite(value.astype(network.dtype)).all()]
    if beyond:
        raise FileError(
            f"{path}: {beyond[0]} holds a number beyond {network.dtype}; make the network with dtype='float64'"
        )
    network.set_parameters(values)
    if _scaling(saved) not in (None, _scaling(network)):
        warnings.warn(
            f"'{path.name}' has the parameters of a network that standardises its rows, and this one does not do that "
            "likewise: set net.preprocessing = nnkit.load(path).preprocessing",
            NnkitWarning,
            stacklevel=4,
        )


def _scaling(network: Network) -> Scaling | None:
    return None if network.preprocessing is None else network.preprocessing.scaling
