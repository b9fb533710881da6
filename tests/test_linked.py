"""Runs whose arguments are the results of others: gradients go on to those, as in the eager engine and in JAX."""

import copy
import gc
import itertools
import math
import random
import signal
import warnings

import numpy as np
import pytest
from own_ops import same

from micrograd_c import grad, hessian, jit, no_grad, stop_gradient, sumprod, take, vmap, where
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

ROWS = [0.5, -1.25, 3.0, 0.75, -0.5]
OPTIONS = [{}, {"threads": 2}, {"saved_bytes": 0}, {"threads": 2, "saved_bytes": 0}]


def grads_of(loss, parameters):
    """By one sweep, whatever others have left."""
    seen, todo = {loss}, [loss]
    while todo:
        new = todo.pop()._prev - seen
        seen |= new
        todo += new
    for node in [*seen, *parameters]:
        node.grad = 0
    loss.backward()
    return [p.grad for p in parameters]


def close(one, other, rel=1e-10):
    return one == pytest.approx(other, rel=rel, abs=1e-12, nan_ok=True)


# --- beside the eager engine ---

@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("rows", [1, 2, 5, 300, 5001])
def test_two_runs(rows, options):
    w, v, u = (Value(x) for x in (0.5, -1.5, 2.0))
    rows = np.linspace(-1.0, 1.5, rows)
    inner = vmap(lambda x: [(x * w).tanh(), x * x, (x + v) * w], **options)
    outer = vmap(lambda a, b, c, x: a * c * u + b * a + x * v + c.sin(), **options)
    for _ in range(6):      # of few rows the fourth may be packed
        a, b, c = inner(rows)
        batch = outer(a, b, c, rows)
        found = grads_of(batch.sum(rows) + a.mean(), [w, v, u])
    one = [((x * w).tanh(), x * x, (x + v) * w) for x in rows.tolist()]
    each = [a * c * u + b * a + x * v + c.sin() for (a, b, c), x in zip(one, rows.tolist())]
    wanted = sumprod(each, rows.tolist()) + sum([a for a, _, _ in one]) / len(rows)
    assert close(batch.tolist(), [y.data for y in each])
    assert close(found, grads_of(wanted, [w, v, u]))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("axis", range(-2, 2))
def test_rows_of_several_numbers(axis, options):
    """A stack has its rows along any axis, and so has the argument: also across them."""
    w, v = Value(0.5), Value(-1.5)
    for count in (1, 3, 700):
        xs = np.linspace(-1.0, 1.0, count)
        stack = vmap(lambda x: [x * w, (x * v).tanh(), x * w * v], out_axes=axis, stacked=True, **options)(xs)
        eager = [[x * w, (x * v).tanh(), x * w * v] for x in xs.tolist()]
        if axis in (1, -1):
            eager = [list(column) for column in zip(*eager)]
        for other in range(-2, 2):
            size = stack.shape[1 - other % 2]
            if size > 50:
                continue
            mapped = vmap(lambda row: row[0] * row[-1] + sumprod(row, row) * v, in_axes=other, **options)
            lines = eager if other in (0, -2) else [list(column) for column in zip(*eager)]
            wanted = sum([line[0] * line[-1] + sumprod(line, line) * v for line in lines])
            for _ in range(2):      # the second time without looking
                batch = mapped(stack)
                assert close(grads_of(batch.sum(), [w, v]), grads_of(wanted, [w, v]))
            both = vmap(lambda row, w=w: row[0] * w, in_axes=other, **options)(stack)
            assert close(grads_of(both.sum() + batch.sum(), [w, v]),
                         grads_of(sum([line[0] * w for line in lines]) + wanted, [w, v]))


