"""PyTorch, with the shortest loop that does the same work: eager, with its fused Adam, and compiled."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import Any

import torch

from contest.workloads import Block, Workload, digits


def block(workload: Workload, mode: str) -> Block:
    """``mode`` is "eager", "fused" (Adam as one kernel) or "compile" (that, and loss and gradient compiled)."""
    torch.manual_seed(0)
    layers: list[Any] = []
    for inputs, outputs in pairwise(workload.sizes):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=mode != "eager")
    x, y, order = (torch.from_numpy(array) for array in workload.data())
    y = y.long()

    def loss(x: Any, y: Any) -> Any:
        return torch.nn.functional.cross_entropy(model(x), y)

    if mode == "compile":
        loss = torch.compile(loss)

    def run() -> None:
        for step in range(workload.steps):
            first = step % workload.batches * workload.batch
            rows = order[first : first + workload.batch]
            adam.zero_grad()
            loss(x[rows], y[rows]).backward()
            adam.step()

    return run


def epoch(mode: str) -> Block:
    """The loop of PyTorch's tutorials, with loss and accuracy summed up."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y = digits()
    data = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y.astype("int64")))
    loader = torch.utils.data.DataLoader(data, batch_size=64, shuffle=True)
    entropy = torch.nn.CrossEntropyLoss()

    def run() -> None:
        total, correct = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for x, y in loader:
            adam.zero_grad()
            scores = model(x)
            loss = entropy(scores, y)
            loss.backward()
            adam.step()
            total += loss.detach() * len(x)
            correct += (scores.argmax(1) == y).sum()
        print(f"loss {total / len(data):.4f}, accuracy {correct / len(data):.4f}", file=sys.stderr)

    return run
