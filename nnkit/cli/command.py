"""What a command is: its name, what it says of itself, its flags, and the function that runs it."""

from __future__ import annotations

import textwrap
from argparse import Action, ArgumentError, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

from nnkit.cli.failures import USAGE
from nnkit.cli.output import width
from nnkit.data.files import SUFFIXES
from nnkit.names import nearest

OTHERS = {"--lr": "--learning-rate"}
"""Names that options have elsewhere and that do not look like ours."""


class Once(Action):
    """An option of several values; it is refused when it comes again, where argparse would forget what came first."""

    _given = False

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: Any, option_string: str | None = None
    ) -> None:
        """Take the values."""
        if self._given:
            raise ArgumentError(self, "it is there twice; write all of its values after one of them")
        self._given = True
        setattr(namespace, self.dest, values)


class Parser(ArgumentParser):
    """A parser whose errors are one message, without the pages of usage in front of it."""

    def __init__(self, prog: str, description: str, epilog: str, usage: str | None = None) -> None:
        wrapped = textwrap.fill(description, width())
        super().__init__(prog, usage, wrapped, epilog, formatter_class=RawDescriptionHelpFormatter, allow_abbrev=False)

    def unknown(self, words: Sequence[str]) -> NoReturn:
        """Say which words have no meaning, with what was perhaps meant by the first of them."""
        name, known = words[0].partition("=")[0], self._option_string_actions
        near = None if not name.startswith("--") else OTHERS.get(name) or nearest(name.replace("_", "-"), known)
        hint = ""
        if near in known:
            hint = f" (did you mean '{near}'?)"
        elif "--data" in known and name.lower().endswith(SUFFIXES):
            hint = f" (data are named by an option: --data {name})"
        self.error(f"unrecognized arguments: {' '.join(words)}{hint}")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and exit."""
        if message.endswith("expected one argument"):
            message += " (one that begins with - is written after =)"
        self.exit(USAGE, f"error: {message}; '{self.prog} --help' shows the flags\n")


class Command(NamedTuple):
    """One command; ``run`` takes the parsed flags and returns the exit status."""

    name: str
    summary: str
    examples: tuple[str, ...]
    add_flags: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]

    def parsed(self, words: Sequence[str]) -> Namespace:
        """The flags that the words after the command's name give."""
        parser = self.parser()
        flags, unknown = parser.parse_known_args(words, Namespace(words=words))
        if unknown:
            parser.unknown(unknown)
        return flags

    def parser(self) -> Parser:
        """The command's parser, with its examples at the end of its help."""
        examples = "\n".join(["examples:", *(f"  {example}" for example in self.examples)])
        parser = Parser(f"nnkit {self.name}", self.summary, examples)
        self.add_flags(parser)
        return parser
