"""The network that a command looks at without data of its own: a saved one, or one that flags describe."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from nnkit import data
from nnkit.cli.architecture import build, device, for_data, output_activation
from nnkit.cli.flags import add_architecture, add_data, add_device, add_network, given, whole
from nnkit.errors import ArgumentError
from nnkit.formats import load
from nnkit.network import Network

OF_THE_STEP = ("--loss", "--optimizer")  # these may be chosen for a saved network as well


def add_subject(parser: ArgumentParser) -> None:
    """The file, or the flags of architecture, data and device."""
    add_network(parser, optional=True)
    parser.add_argument("--inputs", type=whole(1), metavar="N", help="number of inputs, instead of --data")
    parser.add_argument("--outputs", type=whole(1), metavar="N", help="number of outputs, instead of --data")
    add_data(parser, "digits")
    add_architecture(parser)
    add_device(parser)


def subject(flags: Namespace) -> Network:
    """The network, with fresh weights if flags describe it."""
    place = device(flags.device)
    sizes = [f"--{name}" for name in ("inputs", "outputs") if getattr(flags, name) is not None]
    described = [flag for flag in given(flags) if flag not in OF_THE_STEP] + sizes
    if flags.network is None:
        return _described(flags, sizes, place)
    if described:
        raise ArgumentError(
            f"{flags.network} has its own architecture; leave out {', '.join(described)}, or leave out the file"
        )
    return load(flags.network, device=place)


def _described(flags: Namespace, sizes: list[str], place: str) -> Network:
    if not sizes:
        return for_data(flags, data.load(flags.data, data_dir=flags.data_dir, target=flags.target), place)
    if len(sizes) == 1 or "--data" in given(flags):
        raise ArgumentError("give --inputs together with --outputs, or --data instead of both")
    return build(flags, (flags.inputs,), flags.outputs, output_activation(flags, "identity"), place)
