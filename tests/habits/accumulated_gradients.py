"""Gradients that add up: over two graphs, over two backward calls, over mini-batches; seeds other than 1."""
from micrograd.engine import Value
from micrograd.nn import Neuron

w, b = Value(3.0), Value(-1)
first, second = w * 2 + b, (w * b).relu() - w
for v in (first, second, first, first + second, second * second):
    v.backward()
    print(v, w, b, first.grad, second.grad)
w.grad, b.grad = 0, 0.0
print(w, b)
x = Value(3)
y = x * x * x
for _ in range(3):
    y.backward()
    print(y, x.grad, [p.grad for p in y._prev if p is not x])
x.data = 5
y.backward()
print(y, x)
z = x * 2
z.backward()
z.backward()
print(z, x, z._backward(), x.grad)
x.grad = 0
z.grad = 4
z._backward()
print(x, z)
kept = (w * 4 + 1).relu()
for data in (1, -2, 0.5):
    w.data = data
    w.grad = 0
    kept.backward()
    print(data, kept, w)
neuron = Neuron(2, nonlin=False)
for p, data in zip(neuron.parameters(), (0.5, -2, 1)):
    p.data = data
for epoch in range(3):
    neuron.zero_grad()
    for batch in ([1, 2], [0, -4], [2.5, 1]):
        loss = neuron(batch) * 2 - 1
        loss.backward()
        print(epoch, loss, neuron.parameters())
    for p in neuron.parameters():
        p.data -= 0.25 * p.grad / 3 * 3
detached = Value(first.data) * w
detached.backward()
print(detached, w, first)
leaf = Value(8)
leaf.backward()
print(leaf, (leaf + leaf)._prev, leaf.backward(), leaf.grad)
