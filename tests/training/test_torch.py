"""Ten steps of whole networks in float64 beside PyTorch: the same parameters, moments of rounding apart."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit import nn
from nnkit.optimizers import SGD, Adam, AdamW, RMSprop
from tests.peers import peer
from tests.training.steps import Job

OPTIMIZERS = {
    "sgd": (SGD(0.05), lambda o, p: o.SGD(p, lr=0.05)),
    "nesterov": (
        SGD(0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
        lambda o, p: o.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    ),
    "adam": (Adam(0.01), lambda o, p: o.Adam(p, lr=0.01)),
    "adamw": (AdamW(0.01, weight_decay=0.1), lambda o, p: o.AdamW(p, lr=0.01, weight_decay=0.1)),
    "rmsprop": (RMSprop(0.01), lambda o, p: o.RMSprop(p, lr=0.01)),
}


def plain(t, dtype):
    return t.Linear(6, 16, **dtype), t.Tanh(), t.Linear(16, 8, **dtype), t.ReLU(), t.Linear(8, 3, **dtype)


def batch(t, dtype):
    return t.Linear(6, 16, bias=False, **dtype), t.BatchNorm1d(16, **dtype), t.SiLU(), t.Linear(16, 3, **dtype)


def layer(t, dtype):
    return t.Linear(6, 16, **dtype), t.GELU(), t.LayerNorm(16, **dtype), t.Linear(16, 3, **dtype)


# Ours without the last activation, theirs.
NETWORKS = {
    "plain": (lambda last: [nn.Dense(16, "tanh"), nn.Dense(8, "relu"), nn.Dense(3, last)], plain),
    "batch norm": (
        lambda last: [nn.Dense(16, bias=False), nn.BatchNorm(), nn.Activation("silu"), nn.Dense(3, last)],
        batch,
    ),
    "layer norm": (lambda last: [nn.Dense(16, "gelu"), nn.LayerNorm(), nn.Dense(3, last)], layer),
}
GOALS = {
    "softmax": ("classes", lambda t, y: (t.nn.CrossEntropyLoss(), t.asarray(y).long())),
    "identity": ("numbers", lambda t, y: (t.nn.MSELoss(), t.asarray(y))),
    "sigmoid": ("yes", lambda t, y: (t.nn.BCEWithLogitsLoss(), t.asarray(y))),
}
ROWS, STEPS = 7, 10


CASES = [(o, n, g) for o in OPTIMIZERS for n in NETWORKS for g in GOALS if o == "adam" or g == "softmax"]


@pytest.mark.parametrize(("optimizer", "network", "goal"), CASES)
def test_ten_steps(optimizer, network, goal):
    torch = peer("torch")
    ours, theirs = NETWORKS[network]
    labels, target = GOALS[goal]
    job = Job(nn.Sequential(ours(goal)), (6,), "auto", OPTIMIZERS[optimizer][0], labels, rows=ROWS * STEPS)
    bench = job.bench(ROWS)
    assert bench.program.run(STEPS) == STEPS

    model = torch.nn.Sequential(*theirs(torch.nn, {"dtype": torch.float64}))
    with torch.no_grad():
        for leaf, value in zip(model.parameters(), job.split(bench.values["parameter"]).values(), strict=True):
            leaf.copy_(torch.asarray(value.T))
    stepper = OPTIMIZERS[optimizer][1](torch.optim, list(model.parameters()))
    order, total = bench.values["order"], 0.0
    for start in range(0, ROWS * STEPS, ROWS):
        rows = order[start : start + ROWS]
        loss, y = target(torch, job.y[rows])
        stepper.zero_grad()
        value = loss(model(torch.asarray(job.x[rows])), y)
        value.backward()
        stepper.step()
        total += value.item() * ROWS

    trained = job.split(bench.store.read(["parameter"])["parameter"])
    for leaf, (path, value) in zip(model.parameters(), trained.items(), strict=True):
        np.testing.assert_allclose(value, leaf.detach().numpy().T, rtol=1e-9, atol=1e-10, err_msg=path)
    np.testing.assert_allclose(bench.store.read(["metric.loss"])["metric.loss"], total, rtol=1e-11)
    for path in job.states():
        running = model[1].running_mean if path.endswith("mean") else model[1].running_var
        np.testing.assert_allclose(bench.store.read([path])[path], running.numpy(), rtol=1e-11)
