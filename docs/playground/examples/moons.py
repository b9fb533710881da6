# The demo of micrograd: a network of 337 parameters learns to tell two moons apart.

import csv
import random

from micrograd.engine import Value
from micrograd.nn import MLP

with open("moons.csv", newline="") as file:
    rows = list(csv.DictReader(file))
X = [[float(row["x"]), float(row["y"])] for row in rows]
y = [int(row["label"]) for row in rows]     # -1 or 1

random.seed(1337)
model = MLP(2, [16, 16, 1])


def loss():
    inputs = [list(map(Value, xrow)) for xrow in X]
    scores = list(map(model, inputs))

    # the max-margin loss, and regularisation
    losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(y, scores)]
    data_loss = sum(losses) * (1.0 / len(losses))
    alpha = 1e-4
    reg_loss = alpha * sum(p * p for p in model.parameters())

    accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(y, scores)]
    return data_loss + reg_loss, sum(accuracy) / len(accuracy)


for k in range(100):
    total_loss, accuracy = loss()
    model.zero_grad()
    total_loss.backward()

    learning_rate = 1.0 - 0.9 * k / 100
    for p in model.parameters():
        p.data -= learning_rate * p.grad

    print(f"step {k} loss {total_loss.data}, accuracy {accuracy * 100}%")
