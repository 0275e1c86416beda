"""``nnkit export``: a saved network as a file that other tools read."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from nnkit.cli import output
from nnkit.cli.architecture import described
from nnkit.cli.command import Command
from nnkit.cli.flags import add_network, file, whole
from nnkit.errors import ArgumentError
from nnkit.formats import load
from nnkit.formats.dispatch import FORMATS
from nnkit.measure.units import bytes_text


def _add_flags(parser: ArgumentParser) -> None:
    add_network(parser)
    parser.add_argument(
        "output", type=file, metavar="OUTPUT", help=f"the new file; its end says the format: {', '.join(FORMATS)}"
    )
    parser.add_argument(
        "--opset", type=whole(1), metavar="N", help="version of the operators in an .onnx file (default: 21)"
    )
    parser.add_argument(
        "--layout",
        choices=("nnkit", "torch"),
        help="names and shapes of parameters in a .safetensors file (default: nnkit)",
    )


def run(flags: Namespace) -> int:
    """Load and write; what the format cannot hold is an error."""
    source, target = Path(flags.network), Path(flags.output)
    if source.exists() and target.resolve() == source.resolve():
        raise ArgumentError(f"{target} is the file of the network itself; write to another one")
    network = load(source)
    network.export(target, layout=flags.layout, opset=flags.opset)
    size = target.expanduser().stat().st_size
    print(output.wrap(f"{bytes_text(size)} written to {target}: {described(network)}"))
    return 0


COMMAND = Command(
    "export",
    "Write a saved network in a format that other tools read: ONNX, safetensors or Keras weights.",
    (
        "nnkit export digits.h5 digits.onnx",
        "nnkit export digits.h5 digits.onnx --opset 17",
        "nnkit export digits.h5 digits.safetensors --layout torch",
    ),
    _add_flags,
    run,
)
