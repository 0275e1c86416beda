"""How much a browser may ask for, and how long things may take."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """All limits of a server. Tests take smaller ones.

    >>> Limits(sessions=2).text_bytes
    256000
    """

    sessions: int = 32
    """Together, those included whose connection was lost a moment ago."""
    text_bytes: int = 256_000
    upload_bytes: int = 16_000_000
    messages_per_s: int = 400
    hello_s: float = 10.0
    """A connection that has not said hello by then is closed."""
    away_s: float = 30.0
    """A session is kept so long after its connection was lost."""
    heartbeat_s: float = 20.0
    queued: int = 256
    """Messages that wait for a worker, and their bytes: a pipe that is full must not fill the memory of the server."""
    queued_bytes: int = 32_000_000
    unsent_bytes: int = 8_000_000
    """What may wait for a browser before frames are left out."""
    restarts: int = 3
    restarts_within_s: float = 60.0
    grace_s: float = 1.0
    """A worker that has been told to end is killed after this."""
    usage_s: float = 1.0
    refill_s: float = 0.5
    """So long after a spare worker was taken the next one starts, so that both do not compete for the processor."""
