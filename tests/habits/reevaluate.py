"""A graph built once and evaluated again in place: _forward closures, gradients put to zero."""
from micrograd.engine import Value

add, mul, relu, power = Value.__add__, Value.__mul__, Value.relu, Value.__pow__


def with_forward(method, compute):
    def op(self, *others):
        others = [o if isinstance(o, Value) or method is power else Value(o) for o in others]
        out = method(self, *others)

        def _forward():
            out.data = compute(self.data, *(o.data if isinstance(o, Value) else o for o in others))
        out._forward = _forward
        return out
    return op


Value.__add__ = with_forward(add, lambda a, b: a + b)
Value.__mul__ = with_forward(mul, lambda a, b: a * b)
Value.__pow__ = with_forward(power, lambda a, b: a ** b)
Value.relu = with_forward(relu, lambda a: max(a, 0))


def topological(root):
    order, seen = [], set()

    def visit(v):
        if v not in seen:
            seen.add(v)
            for p in v._prev:
                visit(p)
            order.append(v)
    visit(root)
    return order


x, w, b, target = Value(1.0), Value(0.5), Value(0), Value(2)
error = ((x * w + b).relu() - target) ** 2
order = topological(error)
print(len(order), sum(hasattr(v, "_forward") for v in order))
for step in range(12):
    x.data, target.data = [(1, 2), (2.0, 3), (-1.5, 0.25), (4, -1)][step % 4]
    for v in order:
        if hasattr(v, "_forward"):
            v._forward()
    for v in order:
        v.grad = 0
    error.backward()
    print(step, error, w, b, x, sorted((v._op, v.data, v.grad) for v in order))
    for p in (w, b):
        p.data -= 0.0625 * p.grad
