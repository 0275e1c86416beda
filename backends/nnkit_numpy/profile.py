"""The profile of this machine: rates that ``calibration`` measured, kept for later processes. Without one, built-in
rates of a current server core count."""

from __future__ import annotations

import functools
import json
import math
import platform
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nnkit.plan import Target
from nnkit_numpy.cores import cores
from nnkit_numpy.jit import cache

FORMAT = 1
RATES = (
    "call_s", "operation_s", "meet_s", "start_s", "flops_per_s", "cached_bytes_per_s", "near_bytes_per_s",
    "bytes_per_s", "tile_bytes",
)  # fmt: skip
"""What a profile may say of a target, beside ``element_s``."""


def path() -> Path:
    """The file, beside the cache of native code. Machines that share a home have one each."""
    return cache.folder().parent / "profiles" / f"{platform.node() or 'machine'}.json"


def keep(rates: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write the rates of each form of program ("plain", "native") in one step."""
    file = path()
    found = {"format": FORMAT, "date": datetime.now(UTC).isoformat(timespec="seconds"), "threads": cores()} | {
        form: {**values, "element_s": dict(values["element_s"])} for form, values in rates.items()
    }
    cache.write(file, (json.dumps(found, indent=1) + "\n").encode())
    known.cache_clear()
    return file


@functools.cache
def known() -> Mapping[str, Any] | None:
    """The profile; None if there is none for these cores, or none that can be used."""
    try:
        found = json.loads(path().read_text(encoding="utf-8"))
        forms = [form for form in ("plain", "native") if form in found]
        fits = found["format"] == FORMAT and found["threads"] == cores() and all(map(_sound, (found[f] for f in forms)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # absent, or not what ``keep`` wrote
        return None
    return found if fits else None


def _sound(rates: Mapping[str, Any]) -> bool:
    numbers = [value for name, value in rates.items() if name in RATES]
    small = list(rates["element_s"].values())
    return all(0 < number < math.inf for number in numbers) and all(0 <= number < 1 for number in small)


def applied(target: Target, form: str) -> Target:
    """The target with the rates of the profile."""
    found = known()
    if found is None or form not in found:
        return target
    rates = found[form]
    numbers = {name: rates[name] for name in RATES if name in rates}
    return replace(target, **numbers, element_s=tuple(rates["element_s"].items()), profile=f"measured {found['date']}")
