"""What a network knows of its last training; it goes into its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from nnkit.measure import RunRecord


class Past(NamedTuple):
    """The record of a run as plain data, None if there is none, and what it has one number of for each epoch."""

    record: dict[str, Any] | None = None
    history: dict[str, list[float]] = {}  # noqa: RUF012  # a NamedTuple's default, which nobody changes
    epochs_s: list[float] = []  # noqa: RUF012
    epochs_end_s: list[float] = []  # noqa: RUF012

    @property
    def times(self) -> dict[str, list[float]]:
        """Seconds of each epoch, and since the call of ``fit`` at its end."""
        return {"epochs_s": self.epochs_s, "epochs_end_s": self.epochs_end_s}

    @classmethod
    def of(cls, record: RunRecord) -> Past:
        """That of a run, with what is known of it now: nothing is computed for it."""
        history = {name: list(values) for name, values in record.history.items()}
        return cls(record.known(), history, list(record.time["epochs_s"]), list(record.time["epochs_end_s"]))
