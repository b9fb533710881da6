"""scan in a function that is traced: one step is recorded for all. Oracle is the loop written out, to the last bit."""

import collections
import copy
import importlib
import math
import pickle
import random
import threading
import types

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from micrograd_c import (
    TraceError,
    grad,
    gradients,
    hessian,
    jacfwd,
    jit,
    jvp,
    log_softmax,
    maximum,
    no_grad,
    scan,
    stop_gradient,
    sumprod,
    take,
    value_and_grad,
    vmap,
    where,
)
from micrograd_c._core.transforms import rolled_scan
from micrograd_c.engine import Value
from micrograd_c.nn import MLP
from micrograd_c.optim import SGD

jit_module = importlib.import_module("micrograd_c._core.transforms.jit")
Pair = collections.namedtuple("Pair", "a b")
ROWS = [1, 3, 100, 1000]
STEPS = [0, 1, 2, 8, 9, 10, 50]


def written_out(fn, carry, xs=None, length=None, *, reverse=False):
    """What scan does, one step after the other, for lists."""
    count = len(xs) if xs is not None else length
    ys = [None] * count
    for k in reversed(range(count)) if reverse else range(count):
        carry, ys[k] = fn(carry, xs[k] if xs is not None else None)
    return carry, together(ys)


def together(ys):
    if ys and isinstance(ys[0], dict):
        return {key: together([y[key] for y in ys]) for key in ys[0]}
    if ys and isinstance(ys[0], tuple):
        parts = [together(list(column)) for column in zip(*ys)]
        return Pair(*parts) if isinstance(ys[0], Pair) else tuple(parts)
    return ys


@pytest.fixture(autouse=True, params=[1, 3])
def few_are_enough(request, monkeypatch):
    """Loops of few steps stay loops, and so many steps make up one."""
    monkeypatch.setattr(rolled_scan, "FEW", 2)
    monkeypatch.setattr(rolled_scan, "LEAST", 0)
    monkeypatch.setattr(rolled_scan, "NODES", 10_000)
    monkeypatch.setattr(rolled_scan, "MOST_TOGETHER", request.param)
    monkeypatch.setattr(jit_module, "LEAST_LOOP", 1)


class World:
    """Parameters, and functions of a row that loop by `loop`."""

    def __init__(self):
        self.w, self.v, self.b = Value(1.3), Value(-0.4), Value(0.2)
        self.table = [Value(0.5), Value(-1.0), Value(2.0)]
        self.matrix = [[Value(0.1 * (i - j) + 0.3) for j in range(3)] for i in range(3)]
        self.parameters = [self.w, self.v, self.b, *self.table, *(one for row in self.matrix for one in row)]


def rnn(m, loop, x):
    last, ys = loop(lambda h, x: ((h * m.w + x * m.v + m.b).tanh(), h * x), 0.1, x)
    return last + sum(ys)


def last_only(m, loop, x):
    return loop(lambda h, x: ((h * m.w + x * m.v).tanh(), None), 0.1, x)[0] * m.b


def ys_only(m, loop, x):
    return sum(loop(lambda h, x: ((h * m.w + x * m.v).tanh(), [h * x, x * m.b]), Value(0.1), x)[1][k][0] * (k + 1)
               for k in range(0, len(x), 2)) + m.w


