"""The lecture's neuron: tanh, exp and operators written by the learner and put on the class."""
import math

from micrograd.engine import Value


def tanh(self):
    x = self.data
    t = (math.exp(2 * x) - 1) / (math.exp(2 * x) + 1)
    out = Value(t, (self,), "tanh")

    def _backward():
        self.grad += (1 - t**2) * out.grad
    out._backward = _backward
    return out


def exp(self):
    out = Value(math.exp(self.data), (self,), "exp")

    def _backward():
        self.grad += out.data * out.grad
    out._backward = _backward
    return out


def rpow(self, other):
    out = Value(other ** self.data, (self,), f"{other}**")

    def _backward():
        self.grad += math.log(other) * out.data * out.grad
    out._backward = _backward
    return out


def truediv(self, other):
    print("dividing by", other)
    return self * other**-1


Value.tanh, Value.exp, Value.__rpow__, Value.__truediv__ = tanh, exp, rpow, truediv


def neuron(activation):
    x1, x2, w1, w2 = Value(2.0), Value(0.0), Value(-3.0), Value(1.0)
    b = Value(6.8813735870195432)
    n = x1 * w1 + x2 * w2 + b
    o = activation(n)
    o.backward()
    print(o, o._op, sorted(p._op for p in o._prev))
    for v in (n, x1, w1, x2, w2, b):
        print(v)


neuron(lambda n: n.tanh())
neuron(lambda n: 1 - 2 / ((2 * n).exp() + 1))
neuron(lambda n: 2 ** n)
neuron(lambda n: (2 ** (n * 0.5)).tanh() / 3)
