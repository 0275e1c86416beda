"""PyTorch: the loop of its tutorials with its DataLoader, loss and accuracy summed up."""

from __future__ import annotations

import torch

from contest.learning import Learner, Task


def learner(task: Task, mode: str) -> Learner:
    """There is one mode."""
    torch.manual_seed(task.seed)
    model = torch.nn.Sequential(torch.nn.Linear(784, task.hidden), torch.nn.ReLU(), torch.nn.Linear(task.hidden, 10))
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y, x_test, y_test = (torch.from_numpy(array) for array in task.data)
    data = torch.utils.data.TensorDataset(x, y.long())
    loader = torch.utils.data.DataLoader(data, batch_size=task.batch, shuffle=True)
    entropy = torch.nn.CrossEntropyLoss()

    def epoch() -> tuple[float, float]:
        total, correct = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for x, y in loader:
            adam.zero_grad()
            scores = model(x)
            loss = entropy(scores, y)
            loss.backward()
            adam.step()
            total += loss.detach() * len(x)
            correct += (scores.argmax(1) == y).sum()
        return float(total) / len(data), float(correct) / len(data)

    def accuracy() -> float:
        with torch.inference_mode():
            return float((model(x_test).argmax(1) == y_test).float().mean())

    return epoch, accuracy
