"""The code of steps that several threads run together: who does what, and where they wait for each other."""

from __future__ import annotations

import re

from nnkit_numpy.native.kernels import Kernels
from nnkit_numpy.native.passes import MEET, Lines, indented

_BOUNDS = re.compile(r"bounds\((\d+)\)")


class Crew:
    """Puts pieces of code one after the other, each a call of a kernel.

    A piece that is shared is run by all threads, each on its part of the loops; the first thread runs the others
    alone. All meet wherever one might read what another wrote. One thread may also run the parts of all, in turn.
    """

    def __init__(self, threads: int, kernels: Kernels) -> None:
        self.threads = threads
        self.kernels = kernels
        self.lines: Lines = []
        self._alone = True  # what ran last ran, or what runs first may run, on the first thread without a meeting

    def add(self, code: Lines, shared: bool) -> None:
        """The code of one step; a line ``MEET`` ends a piece of it."""
        shared = shared and self.threads > 1 and any(_BOUNDS.search(line) for line in code)
        code = [line.replace("PARTS", str(self.threads if shared else 1)) for line in code]
        while MEET in code:
            at = code.index(MEET)
            self._piece(code[:at], shared)
            code = code[at + 1 :]
        self._piece(code, shared)

    def leave_unless(self, condition: str) -> None:
        """Where this is false, all threads stop here; nobody goes on before all have looked."""
        self._meet()
        self.lines += [f"if not {self.kernels.call([f'return {condition}'])}:", "    return done"]
        self._meet()

    def end(self) -> Lines:
        """All lines; the next round begins when all are here."""
        self._meet()
        return self.lines

    def _piece(self, code: Lines, shared: bool) -> None:
        if not code:
            return
        if shared and any(_BOUNDS.search(line) for line in code):
            self._meet()
            part = (_BOUNDS.sub(r"begin(\1, rank), begin(\1, rank + 1)", line) for line in code)
            self.lines.append(self.kernels.call(["for rank in range(first, last):", *indented(part)]))
            self._alone = False
            return
        whole = self.kernels.call([_BOUNDS.sub(r"0, \1", line) for line in ("rank = 0", *code)])
        if self.threads == 1:
            self.lines.append(whole)
            return
        if not self._alone:
            self._meet()
        self.lines += ["if first == 0:", f"    {whole}"]
        self._alone = True

    def _meet(self) -> None:
        """All wait for all, unless they have just done so."""
        meeting = "met = meet(addresses[1], met, alone)"
        if self.threads > 1 and self.lines and self.lines[-1] != meeting:
            self.lines.append(meeting)
