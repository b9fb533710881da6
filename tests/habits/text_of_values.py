"""Text: %-formats of int gradients, repr evaluated again, numbers parsed, truth of a gradient."""
# ruff: noqa: UP031
from micrograd.engine import Value
from micrograd.nn import MLP, Layer, Neuron


def parse(text):
    made = eval(text, {"Value": lambda data, grad: (data, grad)})
    v = Value(made[0])
    v.grad = made[1]
    return v


a, b, c = Value(2), Value(-3.5), Value(data=1e-7, _children=(), _op="")
d = a * b + c
e = d.relu() - 4 * a
print("%.4f" % a.grad, "%d" % a.grad, "%s" % a.grad, f"{b.data:8.3f}|{c.data:.2e}|{e.data:+}|{a.data:>5}|{a.grad:<3}|")
for v in (a, b, c, d, e, Value(1e22), Value(float("inf")), Value(float("nan")), Value(-0.0), Value(0.1 + 0.2)):
    print(v, repr(v) == str(v) == f"{v}", [v], "%r" % (v,))
    print(repr(parse(repr(v))) if v.data - v.data == 0 else "not finite")
print("zero grad" if not e.grad else "has grad", a.grad or "none", bool(a.grad), a.grad is not None, a.grad == 0)
e.backward()
for v in (a, b, c, d, e):
    print("%.4f" % v.grad, v.grad if v.grad else "none", str(v.data), float(str(v.data)) == v.data)
    print(repr(parse(repr(v))), (v.data).__gt__(0), v.data.__class__, type(v.grad).__name__)
print(len(repr(e)), repr(e).split("data=")[1].split(",")[0], e.__str__(), e.__repr__(), "e" + str(e), [a, (b,)])
print(MLP(3, [2, 2, 1]), Layer(2, 2), Layer(1, 1, nonlin=False), Neuron(2), Neuron(4, nonlin=False), str(MLP(1, [1])))
for v in ((a + 1) ** 0.5, a ** 2, a ** 2.0, a ** -1, a / b, 1 / a, a - b, -a, b.relu(), a ** 0, 1 - a, 2 * a, a * a):
    print(v, repr(v._op), sorted(str(p) for p in v._prev))
print(a.data.bit_length(), d.data.is_integer(), d.data.hex(), abs(b.data), round(e.data, 1))
