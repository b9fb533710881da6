"""Core methods replaced on the class: repr, operators, relu, backward."""
from micrograd.engine import Value
from micrograd.nn import MLP, Neuron

counts = {}
add, mul, power, backward = Value.__add__, Value.__mul__, Value.__pow__, Value.backward


def counting(name, method):
    def wrapper(self, *others):
        counts[name] = counts.get(name, 0) + 1
        out = method(self, *others)
        if isinstance(out, Value):
            out.origin = name
        return out
    return wrapper


def leaky(self):
    out = Value(self.data if self.data > 0 else 0.125 * self.data, (self,), "leaky")

    def _backward():
        self.grad += (1 if self.data > 0 else 0.125) * out.grad
    out._backward = _backward
    return out


def general_pow(self, other):
    if not isinstance(other, Value):
        return power(self, other)
    out = Value(self.data ** other.data, (self, other), "pow")

    def _backward():
        self.grad += other.data * self.data ** (other.data - 1) * out.grad
    out._backward = _backward
    return out


def clean_backward(self):
    todo = [self]
    while todo:
        v = todo.pop()
        v.grad = 0
        todo.extend(v._prev)
    backward(self)
    return self


neuron, model = Neuron(2), MLP(2, [2, 1])
for i, p in enumerate([*neuron.parameters(), *model.parameters()]):
    p.data = (i % 5) / 2 - 1
x = [Value(1.5), Value(-2)]
print(neuron(x), model(x), x[0] ** 2)
Value.__repr__ = lambda self: f"<{self.data:g}|{self.grad:g}>"
print(neuron(x), model(x), x, str(x[0]), f"{x[1]}", neuron)
Value.__add__, Value.__mul__ = counting("add", add), counting("mul", mul)
for make in (lambda: x[0] - x[1], lambda: -x[0], lambda: 1 - x[0], lambda: x[0] / 2, lambda: sum(x), lambda: 3 / x[0],
             lambda: neuron(x), lambda: model(x), lambda: 2 * x[0] + 1, lambda: sum(x, x[0]), lambda: x[0] - 2.0):
    out = make()
    print(out, out._op, getattr(out, "origin", None), sorted(counts.items()))
    counts.clear()
Value.relu, Value.__pow__ = leaky, general_pow
print(neuron(x), neuron(x)._op, model(x), Value(2) ** Value(3.0), Value(2) ** 3, 1 / Value(4))
Value.backward = clean_backward
out = neuron(x) * 2 + (x[0] ** Value(2)) * 4
print(out.backward(), out.backward(), neuron.parameters(), x)
Value.zero_grad = lambda self: setattr(self, "grad", 0)
Value.__radd__ = lambda self, other: Value(100)
Value.__neg__ = lambda self: self * Value(-1.5)
Value.__sub__ = lambda self, other: self + (-other if isinstance(other, Value) else other * -2)
x[0].zero_grad()
print(x, sum(x), 1 + x[0], -x[0], x[0] - x[1], x[0] - 1, 1 - x[0], neuron(x))
Value.__add__, Value.__mul__, Value.__pow__ = add, mul, power
print(x[0] + x[1], hasattr(x[0] + x[1], "origin"), x[0] * 2, x[0] ** 2, counts)
Value.__call__, Value.__len__ = lambda self, k: self * k, lambda self: 3
Value.__getitem__ = lambda self, i: [self.data] * i
print(x[0](4), len(x[0]), x[0][2])
