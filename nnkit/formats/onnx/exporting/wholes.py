"""Functions and layers for which ONNX has an operator of its own: the library's, so that nobody writes them twice.

What a function looks like in a graph is found by tracing it; ``recognise`` looks for that. A row says only what the
operator is called, since which version it is there, in which data types runtimes compute it, and what becomes of the
parameters. Attributes of operators are fractions of 32 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from nnkit import nn
from nnkit.formats.onnx.exporting.rows import Lines, without_repetition
from nnkit.formats.onnx.exporting.spelled import spelled_out
from nnkit.graph import Trace, TracedArray
from nnkit.nn import Module, Run
from nnkit.nn import activations as a
from nnkit.nn.activations.rectifiers import SELU_ALPHA, SELU_SCALE
from nnkit.nn.leaves import Declared
from nnkit.nn.tracing import call_module

Build = Callable[..., TracedArray]
"""(x, leaf, **parameters) → the value; ``leaf`` gives the traced array of a leaf."""
SINGLE, DOUBLE = ("float32",), ("float32", "float64")


@dataclass(frozen=True, eq=False)
class Whole:
    """One operator.

    ``parameters`` have marks for values, which stand where the trace has them; ``inputs`` are "x", leaves or
    parameters, in the operator's order; ``attributes`` are parameters or numbers by the operator's names.
    """

    operator: str
    build: Build
    since: int = 13
    dtypes: tuple[str, ...] = SINGLE
    parameters: dict[str, float] = field(default_factory=dict)
    inputs: tuple[str, ...] = ("x",)
    attributes: dict[str, Any] = field(default_factory=dict)
    by_axis: bool = False
    """Whether the function takes an axis, which is then an attribute."""
    ranks: Iterable[int] = range(1, 100)
    added: tuple[str, str] | None = None
    """In float64, an attribute and the input to which is added what 32 bits do not hold of it."""

    def graph(self, shape: tuple[int, ...], dtype: str, **parameters: Any) -> Lines:
        """What it looks like for an input of this shape."""
        trace = Trace()
        x = trace.input("x", "data", shape, dtype)

        def leaf(path: str, declared: Declared, size: tuple[int, ...]) -> TracedArray:
            return trace.input(path, "state", size, dtype)

        return without_repetition(Lines.of(spelled_out(trace.graph({"y": self.build(x, leaf, **parameters)}))))


def _function(function: Callable[..., Any]) -> Build:
    return lambda x, leaf, **parameters: function(x, **parameters)


def _layer(kind: Callable[..., Module]) -> Build:
    return lambda x, leaf, **parameters: call_module(kind(**parameters), x, Run(x.trace, leaf))


# Marks: numbers that no formula has of itself.
FIRST, SECOND = 0.7310585786300049, 0.2689414213699951

WHOLES: tuple[Whole, ...] = (
    Whole("Relu", _function(a.relu), dtypes=DOUBLE, ranks=range(100)),
    Whole("Sigmoid", _function(a.sigmoid), dtypes=DOUBLE, ranks=range(100)),
    Whole("Clip", _function(a.hard_tanh), dtypes=DOUBLE, parameters={"low": FIRST, "high": SECOND},
          inputs=("x", "low", "high"), ranks=range(100)),
    Whole("Elu", _function(a.elu), parameters={"alpha": FIRST}, attributes={"alpha": "alpha"}),
    Whole("Celu", _function(a.celu), parameters={"alpha": FIRST}, attributes={"alpha": "alpha"}),
    Whole("Selu", _function(a.selu), attributes={"alpha": SELU_ALPHA, "gamma": SELU_SCALE}),
    Whole("LeakyRelu", _function(a.leaky_relu), parameters={"slope": FIRST}, attributes={"alpha": "slope"}),
    Whole("ThresholdedRelu", _function(a.threshold), parameters={"threshold": FIRST},
          attributes={"alpha": "threshold"}),
    Whole("PRelu", _layer(nn.PReLU), inputs=("x", "slope"), ranks=range(2, 100)),
    Whole("HardSigmoid", _function(a.hard_sigmoid), attributes={"alpha": 1 / 6, "beta": 0.5}),
    Whole("HardSwish", _function(a.hard_swish), since=14),
    Whole("Softsign", _function(a.softsign)),
    Whole("Softplus", _function(a.softplus)),
    Whole("Mish", _function(a.mish), since=18),
    Whole("Gelu", _function(a.gelu), since=20),
    Whole("Gelu", _function(a.gelu_tanh), since=20, attributes={"approximate": b"tanh"}),
    Whole("Shrink", _function(a.hard_shrink), parameters={"threshold": FIRST},
          attributes={"lambd": "threshold", "bias": 0.0}),
    Whole("Shrink", _function(a.soft_shrink), parameters={"threshold": FIRST},
          attributes={"lambd": "threshold", "bias": "threshold"}),
    Whole("Softmax", _function(a.softmax), dtypes=DOUBLE, by_axis=True),
    Whole("LogSoftmax", _function(a.log_softmax), dtypes=DOUBLE, by_axis=True),
    Whole("LayerNormalization", _layer(nn.LayerNorm), since=17, parameters={"eps": FIRST},
          inputs=("x", "weight", "bias"), attributes={"epsilon": "eps", "axis": -1}, ranks=range(2, 100)),
    Whole("RMSNormalization", _layer(nn.RMSNorm), since=23, parameters={"eps": FIRST},
          inputs=("x", "weight"), attributes={"epsilon": "eps", "axis": -1}, ranks=range(2, 100)),
    Whole("BatchNormalization", _layer(nn.BatchNorm), dtypes=DOUBLE, parameters={"eps": FIRST},
          inputs=("x", "weight", "bias", "mean", "variance"), attributes={"epsilon": "eps"}, ranks=(2,),
          added=("epsilon", "variance")),
)  # fmt: skip
