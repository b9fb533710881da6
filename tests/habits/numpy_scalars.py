"""NumPy scalars on both sides of every operator, as data, and as weights."""
import numpy as np
from micrograd.engine import Value
from micrograd.nn import MLP

v = Value(3.0)
for s in (np.float64(2.5), np.int64(4), np.int32(-2), np.float64(-1.0)):
    results = [s + v, v + s, s * v, v * s, s - v, v - s, s / v, v ** float(s), -v + s, (v * s).relu(), v - s * 2]
    if isinstance(s, float):
        results += [v / s, v ** s]
    print(type(s).__name__, *(f"{r.data:.15g} {r._op!r} {len(r._prev)} {type(r).__name__}" for r in results))
    out = sum(results)
    out.backward()
    print(f"{out.data:.12g} {v.grad:.12g}")
    v.grad = 0
row = np.array([0.5, -1.25, 3.0])
xs = list(map(Value, row))
print(xs, [str(x.data) for x in xs], np.mean([x.data for x in xs]), np.array([x.data for x in xs]).dtype)
x = xs[1]
x.data = np.float64(0.75)
x.data += np.float64(0.25)
x.data -= 0.5 * np.float64(2.0)
print(x, x.data == 0, x.data, f"{x.data:.3f}", isinstance(x.data, float))
model = MLP(3, [2, 1])
for p, w in zip(model.parameters(), np.linspace(-1, 1, 11)):
    p.data = np.float64(w)
y = model(row)
loss = (y - np.float64(0.5)) ** 2 + row[0] * y
loss.backward()
print(y, loss, f"{loss.data:.10f}", [f"{p.grad:.10f}" for p in model.parameters()])
for p in model.parameters():
    p.data -= np.float64(0.125) * p.grad
print(model(list(row)), model(tuple(row)), model([Value(r) for r in row]), model(np.array([1, 2, 3])).data)
print(np.sign(x.data), np.isclose(y.data, model(row).data), np.float64(y.data) + 1 == y.data + 1)
print(round(float(y.data), 6))
print(np.argmax([p.grad for p in model.parameters()]), np.clip(y.data, -0.1, 0.1) == 0.1, -v, v * np.float64(0))
