"""Weights copied between models: by data, by sharing, averaged, saved as text."""
import json
import random

from micrograd.engine import Value
from micrograd.nn import MLP, Layer, Neuron

random.seed(3)
student, teacher = MLP(2, [3, 1]), MLP(2, [3, 1])
x = [0.5, -1.25]
print(student(x), teacher(x))
for p, q in zip(student.parameters(), teacher.parameters()):
    p.data = q.data
print(student(x).data == teacher(x).data, student.parameters()[0] is teacher.parameters()[0])
for p, q in zip(student.parameters(), teacher.parameters()):
    q.data = 0.9 * q.data + 0.1 * round(p.data)
print(*teacher.parameters(), sep="\n")
saved = json.dumps([p.data for p in teacher.parameters()])
print(saved)
fresh = MLP(2, [3, 1])
for p, number in zip(fresh.parameters(), json.loads(saved)):
    p.data = number
print(fresh(x), fresh(x).data == teacher(x).data, [type(p.data).__name__ for p in fresh.parameters()])
student.layers[0].neurons[1].w[0] = teacher.layers[0].neurons[1].w[0]
student.layers[0].neurons[2].b = teacher.layers[0].neurons[2].b
student.layers[1] = teacher.layers[1]
shared = [i for i, (p, q) in enumerate(zip(student.parameters(), teacher.parameters())) if p is q]
print(shared, len(set(student.parameters()) | set(teacher.parameters())), student(x))
neuron = Neuron(2, nonlin=False)
neuron.w = [Value(1), Value(2.0)]
neuron.b = Value(-0.5)
print(neuron, neuron.parameters(), neuron([3, 4]), neuron([Value(3), 4.0]))
layer = Layer(2, 2, nonlin=False)
layer.neurons = [neuron, neuron]
outs = layer([1, 1])
print(layer, outs, outs[0] is outs[1], len(layer.parameters()))
(outs[0] + outs[1]).backward()
print(neuron.w, neuron.b)
layer.zero_grad()
print(neuron.w, neuron.b, [p.grad for p in student.parameters()])
