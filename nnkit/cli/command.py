"""What a command is: its name, what it says of itself, its flags, and the function that runs it."""

from __future__ import annotations

import textwrap
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from nnkit.cli.failures import USAGE
from nnkit.cli.output import width


class Parser(ArgumentParser):
    """A parser whose errors are one message, without the pages of usage in front of it."""

    def __init__(self, prog: str, description: str, epilog: str, usage: str | None = None) -> None:
        wrapped = textwrap.fill(description, width())
        super().__init__(prog, usage, wrapped, epilog, formatter_class=RawDescriptionHelpFormatter, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and exit."""
        self.exit(USAGE, f"error: {message}; '{self.prog} --help' shows the flags\n")


class Command(NamedTuple):
    """One command; ``run`` takes the parsed flags and returns the exit status."""

    name: str
    summary: str
    examples: tuple[str, ...]
    add_flags: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]

    def parser(self) -> ArgumentParser:
        """The command's parser, with its examples at the end of its help."""
        examples = "\n".join(["examples:", *(f"  {example}" for example in self.examples)])
        parser = Parser(f"nnkit {self.name}", self.summary, examples)
        self.add_flags(parser)
        return parser
