"""Targets of which threads divide whatever can be divided."""

from __future__ import annotations

from dataclasses import replace

from nnkit_numpy.device import NATIVE


def crew(threads=3, **changes):
    """So many threads, between which meetings and reading cost nothing."""
    return replace(NATIVE, threads=threads, meet_s=0.0, near_bytes_per_s=1e30, **changes)


CREW = crew()
