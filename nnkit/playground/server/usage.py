"""What sessions use of the machine, measured each second and said to their pages."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

from nnkit.measure import nvml as smi
from nnkit.playground.server.meter import Meter
from nnkit.playground.server.session import Session
from nnkit.playground.server.sessions import Sessions


async def report(sessions: Sessions, device: str = "cpu", every_s: float = 1.0) -> None:
    """Send ``usage`` to all pages until cancelled."""
    server, gpu = Meter(), Gpu()
    try:
        while True:
            await asyncio.sleep(every_s)
            present = list(sessions)
            on_gpu = [session for session in present if _on_gpu(session, device)]
            await asyncio.to_thread(_look, present)
            use = await asyncio.to_thread(gpu.read) if on_gpu else None
            own = server.read()
            await asyncio.gather(*(_tell(session, own, use if session in on_gpu else None) for session in present))
    finally:
        gpu.close()


async def _tell(session: Session, server: dict[str, float], gpu: dict[str, float] | None) -> None:
    lanes = [{"lane": lane.number, **lane.meter.read()} for lane in session.lanes.values() if lane.worker.alive]
    if session.browser is not None:
        await session.browser.event("usage", lanes=lanes, server=server, cores=os.cpu_count() or 1, gpu=gpu)


def _look(sessions: Iterable[Session]) -> None:
    for session in sessions:
        for lane in list(session.lanes.values()):
            lane.meter.look()


def _on_gpu(session: Session, device: str) -> bool:
    return any(str(lane.settings.get("device") or device).startswith("cuda") for lane in session.lanes.values())


class Gpu:
    """The GPU as NVML sees it; asked only where a network computes there."""

    def __init__(self) -> None:
        self._session = ExitStack()
        self._nvml: Any = None
        self._handle: Any = None
        self._silent = False

    def read(self) -> dict[str, float] | None:
        """``use`` in percent and ``memory`` in bytes, of all processes; None where NVML does not say."""
        if self._silent:
            return None
        try:
            if self._nvml is None:
                self._nvml = self._session.enter_context(smi.session())
                self._handle = smi.find(self._nvml, "cuda")
            use = self._nvml.nvmlDeviceGetUtilizationRates(self._handle).gpu
            return {"use": use, "memory": int(self._nvml.nvmlDeviceGetMemoryInfo(self._handle).used)}
        except Exception:  # no library, driver or GPU, or one that does not report it, as NVML says in many ways
            self._silent = True
            return None

    def close(self) -> None:
        """Let go of NVML."""
        self._session.close()
