"""Whole steps with all threads of each block, in different orders: the same bits, and nearly the interpreter's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nnkit import nn
from nnkit.optimizers import Adam
from nnkit_cupy import program
from nnkit_cupy.device import CupyBackend
from nnkit_cupy.source.launches import Module
from nnkit_cupy.source.prelude import PRELUDE
from tests.cuda import fibers
from tests.cuda.stand_in import HostRuntime, compiled, compiler
from tests.plan.running import Bench, close, same_bits
from tests.training.steps import Job

pytestmark = pytest.mark.skipif(compiler() is None, reason="there is no C++ compiler here")
NETWORKS: dict[str, list[nn.Module]] = {
    "head": [nn.Dense(72, "relu"), nn.Dense(10, "softmax")],
    "norms": [nn.Dense(40, "relu"), nn.BatchNorm(), nn.Dropout(0.2), nn.LayerNorm(), nn.Dense(3, "softmax")],
    "tiny": [nn.Dense(8, "tanh"), nn.Dense(2, "softmax")],
    "long rows": [nn.Dense(64, "gelu"), nn.LayerNorm(), nn.Dense(300, "softmax")],
}


def benches(name: str, rows: int, precision: str = "float32") -> list[Bench]:
    """The same step on two stand-ins, whose threads run in other orders."""
    module = nn.Sequential(NETWORKS[name])
    job = Job(module, (33,), "auto", Adam(0.01), "classes", rows=3 * rows, dtype="float32")
    graph = job.graph(rows)
    found = []
    for number in range(2):
        runtime = HostRuntime(threads=True)
        runtime.launched = 1001 * number
        backend = CupyBackend("cuda", runtime)
        found.append(Bench(graph, job.values(graph), target=backend.target(), backend=backend))
    return found


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("head", 64),
        ("tiny", 8),
        pytest.param("norms", 33, marks=pytest.mark.slow),
        pytest.param("long rows", 40, marks=pytest.mark.slow),
    ],
)
def test_steps(name: str, rows: int) -> None:
    one, other = benches(name, rows)
    for _ in range(2):
        found = one.step()
        same_bits(other.step(), found)
        close(found, one.expected(), rtol=1e-4, atol=1e-5)


SUM = r"""
extern "C" void total(const float* x, float* out, long long many) {
    __shared__ float parts[128];
    parts[TID] = x[TID];
    __syncthreads();
    float found = parts[127 - TID];
    found = nn_fold<float, Sum>(found);
    if (TID % 32 == 0) parts[TID] = found;
    MEET
    if (TID == 0) *out = parts[32] + parts[96];
}
"""


def total(code: str, seed: int) -> float:
    x, out = np.arange(128, dtype=np.float32), np.zeros(1, np.float32)
    library = compiled(fibers.source(PRELUDE + code))
    fibers.run(library, "total", [x.ctypes.data, out.ctypes.data, 128], 1, 128, seed)
    return float(out[0])


def test_threads_exchange_what_they_have() -> None:
    assert {total(SUM.replace("MEET", "__syncthreads();"), seed) for seed in range(8)} == {2 * 127 * 64.0}


def test_a_missing_meeting_is_seen() -> None:
    code = SUM.replace("MEET", "")
    assert len({total(code, seed) for seed in range(16)}) > 1


def test_a_meeting_to_which_not_all_come_is_an_error() -> None:
    code = SUM.replace("MEET", "if (TID % 2) __syncwarp(); else __syncthreads();")
    with pytest.raises(AssertionError, match="threads of total wait for each other in vain"):
        total(code, 0)


MEETING = "__syncthreads();"


@pytest.mark.slow
def test_every_meeting_of_a_head_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any of them a step has other numbers, in some order of the threads."""
    made, left_out = program.module, 0

    def without(*given: Any) -> Module:
        """The code, without one meeting of the kernel that has slopes in shared memory."""
        code = made(*given)
        before, slopes, rest = code.text.partition("* const slopes")
        parts = rest.split(MEETING, 3)
        assert len(parts) == 4
        parts[left_out : left_out + 2] = [parts[left_out] + parts[left_out + 1]]
        return replace(code, text=before + slopes + MEETING.join(parts))

    expected = benches("head", 64)[0].step()["parameter"]
    monkeypatch.setattr(program, "module", without)
    for left_out in range(3):
        found = [bench.step()["parameter"] for bench in benches("head", 64)]
        assert any(not np.array_equal(each, expected) for each in found), left_out
