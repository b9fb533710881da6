"""A labelled graph copied deeply, and the copy walked."""
import copy

from micrograd.engine import Value
from micrograd.nn import MLP


def walk(root):
    seen, todo = [], [root]
    while todo:
        v = todo.pop()
        if v not in seen:
            seen.append(v)
            todo.extend(v._prev)
    return sorted((getattr(v, "label", "-"), v._op, v.data, v.grad, len(v._prev)) for v in seen)


x, y = Value(2), Value(-3.5)
x.label, y.label = "x", "y"
x.history = [1, 2]
h = x * y + x
h.label = "h"
out = (h * h).relu()
out.backward()
twin = copy.deepcopy(out)
print(walk(out) == walk(twin), twin is out, twin)
for row in walk(twin):
    print(row)
leaves = {v.label: v for p in twin._prev for v in p._prev}
print(leaves["h"] is h, leaves["h"].label, sorted(p._op for p in leaves["h"]._prev))
leaves["h"].label = "copy"
leaves["h"].data = 100
print(h, h.label, leaves["h"])
a = copy.deepcopy(x)
a.history.append(3)
a.data += 1
print(a, a.label, a.history, x, x.history, a._prev)
pair = copy.deepcopy([x, x, y])
print(pair[0] is pair[1], pair[0] is x, pair, copy.deepcopy({"k": x})["k"])
s = copy.copy(x)
s.data = 50
print(s, x, s.label, s.history is x.history)
model = MLP(2, [2, 1])
for i, p in enumerate(model.parameters()):
    p.data, p.index = i - 3.5, i
other = copy.deepcopy(model)
for p in other.parameters():
    p.data *= 2
print(model([1, -2]), other([1, -2]), model, other)
print([(p.index, p.data) for p in model.parameters()], [(p.index, p.data) for p in other.parameters()])
other([1, -2]).backward()
print([p.grad for p in model.parameters()], [p.grad for p in other.parameters()])
