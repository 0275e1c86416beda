"""The code of steps that several threads run together: who does what, and where they wait for each other."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nnkit_numpy.native.kernels import Kernels
from nnkit_numpy.native.passes import MEET, ROWS, TOGETHER, Lines, indented
from nnkit_numpy.native.touch import ALONE, Touch, hinder

_ELEMENTS = re.compile(r"\bbounds\((\d+)\)")
_MEETING = "met = meet(addresses[1], met, alone)"


class Crew:
    """Puts pieces of code one after the other, each a call of a kernel.

    A piece that is shared is run by all threads, each on its part of the loops; the first thread runs the others
    alone. All meet where one would otherwise touch what another might still be at. One thread may also run the parts
    of all, in turn.
    """

    def __init__(self, threads: int, kernels: Kernels) -> None:
        self.threads = threads
        self.kernels = kernels
        self.lines: Lines = []
        self._touched: list[Touch] = []  # since the last meeting

    def add(self, code: Lines, shared: bool, touched: Sequence[Touch]) -> None:
        """The code of one step; a line ``MEET`` ends a piece of it."""
        shared = shared and self.threads > 1 and _divides(code)
        code = [line.replace("PARTS", str(self.threads if shared else 1)) for line in code]
        while MEET in code:
            at = code.index(MEET)
            self._piece(code[:at], shared, touched)
            self._meet()
            code = code[at + 1 :]
        self._piece(code, shared, touched)

    def leave_unless(self, condition: str) -> None:
        """Where this is false, all threads stop here; nobody goes on before all have looked."""
        self._meet()
        self.lines += [f"if not {self.kernels.call([f'return {condition}'])}:", "    return done"]
        self._meet()

    def tick(self, number: int) -> None:
        """The first thread adds the time since the last tick to that of this number; the first tick only begins."""
        count = [f"    counted[{number}] = counted[{number}] + now - earlier"] if self.lines else []
        self.lines += ["if first == 0:", "    now = ticks()", *count, "    earlier = now"]

    def end(self) -> Lines:
        """All lines; the next round begins when all are here."""
        self._meet()
        return self.lines

    def _piece(self, code: Lines, shared: bool, touched: Sequence[Touch]) -> None:
        if not code:
            return
        divided = shared and _divides(code)
        if TOGETHER in code:  # nobody takes of what comes next while others still take of what was before
            self._meet()
        self._wait_for(touched if divided else [each._replace(part=ALONE) for each in touched])
        if divided:
            part = map(_part, code)
            self.lines.append(self.kernels.call(["for rank in range(first, last):", *indented(part)]))
            return
        whole = self.kernels.call([_whole(line) for line in ("rank = 0", *code)])
        self.lines += [whole] if self.threads == 1 else ["if first == 0:", f"    {whole}"]

    def _wait_for(self, touched: Sequence[Touch]) -> None:
        if self.threads == 1:
            return
        if hinder(touched, self._touched):
            self._meet()
        self._touched += touched

    def _meet(self) -> None:
        """All wait for all, unless they have just done so."""
        self._touched = []
        if self.threads > 1 and self.lines and self.lines[-1] != _MEETING:
            self.lines.append(_MEETING)


def _divides(code: Lines) -> bool:
    return TOGETHER in code or any(ROWS.search(line) or _ELEMENTS.search(line) for line in code)


def _part(line: str) -> str:
    """With the bounds of one thread."""
    line = ROWS.sub(r"row(\1, rank) * \2, row(\1, rank + 1) * \2", line)
    return _ELEMENTS.sub(r"begin(\1, rank), begin(\1, rank + 1)", line)


def _whole(line: str) -> str:
    """With the bounds of all."""
    return _ELEMENTS.sub(r"0, \1", ROWS.sub(lambda found: f"0, {int(found[1]) * int(found[2])}", line))
