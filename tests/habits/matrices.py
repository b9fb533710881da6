"""Lists of lists of Values: products, transposes, a convolution, an LU step, a cumulative sum."""
import itertools

from micrograd.engine import Value


def make(rows):
    return [[Value(x) for x in row] for row in rows]


def matmul(a, b):
    return [[sum((x * y for x, y in zip(row, column)), Value(0)) for column in zip(*b)] for row in a]


def grads(m):
    return [[v.grad for v in row] for row in m]


A, B = make([[1, 2], [3, 4.5], [-1, 0]]), make([[0.5, -2, 1], [4, 0, 1]])
C = matmul(A, B)
D = matmul(B, A)
print(*C, *D, sep="\n")
trace = sum(C[i][i] for i in range(3))
trace.backward()
print(trace, grads(A), grads(B), grads(C))
norm = sum(v ** 2 for row in D for v in row)
norm.backward()
print(norm, grads(A), grads(B), [[p.grad for p in row] for row in zip(*D)])
signal, kernel = [Value(i % 4 - 1) for i in range(8)], [Value(0.5), Value(-1), Value(2)]
conv = [sum(k * s for k, s in zip(kernel, signal[i:])) for i in range(len(signal) - 2)]
pooled = [max(conv[i:i + 2], key=lambda v: v.data) for i in range(0, 6, 2)]
sum(p.relu() for p in pooled).backward()
print(conv, pooled, kernel, [s.grad for s in signal])
M = make([[2, 1], [4, 8]])
factor = M[1][0] / M[0][0]
rest = M[1][1] - factor * M[0][1]
determinant = M[0][0] * rest
determinant.backward()
print(factor, rest, determinant, grads(M))
running = list(itertools.accumulate(signal))
products = list(itertools.accumulate(signal[4:], lambda p, q: p * q + 1))
print(running, products)
running[-1].backward()
products[-1].backward()
print([s.grad for s in signal], [r.grad for r in running])
points = make([[0, 1], [2, -1], [4, 4]])
centre = [sum(c) / 4 for c in zip(*points)]
spread = sum((p - c) ** 2 for point in points for p, c in zip(point, centre))
spread.backward()
print(centre, spread, grads(points), *map(sum, grads(points)))