def one_output(m, loop, x):
    last, ys = loop(lambda h, x: ((h * m.w + x * m.v).tanh(), h * m.b), 0.1, x)
    return (ys[len(ys) // 2] if ys else last) * m.w + m.v


def layers(m, loop, x):
    def step(h, x):
        new = [(sumprod(row, h) + x * m.v).tanh() for row in m.matrix]
        return new, sumprod(new, h)

    last, ys = loop(step, [0.1, 0.2, 0.3], x)
    return sum(last) + sum(ys)


def a_dict_and_a_pair(m, loop, x):
    def step(carry, x):
        h, c = carry["h"], carry["rest"][0]
        gate = (h * m.w + x).sigmoid()
        return {"h": (gate * c).tanh(), "rest": (c * gate + m.v,)}, Pair(gate, {"c": c})

    carry, ys = loop(step, {"h": 0.1, "rest": (Value(0.2),)}, x)
    return carry["h"] + carry["rest"][0] + sumprod(ys.a, ys.b["c"])


def invariants(m, loop, x):
    head, shared = (x[0] if x else m.w) * m.v, m.w.exp() + m.b

    def step(h, x):
        return (h * head + x * shared + m.b.sin() * m.table[0]).tanh(), h * head

    last, ys = loop(step, m.w, x)
    return last * shared + sum(ys) * head


def taking(m, loop, x):
    def step(h, x):
        index = maximum(x.floor(), -3.0)
        index = index - 3.0 * (index * 0.33).floor()
        return (h * m.w + take(m.table, index)).tanh(), take(m.table, index)

    last, ys = loop(step, 0.1, x)
    return last + sum(ys)


def choices(m, loop, x):
    def step(h, x):
        return where((h + x).relu(), (h * m.w).sin(), x * m.v), maximum(h, x) * m.b

    last, ys = loop(step, m.v * 1.0, x)
    return last + sum(ys)


def stopped(m, loop, x):
    last, ys = loop(lambda c, x: ((stop_gradient(c[0]) * m.w + x, c[1] * 0.9 + c[0] * m.v), c[1]), (0.1, 0.2), x)
    return last[0] * m.b + last[1] + sum(ys)


def exchanged(m, loop, x):
    last, ys = loop(lambda c, x: ((c[1], c[2] * m.w, c[0] * x), c[0]), (m.v, 0.5, 0.3), x)
    return last[0] + sum(ys[2:5])


def passed_on(m, loop, x):
    last, ys = loop(lambda c, x: ((x, c[0]), (c[1], m.w, x)), (0.1, m.v), x)
    return last[0] * last[1] + sum(a * b * c for a, b, c in zip(*ys))


def nested(m, loop, x):
    def outer(h, x):
        inner, ys = loop(lambda g, _: ((g * m.w + h * x).tanh(), g * m.v), h * m.b, None, 9)
        return inner, sum(ys) * x

    last, ys = loop(outer, 0.1, x)
    return last + sum(ys)


def nested_over_the_same(m, loop, x):
    def outer(h, y):
        inner, ys = loop(lambda g, z: ((g * m.w + z * y).tanh(), g * h), h, x, reverse=True)
        return inner * m.b, ys[-1] + ys[0] if ys else h

    last, ys = loop(outer, x[0] if x else 0.1, x[:10])
    return last + sum(ys)


def backwards(m, loop, x):
    last, ys = loop(lambda h, x: ((h * m.w + x * m.v).tanh(), h * x), 0.1, x, reverse=True)
    return last + (ys[0] * 2.0 + ys[-1] if ys else 0.0)


def without_xs(m, loop, x):
    last, ys = loop(lambda h, nothing: ((h * m.w + m.b).tanh(), h), sum(x) * m.v, None, len(x))
    return last + sum(ys)


def one_after_the_other(m, loop, x):
    first, ys = loop(lambda h, x: ((h * m.w + x).tanh(), h), 0.1, x)
    second, zs = loop(lambda h, x: ((h * m.v + x).tanh(), h * x), first, ys)
    return second + sum(zs) + first


def of_numbers(m, loop, x):
    numbers = [0.1 * k - 0.5 for k in range(len(x))]
    last, ys = loop(lambda h, x: (h * m.w + x * m.v, h * x), sum(x) * 0.1, numbers)
    return last.tanh() + sum(ys)


def of_parameters(m, loop, x):
    last, ys = loop(lambda h, u: ((h * m.w + u).tanh(), h * u), sum(x) * 0.1, (m.table * len(x))[:len(x)])
    return last + sum(ys)


def both(m, loop, x):
    mixed = [one if k % 2 else m.v for k, one in enumerate(x)]
    last, ys = loop(lambda h, x: ((h * x).tanh() + x, h), 0.1, mixed)
    return last + sum(ys) * m.w


def the_same_thing_again(m, loop, x):
    head = x[0] if x else m.w
    last, ys = loop(lambda h, x: ((h * m.w + x).tanh(), h), 0.1, [head] * len(x))
    return last + sum(ys) + head * m.v


def chosen(m, loop, x):
    def step(h, flag):
        return where(flag, (h * m.w).tanh(), h * 0.9 + m.b), where(flag, h * m.v, h.sin())

    last, ys = loop(step, sum(x, Value(0.1)) * 0.1, [float(k % 2) for k in range(len(x))])
    return last + (ys[len(ys) // 2] + ys[(len(ys) + 1) // 2 - 2] * m.b if len(ys) > 2 else 0.0)


def forgotten(m, loop, x):
    head = x[0] if x else 1.0
    first, second = m.v * head, m.b * head
    _, ys = loop(lambda c, x: ((x, c[0]), c[1] * m.w), (first, second), x)
    return (ys[-1] if ys else head) * m.b + first * second


def late(m, loop, x):
    head = x[0] if x else Value(1.0)
    last, ys = loop(lambda c, x: ((x * m.w + c[1], c[0]), c[1] * x), (head * 1.0, head * 0.5), x)
    return last[1] + sum(ys) * m.b


FUNCTIONS = [
    rnn, last_only, ys_only, one_output, layers, a_dict_and_a_pair, invariants, taking, choices, stopped,
    exchanged, passed_on, nested, nested_over_the_same, backwards, without_xs, one_after_the_other, of_numbers,
    of_parameters, both, the_same_thing_again, forgotten, late, chosen,
]


def program_of(compiled):
    (found,) = compiled.specializations.values()
    return found.runner.program


def loops_in(compiled):
    return sum("loop" in line for line in program_of(compiled).describe())


def mapped(function, loop, data, seed=1.0, **options):
    """Numbers, gradients, and the mapped function."""
    m = World()
    run = vmap(lambda x: function(m, loop, x), **options)
    batch = run(data)
    batch.sum(np.linspace(-1.0, seed, len(data)).tolist()).backward()
    return np.asarray(batch).copy(), [one.grad for one in m.parameters], run


def same(ours, theirs, rel=1e-12):
    assert ours[0].tobytes() == theirs[0].tobytes()
    assert ours[1] == pytest.approx(theirs[1], rel=rel, abs=1e-13, nan_ok=True)


def rows_of(rows, steps, seed=0):
    return np.random.RandomState(seed).randn(rows, steps)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_rows_are_those_of_the_loop_written_out(function, rows):
    data = rows_of(rows, 12)
    ours, theirs = mapped(function, scan, data), mapped(function, written_out, data)
    assert loops_in(ours[2]) > 0
    assert loops_in(theirs[2]) == 0
    same(ours, theirs)


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_any_number_of_steps(function, steps):
    if steps == 0 and function in (of_parameters, without_xs, of_numbers, a_dict_and_a_pair, passed_on):
        return      # which want one
    data = rows_of(7, steps) if steps else [[] for _ in range(7)]
    same(mapped(function, scan, data), mapped(function, written_out, data))


@pytest.mark.parametrize("options", [{"saved_bytes": 0}, {"saved_bytes": 30_000}, {"threads": 3},
                                     {"threads": 2, "saved_bytes": 100_000}])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_little_memory_and_several_threads(function, options):
    data = rows_of(3000 if function is rnn else 700, 15)
    same(mapped(function, scan, data, **options), mapped(function, written_out, data), 1e-11)


# --- jit, and derivatives of what is compiled ---

@pytest.mark.parametrize("function", FUNCTIONS)
def test_jit(function):
    found = []
    for loop in scan, written_out:
        m, x = World(), [Value(one) for one in rows_of(1, 12)[0]]
        run = jit(lambda x, m=m, loop=loop: function(m, loop, x))
        for _ in range(5):      # from the fourth one on, few rows may be packed
            total = run(x)
            total.backward()
        found.append((np.array([total.data]), [one.grad for one in (*m.parameters, *x)], run))
    assert loops_in(found[0][2])
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-14)     # the same for all rows, and computed as a row is
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-12)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_jit_of_numbers(function):
    found = []
    for loop in scan, written_out:
        m, x = World(), rows_of(1, 12)[0].tolist()
        run = jit(lambda x, m=m, loop=loop: function(m, loop, x))
        for _ in range(5):
            total = run(x)
            total.backward()
        found.append((np.array([total.data]), [one.grad for one in m.parameters], run))
    assert loops_in(found[0][2])
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-14)     # as one may be packed
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-12)


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacfwd, hessian])
@pytest.mark.parametrize("function", [rnn, layers, taking, nested])
def test_transforms_around_and_inside(function, transform):
    row = rows_of(1, 10)[0].tolist()
    expected = transform(lambda x: function(World(), written_out, x))(row)
    for run in (transform(lambda x: function(World(), scan, x)), transform(jit(lambda x: function(World(), scan, x))),
                jit(transform(lambda x: function(World(), scan, x)))):
        assert flat(run(row)) == pytest.approx(flat(expected), rel=1e-11, abs=1e-13)
    batch = vmap(transform(lambda x: function(World(), scan, x)), stacked=True)([row, row])
    parts = batch if isinstance(batch, tuple) else [batch]
    found = np.concatenate([np.asarray(part)[1].ravel() for part in parts])
    assert found.tolist() == pytest.approx(flat(expected), rel=1e-11, abs=1e-13)


