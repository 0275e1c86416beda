"""Reading a network from a file that is not trusted: every check comes before anything is built."""

from __future__ import annotations

import os
import warnings

from nnkit.checkpoint.apart import opened_apart
from nnkit.checkpoint.container import opened
from nnkit.checkpoint.finite import Tally
from nnkit.checkpoint.places import as_path, places
from nnkit.checkpoint.readable import Readable
from nnkit.checkpoint.reading import Read, read
from nnkit.checkpoint.sample import LIMITS, Sample
from nnkit.errors import ArgumentError, NnkitWarning
from nnkit.network import Network
from nnkit.nn import Module


def load(
    path: str | os.PathLike[str], device: str = "cpu", into: Module | None = None, untrusted: bool = False
) -> Network:
    """The network that ``net.save(path)`` wrote, with its classes, preprocessing and loss.

    Args:
        path: the file. Nothing in it is run or imported, and it is checked as a whole before anything is built.
        device: where the network is to be: ``"cpu"``, ``"cuda"``, or ``"auto"``, the GPU if one can be used. Where it
            was trained does not matter: one from a GPU is on the processor unless something else is asked for.
        into: for a network with layers or functions of your own, the module, built as it was when it was saved; its
            leaves must have the paths and shapes of those in the file.
        untrusted: for a file from somebody you do not know. The HDF5 library, which has had errors of memory, then
            reads it in a process of its own that has limits of memory and time and can open, start and send nothing;
            every answer is checked again here. NaN is an error, not a warning. It takes about a second more.

    Raises:
        ArgumentError: ``untrusted`` on a system without such limits (Windows).
        FileError: the file is missing, damaged, of a newer version, or does not fit ``into``.

    >>> import nnkit, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "net.h5")
    >>> net = nnkit.FeedForward(inputs=2, hidden=[4], outputs=1, seed=0)
    >>> net.save(path)
    >>> bool((nnkit.load(path).predict([[1.0, 2.0]]) == net.predict([[1.0, 2.0]])).all())
    True
    """
    with (opened_apart if untrusted else opened)(as_path(path)) as file:
        found = read(file, checked_module(into))
        network = built(found, device, strict=untrusted)
    if found.training.own_loss is not None:
        warnings.warn(
            f"the network was trained with your own loss '{found.training.own_loss}', which the file does not hold: "
            "give it to net.test(x, y, loss=…)",
            NnkitWarning,
            stacklevel=2,
        )
    return network


def checked_module(into: object) -> Module | None:
    """The module for a network that a file cannot describe; anything else is refused."""
    if into is not None and not isinstance(into, Module):
        raise ArgumentError(f"into must be a module, such as MyModule() with its brackets, got {into!r}")
    return into


def built(found: Read, device: str, strict: bool = False) -> Network:
    """The network, with its values, which are copied piece by piece to where they stay; ``strict`` refuses NaN."""
    kept = found.architecture
    network = Network.bare(found.module, kept.input_shape, dtype=kept.dtype, device=device, seed=kept.seed)
    store, overwrite = network._model.store, network._model.backend.overwrite
    finite = True
    for leaf, place in places(found.layout).items():
        target, tally = store.array(leaf), Tally()
        for where, values in found.file.pieces(place, found.sums[place]):
            overwrite(target[where], values)
            tally.add(values)
        finite = tally.tell(found.file, place, strict) and finite
    network.classes, network.preprocessing = kept.classes, kept.preprocessing
    network._loss = "auto" if found.training.loss is None else found.training.loss
    network._optimizer, network._past = found.training.optimizer, found.past
    if found.version > 1 and finite:
        sample = Sample(found.numbers("sample/inputs"), found.numbers("sample/outputs"))
        _check_sample(found.file, network, sample)
    return network


def _check_sample(file: Readable, network: Network, sample: Sample) -> None:
    """Refuse a network that does not predict what it did when it was saved."""
    difference, limit = sample.difference(network), LIMITS[network.dtype]
    if not difference <= limit:
        raise file.refused(
            "sample",
            f"is not what the network predicts here: the largest difference is {difference:.3g} of the largest output, "
            f"and {limit:g} is rounding",
            "use another copy; if the layers of your own module have changed since it was saved, put them back",
        )