def test_the_same_numbers_along_two_axes_at_once():
    w = Value(0.5)
    stack = vmap(lambda x: [x * w, x + w, x * x * w], stacked=True, threads=2)([1.0, 2.0, 3.0])
    found = vmap(lambda a, b: a[0] * b[1] + b[2], in_axes=(0, 1), threads=2)(stack, stack)
    eager = [[x * w, x + w, x * x * w] for x in (1.0, 2.0, 3.0)]
    wanted = sum([eager[k][0] * eager[1][k] + eager[2][k] for k in range(3)])
    assert close(grads_of(found.sum(), [w]), grads_of(wanted, [w]))


def random_function(generator, parameters, inputs, outputs):
    steps = [(generator.randrange(8), generator.randrange(99), generator.randrange(99)) for _ in range(10)]
    chosen = [generator.randrange(9) for _ in range(outputs)]
    ops = [
        lambda a, b: a * b, lambda a, b: a + b, lambda a, b: (a + b).relu(), lambda a, b: stop_gradient(a) * b,
        lambda a, b: sumprod(parameters[:2], [a, b]), lambda a, b: sumprod(parameters[1:3], [a, b], a).tanh(),
        lambda a, b: sumprod([a, b], [b, a], a), lambda a, b: where(a, b, a),
    ]

    def function(*xs):
        pool = [*xs, *parameters]
        for op, i, j in steps:
            pool.append(ops[op](pool[i % len(pool)], pool[j % len(pool)]))
        return [pool[-1 - k] for k in chosen]
    return function


@pytest.mark.parametrize("seed", range(40))
def test_random_chains(seed):
    """Three runs, each of which reads what it likes of those before it; some of the results are asked."""
    generator = random.Random(seed)
    parameters = [Value(generator.uniform(-1.0, 1.0)) for _ in range(4)]
    rows = generator.choice([1, 2, 3, 9, 600])
    numbers = [[generator.uniform(-1.0, 1.0) for _ in range(rows)] for _ in range(2)]
    options = generator.choice(OPTIONS)
    known, eager = list(numbers), [[[x] for x in column] for column in numbers]
    eager = [[Value(x) for x in column] for column in numbers]
    for _ in range(3):
        function = random_function(generator, parameters, 3, 3)
        read = [generator.randrange(len(known)) for _ in range(3)]
        known += vmap(function, **options)(*[known[k] for k in read])
        results = [function(*[eager[k][row] for k in read]) for row in range(rows)]
        eager += [list(column) for column in zip(*results)]
    asked = sorted(generator.sample(range(2, len(known)), 3))
    weights = [[generator.uniform(-1.0, 1.0) for _ in range(rows)] for _ in asked]
    for _ in range(2):
        found = sum([known[k].sum(own) for k, own in zip(asked, weights)], Value(0.0))
        wanted = sum([sumprod(eager[k], own, 0.0) for k, own in zip(asked, weights)], Value(0.0))
        assert close(found.data, wanted.data)
        assert close(grads_of(found, parameters), grads_of(wanted, parameters), 1e-9)


def test_models_one_after_the_other():
    first, second = MLP(3, [4, 2], activation="tanh"), MLP(2, [5, 1])
    X = np.random.RandomState(0).randn(40, 3)
    hidden = vmap(first, stacked=True)(X)
    losses = vmap(lambda h, y: (second(h) - y) ** 2)(hidden, X[:, 0])
    parameters = [*first.parameters(), *second.parameters()]
    found = grads_of(losses.mean(), parameters)
    wanted = sum([(second(first(row)) - row[0]) ** 2 for row in X.tolist()]) / 40
    assert close(found, grads_of(wanted, parameters))


def test_beside_jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    jnp, xs = jax.numpy, np.linspace(-1.0, 2.0, 7)

    def theirs(w, v):
        stack = jax.vmap(lambda x: jnp.stack([x * w, jnp.tanh(x * v)]))(xs)
        batch = jax.vmap(lambda row: row[0] * row[1] * v)(stack)
        across = jax.vmap(lambda column: column[0] * column[1], in_axes=1)(stack)
        return jnp.sum(batch * batch) + jnp.max(across) * jnp.std(batch)

    w, v = Value(0.75), Value(-1.25)
    stack = vmap(lambda x: [x * w, (x * v).tanh()], stacked=True)(xs)
    batch = vmap(lambda row: row[0] * row[1] * v)(stack)
    across = vmap(lambda column: column[0] * column[1], in_axes=1)(stack)
    loss = batch.sum(batch) + across.max() * batch.std()
    number, slopes = jax.value_and_grad(theirs, argnums=(0, 1))(0.75, -1.25)
    assert close(loss.data, float(number))
    assert close(grads_of(loss, [w, v]), [float(slope) for slope in slopes])