WAYS = {
    "grad": grad, "hessian": hessian, "jacfwd": jacfwd, "value_and_grad": lambda f: lambda x: value_and_grad(f)(x)[1],
    "product": lambda f: lambda x: jvp(grad(f), (x,), ([1.0] * len(x),))[1],
    "third": lambda f: grad(lambda x: sumprod(jvp(grad(f), (x,), (x,))[1], x)),
    "along one": lambda f: lambda x: [jvp(f, (x,), ([0.0] * (len(x) - 3) + [x[0], 0.0, 0.0],))[1]],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_derivatives_of_each_row_are_those_of_the_loop_written_out(function, way, monkeypatch):
    if way == "third" and function in (nested, nested_over_the_same):
        return      # which take long
    monkeypatch.setattr(rolled_scan, "LEAST_OF_MANY", 0)
    found = []
    for loop in scan, written_out:
        m = World()
        run = vmap(lambda x, m=m, loop=loop: WAYS[way](lambda x: function(m, loop, x))(x), stacked=True)
        batch = run(rows_of(4, 14))
        batch.sum().backward()
        found.append((np.asarray(batch), [one.grad for one in m.parameters], run))
    assert found[0][0].ravel().tolist() == pytest.approx(found[1][0].ravel().tolist(), rel=1e-11, abs=1e-12)
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("transform", [grad, lambda f: lambda x: jvp(f, (x,), ([1.0] * len(x),))[1]])
def test_derivatives_do_not_grow_with_the_number_of_steps(transform):
    sizes = []
    for steps in 40, 403:
        m = World()
        run = vmap(lambda x, m=m: transform(lambda y: scan(
            lambda h, z: ((h * m.w + z * y[0]).tanh(), h), y[1], x)[0])(x[:2]))
        run(rows_of(2, steps))
        sizes.append(len(program_of(run).describe()))
        assert loops_in(run) >= 2
    assert max(sizes) < 200
    assert max(sizes) - min(sizes) < 60


@pytest.mark.parametrize("which", [0, 1, 2, 3, 8, 13, 14, 20, 25])
def test_recorded_derivatives_of_one_output_meet_no_infinite_slope(which):
    found = []
    for loop in scan, written_out:
        m = World()

        def output(x, m=m, loop=loop):
            first, second, ys, zs = slopes_are_infinite_at_0(m, loop, x)
            return [first, second, *ys, *zs][which]

        found.append([np.asarray(vmap(grad(output), stacked=True)(rows_of(5, 12))),
                      np.asarray(vmap(lambda x, output=output: jvp(output, (x,), ([1.0] * 12,))[1])(rows_of(5, 12)))])
    for ours, theirs in zip(*found):
        assert ours.ravel().tolist() == pytest.approx(theirs.ravel().tolist(), rel=1e-12, abs=1e-13, nan_ok=True)


def flat(tree):
    if isinstance(tree, (list, tuple)):
        return [one for part in tree for one in flat(part)]
    return [tree.data if isinstance(tree, Value) else tree]


DERIVATIVES = {
    "grad": grad,
    "jvp": lambda f: lambda p: jvp(f, (p,), ([1.0, -0.5],))[1],
    "hessian": hessian,
    "third": lambda f: jacfwd(hessian(f)),
    "grad of jvp": lambda f: grad(lambda p: jvp(f, (p,), ([1.0, -0.5],))[1]),
}
OF_ROWS = {     # a parameter, another, and a row; what they read is carried, got, the same, and given
    "carried": lambda w, v, x, loop: loop(lambda h, x: ((h * w + x).tanh(), h), v * x[0], x)[0],
    "given": lambda w, v, x, loop: sum(loop(lambda h, x: ((h * w + x).tanh() * v, h * x * w), 0.1, x)[1]),
    "both": lambda w, v, x, loop: (lambda last, ys: last * sumprod(ys, ys))(
        *loop(lambda h, y: ((h * w + y).tanh(), (h * v).sin() * x[0]), w, x)),
    "two that change places": lambda w, v, x, loop: sumprod(*loop(
        lambda h, y: ([h[1] * w, (h[0] + y).tanh()], None), [v, x[1] * 1.0], x)[0:1], [w, v]),
    "layers and tables": lambda w, v, x, loop: loop(
        lambda h, y: ((sumprod([w, v, w], [h, y, h * y]) * take([w, v], 0.0 * y)).tanh(), None), 0.1, x)[0],
    "a loop in a loop": lambda w, v, x, loop: loop(
        lambda h, y: (loop(lambda g, z: ((g * w + z * y).tanh(), None), h, x)[0], None), v, x)[0],
}


@pytest.mark.parametrize("of_row", OF_ROWS.values(), ids=OF_ROWS)
@pytest.mark.parametrize("derivative", DERIVATIVES.values(), ids=DERIVATIVES)
@pytest.mark.parametrize("saved_bytes", [0, 2**26])
def test_derivatives_of_functions_that_map_loops(of_row, derivative, saved_bytes, monkeypatch):
    monkeypatch.setattr(rolled_scan, "LEAST_OF_MANY", 0)
    data = rows_of(3, 12).tolist()
    found = []
    for way, loop in (vmap, scan), (None, written_out):
        def total(p, way=way, loop=loop):
            if way is None:
                return sum(of_row(*p, row, loop) for row in data)
            return way(lambda x: of_row(*p, x, loop), saved_bytes=saved_bytes)(data).sum()
        found.append(np.ravel(derivative(total)([0.7, -0.4])).tolist())
    assert found[0] == pytest.approx(found[1], rel=1e-9, abs=1e-11)


def test_gradients_recorded_through_a_loop_in_a_trace():
    w = Value(0.7)

    def slope(x, loop):
        last, _ = loop(lambda h, x: ((h * w + x).tanh(), h), x[0] * 0.1, x)
        return gradients(last, [x[0], x[-1]], create_graph=True)

    data, found = rows_of(4, 12), []
    for loop in scan, written_out:
        of_first, of_last = vmap(lambda x, loop=loop: slope(x, loop))(data)
        of_first.sum().backward()
        found.append((np.array([of_first, of_last]), [w.grad]))
        w.grad = 0.0
    same(*found)


# --- what gradients are asked of ---

def slopes_are_infinite_at_0(m, loop, x):
    def step(c, x):
        return (c[0] * m.w + x, c[1] * m.v), [(c[0] * 0.0 * m.b).sqrt(), c[1]]

    last, ys = loop(step, (x[0], x[1] * m.b), x)
    return last[0], last[1], [y[0] for y in ys], [y[1] for y in ys]


@pytest.mark.parametrize("saved_bytes", [0, 2**26])
@pytest.mark.parametrize("asked", [[0], [1], [0, 1], [2], [7], [20], [1, 25], [18], [2, 13], [24, 25, 3]])
def test_outputs_that_are_not_asked_add_nothing(asked, saved_bytes):
    data, found = rows_of(9, 12), []
    for loop in scan, written_out:
        m = World()
        run = vmap(lambda x, m=m, loop=loop: slopes_are_infinite_at_0(m, loop, x), saved_bytes=saved_bytes)
        for again in range(2):
            first, second, ys, zs = run(data)
            batches = [first, second, *ys, *zs]
            for parameter in m.parameters:
                parameter.grad = 0.0
            sum(batches[k].sum() for k in (asked if again else [0, 1])).backward()
        found.append((np.asarray(batches[asked[0]]), [one.grad for one in m.parameters], run))
    assert loops_in(found[0][2])
    same(*found)
    assert math.isfinite(found[0][1][0]) or any(3 <= k < 14 for k in asked)


def test_several_sweeps_and_an_optimizer_between_calls():
    found = []
    for loop in scan, written_out:
        m = World()
        optimizer, data = SGD(m.parameters, lr=0.01), rows_of(20, 12)
        run = vmap(lambda x, m=m, loop=loop: layers(m, loop, x))
        for _ in range(5):
            loss = run(data).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss.backward()
        found.append((np.array([loss.data]), [one.data for one in m.parameters] + [one.grad for one in m.parameters]))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-13)
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-11)


