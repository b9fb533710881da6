"""Results of mapped functions, each number of which is used as a Value: shared by rows, compiled, row by row."""

import copy
import gc
import math
import pickle
import warnings

import numpy as np
import pytest
from own_ops import same
from test_linked import close, grads_of

from micrograd_c import grad, jit, no_grad, stop_gradient, sumprod, take, vmap, where
from micrograd_c.engine import Value

pytestmark = pytest.mark.filterwarnings("ignore:vmap runs:UserWarning", "ignore:jit runs:UserWarning")


class Weight(Value):
    """A subclass, with an attribute."""

    scale = 2.0


def one_row(x, w, v):
    return [(x * w).tanh(), where(x, x * v, w)]


MADE = {        # from x, w and v to an array of two numbers a row
    "compiled": lambda xs, w, v: vmap(lambda x: one_row(x, w, v), stacked=True)(xs),
    "threads": lambda xs, w, v: vmap(lambda x: one_row(x, w, v), stacked=True, threads=2, saved_bytes=0)(xs),
    "rows last": lambda xs, w, v: vmap(lambda x: one_row(x, w, v), stacked=True, out_axes=-1)(xs),
    "row by row": lambda xs, w, v: vmap(lambda x: list(map(same, one_row(x, w, v))), stacked=True)(xs),
    "by rows, last": lambda xs, w, v: vmap(lambda x: list(map(same, one_row(x, w, v))), stacked=True, out_axes=1)(xs),
    "of another": lambda xs, w, v: vmap(lambda p: [p, 1.0 * p], stacked=True, out_axes=0)(
        vmap(lambda x: x * w + v)(xs)),
}

USED = {        # what is computed from it, which here is its rows as lists, and from u
    "shared": (
        lambda b, u: vmap(lambda x, s: x * s[0][-1] * u + sumprod(s[-1], s[0]), in_axes=(0, None))(
            [1.0, -2.0], b).sum(),
        lambda e, u: sum([x * e[0][-1] * u + sumprod(e[-1], e[0]) for x in (1.0, -2.0)])),
    "shared in a list": (
        lambda b, u: vmap(lambda x, s: (x * s[1][0][0] + s[0]) * s[2], in_axes=(0, None))(
            [1.0, -2.0], [3.0, b, u]).mean(),
        lambda e, u: sum([(x * e[0][0] + 3.0) * u for x in (1.0, -2.0)]) / 2),
    "shared twice": (
        lambda b, u: vmap(lambda x, s, t: x * s[0][0] * t[-1][0], in_axes=(0, None, None))([1.0, 3.0], b, b).sum(),
        lambda e, u: 4.0 * e[0][0] * e[-1][0]),
    "a table": (
        lambda b, u: vmap(lambda k, s: take(s, k)[-1] * u, in_axes=(0, None))([0.0, -1.0, 0.0], b).sum(),
        lambda e, u: (2.0 * e[0][-1] + e[-1][-1]) * u),
    "compiled": (
        lambda b, u: jit(lambda p, u: sum([sumprod(row, row) for row in p]) * u)(b, u),
        lambda e, u: sum([sumprod(row, row) for row in e]) * u),
    "compiled among others": (
        lambda b, u: u * jit(lambda n, p, q, r: p["b"][0][0] * q[1] * r[-1][-1] + n)(
            2.0, {"b": b}, np.array([5.0, 7.0]), b),
        lambda e, u: (e[0][0] * 7.0 * e[-1][-1] + 2.0) * u),
    "as it is, in jit": (
        lambda b, u: jit(lambda p: same(p[0][0]) * p[-1][-1])(b) * u,
        lambda e, u: e[0][0] * e[-1][-1] * u),
    "row by row": (
        lambda b, u: vmap(lambda p: same(p[0]) * p[-1] * u)(b).sum(),
        lambda e, u: sum([row[0] * row[-1] * u for row in e])),
    "rows": (
        lambda b, u: vmap(lambda p, x: p[0] * p[-1] * u * x, in_axes=(0, None))(b, 2.0).sum(),
        lambda e, u: sum([row[0] * row[-1] * u * 2.0 for row in e])),
    "columns": (
        lambda b, u: vmap(lambda p: p[0] * p[-1] * u, in_axes=1)(b).sum(),
        lambda e, u: sum([e[0][k] * e[-1][k] * u for k in range(len(e[0]))])),
    "rows and shared": (
        lambda b, u: vmap(lambda p, s: p[0] * s[0][-1], in_axes=(0, None))(b, b).sum() * u,
        lambda e, u: sum([row[0] * e[0][-1] for row in e]) * u),
    "a chain": (
        lambda b, u: vmap(lambda x, s: x[0] * s[0][-1], in_axes=(0, None))(
            b, vmap(lambda p: [p[0] * u, p[-1]], stacked=True)(b)).sum(),
        lambda e, u: sum([row[0] * e[0][-1] for row in e])),
    "in a derivative": (
        lambda b, u: jit(lambda p, u: grad(lambda u: (u * p[0][0]) ** 3)(u) * p[-1][-1])(b, u),
        lambda e, u: 3.0 * u ** 2 * e[0][0] ** 3 * e[-1][-1]),
}