# --- which way gradients go ---

def test_what_is_not_read_takes_no_part():
    w, v = Value(0.0), Value(1.0)
    a, b = vmap(lambda x: (x * w, (x * w).sqrt()))([1.0, 2.0])
    first, second = vmap(lambda a, b: (a * v, b + v))(a, b)
    assert grads_of(first.sum(), [w, v]) == [3.0, 0.0]
    assert grads_of(second.sum(), [w, v]) == [math.inf, 2.0]
    assert grads_of(vmap(lambda a, b: stop_gradient(b) + a)(a, b).sum(), [w]) == [3.0]
    assert grads_of(vmap(lambda a, b: a * v)(a, b).sum(), [w, v]) == [3.0, 0.0]
    assert math.isnan(grads_of((first.sum() + 0.0 * second.sum()), [w])[0])
    stack = vmap(lambda x: [x * w, (x * w).sqrt()], stacked=True)([1.0, 2.0])
    assert grads_of(vmap(lambda row: row[0] * 2.0)(stack).sum(), [w]) == [6.0]
    assert math.isinf(grads_of(vmap(lambda row: row[1] * 2.0)(stack).sum(), [w])[0])


def test_a_run_from_which_nothing_is_asked():
    """Another one that is linked to it takes part, by an output that does not depend on it."""
    w, v = Value(2.0), Value(3.0)
    a = vmap(lambda x: x * w)([1.0, 2.0])
    first, second = vmap(lambda p: (p * w, v * v))(a)
    for _ in range(2):
        assert grads_of(second.sum(), [w, v]) == [0.0, 12.0]
        assert grads_of(first.sum(), [w, v]) == [12.0, 0.0]
    assert grads_of(vmap(lambda p: p + v)(second).sum(), [w, v]) == [0.0, 14.0]


def test_results_that_depend_on_no_parameter():
    w = Value(2.0)
    constant, batch = vmap(lambda x: (x * 3.0, x * w))([1.0, 2.0])
    mapped = vmap(lambda a, b: a * b)
    assert grads_of(mapped(constant, batch).sum(), [w]) == [3.0 + 12.0]
    assert not mapped(constant, constant).keeps_graph
    assert not vmap(lambda a: stop_gradient(a))(batch).keeps_graph
    stack = vmap(lambda x: [x * 3.0, x * w], stacked=True)([1.0, 2.0])
    product = vmap(lambda row: row[0] * row[1])(stack)
    assert grads_of(product.sum(), [w]) == [15.0]
    assert not vmap(lambda row: row[0] * 2.0)(vmap(lambda x: [x, x], stacked=True)([1.0])).keeps_graph


def test_an_argument_that_is_handed_out_again():
    w = Value(2.0)
    a = vmap(lambda x: x * w)([1.0, 2.0])
    b, c = vmap(lambda a: (a, a))(a)
    assert grads_of(b.sum() + 10.0 * c.sum(), [w]) == [33.0]
    assert grads_of(c.sum(), [w]) == [3.0]
    assert b.tolist() == [2.0, 4.0]


def test_one_batch_in_several_places():
    w = Value(2.0)
    a = vmap(lambda x: x * w)([1.0, 3.0])
    assert grads_of(vmap(lambda p, q, r: p * q + r)(a, a, a).sum(), [w]) == [2 * 2.0 * 10.0 + 4.0]
    first, second = vmap(lambda p: p * p)(a), vmap(lambda p: p * 3.0)(a)
    assert grads_of(first.sum() + second.sum() + a.sum(), [w]) == [40.0 + 12.0 + 4.0]


