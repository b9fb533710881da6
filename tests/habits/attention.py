"""Two heads of attention on Values, with softmax written by the user from exp and division."""
import math
import random

from micrograd.engine import Value
from micrograd.nn import Module


def exp(v):
    out = Value(math.exp(v.data), (v,), "exp")

    def _backward():
        v.grad += out.data * out.grad
    out._backward = _backward
    return out


def softmax(row):
    top = max(v.data for v in row)
    exps = [exp(v - top) for v in row]
    total = sum(exps)
    return [e / total for e in exps]


def matmul(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def matrix(rows, columns):
    return [[Value(random.gauss(0, 0.5)) for _ in range(columns)] for _ in range(rows)]


class Head(Module):
    def __init__(self, width, size):
        self.q, self.k, self.v = (matrix(width, size) for _ in range(3))

    def __call__(self, x):
        q, k, v = matmul(x, self.q), matmul(x, self.k), matmul(x, self.v)
        scores = [[sum(a * b for a, b in zip(qi, kj)) * len(qi)**-0.5 for kj in k[:i + 1]] for i, qi in enumerate(q)]
        self.weights = [softmax(row) for row in scores]
        return [matmul([row], v[:len(row)])[0] for row in self.weights]

    def parameters(self):
        return [p for m in (self.q, self.k, self.v) for row in m for p in row]


random.seed(21)
tokens, heads, mix = matrix(3, 4), [Head(4, 2), Head(4, 2)], matrix(4, 4)
parameters = [p for h in heads for p in h.parameters()] + [p for row in mix for p in row]
for step in range(4):
    both = [a + b for a, b in zip(*(h(tokens) for h in heads))]
    y = [[(a + b).relu() for a, b in zip(r, s)] for r, s in zip(matmul(both, mix), tokens)]
    loss = sum((a - 1) ** 2 for row in y for a in row) / 12
    for p in parameters:
        p.grad = 0
    loss.backward()
    for p in parameters:
        p.data -= 0.3 * p.grad
    print(step, loss, [[w.data for w in row] for row in heads[1].weights])
    print([p.grad for p in parameters])
print(y[2], tokens[1], sum(v.data for v in heads[0].weights[2]), len(parameters))