@pytest.mark.parametrize("rows", [1, 3, 1000])
@pytest.mark.parametrize("used", USED)
@pytest.mark.parametrize("made", MADE)
def test_beside_the_eager_engine(made, used, rows):
    w, v, u = Weight(0.5), Value(-1.5), Value(2.0)
    xs = np.linspace(-1.0, 1.5, rows)
    xs[0] = 0.25
    of_batch, of_lists = USED[used]
    eager = [[(x * w).tanh(), x * v] if x else [x * w, w] for x in xs.tolist()]
    if made == "of another":
        eager = [[x * w + v, x * w + v] for x in xs.tolist()]
    if made in ("rows last", "by rows, last"):
        eager = [list(column) for column in zip(*eager)]
    wanted = of_lists(eager, u)
    slopes = grads_of(wanted, [w, v, u])
    batch = MADE[made](xs, w, v)
    for _ in range(2):
        found = of_batch(batch, u)
        assert close(found.data, wanted.data)
        assert close(grads_of(found, [w, v, u]), slopes, 1e-9)
    with no_grad():
        number = of_batch(batch, u)
    assert close(number.data, wanted.data)
    assert number._prev == set()


def results(batch):
    """Of all uses that do not say how."""
    return {
        "shared": lambda: vmap(lambda x, s: x * s[0] + s[1], in_axes=(0, None))([1.0], batch).sum(),
        "jit": lambda: jit(lambda p: p[0] * p[1])(batch),
        "rows": lambda: vmap(lambda p: same(p))(batch).sum(),
        "weights": lambda: vmap(lambda x: x)([1.0, 10.0]).sum(batch),
    }


