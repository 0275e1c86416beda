"""Plain or native: which form of a program runs, decided before the first step from predictions alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from nnkit.backend import Executable, NoNativeFormError
from nnkit.errors import ArgumentError
from nnkit.graph import Graph
from nnkit.plan import Plan, Target
from nnkit.plan.limit import MemoryLimitError
from nnkit.training.model import Model
from nnkit.training.precision import FULL, rounded_to

Retarget = Callable[[Target, int], Target]
Known = TypeVar("Known", Target, Target | None)
MODES = ("auto", "first", "off")


def check_mode(mode: object) -> None:
    """Refuse what cannot be meant by ``compile``."""
    if mode not in MODES:
        raise ArgumentError(f"compile must be 'auto', 'first' or 'off', got {mode!r}")


@dataclass
class Compiler:
    """Chooses by ``mode``: "off" never compiles, "first" always does, "auto" where it saves more than it takes.

    The prediction counts compilation as if nothing were cached and knows no clock, so that the same call chooses the
    same form, and with it the same bits, whatever ran before.
    """

    model: Model
    mode: str
    memory_limit: int | None = None
    """Bytes that the arena of a program may take."""
    precision: str = FULL
    """What products round their operands to, by the name that a person gives."""
    single: bool = False
    """Whether the program does one step in a run: then threads must be worth bringing together for it."""
    retarget: Retarget | None = None
    """Gives the targets, plain and native by number, other rates: those by which a training was planned before."""
    fallbacks: list[str] = field(default_factory=list)

    def sparing(self) -> Compiler:
        """For what runs beside the steps of a training: compiled where that is predicted to save time, and exact."""
        return replace(self, mode="auto" if self.mode == "first" else self.mode, precision=FULL)

    def choose(self, key: Any, graph: Callable[[], Graph], runs: int) -> tuple[Plan, Executable]:
        """The plan and the code of a graph that will run so many times."""
        backend, (plainly, natively) = self.model.backend, self.targets()
        usual = self._rounding(plainly)
        target = None if self.mode == "off" else self._rounding(natively)
        if target is not None and self.single:
            target = replace(target, run_steps=1)
        try:
            plain = self.model.planned(key, graph, usual, self.memory_limit)
        except MemoryLimitError as reason:
            if target is None:
                raise
            return self._smaller(key, graph, target, reason)
        if target is None:
            return plain
        compile_s = backend.compile_s(plain[0])
        if self.mode == "auto" and runs * plain[0].cost.seconds < compile_s:
            return plain
        try:
            native = self.model.planned(key, graph, target, self.memory_limit)
        except (NoNativeFormError, MemoryLimitError) as reason:
            self._remember(str(reason))
            return plain
        saved_s = runs * (plain[0].cost.seconds - native[0].cost.seconds)
        return native if self.mode == "first" or saved_s > compile_s else plain

    def targets(self) -> tuple[Target, Target | None]:
        """The device as plain programs see it, and as native ones do, if there are any."""
        plain, native = self.model.backend.target(), self.model.backend.native_target()
        if self.retarget is None:
            return plain, native
        return self.retarget(plain, 0), None if native is None else self.retarget(native, 1)

    def _rounding(self, target: Known) -> Known:
        """The target with the products that were asked for."""
        return None if target is None else replace(target, products=rounded_to(self.precision, target))

    def _smaller(
        self, key: Any, graph: Callable[[], Graph], target: Target, reason: MemoryLimitError
    ) -> tuple[Plan, Executable]:
        """The native form where the plain one does not fit the limit: what a loop alone reads takes no memory there."""
        try:
            return self.model.planned(key, graph, target, self.memory_limit)
        except NoNativeFormError as missing:
            self._remember(str(missing))
            raise reason from None
        except MemoryLimitError as other:
            raise min(reason, other, key=lambda error: error.least) from None

    def _remember(self, reason: str) -> None:
        if reason not in self.fallbacks:
            self.fallbacks.append(reason)
