"""Gradients against finite differences."""
import random

from micrograd.engine import Value
from micrograd.nn import MLP

FUNCTIONS = {
    "polynomial": lambda a, b: 3 * a**2 - 4 * a + 5 - b**3 * a,
    "quotient": lambda a, b: (a + 2) / (b * b + 1) - 1 / b,
    "relu": lambda a, b: (a * b - 1).relu() + (-a).relu() * b + (a - b).relu() ** 2,
    "roots": lambda a, b: (a * a + 1) ** 0.5 * (b**2) ** -1.5,
    "shared": lambda a, b: (c := a * b) * c + c - (c + a) * (c - b),
    "readme": lambda a, b: ((a + b) * 3 - 2 * (b - a).relu()) ** 2 / 2.0 + 10.0 / (a * b + b**3 + 7),
}


def derivative(f, at, i, h=1e-6):
    up, down = list(at), list(at)
    up[i] += h
    down[i] -= h
    return (f(*map(Value, up)).data - f(*map(Value, down)).data) / (2 * h)


for name, f in FUNCTIONS.items():
    for at in ((1.5, -0.75), (-2.0, 0.5), (0.25, 3.0), (-1.25, -2.5)):
        a, b = map(Value, at)
        out = f(a, b)
        out.backward()
        slopes = [derivative(f, at, i) for i in (0, 1)]
        close = [abs(s - v.grad) < 1e-4 * max(1, abs(s)) for s, v in zip(slopes, (a, b))]
        print(name, at, out, a.grad, b.grad, slopes, close)
random.seed(2)
model = MLP(2, [3, 1])
x = [0.5, -1.5]
model(x).backward()
for p in model.parameters():
    old = p.data
    ends = []
    for h in (1e-5, -1e-5):
        p.data = old + h
        ends.append(model(x).data)
    p.data = old
    print(p, (ends[0] - ends[1]) / 2e-5, abs((ends[0] - ends[1]) / 2e-5 - p.grad) < 1e-6)