@pytest.mark.parametrize("used", ["shared", "jit", "rows", "weights"])
@pytest.mark.parametrize("own", [False, True])
class TestUses:
    def batch(self, own, w):
        return vmap(lambda x: same(x * w) if own else x * w)([1.0, 3.0])

    def test_backward_twice_adds_the_same_again(self, used, own):
        w = Value(2.0)
        found = results(self.batch(own, w))[used]()
        found.backward()
        first = w.grad
        assert first
        if own or used in ("shared", "rows"):     # by nodes between, whose gradients accumulate
            found = results(self.batch(own, w))[used]()
        found.backward()
        assert w.grad == 2.0 * first

    def test_copies_have_no_gradient(self, used, own):
        w = Value(2.0)
        batch = self.batch(own, w)
        if own:
            return
        for twin in (copy.copy(batch), pickle.loads(pickle.dumps(batch)), np.asarray(batch)):
            found = results(twin)[used]()
            assert found.data == results(batch)[used]().data
            assert grads_of(found, [w]) == [0]

    def test_the_batch_may_be_gone(self, used, own):
        w = Value(2.0)
        batch = self.batch(own, w)
        wanted = grads_of(results(batch)[used](), [w])
        found = results(batch)[used]()
        del batch
        gc.collect()
        assert grads_of(found, [w]) == wanted

    def test_functions_of_ones_own_on_the_way(self, used, own):
        w = Value(2.0)
        seen = []
        w._backward = lambda: seen.append(w.grad)
        wanted = results(self.batch(own, w))[used]()
        (same(wanted) + 0.0).backward()
        assert seen == [w.grad]
        assert w.grad != 0.0

    def test_an_error_half_way_leaves_nothing_behind(self, used, own):
        w = Value(2.0)
        batch = self.batch(own, w)
        below = batch.sum() * 1.0
        found = results(batch)[used]()
        wanted = grads_of(found, [w])
        slot = below._backward

        def fails():
            raise KeyError

        below._backward = fails
        with pytest.raises(KeyError):
            (found + below).backward()
        below._backward = slot
        assert grads_of(found, [w]) == wanted

    def test_what_stops_gradients(self, used, own):
        w = Value(2.0)
        batch = vmap(lambda x: stop_gradient(same(x * w) if own else x * w))([1.0, 3.0])
        assert grads_of(results(batch)[used]() + 0.0, [w]) == [0]

    def test_derivatives(self, used, own):
        def loss(w):
            return results(self.batch(own, w))[used]()

        w = Value(2.0)
        assert grad(loss)(2.0) == pytest.approx(grads_of(loss(w), [w])[0])


def test_what_the_function_returns_may_be_a_parameter():
    w, v = Value(2.0), Value(3.0)

    def parameter(x):
        same(x)
        return w

    batch = vmap(parameter)([1.0, 2.0])
    assert grads_of(vmap(lambda p: p * v)(batch).sum(), [w, v]) == [6.0, 4.0]
    assert grads_of(jit(lambda p: p[0] * p[1])(batch), [w]) == [4.0]


def test_no_rows():
    w = Value(2.0)
    batch = vmap(lambda x: x * w)([])
    assert grads_of(vmap(lambda x, s: x * w + len(s), in_axes=(0, None))([1.0], batch).sum(), [w]) == [1.0]
    assert jit(lambda p: w * len(p))(batch).data == 0.0
    by_rows = vmap(lambda x: same(x * w))
    by_rows([1.0])
    assert grads_of(vmap(lambda p: p * w)(by_rows([])).sum(), [w]) == [0.0]


def test_other_kinds_of_the_same_argument_are_traced_apart():
    w = Value(2.0)
    batch = vmap(lambda x: x * w)([1.0, 3.0])
    shared, compiled = vmap(lambda x, s: x * s[1], in_axes=(0, None)), jit(lambda p: p[0] * p[1])
    for _ in range(5):
        for one, slopes in ((np.asarray(batch), ([0], [0])), (batch, ([3.0], [12.0])), ([w, w], ([1.0], [4.0]))):
            assert grads_of(shared([1.0], one).sum(), [w]) == slopes[0]
            assert grads_of(compiled(one), [w]) == slopes[1]
    assert len(shared.specializations) == len(compiled.specializations) == 3
    longer = vmap(lambda x: x * w)([1.0, 3.0, 4.0])
    assert grads_of(compiled(longer), [w]) == [12.0]
    assert len(compiled.specializations) == 4


def test_new_batches_are_not_traced_anew():
    w = Value(2.0)
    mapped = vmap(lambda x: x * w)
    shared, compiled = vmap(lambda x, s: x * s[1], in_axes=(0, None)), jit(lambda p: p[0] * p[1])
    for k in range(5):
        batch = mapped([1.0, float(k)])
        assert grads_of(shared([1.0], batch).sum() + compiled(batch), [w]) == [k + 4.0 * k]
    assert len(shared.specializations) == len(compiled.specializations) == 1