def test_batches_that_are_arguments_get_gradients():
    found = []
    for loop in scan, written_out:
        m = World()
        first = vmap(lambda x, m=m: [one * m.w for one in x], stacked=True)
        second = vmap(lambda x, m=m, loop=loop: invariants(m, loop, x))
        batch = second(first(rows_of(10, 12)))
        batch.sum().backward()
        found.append((np.asarray(batch), [one.grad for one in m.parameters]))
    same(*found)


# --- what a loop written out may do ---

def other_things(m, x):
    """Functions of a step that want the loop written out, or not to be compiled, and a start."""
    kept = []

    def keeps(h, x):
        kept.append(h * x)
        return h * m.w + x, kept[-1]

    class Mine(Value):
        pass

    def labelled(h, x):
        new = (h * m.w + x).tanh()
        new.label = "h"
        return new, new * m.v

    def own_op(h, x):
        return Value(0.0, (h, m.v), local_grads=(1.0, 2.0)) + (h * m.w).tanh() * x, h

    yield keeps, 0.1, x
    yield (lambda h, x: (h * math.exp(0.1) * x, h * x)), 0.1, x
    yield (lambda h, k: (h * m.w + math.sin(k), h * m.v)), x[0], [0.1 * k for k in range(len(x))]
    yield (lambda h, k: (h * m.w + (m.v if k > 0.35 else m.b), h)), x[0], [0.1 * k for k in range(len(x))]
    yield (lambda h, k: (h * m.w + m.table[k % 3], h)), x[0], list(range(len(x)))
    yield (lambda h, k: (h * m.w + x[k], h)), x[0], range(len(x))
    yield (lambda c, x: ((c[0] * m.w + x * math.cos(c[1]), c[1] + 1.0), c[0])), (0.1, 0.0), x
    yield (lambda c, x: ((c[0] * m.w + x * c[1], c[1] * 2.0), c[0])), (0.1, m.v), x
    yield (lambda c, x: ((c[0] * m.w + x * (c[1] * 3.1).sin() + (c[1] * 0.7).exp() - (c[1] + 2.0).log(),
                          c[1] * m.b + 1.0), c[0])), (0.1, m.v), x
    yield (lambda c, x: ((c[0] * m.w + m.v, c[0] * 1.0), c[0])), (m.b, m.v), x
    yield (lambda h, x: (h * m.w + x, 1.0)), 0.1, x
    yield (lambda h, x: (h * m.w + x, h)), 0, x
    yield (lambda h, x: (h * m.w + x, h)), Value(0), x
    yield (lambda h, x: (Mine((h * m.w + x).data) if False else h * m.w + x, h)), Mine(0.5), x
    yield labelled, 0.1, x
    yield own_op, Value(0.1), x
    yield (lambda h, x: (take([h, m.w, m.v], 1.0 + x * 0.0) if False else h * m.w + take(m.table, x * 0.0), h)), 0.1, x
    yield (lambda h, u: (h * m.w + take([u, m.v], h * 0.0), h)), x[0], m.table * 4
    yield (lambda h, kind: (h.tanh() * m.w if kind == "tanh" else h.sin() * m.v, h)), x[0], ["tanh", "sin"] * 6


