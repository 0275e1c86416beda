"""A training that goes on: what its checkpoint said, and whether what is here now is the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from nnkit.errors import DataError
from nnkit.measure.environment import environment
from nnkit.plan import Target
from nnkit.training.configuration import MACHINE, REAL, WHOLE, data_hashes
from nnkit.training.data import TrainingData
from nnkit.training.programs import Walk
from nnkit.training.standing import Standing

HINTS = {
    "x": "the inputs are others, or in another order",
    "y": "the targets are others, or in another order",
    "weight": "sample_weight or class_weight is another one",
    "rows": "other rows are split off for validation",
}


class Resumed(NamedTuple):
    """Where a training stood, and with what it was started."""

    path: str
    standing: Standing
    configuration: Mapping[str, Any]
    hashes: Mapping[str, str]

    def require_same_data(self, data: TrainingData) -> None:
        """Refuse other data, and say which part of it is another."""
        found = data_hashes(data)()
        odd = [name for name in {**self.hashes, **found} if self.hashes.get(name) != found.get(name)]
        if not odd:
            return
        part, _, name = odd[0].rpartition(" ")
        where = f"{part} data: " if part else ""
        if odd[0] not in found or odd[0] not in self.hashes:
            told = "were" if odd[0] in self.hashes else "were not"
            reason = f"there {told} {'weights' if name == 'weight' else odd[0]} when it was started"
        else:
            reason = HINTS[name]
        raise DataError(
            f"{self.path} is the checkpoint of a training on other data: {where}{reason}; "
            "give nnkit.resume the data, weights and validation data that fit was given"
        )

    def target(self, now: Target, number: int) -> Target:
        """The target of a form of program with the rates by which its plans were made."""
        kept = self.configuration["targets"][number]
        if kept is None or kept["name"] != now.name:
            return now
        numbers = {name: kept[name] for name in (*WHOLE, *REAL)}
        numbers["threads"] = min(numbers["threads"], now.threads)  # which change no bits
        pairs = tuple((name, value) for name, value in kept["element_s"])
        return replace(now, **numbers, element_s=pairs, profile=kept["profile"])

    def differences(self, device: str, walks: Sequence[Walk | None]) -> list[str]:
        """What keeps the bits from being those of a training that was not interrupted."""
        before, now = self.configuration["machine"], environment()
        found = [f"{name} was {before[name]} and is {now[name]}" for name in MACHINE if before[name] != now[name]]
        if self.configuration["device"] != device:
            found.insert(0, f"the device was {self.configuration['device']} and is {device}")
        plans = [[] if walk is None else [plan.fingerprint for plan, _ in walk.plans()] for walk in walks]
        if plans != self.configuration["programs"] and not found:
            found.append("its steps are planned in another way now")
        return found