def test_slopes_that_are_infinite_take_part_only_where_they_are_used():
    w = Value(0.0)
    a, b = vmap(lambda x: (x * w, (x * w).sqrt()))([1.0, 2.0])
    assert grads_of(jit(lambda p, q: p[0] + stop_gradient(q[0]))(a, b), [w]) == [1.0]
    assert math.isinf(grads_of(jit(lambda p, q: p[0] + q[0] + q[1])(a, b), [w])[0])
    assert grads_of(vmap(lambda x, p, q: p[0] * x, in_axes=(0, None, None))([2.0], a, b).sum(), [w]) == [2.0]


def test_weights_of_rows_computed_one_by_one():
    w, v = Value(2.0), Value(3.0)
    a, b = vmap(lambda x: x * w)([1.0, 3.0]), vmap(lambda x: same(x * v))([1.0, 3.0])
    wanted = [10.0 * v.data, 10.0 * w.data]
    for found in (a.sum(b), b.sum(a)):
        assert grads_of(found, [w, v]) == wanted
    assert grads_of(a.mean(b), [w, v]) == [15.0, 10.0]
    assert grads_of(b.mean(b), [v]) == [30.0]
    stack = vmap(lambda x: [x * w, w], stacked=True, out_axes=1)([1.0, 3.0])
    rowwise = vmap(lambda x: [same(x * v), v], stacked=True, out_axes=1)([1.0, 3.0])
    for found in (stack.sum(rowwise), rowwise.sum(stack)):
        assert grads_of(found, [w, v]) == [36.0, 24.0]
    with pytest.raises((TypeError, ValueError), match="weights"):
        a.sum(rowwise)
    with pytest.raises((TypeError, ValueError), match="weights"):
        rowwise.sum(a)
    with no_grad():
        assert a.sum(b)._prev == set()


def test_interrupted_functions_leave_nothing_behind():
    w = Value(2.0)
    batch = vmap(lambda x: x * w)([1.0, 3.0])

    def fails(*given):
        raise KeyboardInterrupt

    for call in (lambda: jit(fails)(batch), lambda: vmap(fails, in_axes=(0, None))([1.0], batch)):
        with pytest.raises(KeyboardInterrupt):
            call()
    assert grads_of(jit(lambda p: p[0] * p[1])(batch), [w]) == [12.0]


def test_beside_jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    jnp, xs = jax.numpy, np.linspace(-1.0, 2.0, 7)

    def theirs(w, v):
        batch = jax.vmap(lambda x: jnp.tanh(x * w) * v)(xs)
        shared = jax.vmap(lambda x, s: x * s[2] + jnp.dot(s, s), in_axes=(0, None))(xs, batch)
        return jnp.sum(shared * batch) + jax.jit(lambda p: p[0] * p[-1] * v)(shared)

    w, v = Value(0.75), Value(-1.25)
    batch = vmap(lambda x: (x * w).tanh() * v)(xs)
    shared = vmap(lambda x, s: x * s[2] + sumprod(s, s), in_axes=(0, None))(xs, batch)
    loss = shared.sum(batch) + jit(lambda p, v: p[0] * p[-1] * v)(shared, v)
    number, slopes = jax.value_and_grad(theirs, argnums=(0, 1))(0.75, -1.25)
    assert close(loss.data, float(number))
    assert close(grads_of(loss, [w, v]), [float(slope) for slope in slopes])


def test_a_list_of_them_is_no_array_of_rows():
    w = Value(2.0)
    batch = vmap(lambda x: x * w)([1.0, 3.0])
    for wrong in (lambda: vmap(lambda x: x)([batch, batch]), lambda: batch.sum([batch, 1.0]),
                  lambda: jit(lambda: vmap(lambda x: x)(batch))()):
        with pytest.raises(TypeError, match="gradient would be lost here: give it as an argument of its own"):
            wrong()
    with no_grad():
        assert vmap(lambda x: x[0] * x[1])([batch, batch]).tolist() == [12.0, 12.0]


def test_warnings_say_what_runs_row_by_row():
    w = Value(2.0)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        batch = vmap(lambda x: same(x * w))([1.0, 3.0])
        assert grads_of(vmap(lambda p: p * w)(batch).sum(), [w]) == [16.0]
    assert [str(one.message).partition(":")[0].split()[-1] for one in seen] == ["slow"]
