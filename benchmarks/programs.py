"""What is timed, and a way to give each contender its own copy of it. Knows nothing of clocks."""

import importlib.util


def fresh_copy(module):
    """A new copy of a module that shares no code objects with the others.

    CPython specialises bytecode for the types it meets. Contenders that share bytecode would undo each other's: floats
    that take turns with Values on one loop lose their fast path.
    """
    spec = importlib.util.find_spec(module)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


def chain(x, a, b, turns):
    """Two operations a turn, each on the result of the one before. For floats and Values."""
    for _ in range(turns):
        x = x * b + a
    return x


def expression(Value):
    """The example in micrograd's README; returns g, a and b after g.backward()."""
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return g, a, b


def expressions(Value, times):
    """The example again and again."""
    for _ in range(times):
        expression(Value)
