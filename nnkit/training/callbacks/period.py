"""How often something is to happen, in epochs, in steps or in time."""

from __future__ import annotations

import re
from typing import NamedTuple

from nnkit.errors import ArgumentError
from nnkit.measure.units import parse_seconds

_COUNTED = re.compile(r"(\d{1,18})\s*(epoch|step)s?", re.ASCII | re.IGNORECASE)


class Period(NamedTuple):
    """So many epochs, steps or seconds."""

    number: float
    unit: str
    """``"epoch"``, ``"step"`` or ``"second"``."""

    @classmethod
    def of(cls, owner: str, every: object) -> Period:
        """From text.

        >>> Period.of("PeriodicCheckpoint", "500 steps"), Period.of("PeriodicCheckpoint", "10 min")
        (Period(number=500, unit='step'), Period(number=600.0, unit='second'))
        """
        if isinstance(every, str):
            if (written := _COUNTED.fullmatch(every.strip())) and int(written[1]) >= 1:
                return cls(int(written[1]), written[2].lower())
            try:
                return cls(parse_seconds("every", every), "second")
            except ArgumentError:  # said below, with all the forms that there are
                pass
        raise ArgumentError(f"{owner}: every is {every!r}, expected text such as '1 epoch', '500 steps' or '10 min'")
