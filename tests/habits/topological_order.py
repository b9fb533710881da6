"""Topological order by hand, _backward() called node by node."""
from micrograd.engine import Value

calls = []


def topological(root):
    order, visited = [], set()

    def build(v):
        if v not in visited:
            visited.add(v)
            for child in sorted(v._prev, key=lambda c: (c.data, c._op)):
                build(child)
            order.append(v)

    build(root)
    return order


x, w, b = Value(3.0), Value(-2.0), Value(8)
xw = x * w
o = (xw + b).relu()
loss = (o - 4) ** 2
order = topological(loss)
for v in order:
    print(v, repr(v._op), len(v._prev), v._prev == set(), all(order.index(p) < order.index(v) for p in v._prev))
print(order[-1] is loss, order[0]._prev, x._backward())
loss.grad = 1.0
for v in reversed(order):
    print(v._backward(), [n.grad for n in order])
print("by hand again, one node twice")
for v in order:
    v.grad = 0
loss.grad = 1
for v in (loss, loss, order[-2], order[-2]):
    v._backward()
    print([n.grad for n in order])


def counted(v, step):
    def _backward():
        calls.append(v._op)
        step()
        v.clipped = max(-1.0, min(1.0, v.grad))
    return _backward


for v in order:
    v._backward = counted(v, v._backward)
    v.grad = 0
loss.backward()
print(calls[0], sorted(calls), [(v.grad, v.clipped) for v in order])
