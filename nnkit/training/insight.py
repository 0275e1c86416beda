"""What a network shows of its inside: the planned step, the outputs of its layers, the gradients of its loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from nnkit.arguments import known_arguments
from nnkit.data.arrays import like
from nnkit.data.checks import weights
from nnkit.names import lookup
from nnkit.nn import Module
from nnkit.training.evaluation import Array, Evaluator
from nnkit.training.intake import Intake
from nnkit.training.model import Model
from nnkit.training.objective import Objective, objective
from nnkit.training.planning import training_plan

if TYPE_CHECKING:
    from nnkit.plan.explain import Explanation


class Insight(ABC):
    """The methods of a network by which one looks into it; nothing in it changes by them."""

    _model: Model
    _evaluator: Evaluator
    _loss: Any

    @property
    def module(self) -> Module:
        """The tree of layers."""
        return self._model.module

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one row of the input."""
        return self._model.layout.input_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one row of the output."""
        return self._model.layout.output_shape

    @property
    def dtype(self) -> str:
        """Data type of parameters and computation."""
        return self._model.layout.dtype

    @property
    def device(self) -> str:
        """Name of the device."""
        return self._model.backend.name

    @property
    @abstractmethod
    def _intake(self) -> Intake:
        """What becomes of data that are given."""

    def summary(self) -> str:
        """A table of the layers: their kinds, paths and numbers of parameters."""
        from nnkit.training.describe import summary

        return summary(self._model)

    def _repr_html_(self) -> str:
        """For notebooks: the layers as a picture, and the table of the summary."""
        from nnkit.display import diagram, preformatted
        from nnkit.training.describe import columns

        return f"{diagram(columns(self._model))}\n{preformatted(self.summary())}"

    @known_arguments("activations")
    def activations(self, x: Any) -> dict[str, Any]:
        """The output of every layer for every row of x, by the layer's path, in the order in which they are done.

        Values are arrays (rows, …) of the library that x came from, in the network's dtype, evaluated as
        :meth:`predict` does: without dropout, with the running statistics of BatchNorm, on standardised rows. Those of
        the last layer of a Sequential are the predictions, to the bit where both are uncompiled.

        A layer of nnkit's own is one entry, after its activation, whatever it is made of. In a Sequential, and in
        modules of your own, every module has an entry after those inside it; only the network itself has none, unless
        it is a single layer: that is ``"(whole)"``, as in :meth:`summary`. A module that is called again has entries
        ``"path:2"``, ``"path:3"``, …, and one that stands in several places the path of the first. One that is never
        called, returns no single array, or one whose first axis is not the rows, has none.

        Errors are those of ``predict``.

        >>> import nnkit
        >>> net = nnkit.FeedForward(inputs=2, hidden=[8, 4], outputs=1, activation="tanh", seed=0)
        >>> {path: values.shape for path, values in net.activations([[0.0, 1.0], [1.0, 0.0]]).items()}
        {'layers.0': (2, 8), 'layers.1': (2, 4), 'layers.2': (2, 1)}
        """
        inputs = self._intake.rows(x)
        return {path: like(x, value) for path, value in self._evaluator.activations(inputs).items()}

    @known_arguments("gradients")
    def gradients(self, x: Any, y: Any, *, loss: Any = None, sample_weight: Any = None) -> dict[str, Any]:
        """∂L/∂θ for every parameter θ, by path, as NumPy arrays in the network's dtype and the parameter's shape.

        L = Σ w·l / Σ w + Σ λ₁ |θ| + Σ λ₂ θ² is the mean over all rows that :meth:`fit` minimises and :meth:`test`
        reports, with what modules add to it by ``run.penalty``. It is evaluated as in prediction: without dropout, and
        with the running statistics of BatchNorm as constants. ``loss`` and ``sample_weight`` are those of ``test``: the
        loss of the last ``fit`` that has ended unless another is given, so name it in a callback. Rows are added up in
        the network's dtype within batches of 1024, and batches in float64.

        The learning rate, momentum and clipping have no part in it, nor do constraints. Errors are those of ``test``.

        >>> import nnkit
        >>> net = nnkit.FeedForward(inputs=2, outputs=1, seed=0)
        >>> net.set_parameters({"layers.0.weight": [[1.0], [2.0]]})
        >>> slopes = net.gradients([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0])  # of the mean of (x·w + b)²
        >>> slopes["layers.0.weight"].tolist(), slopes["layers.0.bias"].tolist()
        ([[1.0], [2.0]], [3.0])
        """
        goal = self._goal(loss)
        inputs = self._intake.rows(x)
        target, weight = self._truth(goal, y, sample_weight, len(inputs))
        return self._evaluator.gradients(goal, inputs, target, weight)

    def explain(
        self,
        batch_size: int = 32,
        optimizer: Any = "adam",
        loss: Any = "auto",
        memory_limit: int | str | None = None,
        compile: str = "off",
        precision: str = "float32",
    ) -> Explanation:
        """The planned training step for a person: every kernel with its cost, and every decision with what it saved.

        The rest is as in :meth:`fit`; ``compile`` is "off", as it runs uncompiled, or "first", as one native function.

        The text has the same as data for JSON in its attribute ``data``: ``device``, ``fingerprint``, ``total`` and
        ``naive`` (kernels, flops, nbytes, arena_bytes, seconds), ``steps`` (for each kernel number, phase, layer, what,
        shape, dtype, flops, bytes, seconds, source) and ``decisions`` (name, meaning, remark, saved).

        >>> import nnkit
        >>> steps = nnkit.FeedForward(inputs=2, hidden=[8], outputs=1, seed=0).explain(batch_size=16).data["steps"]
        >>> [step["what"] for step in steps if step["phase"] == "forward" and "@" in step["what"]]
        ['16×2 @ 2×8', '16×8 @ 8×1']
        """
        from nnkit.plan.explain import explain

        native = lookup("compile", compile, {"off": False, "first": True})
        return explain(training_plan(self._model, batch_size, optimizer, loss, (), memory_limit, native, precision))

    def _goal(self, loss: Any) -> Objective:
        """What is asked for with this loss, or with that of the last training."""
        return objective(self.module, self._loss if loss is None else loss)

    def _truth(self, goal: Objective, y: Any, sample_weight: Any, rows: int) -> tuple[Array, Array | None]:
        """Targets and weights, checked."""
        layout = self._model.layout
        target = self._intake.targets(goal, layout, y, rows)
        return target, None if sample_weight is None else weights(sample_weight, rows, layout.dtype)
