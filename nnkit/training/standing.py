"""Where a training stands between two steps, as plain data: enough to go on from there to the same bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnkit.measure.clock import PHASES
from nnkit.optimizers import LBFGS
from nnkit.training.layout import Layout
from nnkit.training.measured import Reason
from nnkit.training.point import Left
from nnkit.training.settings import changed, named

if TYPE_CHECKING:
    from nnkit.training.callbacks import Callback
    from nnkit.training.loop import Loop
    from nnkit.training.model import Model

Array = npt.NDArray[Any]
Arrays = dict[str, Array]
COUNTERS = ("step", "update", "cursor")
COUNTS = ("epochs_done", "steps_done", "updates_before", "as_drawn")
TRACE = ("epoch", "step", "rows_done", "values", "stopped")
EPOCHS = ("history", "epochs_s", "epochs_end_s")
"""Facts that have a number for each epoch."""


@dataclass(frozen=True)
class Standing:
    """Facts that JSON can hold (numbers that are not finite apart), and arrays by what they are and by name.

    ``arrays`` has the network's ``values``, the optimiser's ``moments``, the parameters as they are ``trained`` where
    the network has others, ``curvature`` of L-BFGS, and what callbacks keep of the network as ``callbacks.0.weights``.
    """

    facts: dict[str, Any]
    arrays: dict[str, Arrays]

    @classmethod
    def of(cls, loop: Loop) -> Standing:
        """That of a training at this moment; every array is a copy."""
        model = loop.model
        states, kept = _states(loop.lasting)
        curvature = {} if loop.search is None else loop.search.state()
        leaves, moments = model.moments()
        facts = {name: getattr(loop, name) for name in TRACE} | {
            "within": loop.done_within,
            "epoch_s": loop.epoch_s,
            "history": {name: list(values) for name, values in loop.history.items()},
            "epochs_s": list(loop.epochs_s),
            "epochs_end_s": list(loop.epochs_end_s),
            "clock": {"elapsed": loop.clock.elapsed_s} | {name: loop.clock.seconds(name) for name in PHASES},
            "reasons": {name: list(reason) for name, reason in loop.reasons.items()},
            "changes": dict(loop.changes),
            "model": {name: getattr(model, name) for name in COUNTS},
            "counters": {name: int(_read(loop, f"counter.{name}")) for name in COUNTERS},
            "sums": {name: _read(loop, name).tolist() for name in loop.train.sums},
            "value": curvature.pop("value", None),
            "pairs": len(curvature.get("changes", ())),
            "trained": model.left is not None,
            "moments": {leaf.name: list(leaf.shape) for leaf in leaves},
            "callbacks": states,
        }
        arrays = {"values": model.values(), "moments": moments, "curvature": curvature}
        if model.left is not None:
            arrays["trained"] = dict(model.left.trained)
        return cls(facts, arrays | kept)

    def bring(self, loop: Loop) -> None:
        """Put a training that is about to begin where this one stood; its callbacks come later."""
        facts, model = self.facts, loop.model
        vars(loop).update({name: facts[name] for name in TRACE})
        loop.history = {name: list(facts["history"][name]) for name in loop.history}
        loop.epochs_s, loop.epochs_end_s = list(facts["epochs_s"]), list(facts["epochs_end_s"])
        if facts["within"] is not None:
            loop.begun, loop.before_s = (facts["within"], facts["sums"]), facts["epoch_s"]
        loop.clock.go_on(facts["clock"])
        loop.reasons.update({name: Reason(*reason) for name, reason in facts["reasons"].items()})
        self.bring_model(model)
        self.bring_settings(loop)
        model.store.write({f"counter.{name}": facts["counters"][name] for name in COUNTERS})
        if loop.search is not None and self.arrays["curvature"]:
            assert isinstance(loop.optimizer, LBFGS)
            loop.search.go_on(loop.optimizer, self.arrays["curvature"] | {"value": facts["value"]})

    def bring_model(self, model: Model) -> None:
        """Put a model where it stood, if it has the moments of the optimiser."""
        vars(model).update(self.facts["model"])
        model.store.write(self.arrays["values"] | self.arrays["moments"])
        if self.facts["trained"]:
            shown = {name: self.arrays["values"][name] for name in model.layout.parameters}
            model.left = Left(self.arrays["trained"], shown)

    def bring_settings(self, loop: Loop) -> None:
        """The hyper-parameters that were changed on the way, whatever callbacks have set as they began."""
        loop.changes = dict(self.facts["changes"])
        loop.optimizer = changed(loop.resolved, loop.changes)
        loop.model.store.write(named(loop.optimizer))

    def state_of(self, number: int) -> dict[str, Any]:
        """What a callback kept."""
        start = f"callbacks.{number}."
        kept = {name.removeprefix(start): arrays for name, arrays in self.arrays.items() if name.startswith(start)}
        state: dict[str, Any] = self.facts["callbacks"][number]["state"]
        return state | kept


def shapes(facts: Mapping[str, Any], layout: Layout) -> dict[str, dict[str, tuple[int, ...]]]:
    """The shapes of all arrays that go with these facts, by what they are and by name."""
    found: dict[str, dict[str, tuple[int, ...]]] = {
        "values": dict(layout.shapes),
        "moments": {name: tuple(shape) for name, shape in facts["moments"].items()},
        "curvature": {},
    }
    if facts["trained"]:
        found["trained"] = layout.parameters
    if facts["value"] is not None:
        pairs, flat = (facts["pairs"], layout.count), (layout.count,)
        found["curvature"] = {"parameter": flat, "gradient": flat, "changes": pairs, "gradient_changes": pairs}
    for number, callback in enumerate(facts["callbacks"]):
        for name in callback["snapshots"]:
            found[f"callbacks.{number}.{name}"] = dict(layout.shapes)
    return found


def _read(loop: Loop, name: str) -> Array:
    return np.asarray(loop.model.store.read([name])[name])


def _states(callbacks: Any) -> tuple[list[dict[str, Any]], dict[str, Arrays]]:
    """Names and states of callbacks, and the snapshots among these."""
    states: list[dict[str, Any]] = []
    kept: dict[str, Arrays] = {}
    for number, callback in enumerate(callbacks):
        state = callback.state()
        snapshots = [name for name, value in state.items() if isinstance(value, Mapping)]
        kept |= {f"callbacks.{number}.{name}": dict(state.pop(name)) for name in snapshots}
        states.append(_described(callback) | {"state": state, "snapshots": snapshots})
    return states, kept


def _described(callback: Callback) -> dict[str, Any]:
    from nnkit.training.callbacks import name_of

    return {"name": name_of(callback), "config": callback.config()}
