import time

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x, y = load_digits(return_X_y=True)
x = (x / 16).astype(np.float32)
x_train, x_test, y_train, y_test = map(
    torch.from_numpy, train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)
)
x_train, x_val, y_train, y_val = map(
    torch.from_numpy,
    train_test_split(x_train.numpy(), y_train.numpy(), test_size=0.1, stratify=y_train.numpy(), random_state=0),
)
net = torch.nn.Sequential(
    torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)
)
optimizer = torch.optim.Adam(net.parameters(), lr=0.003)
loss_function = torch.nn.CrossEntropyLoss()
began = time.perf_counter()
for epoch in range(30):
    net.train()
    total = correct = 0.0
    for rows, labels in DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True):
        optimizer.zero_grad()
        outputs = net(rows)
        loss = loss_function(outputs, labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
        correct += (outputs.argmax(1) == labels).sum().item()
    net.eval()
    with torch.no_grad():
        outputs = net(x_val)
        val_loss = loss_function(outputs, y_val).item()
        val_accuracy = (outputs.argmax(1) == y_val).float().mean().item()
    print(f"{epoch + 1}: {total / len(x_train):.4f} {correct / len(x_train):.4f} {val_loss:.4f} {val_accuracy:.4f}")
print(f"{time.perf_counter() - began:.2f} s of training")
with torch.no_grad():
    print(f"{(net(x_test).argmax(1) == y_test).float().mean():.1%} of the held-out digits")
torch.save(net.state_dict(), "digits.pt")
