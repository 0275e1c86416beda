"""``nnkit play``: the playground in the browser, where networks are built, trained and watched."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from nnkit.cli.command import Command
from nnkit.cli.failures import say
from nnkit.cli.flags import add_device, whole

HIGHEST = 65_535


def _port(text: str) -> int:
    number = whole(0)(text)
    if number > HIGHEST:
        raise ArgumentTypeError(f"expected a port from 0 to {HIGHEST}, got '{text}'")
    return number


def _add_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--port",
        type=_port,
        default=8484,
        metavar="N",
        help="where the page is; the next free one if it is in use, 0 is any free one (default: 8484)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="the address to listen at; any but the default lets others in the network use this machine "
        "(default: 127.0.0.1)",
    )
    add_device(parser)
    parser.add_argument("--open", action="store_true", help="open the page in the browser")


def run(flags: Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    from nnkit.backend import select
    from nnkit.playground.server import Options, serve

    serve(Options(flags.host, flags.port, select(flags.device).name, flags.open), say)
    return 0


COMMAND = Command(
    "play",
    "Serve a page at which networks are built, trained and watched in the browser, and print its address. All of it is "
    "computed on this machine, and nothing is loaded from elsewhere. Ctrl-C ends it.",
    ("nnkit play", "nnkit play --port 9000 --open"),
    _add_flags,
    run,
)
