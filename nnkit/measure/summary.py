"""The closing table of a run, for people: what was learned, how fast, and what it took."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from nnkit.measure.clock import PHASES
from nnkit.measure.device import ON_CPU
from nnkit.measure.layout import NOT_RECORDED
from nnkit.measure.units import bytes_text, joules_text, mean_of_known, number_text, seconds_text

LABEL_WIDTH = 12
NARROWEST = 24
DATA_PARTS = ("train", "validation", "test")
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def table(
    record: Mapping[str, Any], width: int | None = None, colour: bool = False, doctor: Iterable[object] = ()
) -> str:
    """Return the run record `record` (as `RunRecord.to_dict` gives it) as lines of text, without a final newline.

    Args:
        record: the run record.
        width: columns to fit into; the terminal's if None. No line is longer, down to 24 columns.
        colour: print the labels bold, with ANSI codes.
        doctor: what the doctor found.

    >>> from nnkit.measure.record import RunRecord
    >>> scores = {"train": {"loss": 0.021, "accuracy": 0.994}, "test": {"loss": 0.11, "accuracy": 0.97}}
    >>> time = {"elapsed_s": 12.3, "prepare_s": 0.2, "train_s": 12.0, "samples_per_s": 51234.0}
    >>> record = RunRecord(result=scores, time=time)
    >>> print("part" + table(record.to_dict(), width=60)[4:])
    part              loss  accuracy
    train          0.02100    0.9940
    test            0.1100    0.9700
    time        12.3 s · prepare 200 ms · train 12 s
    speed       51,200 samples/s
    """
    if width is None:
        width = shutil.get_terminal_size().columns
    width = max(width, NARROWEST)
    lines = [*_scores(record.get("result") or {}, width)]
    for label, pieces in [*_facts(record), *(("doctor", [str(finding)]) for finding in doctor)]:
        lines += _wrap(label, pieces, width)
    return "\n".join(_bold(line) if colour else line for line in lines)


def _scores(result: Mapping[str, Any], width: int) -> Iterator[str]:
    """Yield one row for each part of the data and one column for each metric that is a number.

    Columns that do not fit beside the others stand below them; one that would not fit alone is left out.
    """
    parts = {name: result[name] for name in DATA_PARTS if result.get(name)}
    found = (name for scores in parts.values() for name, value in scores.items() if isinstance(value, int | float))
    metrics = list(dict.fromkeys(found))
    widths = [2 + max(8, len(name), *(len(_score(scores.get(name))) for scores in parts.values())) for name in metrics]
    columns = [(name, size) for name, size in zip(metrics, widths, strict=True) if LABEL_WIDTH + size <= width]
    while columns:
        fitting = sum(LABEL_WIDTH + total <= width for total in accumulate(size for _, size in columns))
        beside, columns = columns[:fitting], columns[fitting:]
        yield " " * LABEL_WIDTH + "".join(name.rjust(size) for name, size in beside)
        for part, scores in parts.items():
            yield part.ljust(LABEL_WIDTH) + "".join(_score(scores.get(name)).rjust(size) for name, size in beside)


def _score(value: float | None) -> str:
    return "–" if value is None else number_text(value)


def _facts(record: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield label and pieces of every line under the scores; a line without pieces is left out."""
    time, resources = record.get("time") or {}, record.get("resources") or {}
    yield "time", _time(time)
    yield "speed", _speed(time)
    yield "computer", _host(resources.get("host") or {})
    yield "GPU", _device(resources)
    if record.get("interrupted"):
        yield "interrupted", ["the network keeps the state of the last whole step"]
    if record.get("stopped"):
        yield "stopped", [str(record["stopped"])]


def _time(time: Mapping[str, Any]) -> list[str]:
    whole = _known(time, "elapsed_s", seconds_text)
    return whole + [f"{name} {text}" for name in PHASES for text in _known(time, f"{name}_s", seconds_text, zero=False)]


def _speed(time: Mapping[str, Any]) -> list[str]:
    rate = _known(time, "samples_per_s", lambda value: f"{float(f'{value:.3g}'):,.0f} samples/s")
    spread = "".join(_known(time, "step_spread_s", lambda value: f" ± {seconds_text(value)}"))
    return rate + _known(time, "step_median_s", lambda value: f"step {seconds_text(value)}{spread}")


def _host(host: Mapping[str, Any]) -> list[str]:
    load = _known(host, "cpu_percent_mean", lambda value: f"CPU {value:.0f} %")
    return load + _known(host, "peak_rss_bytes", lambda value: f"peak memory {bytes_text(value)}") + _energy(host)


def _device(resources: Mapping[str, Any]) -> list[str]:
    """Return what is known of the GPU, or why nothing is; nothing at all where none was used or asked for."""
    device = resources.get("device")
    if device is None:
        reason = (resources.get("reasons") or {}).get("device", NOT_RECORDED)
        return [] if reason.startswith((ON_CPU, NOT_RECORDED)) else [reason]
    pieces = [device.get("name") or "GPU"]
    pieces += _known(device, "utilisation_percent_mean", lambda value: f"{value:.0f} % busy")
    pieces += _known(device, "memory_used_bytes_peak", lambda value: f"peak memory {bytes_text(value)}")
    pieces += _known(device, "process_memory_bytes_peak", lambda value: f"{bytes_text(value)} of this process")
    pieces += _known(device, "copied_bytes", lambda value: _copied(value, device.get("copied_s")), zero=False)
    pieces += _energy(device)
    return pieces + _known(device, "temperature_c_max", lambda value: f"{value:.0f} °C")


def _copied(nbytes: float, seconds: float | None) -> str:
    waited = "" if seconds is None else f", {seconds_text(seconds)} waited for it"
    return f"{bytes_text(nbytes)} copied to it{waited}"


def _energy(part: Mapping[str, Any]) -> list[str]:
    mean = mean_of_known(part.get("energy_per_epoch_j"))
    return _known(part, "energy_j", joules_text) + ([] if mean is None else [f"{joules_text(mean)} an epoch"])


def _known(part: Mapping[str, Any], name: str, text: Any, zero: bool = True) -> list[str]:
    """Return the text of the figure as a list of one, or an empty list where it is missing."""
    value = part.get(name)
    return [] if value is None or (value == 0 and not zero) else [text(value)]


def _wrap(label: str, pieces: list[str], width: int) -> list[str]:
    """Join `pieces` with dots into as few lines as fit into `width`, aligned behind the label."""
    lines: list[str] = []
    for piece in pieces:
        first, *rest = textwrap.wrap(piece, width - LABEL_WIDTH)
        if lines and LABEL_WIDTH + len(lines[-1]) + 3 + len(first) <= width:
            lines[-1] += f" · {first}"
        else:
            lines.append(first)
        lines += rest
    labels = [label, *[""] * len(lines)]
    return [name.ljust(LABEL_WIDTH) + line for name, line in zip(labels, lines, strict=False)]


def _bold(line: str) -> str:
    return f"{BOLD}{line[:LABEL_WIDTH]}{PLAIN}{line[LABEL_WIDTH:]}" if line[:1].strip() else line
