"""Weights saved as JSON and by pickle, read again, and copied; statistics of class attributes."""
import copy
import json
import math
import pickle
import random


class Value:
    """A scalar."""
    __slots__ = ("data", "grad", "_children", "_local_grads")
    precision = 4

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

    def exp(self):
        return Value(math.exp(self.data), (self,), (math.exp(self.data),))

    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other
    def __repr__(self): return f"Value({self.data:.{self.precision}f})"
    def to_json(self): return {"data": self.data, "grad": self.grad}

    @classmethod
    def from_json(cls, saved):
        value = cls(saved["data"])
        value.grad = saved["grad"]
        return value

    @property
    def is_leaf(self): return not self._children

    def backward(self):
        topo, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                for c in v._children:
                    build(c)
                topo.append(v)
        build(self)
        self.grad = 1
        for v in reversed(topo):
            for c, g in zip(v._children, v._local_grads):
                c.grad += g * v.grad


random.seed(9)
weights = {name: [Value(random.gauss(0, 1)) for _ in range(3)] for name in "abc"}
out = sum(a * b.exp() + c for a, b, c in zip(*weights.values()))
out.backward()
text = json.dumps({name: [w.to_json() for w in row] for name, row in weights.items()})
print(text)
read = {name: [Value.from_json(saved) for saved in row] for name, row in json.loads(text).items()}
print([(w.data == r.data, w.grad == r.grad) for name in "abc" for w, r in zip(weights[name], read[name])])
pickled = pickle.dumps(weights)
again = pickle.loads(pickled)
print(len(pickled), again, [w.grad for w in again["b"]], type(again["a"][0]) is Value)
graph = pickle.loads(pickle.dumps(out))
print(graph, graph.grad, len(graph._children), graph._children[0]._children[0].data)
clone = copy.deepcopy(weights)
clone["a"][0].data = 5
print(clone["a"], weights["a"], copy.copy(out), out.is_leaf, Value(1).is_leaf)
Value.precision = 1
print(weights["c"], isinstance(out, Value), [type(v).__qualname__ for v in out._children])
