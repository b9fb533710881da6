"""Object arrays of Values: sums, products, dots, exp, max, slices."""
import math

import numpy as np
from micrograd.engine import Value


def exp(self):
    out = Value(math.exp(self.data), (self,), "exp")

    def _backward():
        self.grad += out.data * out.grad
    out._backward = _backward
    return out


Value.exp = exp
Value.__lt__ = lambda self, other: self.data < (other.data if isinstance(other, Value) else other)
Value.__gt__ = lambda self, other: self.data > (other.data if isinstance(other, Value) else other)
Value.__ge__ = lambda self, other: self.data >= (other.data if isinstance(other, Value) else other)

x = np.array([[Value(1.0), Value(-2.0)], [Value(0.5), Value(3)]])
w = np.array([[2.0, 1], [-1, 0.25]])
print(x.shape, x.dtype, x + 1, 2 * x, x * w, -x, w - x, x ** 2, sep="\n")
print(np.sum(x), x.sum(axis=0), np.multiply(x, w).sum(), x.dot(w), w.dot(x), x @ x, sep="\n")
print(x.max(), x.min(), x.max(axis=1), x.argmax(), np.argsort([v.data for v in x.flat]), x.T[0][1] is x[0][1])
print(x.sum() / x.size ** 1.0, [v._op for v in (x / 2).flat])
print(np.dstack([x, x]).shape, np.dstack([x, x])[1, 1, 0] is x[1, 1])
m = x - x.max()
m += 1
print(m, np.exp(m), [v.data for v in np.exp(m).ravel()], sep="\n")
probs = np.exp(x[0]) / np.exp(x[0]).sum()
probs[1].backward()
print(probs, x[0], np.mean([p.data for p in probs]), sum(p.data for p in probs))
for v in x.flat:
    v.grad = 0
total = np.sum(np.multiply(x, x)) + np.dot(x[0], w[0])
total.backward()
print(total, [[v.grad for v in row] for row in x], np.array([v.data for v in x.reshape(-1)], dtype=float).reshape(2, 2))
data = np.vectorize(lambda v: v.data, otypes=[float])
grad = np.vectorize(lambda v: v.grad, otypes=[float])
print(data(x), grad(x), x > 0.75, np.array([Value(i) for i in range(3)]) - np.arange(3), sep="\n")
outer = np.array([1, 2]) * Value(3) + 1
print(outer, type(outer).__name__, type(outer[0]).__name__, np.array(Value(5)).shape, np.asarray([Value(5)]).item())
