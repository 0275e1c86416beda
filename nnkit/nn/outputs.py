"""What each layer gives when a module is called: outputs by path, in the order in which they are done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nnkit.graph.tracing import TracedArray

if TYPE_CHECKING:
    from nnkit.nn.module import Module

ROOT = ""


class Outputs:
    """The arrays that modules return, by path; further calls of one module are ``path:2``, ``path:3``, ….

    What nnkit's own layers call inside them is theirs: a Dense answers with its activation applied. Only a Sequential
    and modules of one's own are looked into.
    """

    def __init__(self) -> None:
        self._found: dict[str, TracedArray] = {}
        self._calls: dict[str, int] = {}
        self._hidden = 0

    def layers(self) -> dict[str, TracedArray]:
        """Those of all modules inside the outermost one."""
        return {path: output for path, output in self._found.items() if path != ROOT}

    @contextmanager
    def within(self, module: Module) -> Iterator[None]:
        """The call of a module."""
        own = _is_whole(module)
        self._hidden += own
        try:
            yield
        finally:
            self._hidden -= own

    def note(self, path: str, output: Any) -> None:
        """What a module returned; of tuples and the like there is nothing to show."""
        if self._hidden or not isinstance(output, TracedArray):
            return
        call = self._calls[path] = self._calls.get(path, 0) + 1
        self._found[path if call == 1 else f"{path}:{call}"] = output


def _is_whole(module: Module) -> bool:
    """Whether it is one layer to those who use it, whatever it is made of."""
    from nnkit.nn.serial import LAYERS
    from nnkit.nn.structure import Sequential

    return isinstance(module, tuple(LAYERS.values())) and not isinstance(module, Sequential)