def test_again_and_again():
    w = Value(2.0)
    a = vmap(lambda x: x * w)([1.0, 3.0])
    b = vmap(lambda p: p * p)(a)
    total = b.sum()
    for _ in range(3):
        assert grads_of(total, [w]) == [40.0]
    w.grad = 0
    for root in (total, a.sum(), b.max(), total):
        root.backward()
    assert w.grad == 40.0 + 4.0 + 36.0 + 40.0


def test_dicts_names_and_mixed_arguments():
    w, v = Value(2.0), Value(3.0)
    parts = vmap(lambda x: {"a": x * w, "b": [x, x + w]})([1.0, 3.0])
    mapped = vmap(lambda parts, s, *, c, n: parts["a"] * parts["b"] * s + c * n, in_axes=({"a": 0, "b": 0}, None))
    found = mapped({"a": parts["a"], "b": parts["b"][1]}, v, c=parts["b"][1], n=np.array([1.0, 10.0]))
    eager = [(x * w) * (x + w) * v + (x + w) * n for x, n in [(1.0, 1.0), (3.0, 10.0)]]
    assert close(grads_of(found.sum(), [w, v]), grads_of(sum(eager), [w, v]))


def test_other_kinds_of_the_same_argument_are_traced_apart():
    w, v = Value(2.0), Value(3.0)
    mapped = vmap(lambda x: x * v)
    batch = vmap(lambda x: x * w)([1.0, 3.0])
    for _ in range(3):
        assert grads_of(mapped(np.asarray(batch)).sum(), [w, v]) == [0, 8.0]
        assert grads_of(mapped(batch).sum(), [w, v]) == [12.0, 8.0]
        with no_grad():
            assert not mapped(batch).keeps_graph
        assert grads_of(mapped(copy.copy(batch)).sum(), [w, v]) == [0, 8.0]
    assert len(mapped.specializations) == 2


def test_which_arguments_are_linked_may_differ_from_call_to_call():
    w, v = Value(2.0), Value(3.0)
    mapped = vmap(lambda p, row, q: p * row[1] + q * row[0] * v)
    batch, numbers = vmap(lambda x: x * w)([1.0, 3.0]), np.array([5.0, 7.0])
    stack, pairs = vmap(lambda x: [x, x * w], stacked=True)([1.0, 3.0]), np.array([[1.0, 2.0], [3.0, 4.0]])
    last = vmap(lambda x: [x * w, x], out_axes=-1, stacked=True)([2.0, 3.0])
    for _ in range(3):
        for p, row, q in itertools.product((batch, numbers), (stack, pairs, last), (batch, numbers)):
            slopes = [[1.0, 3.0] if p is batch else [0.0, 0.0], [1.0, 3.0] if q is batch else [0.0, 0.0],
                      {id(stack): [[0.0, 1.0], [0.0, 3.0]], id(pairs): [[0.0] * 2] * 2,
                       id(last): [[2.0, 3.0], [0.0, 0.0]]}[id(row)]]
            a, b, c = (np.asarray(one) for one in (p, row, q))
            da, dc, db = map(np.array, slopes)
            wanted = (da * b[:, 1] + a * db[:, 1] + 3.0 * (dc * b[:, 0] + c * db[:, 0])).sum()
            assert close(grads_of(mapped(p, row, q).sum(), [w, v]), [wanted, (c * b[:, 0]).sum()])
            with no_grad():
                assert not mapped(p, row, q).keeps_graph
    with pytest.raises(TypeError, match="argument"):
        mapped(batch, stack)


