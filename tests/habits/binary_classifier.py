"""The demo's loss on points in a plane: max-margin, regularization, accuracy, batches."""
import random

from micrograd.engine import Value
from micrograd.nn import MLP

random.seed(7)
X = [[random.uniform(-1, 1), random.uniform(-1, 1)] for _ in range(24)]
y = [1 if a * a + b > 0.3 else -1 for a, b in X]
model = MLP(2, [6, 6, 1])


def loss(batch=None):
    chosen = list(range(len(X))) if batch is None else random.sample(range(len(X)), batch)
    inputs = [list(map(Value, X[i])) for i in chosen]
    scores = list(map(model, inputs))
    losses = [(1 + -y[i] * s).relu() for i, s in zip(chosen, scores)]
    data_loss = sum(losses) * (1.0 / len(losses))
    alpha = 1e-4
    reg_loss = alpha * sum(p * p for p in model.parameters())
    accuracy = [(y[i] > 0) == (s.data > 0) for i, s in zip(chosen, scores)]
    return data_loss + reg_loss, sum(accuracy) / len(accuracy), data_loss, reg_loss


for k in range(20):
    total, accuracy, data_loss, reg_loss = loss(None if k % 4 else 10)
    model.zero_grad()
    total.backward()
    learning_rate = 0.5 - 0.4 * k / 20
    for p in model.parameters():
        p.data -= learning_rate * p.grad
    print(f"step {k} loss {total.data}, accuracy {accuracy * 100}%", data_loss.data, reg_loss.data, total.grad)
print([p.data for p in model.parameters()], loss()[1], sum(p.grad == 0 for p in model.parameters()))
grid = [[a / 2, b / 2] for b in range(2, -3, -1) for a in range(-2, 3)]
marks = "".join("+" if model(list(map(Value, point))).data > 0 else "." for point in grid)
print(*(marks[i:i + 5] for i in range(0, 25, 5)), sep="\n")
