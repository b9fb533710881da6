"""Mistakes, each of which mypy reports, by the code behind it."""

import micrograd_c
from micrograd_c import Value, maximum, mean, softmax, viz, vmap
from micrograd_c.nn import MLP, Layer, Neuron
from micrograd_c.optim import SGD

a = Value(1.0)
Value("1")                          # arg-type
Value(1.0, 2.0)                     # arg-type
a + "1"                             # operator
a.data = "1"                        # assignment
a.rleu()                            # attr-defined
a.relu(1)                           # call-arg
a.tanh = None                       # method-assign, assignment
a.backward().data                   # attr-defined, func-returns-value
maximum(a)                          # call-arg
softmax(xs=[a])                     # call-arg
softmax(a)                          # arg-type
mean([a]).leyers                    # attr-defined
MLP(2, 1)                           # arg-type
MLP(2, [1], activation=1)           # arg-type
MLP(2, [1])([1.0]).rleu()           # attr-defined
Layer(2, 1)(1.0)                    # arg-type
Neuron(2, activation=len)           # arg-type
SGD((1.0,))                         # arg-type
SGD([a], lr="1")                    # arg-type
SGD([a], learning_rate=1)           # call-arg
vmap(1)                             # call-overload
vmap(lambda x: x * a, in_axes="0")  # call-overload
vmap(maximum)([1.0], [2.0]).grad    # attr-defined
viz.to_dot(a, rankdir="RL")         # arg-type
micrograd_c.grid                    # attr-defined
