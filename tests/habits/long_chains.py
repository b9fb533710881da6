"""Chains of 300 ops: sums, products, recurrences, many uses of one Value, many small graphs."""
from micrograd.engine import Value


def size(root):
    seen, todo = set(), [root]
    while todo:
        v = todo.pop()
        if v not in seen:
            seen.add(v)
            todo.extend(v._prev)
    return len(seen)


a = Value(1.0)
v = a
for i in range(300):
    v = v + i
v.backward()
print(v, a, size(v))
v = b = Value(2)
for _ in range(300):
    v = v * 1.0078125
v.backward()
print(v, b, size(v))
v = c = Value(0.5)
for i in range(100):
    v = (v * 0.75 - c * 0.25).relu() + 1 / 8
    if i % 20 == 0:
        print(i, v, repr(v._op))
v.backward()
print(v, c, size(v))
d = Value(3)
total = 0
for i in range(300):
    total += d * i if i % 3 else -d
total.backward()
print(total, d, size(total))
v = e = Value(1)
for _ in range(50):
    v = v + v
v.backward()
print(v, e, size(v))
low, high = Value(0), Value(1)
for _ in range(40):
    low, high = high, low + high
high.backward()
print(high, low.grad, size(high))
result = 0
for i in range(3000):
    x, y = Value(i % 7), Value(0.5)
    z = (x * y + i % 3).relu() - x / 4
    z.backward()
    result += z.data + x.grad * 2 + y.grad
print(result, z, x, y)
state, states = Value(0.25), []
for _ in range(60):
    state = state * 3.5 * (1 - state)
    states.append(state)
states[4].backward()
print([s.data for s in states[::6]], states[0].grad, states[4].grad, states[5].grad)
