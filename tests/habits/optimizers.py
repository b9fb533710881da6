"""SGD with momentum and Adam, their state kept on the parameters."""
import random

from micrograd.engine import Value
from micrograd.nn import MLP


def momentum(parameters, lr=0.02, mu=0.9):
    for p in parameters:
        if not hasattr(p, "velocity"):
            p.velocity = 0.0
        p.velocity = mu * p.velocity - lr * p.grad
        p.data += p.velocity


def adam(parameters, t, lr=0.05, b1=0.9, b2=0.999, eps=1e-8):
    for p in parameters:
        p.m = b1 * getattr(p, "m", 0) + (1 - b1) * p.grad
        p.v = b2 * getattr(p, "v", 0) + (1 - b2) * p.grad**2
        p.data -= lr * (p.m / (1 - b1**t)) / ((p.v / (1 - b2**t)) ** 0.5 + eps)


def decay(parameters, t):
    for i, p in enumerate(parameters):
        setattr(p, f"step{t % 2}", i)
        p.data -= (1.0 - 0.9 * t / 20) * 0.1 * p.grad


xs = [[2.0, 3.0], [3.0, -1.0], [0.5, 1.0], [1.0, 1.0]]
ys = [1.0, -1.0, -1.0, 1.0]
for name in ("momentum", "adam", "decay"):
    random.seed(42)
    model = MLP(2, [4, 1])
    for t in range(1, 9):
        loss = sum((model(x) - y) ** 2 for x, y in zip(xs, ys)) * (1 / len(ys))
        model.zero_grad()
        loss.backward()
        if name == "adam":
            adam(model.parameters(), t)
        else:
            globals()[name](model.parameters(), *([t] if name == "decay" else []))
        print(name, t, loss.data, loss.grad)
    for p in model.parameters():
        print(p, *(f"{key} {getattr(p, key)}" for key in ("velocity", "m", "v", "step0", "step1") if hasattr(p, key)))
print(sum(p.data for p in model.parameters()), isinstance(model.parameters()[0], Value))
