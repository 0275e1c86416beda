"""The network: a module with its device, seed and values, and the things that a person does with it."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nnkit.arguments import KnownArguments, known_arguments, require_known
from nnkit.data.arrays import like
from nnkit.data.batches import joined
from nnkit.data.class_names import checked
from nnkit.data.preprocessing import Preprocessing
from nnkit.elsewhere import NETWORK, unknown
from nnkit.errors import ArgumentError, NnkitWarning
from nnkit.names import lookup
from nnkit.nn import Module
from nnkit.training.asked import Asked
from nnkit.training.compiling import check_mode
from nnkit.training.evaluation import Evaluator
from nnkit.training.insight import Insight
from nnkit.training.intake import Intake, first_layer
from nnkit.training.layout import Layout
from nnkit.training.model import Model
from nnkit.training.objective import Objective
from nnkit.training.options import Options
from nnkit.training.past import Past
from nnkit.training.planning import checked_seed, checked_shape
from nnkit.training.result import Scores, TrainingRun
from nnkit.training.scoring import scored
from nnkit.training.session import train
from nnkit.training.targets import classes_told_apart, names_for

if TYPE_CHECKING:
    from nnkit.training.forecast import Forecast

DTYPES = ("float32", "float64")


class Network(KnownArguments, Insight):
    """A module that can be trained, tested, used and saved.

    Args:
        module: a layer, or a tree of layers of your own.
        input_shape: shape of one row of the input, such as ``(784,)``.
        dtype: ``"float32"`` or ``"float64"``.
        device: ``"cpu"``, ``"cuda"`` (``"cuda:1"`` is the second GPU), or another installed backend; ``"auto"`` is the
            GPU if one can be used, and else the processor. ``net.device`` says which it is.
        seed: initial weights, shuffling and dropout all follow from it. None draws one; it is in ``net.seed``.

    >>> import nnkit
    >>> net = nnkit.Network(nnkit.nn.Dense(2), input_shape=(3,), seed=4)
    >>> {name: value.shape for name, value in net.parameters().items()}
    {'weight': (3, 2), 'bias': (2,)}
    """

    def __init__(
        self,
        module: Module,
        input_shape: tuple[int, ...],
        *,
        dtype: str = "float32",
        device: str = "cpu",
        seed: int | None = 0,
    ) -> None:
        self._set_up(module, input_shape, dtype, device, seed)
        self._model.draw()

    @classmethod
    def bare(cls, module: Module, input_shape: tuple[int, ...], *, dtype: str, device: str, seed: int) -> Network:
        """One whose parameters are zeros, for values that are about to be put in."""
        made = cls.__new__(cls)
        made._set_up(module, input_shape, dtype, device, seed)
        return made

    def _set_up(self, module: Module, input_shape: tuple[int, ...], dtype: str, device: str, seed: int | None) -> None:
        if not isinstance(module, Module):
            raise ArgumentError(f"Network needs a module such as nnkit.nn.Dense(8), got {module!r}")
        dtype = lookup("dtype", dtype, {name: name for name in DTYPES}, {"single": "float32", "double": "float64"})
        if not isinstance(device, str):
            raise ArgumentError(f"device must be a name such as 'cpu' or 'cuda', got {device!r}")
        self.seed = checked_seed(seed)
        self._classes: tuple[str, ...] | None = None
        self._preprocessing: Preprocessing | None = None
        layout = Layout.of(module, checked_shape(input_shape), dtype)
        self._model = Model(module, layout, device, self.seed)
        self._evaluator = Evaluator(self._model)
        self._loss: Any = "auto"
        self._optimizer: Any = None  # of the last fit; nnkit.load restores both, and what is known of it
        self._past = Past()

    # -- what it is

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Names of the classes in the order of their numbers, one for each, which is two where there is one output."""
        return self._classes

    @classes.setter
    def classes(self, names: Iterable[str] | None) -> None:
        self._classes = None if names is None else checked(names, names_for(self.module, self._model.layout))

    @property
    def preprocessing(self) -> Preprocessing | None:
        """Which columns of a table it takes, and how rows are standardised; saved with it."""
        return self._preprocessing

    @preprocessing.setter
    def preprocessing(self, kept: Preprocessing | None) -> None:
        if not isinstance(kept, Preprocessing | None):
            raise ArgumentError(f"net.preprocessing must be a nnkit.data.Preprocessing or None, got {kept!r:.80}")
        self._preprocessing = kept

    def parameters(self) -> dict[str, Any]:
        """Copies of all trained arrays by path, in order of definition, as NumPy arrays."""
        return self._model.parameters()

    def set_parameters(self, mapping: Mapping[str, Any]) -> None:
        """Copy values into parameters (or states) by path; nothing changes unless every name and shape is right."""
        self._model.assign(mapping)

    def __repr__(self) -> str:
        where = f"dtype='{self.dtype}', device='{self.device}', seed={self.seed}"
        return f"Network({self.module!r}, input_shape={self.input_shape}, {where})"

    # -- what it does

    @known_arguments("fit")
    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        epochs: int = 10,
        batch_size: int = 32,
        optimizer: Any = "adam",
        learning_rate: Any = 1e-3,
        loss: Any = "auto",
        validation_split: float = 0.0,
        validation_data: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        shuffle: bool = True,
        callbacks: Any = (),
        compile: str = "auto",
        memory_limit: int | str | None = None,
        progress: bool = True,
        metrics: Any = (),
        time_ordered: bool = False,
        standardize: bool = False,
        precision: str = "float32",
        checkpoint: str | os.PathLike[str] | None = None,
        every: str | None = None,
    ) -> TrainingRun:
        """Train on x, shape (rows, \\*input_shape), and y; a second call goes on from the present weights.

        Args:
            x: NumPy, lists, pandas, CuPy, PyTorch or JAX arrays; converted to the network's dtype. Without y, an
                iterable of batches (x, y) with a known length, which is read once.
            y: integer labels (rows,) or one-hot rows for softmax; 0 and 1 for sigmoid; else numbers (rows, outputs).
                Classes may be text: their names stay in ``net.classes``, and are saved with the network.
            epochs: passes over the data.
            batch_size: rows of one step; the last batch of an epoch may be smaller.
            optimizer: a name (with ``learning_rate``) or an object, ``nnkit.optimizers.SGD(0.05, momentum=0.9)`` say.
                Passing the same object again keeps its moments. Where it averages the weights, validation, callbacks
                and the network have the average, and training goes on from the weights themselves.
            loss: a name, an object, or ``"auto"``: the one that goes with the output activation.
            validation_split: share of the rows that is kept for validation; shuffled, and stratified for classes.
            time_ordered: keep the last rows for validation instead, as rows that follow each other in time need it.
            validation_data: (x, y) or (x, y, sample_weight) instead.
            sample_weight: one weight for each row; the loss is Σ w·l / Σ w.
            class_weight: a dict label or name → weight, a list, or ``"balanced"``. It multiplies the weights of the
                samples, of those that are split off for validation too; ``validation_data`` brings its own weights.
            shuffle: a new order in every epoch; without it, the split takes the last rows as well.
            standardize: give each column of the training rows mean 0 and deviation 1. The figures stay in
                ``net.preprocessing.scaling`` and in files, and are used for all rows that come, in ``test`` and
                ``predict`` too: pass them as they were measured.
            precision: what a GPU may round the operands of matrix products to: ``"tf32"``, ``"mixed_bfloat16"``, or
                ``"mixed_float16"``, which scales the loss (``nnkit.optimizers.LossScale``). With the last two, so are
                biases of ReLU layers between products, and in bfloat16 gradients on their way to the optimiser. All
                else is in float32, as are validation, ``test``, ``predict`` and the CPU; the record's ``products`` says
                what ran.
            callbacks: ``nnkit.callbacks`` objects, or functions that are called after each epoch. What one of them
                raises comes out of here with the run so far as ``error.run``.
            compile: ``"first"`` makes the step one native function before training (seconds, kept on disk for the next
                time; the extra ``fast``), ``"auto"`` only where that is predicted to save time, ``"off"`` never; the
                record's ``program`` says what ran and why. The validation is compiled only where that saves time.
            memory_limit: bytes, or text such as ``"200MB"`` (10⁶ each): what the lasting values (parameters, moments,
                counters) and the arrays of a step may take together; the data themselves do not count, nor does what
                exact ``metrics`` take, which are computed as by ``test``. Where keeping every value for the backward
                pass would take more, the cheapest ones are computed again instead: slower, and the same bits (compiled,
                to rounding). Each program keeps to it. One that cannot be met is refused with the smallest that can.
            progress: show it.
            metrics: what to measure beside loss and accuracy: names in ``nnkit.metrics.METRICS`` or their aliases,
                ``nnkit.metrics.TopK(3)`` and the like, or functions (target, prediction) → number. Sums over rows
                (``mae``, ``top_3_accuracy``, ``log_loss``, …) are running means in ``run.history``; ``val_mae``,
                ``val_auc`` and so on are exact values of the validation data, which all others need. They leave sample
                weights aside, as accuracy does; ``nnkit.metrics.Weighted("mae")`` does not. One that has no value in an
                epoch, an AUC of one class say, is NaN there, and a warning says why.
            checkpoint: a file to which the training is written ``every`` so often ("1 epoch", "500 steps", "10 min"),
                beside the steps; :func:`nnkit.resume` goes on from there to the same bits, whatever happened.

        Returns the run: ``run.history``, ``run.result``, ``run.elapsed_s``, ``run.resources``, ``run.save(path)``.

        >>> import nnkit
        >>> data = nnkit.data.load("xor", seed=0)
        >>> net = nnkit.FeedForward(inputs=2, hidden=[16], outputs=2, output_activation="softmax", seed=0)
        >>> run = net.fit(data.x_train, data.y_train, epochs=20, learning_rate=0.01, progress=False)
        >>> run.history["accuracy"][-1] > 0.9
        True
        """
        from nnkit.checkpoint import keep
        from nnkit.formats import check_own

        if checkpoint is not None:
            check_own(checkpoint, "checkpoint")
        options = Options(
            epochs=epochs,
            batch_size=batch_size,
            optimizer=optimizer,
            learning_rate=learning_rate,
            loss=loss,
            validation_split=validation_split,
            validation_data=validation_data,
            sample_weight=sample_weight,
            class_weight=class_weight,
            shuffle=shuffle,
            callbacks=callbacks,
            compile=compile,
            memory_limit=memory_limit,
            progress=progress,
            metrics=metrics,
            time_ordered=time_ordered,
            standardize=standardize,
            precision=precision,
        )
        return train(self, x, y, options, keep(self, checkpoint, every))

    def check(self, x: Any, y: Any = None, **options: Any) -> Forecast:
        """What :meth:`fit` with the same arguments will take: seconds and bytes by its plans, and what will not fit.

        The data and the options are checked as ``fit`` does, with the same errors and warnings; nothing is trained.

        >>> import nnkit
        >>> data = nnkit.data.load("xor", seed=0)
        >>> net = nnkit.FeedForward(inputs=2, hidden=[16], outputs=2, output_activation="softmax", seed=0)
        >>> found = net.check(data.x_train, data.y_train, epochs=20, batch_size=100)
        >>> found.steps, found.epochs, found.warning
        (8, 20, None)
        """
        from nnkit.training.forecast import forecast

        require_known("check", options, ("x", "y", *Options.__dataclass_fields__))
        found = forecast(self._model, x, y, Options(**options), self._intake, self._evaluator.score)
        if found.warning is not None:
            warnings.warn(found.warning, NnkitWarning, stacklevel=2)
        return found

    @known_arguments("test")
    def test(self, x: Any, y: Any = None, *, sample_weight: Any = None, loss: Any = None, metrics: Any = ()) -> Scores:
        """Exact loss and metrics on x and y, with the loss of the last ``fit`` unless another is given.

        ``metrics`` are those of :meth:`fit`: names, objects, or functions (target, prediction) → number. Each becomes
        an attribute of the result. One that has no value on these data raises UndefinedMetricError, which says why.

        >>> import nnkit
        >>> net = nnkit.FeedForward(inputs=2, outputs=2, output_activation="softmax", seed=0)
        >>> net.test([[0.0, 1.0]], [1]).rows
        1
        """
        began = time.perf_counter()
        goal = self._goal(loss)
        x, y = joined(x) if y is None else (x, y)
        inputs = self._intake.rows(x)
        target, weight = self._truth(goal, y, sample_weight, len(inputs))
        asked = Asked.of(metrics, goal, self._model.layout)
        scores = self._scores(goal, inputs, target, weight, began, asked.figures)
        for text in scores.notes:
            warnings.warn(text, NnkitWarning, stacklevel=3)
        return scores

    @known_arguments("predict")
    def predict(self, x: Any, *, compile: str = "auto") -> Any:
        """The network's output for every row of x, as an array of the library that x came from.

        ``compile`` is that of :meth:`fit`: "first" makes the prediction one native function, for rows that come one or
        a few at a time and often; the first call with so many rows then takes seconds, unless it did so before on this
        machine. "auto" compiles only where this one call is predicted to repay it.

        >>> import nnkit
        >>> nnkit.FeedForward(inputs=2, outputs=3, seed=0).predict([[0.0, 0.0]]).shape
        (1, 3)
        """
        check_mode(compile)
        inputs = self._intake.rows(x)
        return like(x, self._evaluator.predict(inputs, compile))

    def save(self, path: str | os.PathLike[str], *, compress: bool = False) -> None:
        """Write the network to an HDF5 file, in one step: readers find the old file or the whole new one.

        With ``compress``, arrays are packed with gzip: a tenth smaller for trained weights, and much slower.
        """
        from nnkit.checkpoint import save
        from nnkit.formats import check_own

        check_own(path)
        save(self, path, compress)

    def export(self, path: str | os.PathLike[str], *, layout: str | None = None, opset: int | None = None) -> None:
        """Write the network in another tool's format, which the end of the name says: ``.onnx``, ``.safetensors``
        (parameters, with the names and shapes of ``layout="nnkit"`` or ``"torch"``), ``.weights.h5`` (Keras).

        ``opset`` is the version of ONNX's operators. What a format cannot hold is said in an error.
        """
        from nnkit.formats import export

        export(self, path, layout=layout, opset=opset)

    def load_parameters(self, path: str | os.PathLike[str], *, layout: str | None = None) -> None:
        """Copy all parameters and states in a ``.safetensors`` (in a ``layout``), ``.h5`` or ``.weights.h5`` to it."""
        from nnkit.formats import load_parameters

        load_parameters(self, path, layout=layout)

    # -- inside

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise unknown("Network", name, NETWORK, self)

    def __getstate__(self) -> dict[str, Any]:
        """For pickle and copies: module, values and how far training is. Programs are built again where it arrives."""
        return {
            "made": (self.module, self.input_shape),
            "options": {"dtype": self.dtype, "device": self.device, "seed": self.seed},
            "progress": self._model.progress(),
            "known": {
                name: vars(self)[name] for name in ("_classes", "_preprocessing", "_loss", "_optimizer", "_past")
            },
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(*state["made"], **state["options"])  # type: ignore[misc]
        self._model.carry_on(state["progress"])
        vars(self).update(state["known"])

    @cached_property
    def _entrance(self) -> str | None:
        """How errors about inputs name the layer that receives them."""
        return first_layer(self.module, self._model.layout)

    @property
    def _intake(self) -> Intake:
        """What becomes of data that are given."""
        return Intake(self.input_shape, self.dtype, self._entrance, self.preprocessing, self.classes)

    def _adopt(self, intake: Intake) -> None:
        """Keep what the data of a training taught of themselves."""
        self.preprocessing, self._classes = intake.preprocessing, intake.classes

    def _scores(
        self, goal: Objective, x: Any, y: Any, weight: Any, began: float, figures: Callable[..., dict[str, float]]
    ) -> Scores:
        loss, out = self._evaluator.score(goal, x, y, weight)
        names = None if classes_told_apart(goal, self._model.layout) is None else self.classes
        return scored(goal, names, loss, y, out, figures(y, out, weight), time.perf_counter() - began)
