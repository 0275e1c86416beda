"""What the planner knows of a device: pure data, given by the backend."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Target:
    """Rates, overheads and limits of a device, for the cost model and the choice of tiles.

    ``call_s`` is the time to start one operation; ``bytes_per_s`` and ``flops_per_s`` are sustained rates of large
    elementwise passes and matrix products, for each thread while all of them run; ``cached_bytes_per_s`` is the rate
    within a tile; ``element_s`` the extra time per element of operations that take longer than memory; ``tile_bytes``
    is what the arrays of a tile may occupy.
    """

    name: str
    call_s: float
    bytes_per_s: float
    cached_bytes_per_s: float
    flops_per_s: float
    tile_bytes: int
    near_bytes: int = 0
    """What the last cache before the memory holds, and the rate of passes over as much."""
    near_bytes_per_s: float = 0.0
    alignment: int = 64
    element_s: tuple[tuple[str, float], ...] = ()
    loops: bool = False
    """A fused pass is one loop over elements: what only the pass reads stays in registers and takes no memory."""
    operation_s: float = 0.0
    """Time of one operation on one element in such a loop."""
    threads: int = 1
    """How many threads may divide a step among them, and the seconds that each of them adds to a meeting."""
    meet_s: float = 0.0
    start_s: float = 0.0
    """Seconds until the threads of a run are together, and how many steps a run has that share them."""
    run_steps: int = 1
    lanes: int = 1
    """How many steps may run side by side, if they do not share memory: then it is used again only under a limit."""
    crosses: bool = False
    """Whether a fused pass goes on from the forward into the backward computation: from softmax to its derivative."""
    folds: frozenset[str] = frozenset()
    """Reductions to one number that a fused pass does on its way."""
    row_folds: frozenset[str] = frozenset()
    """Reductions of rows between two phases of a fused pass."""
    divisible: frozenset[str] = frozenset()
    """Kernels whose work threads may divide."""
    native: frozenset[str] = frozenset()
    """Operations beyond the arithmetic ones that the device has kernels for; the planner expands the others."""

    rounded: tuple[tuple[str, float], ...] = ()
    """Data types to which matrix products can round their operands, with the rates of products in FLOP per second."""
    products: str = "float32"
    """The data type that products in float32 round their operands to, if it is one of ``rounded``; their sums, and all
    else, stay in float32."""

    profile: str = "built-in"
    """Where the rates are from."""

    def described(self) -> str:
        """All of it as text, the same in every process: sets have no order of their own."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        return str({name: sorted(value) if isinstance(value, frozenset) else value for name, value in known.items()})

    def pass_rate(self, moved: int) -> float:
        """Bytes a second of a pass that moves so many in all."""
        if moved <= self.tile_bytes:
            return self.cached_bytes_per_s
        return self.near_bytes_per_s if moved <= self.near_bytes else self.bytes_per_s

    def product_rate(self, dtype: str) -> float:
        """FLOP a second of products whose operands are of, or are rounded to, a data type."""
        return dict(self.rounded).get(dtype, self.flops_per_s)

    def seconds_per_element(self, operation: str) -> float:
        """Time of one element of an operation that is slower than memory; 0 for the others."""
        return dict(self.element_s).get(operation, 0.0)
