"""The layout of a run record, as one table: its keys in order, the type of each, and which nulls need a reason.

A missing figure is null and has its reason in `resources.reasons`, under the figure's path: "time.step_median_s",
"history.loss". The path of what stands in `resources` itself is shortened: "device.energy_j", "host.peak_rss_bytes".
A reason for a whole part ("device") counts for every figure in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

FORMAT = 1
NOT_RECORDED = "it was not recorded"


class Null(Enum):
    """What a null says in one place of the record."""

    NEVER = "the value is always there"
    PLAIN = "there is no such thing: no test set, no GPU in the machine"
    EXPLAINED = "a figure is missing, and its reason is given"


@dataclass(frozen=True)
class Value:
    """A value of one of `types`; for a list, `items` says what it holds (a null among them is a missing figure)."""

    types: tuple[type, ...]
    null: Null = Null.NEVER
    items: tuple[type, ...] = ()


@dataclass(frozen=True)
class Table:
    """An object with these keys in this order. An open one may have more keys; `others` says what they hold."""

    keys: Mapping[str, Value | Table] = field(default_factory=dict)
    null: Null = Null.NEVER
    others: Value | Table | None = None


NUMBER = (int, float)
FIGURE = Value(NUMBER, Null.EXPLAINED)
SERIES = Value((list,), items=NUMBER)
MEASURES = Value((list,), Null.EXPLAINED, NUMBER)
ANYTHING = Value((bool, int, float, str, list, dict), Null.PLAIN)
COUNT = Value((int,), Null.EXPLAINED)
FACT = Value((str, int), Null.PLAIN)
DESCRIPTION = Value((str, int, float, dict), Null.PLAIN)
MEASURE = Value((int, float, str, list, dict), Null.EXPLAINED)
PROGRAM = Table({"kind": FACT, "fingerprint": FACT, "fallbacks": Value((list,))}, Null.PLAIN, ANYTHING)


def _figures(*names: str) -> dict[str, Value | Table]:
    return dict.fromkeys(names, FIGURE)


def _over_time(*names: str) -> Table:
    """Values of points in time: rates since the point before, and the highest levels since then."""
    return Table({"elapsed_s": SERIES, **dict.fromkeys(names, MEASURES)}, Null.EXPLAINED)


def _scores(null: Null) -> Table:
    return Table(_figures("loss"), null, MEASURE)


RECORD = Table(
    {
        "format": Value((int,)),
        "architecture": Table(others=ANYTHING),
        "training": Table(
            {
                "epochs": COUNT,
                "batch_size": COUNT,
                "optimizer": DESCRIPTION,
                "learning_rate": DESCRIPTION,
                "loss": DESCRIPTION,
                "seed": Value((int,), Null.PLAIN),
                "compile": Value((str, bool), Null.PLAIN),
                "program": PROGRAM,
            },
            others=ANYTHING,
        ),
        "data": Table(
            {
                "name": FACT,
                "sha256": Value((str,), Null.EXPLAINED),
                "train": COUNT,
                "validation": COUNT,
                "test": COUNT,
                "classes": Value((int, list), Null.PLAIN),
            },
            others=ANYTHING,
        ),
        "time": Table(
            {
                **_figures("elapsed_s", "prepare_s", "compile_s", "train_s", "validate_s"),
                "epochs_s": SERIES,
                "epochs_end_s": SERIES,
                **_figures("step_median_s", "step_spread_s", "samples_per_s"),
            }
        ),
        "resources": Table(
            {
                "host": Table(
                    {
                        **_figures("cpu_percent_mean", "peak_rss_bytes", "energy_j"),
                        "energy_per_epoch_j": MEASURES,
                        "over_time": _over_time("cpu_percent", "power_w", "rss_bytes"),
                    },
                    Null.EXPLAINED,
                ),
                "device": Table(
                    {
                        "name": Value((str,), Null.EXPLAINED),
                        **_figures("utilisation_percent_mean", "memory_used_bytes_peak"),
                        **_figures("process_memory_bytes_peak", "copied_bytes", "copied_s", "energy_j"),
                        "energy_per_epoch_j": MEASURES,
                        **_figures("temperature_c_max"),
                        "over_time": _over_time(
                            "utilisation_percent",
                            "power_w",
                            "memory_used_bytes",
                            "temperature_c",
                            "process_memory_bytes",
                        ),
                    },
                    Null.EXPLAINED,
                ),
                "plan": Table(_figures("predicted_peak_bytes", "predicted_step_s", "flops_per_step"), Null.EXPLAINED),
                "reasons": Table(others=Value((str,))),
            }
        ),
        "history": Table(others=SERIES),
        "result": Table(
            {"train": _scores(Null.EXPLAINED), "validation": _scores(Null.PLAIN), "test": _scores(Null.PLAIN)}
        ),
        "interrupted": Value((bool,)),
        "stopped": Value((str,), Null.PLAIN),
        "environment": Table(
            dict.fromkeys(("python", "numpy", "nnkit", "blas", "threads", "cpu", "gpu", "driver", "os", "date"), FACT),
            others=FACT,
        ),
    }
)


def reason_key(path: str) -> str:
    """Return the name under which the reason for the figure at `path` stands in `resources.reasons`.

    >>> reason_key("resources.device.energy_j"), reason_key("time.elapsed_s")
    ('device.energy_j', 'time.elapsed_s')
    """
    return path.removeprefix("resources.")
