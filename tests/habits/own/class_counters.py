"""Each node gets a number from a counter of the class: that is seen, and the class stays as it is."""


class Value:
    created = 0

    def __init__(self, data, _children=(), _op=''):
        self.data = data
        self.grad = 0
        self._backward = lambda: None
        self._prev = set(_children)
        self._op = _op
        Value.created += 1
        self.number = Value.created

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), '+')

        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), '*')

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out

    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other
    def __repr__(self): return f"v{self.number}={self.data} ({self.grad})"

    def backward(self):
        topo, visited = [], set()

        def build_topo(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build_topo(child)
                topo.append(v)
        build_topo(self)
        self.grad = 1
        for v in reversed(topo):
            v._backward()


print(Value.created)
x, y = Value(2), Value(3.5)
z = x * y + 2 * x + 1
z.backward()
print(x, y, z, Value.created)
print(sorted(v.number for v in z._prev))
for _ in range(10):
    z = z * 0.5 + x
print(z, Value.created)
