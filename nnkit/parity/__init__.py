"""Whether a device computes right: every operation, layer, loss and optimiser beside float64 on the processor."""

from nnkit.parity.check import Parity, Row, check_device

__all__ = ["Parity", "Row", "check_device"]