def test_a_long_sequence_step_by_step():
    """What is compiled is one step; gradients go back through all of them."""
    model = MLP(3, [2], activation=["tanh"])
    step = vmap(lambda state, x: model([*state, x]), stacked=True)
    readings, before = np.random.RandomState(0).randn(30, 4), None
    for times in (3, 30):
        state = np.zeros((4, 2))
        for x in readings[:times]:
            state = step(state, x)
        found = grads_of(state.sum(state), model.parameters())
        total = Value(0.0)
        for row in range(4):
            eager = [0.0, 0.0]
            for x in readings[:times, row].tolist():
                eager = model([*eager, x])
            total = total + sumprod(eager, eager)
        assert close(found, grads_of(total, model.parameters()))
        assert before in (None, set(step.specializations))
        before = set(step.specializations)


def test_no_rows():
    w = Value(2.0)
    a = vmap(lambda x: x * w)([])
    assert grads_of(vmap(lambda p: p.sqrt() * w)(a).sum(), [w]) == [0.0]


# --- weights ---

@pytest.mark.parametrize("stacked", [False, True])
def test_weights_that_have_gradients(stacked):
    w, v = Value(0.5), Value(-1.5)
    rows = ROWS
    a = vmap(lambda x: [x * w, x + v] if stacked else x * w + v, stacked=stacked)(rows)
    b = vmap(lambda x: [x * w * v, w * w] if stacked else x * w * v, stacked=stacked)(rows)
    eager = [((x * w, x + v), (x * w * v, w * w)) if stacked else ((x * w + v,), (x * w * v,)) for x in rows]
    for found, pairs in [(a.sum(b), [0, 1]), (b.sum(a), [1, 0]), (a.sum(a), [0, 0]), (a.mean(b), [0, 1])]:
        wanted = sum([p * q for row in eager for p, q in zip(row[pairs[0]], row[pairs[1]])])
        scale = found.data / wanted.data
        assert close(scale, 1.0) or close(scale, 1.0 / np.asarray(a).size)
        assert close(grads_of(found, [w, v]), [scale * g for g in grads_of(wanted, [w, v])])


def test_weights_with_and_numbers_without_gradients():
    w = Value(2.0)
    batch, constant = vmap(lambda x: (x * w, x * 10.0))([1.0, 3.0])
    assert grads_of(constant.sum(batch), [w]) == [100.0]
    assert grads_of(batch.sum(constant), [w]) == [100.0]
    assert grads_of(copy.copy(batch).sum(batch), [w]) == [2.0 + 18.0]
    assert grads_of(vmap(lambda x: x)([1.0, 2.0]).sum(batch), [w]) == [7.0]
    with no_grad():
        assert batch.sum(batch)._prev == set()
    assert constant.sum(constant)._prev == set()
    total = batch.sum(batch)
    del batch, constant
    gc.collect()
    assert grads_of(total, [w]) == [40.0]


def test_weights_that_do_not_fit():
    w = Value(2.0)
    batch = vmap(lambda x: x * w)([1.0, 3.0])
    with pytest.raises(ValueError, match="3 weights for 2 rows"):
        batch.sum(vmap(lambda x: x * w)([1.0, 2.0, 3.0]))
    first, last = (vmap(lambda x: [x * w, x], out_axes=k, stacked=True)([1.0, 3.0]) for k in (0, 1))
    with pytest.raises(ValueError, match="compute both with the same out_axes"):
        first.sum(last)
    with pytest.raises(TypeError, match="not an array of 1 axes"):
        first.sum(batch)
    with pytest.raises(TypeError, match="not an array of 2 axes"):
        batch.sum(first)
    assert first.sum(np.asarray(last).T).data == first.sum(first).data


# --- sweeps ---

def test_an_error_half_way_leaves_nothing_behind():
    w, v = Value(2.0), Value(3.0)
    a = vmap(lambda x: x * w)([1.0, 3.0])
    b = vmap(lambda p: p * v)(a)
    below, above = a.sum(), b.sum()
    between = below * 1.0       # above the runs, below the last sum

    def fails():
        raise KeyError

    wrong = vmap(lambda p: p * p)(a).sum() + between
    between._backward = fails
    with pytest.raises(KeyError):
        wrong.backward()
    assert grads_of(above, [w, v]) == [12.0, 8.0]
    power = w ** 0.5
    w.data = 0.0
    with pytest.raises(ZeroDivisionError):
        (power + b.sum()).backward()
    w.data = 2.0
    assert grads_of(above, [w, v]) == [12.0, 8.0]


