"""A line and a parabola fitted by gradient descent, printed at every step."""
import random

from micrograd.engine import Value

random.seed(0)
xs = [i / 4 for i in range(-8, 8)]
ys = [2.5 * x - 1 + random.gauss(0, 0.1) for x in xs]
slope, intercept, curve = Value(random.random()), Value(0), Value(0.0)
for step in range(20):
    predictions = [curve * x**2 + slope * x + intercept for x in xs]
    loss = sum((p - y) ** 2 for p, y in zip(predictions, ys)) / len(xs)
    for v in (slope, intercept, curve):
        v.grad = 0
    loss.backward()
    print(f"{step:3d} loss {loss.data:.6f} slope {slope.data:.4f} intercept {intercept.data:.4f}")
    print(loss, slope, intercept, curve)
    rate = 0.2 if step < 10 else 0.1
    slope.data += -rate * slope.grad
    intercept.data += -rate * intercept.grad
    curve.data -= rate * curve.grad * 0.5
x = Value(3.0)
y = slope * x + intercept
y.backward()
print(y, x, [p.data for p in predictions])
root = Value(1.0)       # Newton's method, gradient for gradient
for _ in range(6):
    f = root ** 2 - 2
    root.grad = 0
    f.backward()
    root.data -= f.data / root.grad
    print(root, f)
