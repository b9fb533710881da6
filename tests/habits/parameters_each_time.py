"""parameters() rebuilt at every access, and the way down to one weight."""
import random

from micrograd.engine import Value
from micrograd.nn import MLP, Layer, Module, Neuron

random.seed(11)
m = MLP(3, [2, 2, 1])
print(len(m.parameters()), m.parameters() is m.parameters(), m.parameters() == m.parameters(), type(m.parameters()))
print(m.layers[0].neurons[0].w, m.layers[0].neurons[0].b, m.layers[-1].neurons[0].nonlin, len(m.layers), m.layers[0])
for i in range(len(m.parameters())):
    m.parameters()[i].data = round(m.parameters()[i].data * 4) / 2
    print(i, m.parameters()[i], m.parameters()[i] is m.parameters()[i])
m.layers[0].neurons[0].w[1].data = -3
m.layers[1].neurons[1].b.data += 2
m.layers[2].neurons[0].b = Value(0.5)
m.layers[0].neurons[1].w = [Value(k) for k in (1, 0.5, -1)]
m.parameters().clear()
m.layers[0].parameters().append(None)
print(len(m.parameters()), m.parameters()[0] is m.layers[0].neurons[0].w[0])
print(m.parameters()[-1] is m.layers[2].neurons[0].b)
x = [1.0, -2.0, 0.5]
for step in range(4):
    out = m(x)
    (out * out).backward()
    print(step, out, [p.grad for p in m.parameters()])
    for i in range(len(m.parameters())):
        m.parameters()[i].data -= 0.0625 * m.parameters()[i].grad
    if step % 2:
        m.zero_grad()
hidden = m.layers[0](x)
print(hidden, type(hidden).__name__, m.layers[2]([1, 2]), m.layers[0].neurons[1](x), type(m(x)).__name__)
print(isinstance(m, Module), isinstance(m.layers[0].neurons[0], Module), Module().parameters(), Module().zero_grad())
print(sum(isinstance(p, Value) for p in m.parameters()), {type(p.data).__name__ for p in m.parameters()})
m.layers.pop()
print(m, m(x), len(m.parameters()))
m.layers.append(Layer(2, 1, nonlin=False))
m.layers[0].neurons.append(Neuron(3))
m.layers[0].neurons.pop()
m.layers[0].neurons[0].nonlin = False
print(m, m(x), random.random())
random.seed(5)
print([p.data for p in MLP(2, [2]).parameters()], Neuron(2).w, random.random())
for nin, nouts in ((1, [1]), (2, [3]), (4, [3, 4, 2])):
    print(MLP(nin, nouts), len(MLP(nin, nouts).parameters()), type(MLP(nin, nouts)([1] * nin)).__name__)
