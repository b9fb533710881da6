"""The model's functions of several Values: sums of products, softmax and the like, choices, no_grad, pictures."""

import contextlib
import functools
import operator

import rules
from model import Value, result
from nodes import below, paused
from rules import number

# --- vectors ---


def sumprod(ws, xs, start=0):
    ws, xs = inputs(ws), inputs(xs)
    if len(ws) != len(xs):
        raise ValueError
    return sum((w * x for w, x in zip(ws, xs)), start if isinstance(start, Value) else number(start))


def linear(rows, xs, biases=None):
    rows, xs = [inputs(row) for row in rows], inputs(xs)
    biases = [0] * len(rows) if biases is None else inputs(biases)
    if len(biases) != len(rows) or any(len(row) != len(xs) for row in rows):
        raise ValueError
    return [sum((w * x for w, x in zip(row, xs)), b) for row, b in zip(rows, biases)]


def take(table, index):
    return table[int(float(index))]


def scan(fn, carry, xs):
    """With ys in a list."""
    ys = []
    for x in xs:
        carry, y = fn(carry, x)
        ys.append(y)
    return carry, ys


def inputs(xs):
    return [x if isinstance(x, Value) else number(x) for x in xs]


def as_values(xs):
    xs = inputs(xs)
    if not xs:
        raise ValueError
    return [x if isinstance(x, Value) else Value(x) for x in xs]


def softmax(xs):
    exps = exps_below(as_values(xs))[0]
    total = sum(exps)
    return [e / total for e in exps]


def log_softmax(xs):
    xs = as_values(xs)
    top = max(x.data for x in xs)
    shifted = [x - top for x in xs]
    exps = [x.exp() for x in shifted]
    total = sum(exps).log()
    return [x - total for x in shifted]


def logsumexp(xs):
    exps, top = exps_below(as_values(xs))
    return sum(exps).log() + top


def cross_entropy(logits, target):
    target = operator.index(target)
    if logits and not 0 <= target < len(logits):
        raise IndexError
    logits = as_values(logits)
    exps, top = exps_below(logits)
    return sum(exps).log() - (logits[target] - top)


def exps_below(xs):
    top = max(x.data for x in xs)
    return [(x - top).exp() for x in xs], top


def mean(xs):
    xs = inputs(xs)
    if not xs:
        raise ValueError
    if isinstance(xs[0], Value):
        xs = as_values(xs)
    return sum(xs) / len(xs)


# --- numbers of several Values ---


class FlatVector(list):
    def __init__(self, values, attribute):
        numbers = [getattr(value, attribute) for value in values]
        super().__init__(0.0 if number is None else float(number) for number in numbers)
        self.values, self.attribute = values, attribute

    def copy_(self, numbers=None):
        self[:] = map(float, self if numbers is None else numbers)
        for value, one in zip(self.values, self):
            setattr(value, self.attribute, one)
        return self

    def tolist(self):
        return list(self)


def flat(values, attribute="data"):
    return FlatVector(list(dict.fromkeys(values)), attribute)


# --- choices ---


def as_value(x):
    return x if isinstance(x, Value) else Value(x)


def maximum(a, b):
    return of_two(as_value(a), as_value(b), lambda x, y: x if x >= y or x != x else y, "max", rules.of_maximum)


def minimum(a, b):
    return of_two(as_value(a), as_value(b), lambda x, y: x if x <= y or x != x else y, "min", rules.of_minimum)


def none_of(x, y):
    """What leaves a sum as it is."""
    return 0 if isinstance(x, int) and isinstance(y, int) else -0.0


def where(condition, a, b):
    condition = as_value(condition)
    a = of_two(condition, as_value(a), lambda x, y: y if x != 0 else none_of(x, y), "pick", rules.of_pick)
    b = of_two(condition, as_value(b), lambda x, y: y if x == 0 else none_of(x, y), "pick not", rules.of_pick_not)
    return a + b


def of_two(a, b, choose, name, rule):
    data = choose(a._data, b._data)
    if not (type(a._data) is int and type(b._data) is int):
        data = float(data)
    return result(data, (a, b), name, rule)


def stop_gradient(x):
    x = as_value(x)
    return result(x._data, (x,), "stop", rules.of_stop)


# --- no_grad ---


class no_grad(contextlib.ContextDecorator):
    def __new__(cls, function=None):
        self = super().__new__(cls)
        return self if function is None else self(function)

    def __enter__(self):
        paused.set(paused.get() + 1)
        return self

    def __exit__(self, *exception):
        paused.set(paused.get() - 1)

    def __call__(self, function):
        return functools.wraps(function)(super().__call__(function))


# --- looking ---


def in_order(values):
    return sorted(values, key=lambda value: value._birth)


def count_ops(root):
    counts = {}
    for node in below(root):
        counts[node._op] = counts.get(node._op, 0) + 1
    return counts


def nearest(root, limit):
    found, todo = {root: None}, [root]
    for node in todo:
        for child in in_order(node._prev):
            if child not in found and len(found) != limit:
                found[child] = None
                todo.append(child)
    return found


def to_dot(root, limit=None):
    names = {node: f"n{k}" for k, node in enumerate(in_order(nearest(root, limit)))}
    lines = []
    for node, name in names.items():
        label = getattr(node, "label", None)
        fields = [*([str(label)] if label is not None and str(label) else []),
                  f"data {node.data:.4f}", "grad None" if node.grad is None else f"grad {node.grad:.4f}"]
        lines.append(f'{name} [label="{{ {" | ".join(fields)} }}" shape=record]')
        target = name
        if node._op:
            target = f"{name}_op"
            lines += [f'{target} [label="{node._op}"]', f"{target} -> {name}"]
        lines += [f"{names[child]} -> {target}" for child in in_order(node._prev) if child in names]
    return "digraph {\n\tgraph [rankdir=LR]\n" + "".join(f"\t{line}\n" for line in lines) + "}\n"
