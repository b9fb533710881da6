"""Ints stay ints: biases, relu's 0, gradients, floor and true division of data."""
from micrograd.engine import Value
from micrograd.nn import MLP, Neuron

print(Value(0), Value(-7), Value(7).relu(), Value(-7).relu())
print(Value(-7.5).relu(), Value(0).relu(), Value(0.0).relu(), Value(-0.0).relu())
n = Neuron(2)
print(n.b, type(n.b.data).__name__, type(n.b.grad).__name__, n.w[0].grad)
n.w = [Value(2), Value(-3)]
for x in ([1, 1], [4, 1], [1.0, 0], [Value(2), Value(1)], [0, 0]):
    out = n(x)
    out.backward()
    print(x, out, type(out.data).__name__, n.w, n.b)
m = MLP(2, [2, 1])
for i, p in enumerate(m.parameters()):
    p.data = i - 2
out = m([3, -1])
out.backward()
print(out, *m.parameters(), m([3.0, -1]))
a, b = Value(6), Value(4)
results = [a + b, a - b, a * b, -a, a / b, a / 3,
           a ** 2, a ** 3, a ** -1, a ** 0, b ** 0.5, 1 + a, 2 * a, 1 - a, 12 / a,
           a * 1.0, a + 0.0, a ** 2.0, a * a - b * b, (a - b - 2).relu(), sum([a, b]), sum([a, b], 0.0)]
for r in results:
    r.backward()
    print(r, r._op, type(r.data).__name__, [type(p.data).__name__ for p in sorted(r._prev, key=lambda p: p.data)], a, b)
    a.grad = b.grad = 0
a.grad += 1
a.grad *= 2.5
a.data //= 4
b.data %= 3
print(a, b, type(a.grad).__name__, a.data / 2, a.data // 2, b.data << 2, divmod(a.data + 9, 4))
print(range(5)[b.data], [1, 2, 3][a.data])
b.data = 2
c = a * b
b.data = 2.5
c.backward()
print(c, a, b, c.data * 3, c.data is not None)
print(isinstance(c.data, int), isinstance((c * 0.5).data, float), hash(c.data) == hash(2))
print((Value(2**40) * 3 + 1), Value(10) ** 12, Value(-2) ** 3, Value(2) ** -2, Value(3) + True, Value(3) * False)
print(sum(Value(i) for i in range(10)), sum((Value(i) * i for i in range(5)), Value(0)))
print(Value(5) - 5, 0 * Value(3.5), Value(0) * -1)
