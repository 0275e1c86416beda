"""The check of a device: right on the processor and on the stand-in, and it notices what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

import nnkit
from nnkit.graph.primitives import PRIMITIVES
from nnkit.nn.serial import LAYERS
from nnkit.parity import check, networks
from nnkit.parity.primitives import primitives
from nnkit_cupy.device import CupyBackend
from tests.cuda.conftest import device, gpu, stand_in

__all__ = ["device", "gpu", "stand_in"]


def test_every_operation_is_there() -> None:
    found = {node.operation for case in primitives() for _, node in case.graph("float32")}
    assert set(PRIMITIVES) - found == set()
    assert set(LAYERS) == set(networks.LAYERS)


@pytest.mark.slow
def test_a_device_computes_right(device: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "select", lambda name: device)
    told: list[check.Row] = []
    found = nnkit.check_device("cuda", told.append)
    assert found.right, "\n".join(str(row) for row in found.rows if not row.right)
    assert told == list(found.rows)
    assert str(found).endswith(f"{len(told)} checks on 'cuda' beside float64: all right")


def test_what_is_wrong_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [case for case in primitives() if case.name in ("exp", "argmax", "less")]
    computed = check.computed

    def careless(*given: object) -> dict[str, np.ndarray]:
        return {
            name: value + value.dtype.type(1) if value.dtype != bool else ~value
            for name, value in computed(*given).items()
        }

    monkeypatch.setattr(check, "computed", careless)
    rows = [check.checked(nnkit.backend.select("cpu"), case) for case in cases]
    assert not any(row.right for row in rows)
    assert str(rows[0]).startswith("WRONG  operation  exp")

    def broken(*given: object) -> None:
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(check, "computed", broken)
    row = check.checked(nnkit.backend.select("cpu"), cases[0])
    assert not row.right
    assert str(row).endswith("RuntimeError: no such kernel")
    assert str(check.Parity("cpu", (row,))).endswith("1 checks on 'cpu' beside float64: 1 wrong")
