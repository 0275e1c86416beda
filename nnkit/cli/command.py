"""What a command is: its name, what it says of itself, its flags, and the function that runs it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import NamedTuple


class Command(NamedTuple):
    """One command; ``run`` takes the parsed flags and returns the exit status."""

    name: str
    summary: str
    examples: tuple[str, ...]
    add_flags: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]

    def parser(self) -> ArgumentParser:
        """The command's parser, with its examples at the end of its help."""
        parser = ArgumentParser(
            prog=f"nnkit {self.name}",
            description=self.summary,
            epilog="\n".join(["examples:", *(f"  {example}" for example in self.examples)]),
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.add_flags(parser)
        return parser
