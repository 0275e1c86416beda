"""What a training uses of host and device, from its start to its end and from epoch to epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnkit.backend import Backend, Share
from nnkit.measure.device import DeviceProbe
from nnkit.measure.host import HostProbe


class Usage:
    """Both probes as one.

    >>> usage = Usage("cpu")
    >>> usage.start()
    >>> list(usage.stop())
    ['host', 'device', 'reasons']
    """

    def __init__(self, device: str, share: Callable[[], Share | None] | None = None) -> None:
        self._host, self._device = HostProbe(), DeviceProbe(device, share)

    @classmethod
    def of(cls, backend: Backend) -> Usage:
        """Of the device of a backend, which says by its PCI bus id which one it is: numbers can be changed."""
        return cls(backend.hardware().pci_bus_id or backend.name, backend.share)

    def start(self) -> None:
        """Begin measuring."""
        self._host.start()
        self._device.start()

    def boundary(self) -> None:
        """Say that the first epoch begins, and then that an epoch has ended."""
        self._host.boundary()
        self._device.boundary()

    def stop(self) -> dict[str, Any]:
        """End measuring; the figures for the record's `resources`, with the reasons for those that are missing."""
        host, device = self._host.stop(), self._device.stop()
        return {"host": host, "device": device, "reasons": {**self._host.reasons, **self._device.reasons}}
