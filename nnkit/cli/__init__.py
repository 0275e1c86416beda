"""The command line: one file for each command, and the entry point ``main`` that dispatches to them."""

from nnkit.cli.entry import main

__all__ = ["main"]
