"""The end of a small network in one kernel: where it is used, and that it gives what three kernels give."""

from __future__ import annotations

import pytest

from nnkit import nn
from nnkit.optimizers import SGD
from nnkit.plan.planner import plan
from nnkit_cupy.device import TARGET, CupyBackend
from nnkit_cupy.source import launches
from nnkit_cupy.source.launches import module
from tests.plan.running import Bench, close
from tests.training.steps import Job

HEAD = "float* const slopes = parts"


def job(*layers: nn.Module, loss: str = "auto", labels: str = "classes", rows: int = 200, width: int = 20) -> Job:
    return Job(nn.Sequential(list(layers)), (width,), loss, SGD(0.1), labels, rows=rows, dtype="float32")


def heads(made: Job, batch: int) -> int:
    return module(plan(made.graph(batch), TARGET)).text.count(HEAD)


SOFTMAX = (nn.Dense(72, "relu"), nn.Dense(10, "softmax"))
USED: dict[str, tuple[Job, int]] = {
    "softmax": (job(*SOFTMAX), 64),
    "a last row and a rest of terms": (job(nn.Dense(300, "tanh"), nn.Dense(7, "softmax")), 33),
    "scores of a warp": (job(nn.Dense(96, "gelu"), nn.Dense(32, "softmax")), 50),
    "two outputs": (job(nn.Dense(512, "relu"), nn.Dense(2), labels="numbers"), 60),
    "regression": (job(nn.Dense(80, "relu"), nn.Dense(6), labels="numbers", loss="mean_squared_error"), 66),
    "yes or no": (job(nn.Dense(128, "relu"), nn.Dense(4, "sigmoid"), labels="yes"), 66),
    "no bias": (job(nn.Dense(72, "relu"), nn.Dense(10, "softmax", bias=False)), 64),
}


@pytest.mark.parametrize("name", USED)
def test_steps_agree(device: CupyBackend, name: str) -> None:
    made, batch = USED[name]
    graph = made.graph(batch)
    values = made.values(graph)
    joined = Bench(graph, values, target=device.target(), backend=device)
    for _ in range(2):
        close(joined.step(), joined.expected(), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", USED)
def test_it_is_used(name: str) -> None:
    assert heads(*USED[name]) == 1


@pytest.mark.parametrize(
    ("made", "batch"),
    [
        (job(nn.Dense(72, "relu"), nn.Dense(33, "softmax")), 64),  # more scores than a warp has threads
        (job(nn.Dense(32, "relu"), nn.Dense(10, "softmax")), 200),  # few terms
        (job(nn.Dense(72, "relu"), nn.Dense(10, "softmax")), 16),  # one block does all
        (job(nn.Dense(1000, "relu"), nn.Dense(10, "softmax")), 64),  # weights that do not fit shared memory
        (job(nn.Dense(512, "relu"), nn.Dense(10, "softmax"), rows=1000), 900),  # each block reads all weights
        (job(nn.Dense(10, "softmax"), width=72), 64),  # nothing is before it
        (job(nn.Dense(72), nn.LayerNorm(), nn.Dense(3), labels="numbers", width=72), 64),  # slopes come from elsewhere
    ],
)
def test_where_it_is_not(made: Job, batch: int) -> None:
    assert heads(made, batch) == 0


def test_three_launches_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made, batch = USED["softmax"]
    ready = plan(made.graph(batch), TARGET)
    with_head = len(module(ready).launches)
    monkeypatch.setattr(launches.Heads, "taken", lambda _, items: items)
    assert len(module(ready).launches) == with_head + 2


def test_what_follows_the_last_product_is_still_its_ending() -> None:
    made, batch = USED["softmax"]
    text = module(plan(made.graph(batch), TARGET)).text
    (kernel,) = (each for each in text.split("__global__") if HEAD in each)
    assert kernel.count("> (0x0.0p+0f)") == 1  # the derivative of ReLU


@pytest.mark.parametrize("width", [20, 21])
def test_weights_that_begin_where_four_are_read_together(width: int) -> None:
    """Behind 72·20 + 72 others they do, and behind 73·21 + 73 they do not."""
    made = job(nn.Dense(width + 52, "relu"), nn.Dense(12, "softmax"), width=width)
    assert ("nn_copy<4>(&weights" in module(plan(made.graph(64), TARGET)).text) == (width == 20)
