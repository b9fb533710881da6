"""sum() with and without a start, means, losses that begin at 0 or at Value(0.0), in-place operators."""
from micrograd.engine import Value


def nodes(root):
    seen, todo = set(), [root]
    while todo:
        v = todo.pop()
        if v not in seen:
            seen.add(v)
            todo.extend(v._prev)
    return seen


def show(name, root):
    below = nodes(root)
    root.backward()
    print(name, root, repr(root._op), len(below), sorted((v._op, v.data, v.grad) for v in below))
    for v in below:
        v.grad = 0


vs = [Value(1), Value(2.5), Value(-3)]
targets = [2, -0.5, 4.0]
n = len(vs) + 1
show("sum", sum(vs))
show("sum from Value", sum(vs, Value(0)))
show("sum from float", sum(vs, 0.0))
show("sum from first", sum(vs[1:], vs[0]))
show("generator", sum(v * v for v in vs))
show("mean", sum(vs) / n)
show("1/n", (1 / n) * sum(vs))
show("1.0/n", sum(vs) * (1.0 / n))
for start in (0, 0.0, Value(0), Value(0.0)):
    loss = start
    for p, y in zip(vs, targets):
        loss += (p - y) ** 2
    show(f"loss from {start}", loss)
loss = sum([(p - y) ** 2 for p, y in zip(vs, targets)]) + 0.5 * sum(p * p for p in vs)
show("with penalty", loss)
before = x = vs[0]
x += 1
x *= vs[1]
x -= 2
x /= 4
x **= 2
print(x, before, x is before, before is vs[0])
show("in place", x)
product = 1
for v in vs:
    product *= v
show("product", product)
show("hinge", sum((1 + -y * p).relu() for y, p in zip((1, -1, 1), vs)) * (1.0 / 4))
show("one", sum([vs[0]]))
show("twice", sum([vs[0], vs[0]]))
print(sum([]), sum([], vs[0]) is vs[0], sum(v.data for v in vs), sum([v.grad for v in vs]), max(v.data for v in vs))
rows = [[Value(1), Value(2)], [Value(3), Value(4.0)]]
matrix = [[sum(a * b for a, b in zip(row, column)) for column in zip(*rows)] for row in rows]
print(matrix)
show("trace", matrix[0][0] + matrix[1][1])