def test_a_sweep_in_the_middle_of_another():
    w, v = Value(2.0), Value(3.0)
    a = vmap(lambda x: x * w)([1.0, 3.0])
    b = vmap(lambda p: p * v)(a)
    found = []
    first = b.sum()
    inner = a.sum() * 1.0       # its rule runs after b's run has left seeds in a's

    def rule():
        inner_root = a.sum([10.0, 100.0])
        before = w.grad
        inner_root.backward()
        found.append(w.grad - before)

    probe = Value(1.0) * 1.0
    outer = vmap(lambda p: p * 2.0)(b).sum() + probe + first
    probe._backward = rule
    w.grad = v.grad = 0
    (outer + inner).backward()
    assert found == [310.0]
    assert (w.grad - 310.0, v.grad) == (24.0 + 12.0 + 4.0, 16.0 + 8.0)


def test_functions_of_ones_own_on_the_way():
    w = Value(2.0)
    a = vmap(lambda x: x * w)([1.0, 3.0])
    total = vmap(lambda p: p * p)(a).sum()
    seen = []
    w._backward = lambda: seen.append(w.grad)
    (same(total) + 0.0).backward()
    assert (seen, w.grad) == ([40.0], 40.0)


def test_steps_by_hand():
    w = Value(2.0)
    a = vmap(lambda x: x * w)([1.0, 3.0])
    total = vmap(lambda p: p * p)(a).sum()
    (second,) = total._prev
    (first,) = second._prev
    assert first._prev == {w}
    total.grad = 1.0
    for node in (total, second, first):
        node._backward()
    assert w.grad == 40.0


INTERRUPTED = """
import signal, time
import numpy as np
from micrograd_c import vmap
from micrograd_c.engine import Value
w, v, calls = Value(0.5), Value(2.0), []
rows = np.linspace(-1.0, 1.0, 200_000)
a = vmap(lambda x: (x * w).tanh())(rows)
def slow(p):
    for _ in range(60):
        p = (p * v).sin()
    return p
total = vmap(slow, threads=THREADS)(a).sum()
def run():
    w.grad = v.grad = 0
    total.backward()
    return w.grad, v.grad
wanted = run()
def handler(number, frame):
    calls.append(number)
    if len(calls) == 4:
        w.grad = v.grad = 0
        a.mean().backward()     # another sweep through the first run
        calls.append((w.grad, v.grad))
        w.grad, v.grad = 0, 0
    if RAISES:
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise KeyboardInterrupt
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.012, 0.012)
found = None
try:
    found = run()
except KeyboardInterrupt:
    pass
finally:
    signal.setitimer(signal.ITIMER_REAL, 0)
assert calls
assert (found is None) == RAISES or not calls
np.testing.assert_allclose(run(), wanted, rtol=1e-12)
if not RAISES:
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="signals are sent as POSIX has it")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("raises", [False, True])
def test_signals_in_the_middle(run_python, threads, raises):
    run_python(INTERRUPTED.replace("THREADS", str(threads)).replace("RAISES", str(raises)))


# --- what holds what ---

def test_runs_live_as_long_as_what_was_computed_from_them():
    w = Value(2.0)
    kept = []
    for k in range(50):
        batch = vmap(lambda x: x * w)([1.0, 3.0])
        for _ in range(k % 4 + 1):
            batch = vmap(lambda p: p * 1.5)(batch)
        kept.append((1.5 ** (k % 4 + 1), batch.sum()))
        del batch
    gc.collect()
    for factor, total in kept:
        assert grads_of(total, [w]) == [4.0 * factor]


def test_nothing_leaks(run_python):
    run_python("""
