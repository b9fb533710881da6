"""XOR learnt by a small MLP, every step printed."""
import random

from micrograd.engine import Value
from micrograd.nn import MLP

random.seed(1337)
model = MLP(2, [4, 4, 1])
inputs = [[0, 0], [0, 1], [1, 0], [1, 1]]
targets = [0, 1, 1, 0]
print(model, len(model.parameters()))
for k in range(20):
    outputs = [model(x) for x in inputs]
    total = Value(0.0)
    for out, y in zip(outputs, targets):
        total += (out - y) ** 2
    loss = total / 4
    model.zero_grad()
    loss.backward()
    rate = 0.2 - 0.15 * k / 20
    for p in model.parameters():
        p.data -= rate * p.grad
    right = sum(int((out.data > 0.5) == bool(y)) for out, y in zip(outputs, targets))
    print(f"step {k} loss {loss.data} right {right}/4", total, outputs)
print([type(p.grad).__name__ for p in model.parameters()], *model.parameters(), sep="\n")
for x in inputs:
    print(x, model(x), model(list(map(Value, x))), model(list(map(float, x))))
