"""One question that a probe puts again and again, and what is kept of its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

Column = Sequence[float | None] | None
RESET = "the energy counter was reset during the run"


class Series:
    """Running statistics of the answers to a question, or why the last try got none."""

    def __init__(self, ask: Callable[[], float], explain: Callable[[Exception], str]) -> None:
        self._ask = ask
        self._explain = explain
        self.count = 0
        self.total = self.first = self.last = 0.0
        self.highest = float("-inf")
        self.reason: str | None = "it was never asked"
        self.refusal: str | None = None
        """The latest refusal, also where answers came after it."""

    def sample(self) -> float | None:
        """Ask once more, and return the answer."""
        try:
            value = self._ask()
        except Exception as error:  # every library has its own classes for refusals
            self.refuse(self._explain(error))
            return None
        self.reason = None
        self.first = value if self.count == 0 else self.first
        self.last = value
        self.highest = max(self.highest, value)
        self.total += value
        self.count += 1
        return value

    def refuse(self, reason: str) -> None:
        """Keep why there is no answer."""
        self.reason = self.refusal = reason

    def mean_after_first(self) -> float:
        """Return the mean without the first answer, which is about the time before the run."""
        return (self.total - self.first) / (self.count - 1) if self.count > 1 else self.first

    def difference(self) -> float | None:
        """Return how much a counter rose from the first answer to the last; None if it was reset in between."""
        return self.last - self.first if self.last >= self.first else None


def gaps(columns: Mapping[str, Column], asked: Mapping[str, Series], path: str) -> dict[str, str]:
    """Why a column lacks values, by its name in the record's reasons."""
    lacking = [name for name, column in columns.items() if column is None or None in column]
    return {f"{path}.{name}": asked[name].refusal or RESET for name in lacking}


def unavailable(reason: str) -> Callable[[], float]:
    """Return a question that is always refused, with this reason."""

    def ask() -> float:
        raise LookupError(reason)

    return ask