import gc
from micrograd_c import tape, vmap
from micrograd_c.engine import Value
w = Value(2.0)
inner, outer = vmap(lambda x: [x * w, x + w], stacked=True), vmap(lambda p: p[0] * p[1])
def step():
    w.grad = 0
    stack = inner([1.0, 2.0, 3.0] * 100)
    batch = outer(stack)
    (batch.sum(batch) + batch.max()).backward()
for _ in range(20):
    step()
gc.collect()
before = tape.collect(), len(gc.get_objects())
for _ in range(300):
    step()
gc.collect()
assert tape.collect() == before[0]
assert len(gc.get_objects()) <= before[1] + 20
""")


def test_copies_are_refused():
    w = Value(2.0)
    total = vmap(lambda p: p * p)(vmap(lambda x: x * w)([1.0, 3.0])).sum()
    with pytest.raises(TypeError, match="cannot be copied"):
        copy.deepcopy(total)


# --- where it cannot be, and where rows are computed one by one ---

def test_row_by_row():
    w, v = Value(2.0), Value(3.0)
    a = vmap(lambda x: x * w)([1.0, 3.0])
    stack = vmap(lambda x: [[x * w, x], [x + w, w]], out_axes=1, stacked=True)([1.0, 3.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        total = vmap(lambda p: same(p * p) * v)(a).sum()
        assert grads_of(total, [w, v]) == [120.0, 40.0]
        line = vmap(lambda p: same(p[0][0] * p[1][1]) * v, in_axes=1)(stack).sum()
    wanted = sum([(x * w) * w * v for x in (1.0, 3.0)])
    assert grads_of(line, [w, v]) == grads_of(wanted, [w, v])


LOST = "whose gradient would be lost"


@pytest.mark.parametrize("call", [
    lambda b: vmap(lambda x: x)([b, b]), lambda b: jit(lambda: vmap(lambda x: x)(b))(),
    lambda b: jit(lambda: vmap(lambda x: x)([1.0, 2.0]).sum(b))(),
], ids=range(3))
def test_elsewhere_it_is_refused(call):
    w = Value(2.0)
    with pytest.raises(TypeError, match=LOST):
        call(vmap(lambda x: x * w)([1.0, 3.0]))


def test_derivatives_of_functions_that_call_both():
    def loss(w):
        a = vmap(lambda x: x * w)([1.0, 3.0])
        b = vmap(lambda p: p * p * w)(a)
        return b.sum(a)

    w = Value(2.0)
    eager = sum([(x * w) * (x * w) * w * (x * w) for x in (1.0, 3.0)])
    assert grad(loss)(2.0) == pytest.approx(grads_of(eager, [w])[0])
    assert hessian(loss)(2.0) == pytest.approx(12.0 * 2.0 ** 2 * (1.0 + 27.0))


def test_derivatives_leave_runs_from_before_alone():
    v = Value(3.0)
    before = vmap(lambda x: x * v)([1.0, 3.0])
    v.grad = 7.0
    assert grad(lambda w: vmap(lambda p: p * w)(before).sum())(2.0) == 12.0
    assert v.grad == 7.0
    assert grad(lambda w: before.sum(vmap(lambda x: x * w)([1.0, 1.0])))(2.0) == 12.0
    assert v.grad == 7.0
    assert grads_of(before.sum(), [v]) == [4.0]


def test_a_reading_of_tables():
    w, v = Value(2.0), Value(3.0)
    k = vmap(lambda x: x * stop_gradient(w))([0.0, 0.5])
    rows = vmap(lambda x, k: take([w, v], k) * x)(vmap(lambda x: x * v)([1.0, 2.0]), k)
    assert rows.tolist() == [6.0, 18.0]
    assert grads_of(rows.sum(), [w, v]) == [3.0, 2.0 + 6.0 + 6.0]
    varying = vmap(lambda x: x * w)([0.0, 0.5])
    assert grads_of(vmap(lambda k: take([w, v], k))(varying).sum(), [w, v]) == [1.0, 1.0]
