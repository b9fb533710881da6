"""The lecture's trace() and draw_dot(): nodes, edges, ids as names."""
from micrograd.engine import Value


def trace(root):
    nodes, edges = set(), set()

    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    return nodes, edges


def describe(n):
    return f"{{ {n.label} | data {n.data:.4f} | grad {n.grad:.4f} }}"


def draw_dot(root):
    nodes, edges = trace(root)
    dot = {}
    for n in nodes:
        dot[str(id(n))] = describe(n)
        if n._op:
            dot[str(id(n)) + n._op] = n._op
    arrows = [(dot[str(id(a))], dot[str(id(b)) + b._op]) for a, b in edges]
    arrows += [(n._op, dot[str(id(n))]) for n in nodes if n._op]
    return dot, arrows


Value.label = ""
a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(-2.0)
for v, name in zip((a, b, c, f), "abcf"):
    v.label = name
e = a * b
e.label = "e"
d = e + c
d.label = "d"
L = d * f - a / 4 + (b - 1).relu() + d ** 2 + sum([a, e]) + 3 * a
L.label = "L"
L.backward()
dot, arrows = draw_dot(L)
print(len(dot), len(arrows), *map(len, trace(L)))
print("\n".join(sorted(dot.values())))
print("\n".join(sorted(f"{x} -> {y}" for x, y in arrows)))
print(len(trace(a * a)[0]), len(trace(a * a)[1]), trace(a)[1])
