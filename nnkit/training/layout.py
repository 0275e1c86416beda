"""The named arrays of a network and of its training: what the stores hold and what the graphs call them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

from nnkit import constraints
from nnkit.backend import Leaf
from nnkit.constraints import Constraint
from nnkit.errors import ArgumentError
from nnkit.graph.dtypes import itemsize
from nnkit.nn import Module, Parameter, Penalty, State
from nnkit.nn.leaves import Declared
from nnkit.nn.module import declared
from nnkit.nn.tracing import trace_shapes
from nnkit.optimizers import Optimizer, Parts

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """Shapes of a module's leaves by path, in order of definition, for one input shape and data type."""

    input_shape: Shape
    output_shape: Shape
    dtype: str
    shapes: Mapping[str, Shape]
    declared: Mapping[str, Declared]

    @classmethod
    def of(cls, module: Module, input_shape: Shape, dtype: str) -> Layout:
        """By one shape-only trace of the module."""
        shapes, output_shape = trace_shapes(module, input_shape, dtype)
        leaves = declared(module)
        for path, leaf in leaves.items():
            _check_path(path, leaf)
        return cls(input_shape, output_shape, dtype, shapes, leaves)

    @property
    def parameters(self) -> dict[str, Shape]:
        """Trained leaves."""
        return {path: shape for path, shape in self.shapes.items() if isinstance(self.declared[path], Parameter)}

    @property
    def states(self) -> dict[str, Shape]:
        """Leaves that modules update themselves."""
        return {path: shape for path, shape in self.shapes.items() if isinstance(self.declared[path], State)}

    @property
    def penalties(self) -> dict[str, Penalty]:
        """Penalties by path."""
        found = {path: leaf.penalty for path, leaf in self.declared.items() if isinstance(leaf, Parameter)}
        return {path: penalty for path, penalty in found.items() if penalty is not None}

    @property
    def parts(self) -> Parts:
        """The parameters as they lie in their flat vector."""
        return Parts(tuple(self.parameters.values()))

    @property
    def constraints(self) -> dict[str, Constraint]:
        """Constraints by path."""
        found = {path: leaf.constraint for path, leaf in self.declared.items() if isinstance(leaf, Parameter)}
        return {path: constraints.get(constraint) for path, constraint in found.items() if constraint is not None}

    @property
    def count(self) -> int:
        """Number of trained values."""
        return sum(prod(shape) for shape in self.parameters.values())

    def leaves(self) -> list[Leaf]:
        """What a network's store holds for good."""
        parameters = [Leaf(path, "parameter", shape, self.dtype) for path, shape in self.parameters.items()]
        states = [Leaf(path, "state", shape, self.dtype) for path, shape in self.states.items()]
        return [*parameters, *states, *(Leaf(name, "penalty", (), self.dtype) for name in self.factors)]

    @property
    def factors(self) -> dict[str, float]:
        """The λ of every penalty by the name of its setting."""
        return {
            f"setting.{path}.{norm}": float(getattr(penalty, norm))
            for path, penalty in self.penalties.items()
            for norm in ("l1", "l2")
            if getattr(penalty, norm)
        }


def counters() -> list[Leaf]:
    """Steps of all training (for randomness), updates of the present optimiser, and where the next batch begins."""
    steps = [Leaf(f"counter.{name}", "counter", (), "uint32") for name in ("step", "update")]
    return [*steps, Leaf("counter.cursor", "cursor", (), "int64")]


def metrics(means: Iterable[Leaf] = ()) -> list[Leaf]:
    """Sums over the epoch so far, with those of the metrics that were asked for."""
    sums = [Leaf(f"metric.{name}", "metric", (), "float64") for name in ("loss", "weight")]
    return [*sums, *means, Leaf("metric.correct", "hits", (), "int64")]


def _check_path(path: str, leaf: Declared) -> None:
    """Refuse a path that is the name of another value in the store or in the graph of the step."""
    taken = {"parameter", *(known.name for known in (*counters(), *metrics()))}
    taken |= {*DATA, *OUTPUTS} if isinstance(leaf, State) else set()
    if path in taken or path.startswith(("moment.", "setting.", "metric.mean.")):
        raise ArgumentError(
            f"leaf '{path}': the training step has a value of that name; give the attribute another name, "
            f"such as '{path.partition('.')[0]}_'"
        )


DATA = ("x", "y", "order", "weight")
OUTPUTS = ("prediction", "loss", "penalty", "gradient")
"""What steps of a network give out; an output that has a state's name is what becomes of it."""
SEEDS = ("setting.seed_low", "setting.seed_high")


def settings(values: Mapping[str, float], dtype: str) -> list[Leaf]:
    """What the host may change between steps: hyper-parameters and the seed."""
    numbers = [Leaf(name, "setting", (), dtype) for name in values]
    return [*numbers, *(Leaf(name, "seed", (), "uint32") for name in SEEDS)]


def lasting_bytes(layout: Layout, optimizer: Optimizer, means: Iterable[Leaf] = ()) -> int:
    """Bytes of all that the store of a network has in a training, with the sums of metrics that were asked for."""
    numbers = settings(
        {f"setting.optimizer.{name}": value for name, value in optimizer.settings().items()}, layout.dtype
    )
    leaves = [*layout.leaves(), *counters(), *metrics(means), *numbers, *moments(optimizer, layout)]
    return sum(prod(leaf.shape) * itemsize(leaf.dtype) for leaf in leaves)


def moments(optimizer: Optimizer, layout: Layout) -> list[Leaf]:
    """The optimiser's moments, most of them flat arrays as long as all parameters together."""
    shapes = optimizer.moment_shapes(layout.parts)
    return [Leaf(f"moment.{name}", "moment", shape, layout.dtype) for name, shape in shapes.items()]