@pytest.mark.parametrize("which", range(19))
def test_what_a_loop_written_out_may_do(which):
    data, found = np.abs(rows_of(5, 12)), []
    for loop in scan, written_out:
        m = World()

        def of_row(x, m=m, loop=loop):
            step, start, xs = list(other_things(m, x))[which]
            last, ys = loop(step, start, xs)
            while isinstance(last, tuple):
                last = last[0]
            return last + sum(ys)

        run = vmap(of_row)
        batch = run(data)
        batch.sum().backward()
        found.append((np.asarray(batch), [one.grad for one in m.parameters]))
    same(*found)


def test_attributes_of_what_is_carried_stay():
    def step(h, x):
        new = (h * 0.5 + x).tanh()
        new.label = "h"
        return new, None

    def of_row(x):
        last, _ = scan(step, 0.1, x)
        assert last.label == "h"
        return last

    assert len(vmap(of_row)(rows_of(3, 12))) == 3


def test_values_that_were_kept_are_those_of_the_loop_written_out():
    w = Value(0.5)

    def of_row(x, loop):
        kept = []

        def step(h, x):
            kept.append(h * w + x)
            return kept[-1], None

        last, _ = loop(step, 0.1, x)
        return last + sum(kept)

    data = rows_of(4, 12)
    assert vmap(lambda x: of_row(x, scan))(data).tolist() == vmap(lambda x: of_row(x, written_out))(data).tolist()


