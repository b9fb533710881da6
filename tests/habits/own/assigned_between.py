"""Data is assigned to between a forward pass and its backward(): derivatives are kept as they were."""
import math


class Value:
    __slots__ = ("data", "grad", "_children", "_local_grads")

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0
        self._children = children
        self._local_grads = local_grads

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, other): return Value(self.data**other, (self,), (other * self.data**(other - 1),))
    def exp(self): return Value(math.exp(self.data), (self,), (math.exp(self.data),))
    def relu(self): return Value(max(0, self.data), (self,), (float(self.data > 0),))
    def __neg__(self): return self * -1
    def __radd__(self, other): return self + other
    def __sub__(self, other): return self + (-other)
    def __rmul__(self, other): return self * other

    def backward(self):
        topo, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                for child in v._children:
                    build(child)
                topo.append(v)
        build(self)
        self.grad = 1
        for v in reversed(topo):
            for child, local_grad in zip(v._children, v._local_grads):
                child.grad += local_grad * v.grad


def grads(*values):
    found = [v.grad for v in values]
    for v in values:
        v.grad = 0
    return found


# two players, whose losses were computed before either moved
g, d = Value(0.5), Value(-1.25)
for step in range(5):
    fake = (g * 2.0).exp()
    d_loss, g_loss = (fake * d - 1) ** 2, (fake * d).relu() - fake * d * 0.5
    d_loss.backward()
    d.data -= 0.01 * d.grad
    print(step, d_loss.data, grads(d, g), d.data)
    g_loss.backward()
    g.data -= 0.01 * g.grad
    print(step, g_loss.data, grads(d, g), g.data)

# slopes beside differences
x, y = Value(3), Value(0.75)
loss = x * y * x + y ** 3
for p in (x, y):
    was = p.data
    p.data = was + 1e-6
    higher = (x * y * x + y ** 3).data
    p.data = was - 1e-6
    lower = (x * y * x + y ** 3).data
    p.data = 100
    print(round((higher - lower) / 2e-6, 6))
loss.backward()
print(grads(x, y), x.data, y.data)

# a graph that grows while its leaves move, swept more than once, and with an int assigned to one that was computed
w, history, total = Value(2.0), [], Value(0)
for step in range(4):
    middle = w * w
    total = total + middle * (step + 1)
    history.append(middle * 3)
    w.data += 1
    middle.data = 7
total.backward()
print(grads(w), w.data, [h.data for h in history])
total.backward()
print(grads(w), total.grad)
for h in history[::2] + history[:1]:
    h.backward()
    w.data *= 0.5
    print(grads(w), w.data)
del history
for step in range(50):
    loss = (w - 1) * (w - 1)
    loss.backward()
    w.data -= 0.1 * w.grad
    w.grad = 0
print(w.data, loss.data)