def test_an_op_of_ones_own_is_run_row_by_row():
    def double(v):
        out = Value(v.data * 2.0, (v,), "double")

        def pull():
            v.grad += 2.0 * out.grad

        out._backward = pull
        return out

    w = Value(0.5)
    with pytest.warns(UserWarning, match="row by row"):
        batch = vmap(lambda x: scan(lambda h, x: (double(h * w) + x, h), x[0], x)[0])(rows_of(3, 12))
    assert len(batch) == 3


@pytest.mark.parametrize(("step", "error", "said"), [
    (lambda h, x: (h * float(x), h), TraceError, "float"),
    (lambda h, x: ((h if x > 0 else -h), h), TraceError, "argument"),
    (lambda h, x: (h * {}[0], h), KeyError, "0"),
    (lambda h, x: ([h], h), TypeError, r"it was \*, and step 0"),
    (lambda h, x: None, TypeError, "pair"),
])
def test_mistakes_are_told_as_ever(step, error, said):
    with pytest.raises(error, match=said):
        vmap(lambda x: scan(step, x[0] * 1.0, x)[0])(rows_of(3, 12))
    assert vmap(lambda x: x * 2.0)([1.0]).tolist() == [2.0]


def test_a_step_that_raises_later():
    calls = []

    def step(h, x):
        calls.append(h)
        if len(calls) == 2:
            raise ValueError("the second one")
        return h * x, h

    batch_or_error = vmap(lambda x: scan(step, x[0], x)[0])
    assert len(batch_or_error(rows_of(3, 13))) == 3        # as that one was asked for by the loop alone


def test_no_grad_inside_is_told_and_around_is_not_minded():
    def of_row(x):
        with no_grad():
            return scan(lambda h, x: (h * x, h), x[0], x)[0]

    with pytest.raises(TraceError, match="no_grad"):
        vmap(of_row)(rows_of(3, 12))
    with pytest.raises(TraceError, match="no_grad"):
        vmap(lambda x: scan(lambda h, x: (under_no_grad(h, x), h), x[0], x)[0])(rows_of(3, 12))
    with no_grad():
        same(mapped_numbers(scan), mapped_numbers(written_out))


def under_no_grad(h, x):
    with no_grad():
        return h * x


def mapped_numbers(loop):
    m = World()
    return np.asarray(vmap(lambda x: layers(m, loop, x))(rows_of(5, 12))), []


def test_a_leaf_of_a_step_that_is_used_later_has_no_data():
    kept = []
    vmap(lambda x: scan(lambda h, x: (kept.append(x) or h * x, h), x[0], x)[0])(rows_of(3, 12))
    with pytest.raises(TraceError):
        kept[-1] * 2.0


# --- programs ---

def test_programs_do_not_grow_with_the_number_of_steps():
    sizes = []
    for steps in 32, 320, 3200:
        m = World()
        run = vmap(lambda x, m=m: scan(lambda h, x: ((sumprod([m.w, m.v], [h, x]) + m.b).tanh(), h), 0.1, x)[0])
        run(rows_of(2, steps))
        sizes.append(len(program_of(run).describe()))
        assert loops_in(run) == 1
    assert max(sizes) < 40
    assert max(sizes) - min(sizes) < 4 * rolled_scan.MOST_TOGETHER


def test_results_can_be_copied_and_a_graph_over_them_walked():
    m = World()
    batch = vmap(lambda x: rnn(m, scan, x))(rows_of(3, 12))
    twin = pickle.loads(pickle.dumps(batch))
    assert twin.tolist() == copy.deepcopy(batch).tolist() == batch.tolist()
    node = next(iter(batch.sum()._prev))
    assert m.w in node._prev


def test_threads_that_call_at_once():
    m = World()
    run = vmap(lambda x: layers(m, scan, x))
    data, found = rows_of(50, 12), []
    run(data)
    threads = [threading.Thread(target=lambda: found.append(run(data).tolist())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(one == found[0] for one in found)
    assert len(found) == 4


def test_softmax_and_a_model_in_a_step():
    random.seed(0)
    model, found = MLP(3, [4, 2]), []
    for loop in scan, written_out:
        for parameter in model.parameters():
            parameter.grad = 0.0

        def step(h, x):
            scores = log_softmax(model([*h, x]))
            return [one.exp() for one in scores], scores[0]

        run = vmap(lambda x, loop=loop, step=step: sum(loop(step, [0.5, 0.5], x)[1]))
        batch = run(rows_of(40, 12))
        batch.mean().backward()
        found.append((np.asarray(batch), [one.grad for one in model.parameters()], run))
    assert loops_in(found[0][2])
    same(*found)


# --- any function ---

def random_op(m, kind, a, b):
    forms = [
        lambda: a + b, lambda: a * b, lambda: b * a, a.tanh, a.relu, lambda: (a * 0.3).sin(), lambda: maximum(a, b),
        lambda: stop_gradient(a), lambda: take(m.table, (a.tanh() * 2.9).floor())]
    return forms[kind]()


def random_step(seed):
    """A step of random ops, of two that are carried, and one that it gets."""
    def step(m, head):
        def of(carry, x):
            draw = random.Random(seed)
            pool = [*carry, x, head, m.w, m.v, m.b, 0.5, -1.0, m.w * m.b, head * m.v]
            for _ in range(draw.randrange(1, 12)):
                a, b = draw.choice(pool), draw.choice(pool)
                kind = draw.randrange(9)
                a = a if isinstance(a, Value) else Value(a)
                pool.append(random_op(m, kind, a, b))
            first, second, y, z = (draw.choice(pool[-6:]) for _ in range(4))
            return [(first if isinstance(first, Value) else Value(first)).tanh(), second], (y, z)
        return of
    return step


@hypothesis.given(seed=st.integers(0, 10**9), steps=st.integers(5, 14), asked=st.integers(0, 3), tiny=st.booleans(),
                  backwards=st.booleans())
@hypothesis.settings(deadline=None, max_examples=150,
                     suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_any_step(seed, steps, asked, tiny, backwards):
    make, found = random_step(seed), []
    for loop in scan, written_out:
        m = World()

        def of_row(x, m=m, loop=loop):
            last, (ys, zs) = loop(make(m, x[0] * m.v), [Value(0.1), x[1] * 1.0], x, reverse=backwards)
            draw = random.Random(seed + 1)
            return [last[0], last[1] * m.w, sum(draw.choice(ys) * 1.0 for _ in range(3)), sum(zs) * m.b]

        batches = vmap(of_row, saved_bytes=0 if tiny else 2**26)(rows_of(5, steps, seed % 1000))
        (batches[asked].sum() + batches[0].sum()).backward()
        found.append((np.array([one.tolist() for one in batches]), [one.grad for one in m.parameters]))
    same(*found, 1e-10)


@hypothesis.given(seed=st.integers(0, 10**9), steps=st.integers(5, 12), way=st.sampled_from(sorted(WAYS)),
                  backwards=st.booleans())
@hypothesis.settings(deadline=None, max_examples=60,
                     suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_derivatives_of_any_step(seed, steps, way, backwards):
    if way in ("third", "hessian"):
        steps = 6
    make, found = random_step(seed), []
    for loop in scan, written_out:
        m = World()

        def of_row(x, m=m, loop=loop):
            last, (ys, zs) = loop(make(m, x[0] * m.v), [Value(0.1), x[1] * 1.0], x, reverse=backwards)
            draw = random.Random(seed + 1)
            return last[0] + sum(draw.choice(ys) * 1.0 for _ in range(3)) + draw.choice(zs) * m.b

        batch = vmap(lambda x, of_row=of_row: WAYS[way](of_row)(x), stacked=True)(rows_of(5, steps, seed % 1000))
        batch.sum().backward()
        found.append((np.asarray(batch).ravel().tolist(), [one.grad for one in m.parameters]))
    for ours, theirs in zip(*found):
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-10, nan_ok=True)


def test_jax_has_the_same():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)

    def rolled(x):
        def step(h, x):
            return jax.numpy.tanh(h * 1.3 + x * -0.4 + 0.2), h * x

        last, ys = jax.lax.scan(step, 0.1, x)
        return last + ys.sum()

    data = rows_of(6, 12)
    expected = jax.vmap(rolled)(jax.numpy.array(data))
    assert mapped(rnn, scan, data)[0].tolist() == pytest.approx(expected.tolist(), rel=1e-13)


class Cell:
    """Has a state of its own."""

    def __init__(self):
        self.h, self.several = Value(0.0), [Value(0.1), Value(0.2)]

    def __call__(self, x):
        self.h = (self.h * 0.5 + x).tanh()
        return self.h

    def of_several(self, x):
        self.several = [(self.several[0] * 0.5 + x).tanh(), self.several[0] * self.several[1]]
        return self.several


def a_cell(m, loop, x):
    cell = Cell()
    return loop(lambda t, x: (t + cell(x), None), x[0], x)[0]


def a_cell_that_gives_its_state(m, loop, x):
    cell = Cell()
    return loop(lambda t, x: (cell(x), cell.h * t), x[0], x)[0]


def a_cell_that_gives_its_list(m, loop, x):
    cell = Cell()
    return sum(loop(lambda t, x: (cell.of_several(x), None), [x[0], x[1]], x)[0])


def the_one_before(m, loop, x):
    last = [x[0]]

    def step(t, x):
        change, last[0] = x - last[0], x
        return t + change * change, None
    return loop(step, x[0] * 0.5, x)[0]


def a_sum_of_what_is_the_same(m, loop, x):
    total = [0.0]

    def step(h, y):
        total[0] = total[0] + x[0] * m.w
        return (h * m.w + y).tanh(), None
    return loop(step, x[0], x)[0] + total[0]


def a_list_of_what_is_the_same(m, loop, x):
    kept = []

    def step(h, y):
        kept.append(m.w * 0.5)
        return (h * kept[0] + y).tanh(), None
    return loop(step, x[0], x)[0] + sum(kept)


def a_list_of_results(m, loop, x):
    kept = []

    def step(h, y):
        kept.append((h * m.w + y).tanh() + (kept[-1] if kept else 0.0))
        return kept[-1] * 0.5, None
    return loop(step, x[0], x)[0]


def a_sum_and_a_step_that_raises(m, loop, x):
    """As what stands for a number has no data."""
    total = [0.0]

    def step(h, y):
        total[0] = total[0] + m.w
        return (h + y if isinstance(h, Value) and total[0].data > 1e9 else (h * m.w + y)).tanh(), None
    return loop(step, x[0], x)[0] + total[0]


@pytest.mark.parametrize("function", [
    a_cell, a_cell_that_gives_its_state, a_cell_that_gives_its_list, the_one_before, a_sum_of_what_is_the_same,
    a_list_of_what_is_the_same, a_list_of_results, a_sum_and_a_step_that_raises,
])
@pytest.mark.parametrize("way", ["vmap", "jit", "nested"])
def test_steps_that_keep_values_are_written_out(function, way):
    model = types.SimpleNamespace(w=Value(0.3))
    data = rows_of(3, 40)
    if way == "nested":
        def of_row(x, loop):
            return loop(
                lambda t, y: (t * 0.5 + function(model, loop, [y * one for one in x[:13]]), None), x[0], x[:20])[0]
    else:
        def of_row(x, loop):
            return function(model, loop, x)
    found = []
    for loop in scan, written_out:
        def one(x, loop=loop):
            return of_row(x, loop)
        compiled = jit(one)
        found.append(
            [compiled(row).data for row in data.tolist()] if way == "jit" else np.array(vmap(one)(data)).tolist())
    eager = [of_row(list(map(Value, row)), written_out).data for row in data.tolist()]
    assert found[0] == found[1] == pytest.approx(eager, rel=1e-12)
