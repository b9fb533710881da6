"""Derivatives of any order through mapped functions, beside the same functions as loops over their rows, and JAX."""

import gc
import math

import numpy as np
import pytest
from own_ops import same
from test_linked import grads_of

from micrograd_c import (
    grad,
    gradients,
    hessian,
    jacfwd,
    jacobian,
    jacrev,
    jit,
    jvp,
    maximum,
    no_grad,
    softmax,
    stop_gradient,
    sumprod,
    take,
    tape,
    value_and_grad,
    vjp,
    vmap,
    where,
)
from micrograd_c._core.mapped import inside
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

pytestmark = pytest.mark.filterwarnings("ignore:vmap runs:UserWarning", "ignore:jit runs:UserWarning")


def looped(fn, in_axes=0, out_axes=0, *, stacked=False, threads=1, saved_bytes=0):
    """As vmap, by a loop over rows, which leaves nodes."""
    wanted = None if (out_axes, stacked) == (0, False) else (out_axes, stacked)
    return lambda *arguments: inside.run(fn, in_axes, wanted, arguments, {})


def close(one, other, rel=1e-9):
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(close(a, b, rel) for a, b in zip(one, other))
    return one == pytest.approx(other, rel=rel, abs=1e-9, nan_ok=True)


def several_ops(vm, w, xs):
    u, v = w
    f = vm(lambda x: ((x * u).tanh() * v + (x * v).sin() / (1.0 + (x * u) ** 2)) * (u * v).exp())
    return f(xs).mean()


def layer(vm, w, xs):
    def f(x):
        hidden = [(w[0] * x + w[1] * t + w[0] * w[1]).tanh() for t in (0.5, -1.0, x)]
        return sum([h * k for h, k in zip(softmax(hidden), (1.0, w[1], 2.0))]) + (w[0] + w[1]) * x
    return vm(f)(xs).sum()


def choices(vm, w, xs):
    f = vm(lambda x: where(x, x * w[0] ** 3, w[1] ** 2) * maximum(x * w[0], x * x * w[1]) + (x * w[1]).relu() ** 2)
    return f(xs).mean()


def a_table(vm, w, xs):
    f = vm(lambda x, k: take([w[0] ** 2, w[0] * w[1], w[1]], k) * x * w[1])
    return f(xs, [0.0, -1.0, 1.0] * len(xs) if len(xs) == 1000 else [float(k % 3) for k in range(len(xs))]).sum()


def stopped(vm, w, xs):
    return vm(lambda x: stop_gradient(x * w[0]) * w[0] ** 2 * w[1])(xs).sum()


def local_gradients(vm, w, xs):
    return vm(lambda x: Value(2.0, (w[0] * x, w[1]), (3.0, 0.5)) * w[0] ** 2)(xs).sum() * w[1]


def weighted(vm, w, xs):
    a = vm(lambda x: x * w[0] ** 2 + w[1] ** 3 * x)(xs)
    return a.sum([0.5 * k + 1.0 for k in range(len(xs))]) + a.mean([float(k) for k in range(len(xs))]) * w[0]


def weighted_by_another(vm, w, xs):
    a, b = vm(lambda x: (x * w[0] ** 2, (x * w[1]).tanh()))(xs)
    return a.sum(b) * w[1] + a.sum(a) + b.mean(a)


def extremes(vm, w, xs):
    a = vm(lambda x: (x * w[0]).sin() * w[1] + x * w[1] ** 2)(xs)
    return a.max() * w[0] + a.min() ** 2


def deviation(vm, w, xs):
    a = vm(lambda x: (x * w[0]).sin() * w[1] + x ** 2 * w[1] ** 2)(xs)
    return a.std() * w[0] + a.std(0.5) ** 2


def several_results(vm, w, xs):
    a, b, c = vm(lambda x: [x * w[0] ** 2, (x + w[1]).exp(), w[0] * w[1]])(xs)
    return a.sum() * b.mean() + c.mean() ** 2 + a.mean() * a.sum()


def one_of_several(vm, w, xs):
    a, _ = vm(lambda x: [x * w[0] ** 2, (0.0 * x).sqrt()])(xs)
    return a.sum() ** 2


def stacked(vm, w, xs):
    a = vm(lambda x: [[x * w[0] ** 2, x], [w[1] ** 3 * x, w[0] * w[1]]], stacked=True)(xs)
    return a.sum() * w[0] + a.mean() ** 2


def rows_last(vm, w, xs):
    a = vm(lambda x: [x * w[0] ** 2, w[1] ** 3 * x], stacked=True, out_axes=-1)(xs)
    return a.sum() * w[0] + a.std()


def the_same_in_all_rows(vm, w, xs):
    a, b = vm(lambda x: (w[0] ** 2 * w[1], x * w[1] ** 2), out_axes=(None, 0))(xs)
    return a * b.mean()


def chain(vm, w, xs):
    a = vm(lambda x: (x * w[0]).tanh())(xs)
    b = vm(lambda p: p ** 2 * w[1] + p)(a)
    return vm(lambda p, q: p * q * w[0])(a, b).mean()


def chain_of_columns(vm, w, xs):
    a = vm(lambda x: [x * w[0], (x * w[1]).tanh(), x * x * w[0]], stacked=True)(xs)
    if (not isinstance(a, list) and a.shape[0] > 20) or len(xs) > 20:
        return vm(lambda row: row[0] * row[1] ** 2 * row[2])(a).sum()
    return vm(lambda column: sumprod(column, column) * column[0] * w[1], in_axes=1)(a).sum()


def shared_argument(vm, w, xs):
    a = vm(lambda x: [x * w[0] ** 2, (x * w[1]).tanh()], stacked=True)(xs)
    return vm(lambda x, s: x * s[0][1] ** 2 * s[-1][0], in_axes=(0, None))([1.0, 2.0], a).sum()


def shared_by_several(vm, w, xs):
    a = vm(lambda x: (x * w[0]).tanh())(xs)
    first = vm(lambda x, s: x * s[0] * w[1] + s[-1] ** 2, in_axes=(0, None))([1.0, 2.0], a)
    second = vm(lambda x, s: x * s[0] ** 2, in_axes=(0, None))([0.5, 3.0, 1.0], a)
    return first.sum() * second.mean() + a.mean()


def shared_values(vm, w, xs):
    return vm(lambda x, s: x * s["a"] ** 2 * s["b"][1] + x ** 2 * s["b"][0], in_axes=(0, None))(
        xs, {"a": w[0] * w[1], "b": [3.0, w[1] ** 2]}).mean()


def sequence(vm, w, xs):
    step = vm(lambda h, x: (h * w[0] + x * w[1]).tanh())
    h = vm(lambda x: x * w[0])(xs)
    for k in range(4):
        h = step(h, [x * 0.5 + k for x in xs])
    return h.sum(h)


def layers_twice(vm, w, xs):
    f = vm(lambda x: (x * w[0] + w[1]).tanh())
    return vm(lambda p, q: p * q)(f(xs), f(f(xs))).mean()


LOSSES = [
    several_ops, layer, choices, a_table, stopped, local_gradients, weighted, weighted_by_another, extremes, deviation,
    several_results, one_of_several, stacked, rows_last, the_same_in_all_rows, chain, chain_of_columns, shared_argument,
    shared_by_several, shared_values, sequence, layers_twice,
]

ORDERS = {
    "hessian": lambda f, w: hessian(f)(w),
    "gradient of a sum of gradients": lambda f, w: grad(lambda w: sumprod(grad(f)(w), [1.0, -2.0]))(w),
    "product with a vector": lambda f, w: jvp(grad(f), (w,), ([1.0, -2.0],)),
    "forward": lambda f, w: jvp(f, (w,), ([1.0, -2.0],)),
    "forward twice": lambda f, w: jacfwd(jacfwd(f))(w),
    "forward over forward": lambda f, w: jvp(lambda w: jvp(f, (w,), ([1.0, 0.5],))[1], (w,), ([1.0, -2.0],)),
    "reverse over forward": lambda f, w: jacrev(lambda w: jvp(f, (w,), ([1.0, 0.5],))[1])(w),
    "pulled back": lambda f, w: vjp(lambda w: grad(f)(w), w)[1]([1.0, 3.0]),
    "with the value": lambda f, w: grad(lambda w: value_and_grad(f)(w)[0] * value_and_grad(f)(w)[1][0])(w),
    "third": lambda f, w: grad(lambda w: grad(lambda w: grad(f)(w)[0])(w)[1])(w),
    "third, mixed": lambda f, w: jacfwd(hessian(f))(w),
}


@pytest.mark.parametrize("rows", [1, 3, 1000])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_beside_a_loop(loss, order, rows):
    if rows == 1 and loss in (deviation, rows_last):
        pytest.skip("the deviation of one number has no slope")
    xs = [0.7] if rows == 1 else [-1.0, 0.0, 1.3] if rows == 3 else np.linspace(-1.1, 1.0, 40).tolist()
    of_order = ORDERS[order]
    wanted = of_order(lambda w: loss(looped, w, xs), [0.75, -0.5])
    assert close(of_order(lambda w: loss(vmap, w, xs), [0.75, -0.5]), wanted)


@pytest.mark.parametrize("options", [{}, {"threads": 2}, {"saved_bytes": 0}, {"threads": 2, "saved_bytes": 0}], ids=str)
@pytest.mark.parametrize("loss", [several_ops, chain, weighted_by_another, stacked], ids=lambda loss: loss.__name__)
def test_many_rows(loss, options):
    xs = np.linspace(-1.1, 1.0, 5001).tolist()

    def vm(fn, *axes, **others):
        return vmap(fn, *axes, **others, **options)
    for order in ("hessian", "product with a vector"):
        wanted = ORDERS[order](lambda w: loss(looped, w, xs), [0.75, -0.5])
        assert close(ORDERS[order](lambda w: loss(vm, w, xs), [0.75, -0.5]), wanted)


@pytest.mark.parametrize("rows", [1, 2, 3, 300])
def test_functions_that_were_called_before(rows):
    """Of few rows the fourth call may be packed. Derivatives of derivatives are compiled once, too."""
    w, v = Value(0.75), Value(-0.5)
    layer = vmap(lambda x: sum([(x * w * t + v).tanh() * v for t in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)]))
    eager = looped(lambda x: sum([(x * w * t + v).tanh() * v for t in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)]))
    for k in range(7):
        xs = [0.3 * k + 0.1 * row for row in range(rows)]
        found, wanted = ([gradients(slope, [w, v]) for slope in gradients(f(xs).mean() ** 2, [w, v], create_graph=True)]
                         for f in (layer, eager))
        assert close(found, wanted)


def test_derivatives_are_compiled_once():
    w = Value(0.75)
    mapped = vmap(lambda x: (x * w).tanh())
    for k in range(5):
        (slope,) = gradients(mapped([0.5, float(k)]).sum(), [w], create_graph=True)
        gradients(slope, [w])
        made = mapped.latest.runner.program.derived
        assert len(made) == 1
    for k in range(150):
        gradients(mapped([0.5]).sum([float(k)]), [w], create_graph=True)
        mapped([0.5])
    assert len(made) == 2       # by sums, and by sums with weights
    assert tape.verify() is None


def test_backward_from_derivatives():
    """Of a model that is outside, as in a net whose loss has derivatives inside."""
    model = MLP(1, [4, 1], activation="tanh")
    xs = [-0.5, 0.25, 1.0]

    def loss(vm):
        x = Value(0.5)
        total = vm(lambda t: model([t * x]))(xs).sum()
        (slope,) = gradients(total, [x], create_graph=True)
        (second,) = gradients(slope, [x], create_graph=True)
        return slope * second + total ** 2

    found, wanted = loss(vmap), loss(looped)
    assert close(found.data, wanted.data)
    assert close(grads_of(found, model.parameters()), grads_of(wanted, model.parameters()))


def test_products_of_a_models_hessian():
    model = MLP(2, [5, 1], activation="tanh")
    parameters = model.parameters()
    xs, ys = np.random.RandomState(0).randn(20, 2), np.linspace(-1.0, 1.0, 20)
    direction = np.linspace(-1.0, 1.0, len(parameters)).tolist()

    def product(vm):
        loss = vm(lambda x, y: (model(x) - y) ** 2)(xs, ys).mean()
        return gradients(sumprod(gradients(loss, parameters, create_graph=True), direction), parameters)

    assert close(product(vmap), product(looped))


def test_compiled_functions():
    w, v = Value(0.75), Value(-0.5)
    f = jit(lambda x, y: (x * v).tanh() * y * x)
    for _ in range(6):
        found, wanted = ([gradients(one, [w, v]) for one in gradients(value, [w, v], create_graph=True)]
                         for value in (f(w, 2.0), (w * v).tanh() * 2.0 * w))
        assert close(found, wanted)
    batch = vmap(lambda x: x * w ** 2)([1.0, 3.0])
    (slope,) = gradients(jit(lambda p: p[0] * p[1] ** 2)(batch), [w], create_graph=True)
    assert close(gradients(slope, [w]), [9.0 * 30.0 * 0.75 ** 4])


def test_rows_that_were_computed_one_by_one():
    """What a function of one's own does not take part in."""
    def loss(w):
        x = Value(2.0)
        values = vmap(lambda x: [same(x), x * w ** 3])([1.0, 3.0])[1]
        total = vmap(lambda p: p ** 2 * x)(values).sum() + vmap(lambda x: x * 1.0)([1.0, 2.0]).sum(values) * x
        return total * values.mean()
    for order in (hessian, lambda f: grad(grad(f)), lambda f: jacfwd(jacfwd(f)), lambda f: jacfwd(grad(f))):
        wanted = hessian(lambda w: (20.0 * w ** 6 + 14.0 * w ** 3) * 2.0 * w ** 3)(0.5)
        assert close(order(loss)(0.5), wanted)


def test_values_of_a_subclass_and_attributes():
    class Weight(Value):
        def __init__(self, data):
            super().__init__(data)
            self.others = [self]

    w = Weight(0.75)
    (slope,) = gradients(vmap(lambda x: (x * w).tanh())([1.0, 2.0]).sum(), [w], create_graph=True)
    (wanted,) = gradients(sum([(x * w).tanh() for x in (1.0, 2.0)]), [w], create_graph=True)
    gc.collect()
    assert close(gradients(slope, [w]), gradients(wanted, [w]))
    slope.backward()
    assert w.grad == pytest.approx(gradients(wanted, [w])[0])


def test_a_derivative_outlives_all_else():
    w = Value(0.75)
    batch = vmap(lambda x: (x * w).tanh())([1.0, 2.0])
    total = vmap(lambda p: p * p * w)(batch).sum()
    (slope,) = gradients(total, [w], create_graph=True)
    wanted = gradients(slope, [w])
    del batch, total
    gc.collect()
    for _ in range(3):
        assert gradients(slope, [w]) == wanted
        assert grads_of(slope, [w]) == wanted
    assert tape.verify() is None


def test_gradients_with_respect_to_what_is_between():
    w = Value(0.75)
    a = vmap(lambda x: x * w)([1.0, 2.0])
    s = a.sum()
    t = s ** 3 + a.sum(a)
    (of_s, of_w) = gradients(t, [s, w], create_graph=True)
    assert close([of_s.data, of_w.data], [3.0 * s.data ** 2, 9.0 * s.data ** 2 + 10.0 * 0.75])
    assert close(gradients(of_s, [w]), [18.0 * s.data])
    assert gradients(a.sum(), [s, w], create_graph=True)[0].data == 0.0
    assert close(gradients(gradients(a.mean() * a.sum(), [w], create_graph=True)[0], [w]), [9.0])


def test_no_rows():
    f = vmap(lambda x: (x * 2.0).tanh())
    f([1.0])
    assert hessian(lambda w: vmap(lambda x: (x * w).tanh())([]).sum() + w ** 2)(3.0) == 2.0
    assert jvp(lambda w: vmap(lambda x: x * w)([]).sum() + w, (3.0,), (2.0,)) == (3.0, 2.0)


def test_no_grad_around_and_inside():
    def loss(w):
        return vmap(lambda x: (x * w) ** 3)([1.0, 2.0]).sum()
    with no_grad():
        assert close(hessian(loss)(0.5), 27.0)
        assert close(jvp(grad(loss), (0.5,), (2.0,))[1], 54.0)

    def constant(w):
        with no_grad():
            return loss(w) * 1.0
    assert hessian(constant)(0.5) == 0.0


def test_a_function_of_ones_own_on_the_way_is_refused():
    w = Value(0.5)
    total = vmap(lambda x: x * w)([1.0, 2.0]).sum()
    total._backward = lambda: None
    with pytest.raises(TypeError, match="has a _backward of your own"):
        gradients(total * w, [w], create_graph=True)
    with pytest.raises(TypeError, match="has a _backward of your own"):
        hessian(lambda w: same(vmap(lambda x: x * w)([1.0, 2.0]).sum()))(0.5)


def test_runs_from_outside_of_a_trace_are_refused():
    w = Value(0.5)
    total = vmap(lambda x: x * w)([1.0, 2.0]).sum() ** 2
    with pytest.raises(NotImplementedError, match="call the mapped function inside of it"):
        vmap(lambda x: gradients(total * x, [w])[0])([1.0])
    assert close(vmap(lambda x: gradients(vmap(lambda y: x * w * y)([1.0, 2.0]).sum() ** 2, [w])[0])([1.0])[0], 9.0)


def test_derivatives_of_each_row_of_functions_that_map():
    def loss(w):
        return vmap(lambda x: (x * w) ** 3)([1.0, 2.0]).sum()
    assert close(vmap(hessian(loss))([0.5, 1.0]).tolist(), [27.0, 54.0])
    assert close(jit(hessian(loss))(0.5).data, 27.0)


def test_an_infinite_slope_takes_part_only_where_it_is_used():
    def loss(w, weight):
        a, b = vmap(lambda x: (x * w ** 2, (x * w).sqrt()))([1.0, 2.0])
        return a.sum() if weight is None else a.sum() + weight * b.sum()
    assert hessian(lambda w: loss(w, None))(0.0) == 6.0
    assert math.isinf(jvp(lambda w: loss(w, 1.0), (0.0,), (1.0,))[1])
    assert math.isnan(jvp(lambda w: loss(w, 0.0), (0.0,), (1.0,))[1])


def test_other_numbers_of_rows_in_one_graph():
    def loss(vm):
        def of(w):
            a = vm(lambda x: x * w)([1.0, 2.0, 3.0])
            b = vm(lambda x: (x * w).tanh())([0.5, 1.5])
            return a.sum() * b.mean() + a.std() * b.max() ** 2
        return of
    for order in (hessian, lambda f: jacfwd(jacfwd(f)), lambda f: grad(grad(grad(f)))):
        assert close(order(loss(vmap))(0.4), order(loss(looped))(0.4))


def test_ctrl_c_leaves_nothing_behind(run_python):
    code = """
import signal, threading
import numpy as np
from micrograd_c import hessian, tape, vmap
from micrograd_c.engine import Value
xs = np.linspace(-1.0, 1.0, 200_000)
stopped = 0
def loss(w):
    total = vmap(lambda x: sum([(x * w[k % 2] + k).tanh() for k in range(30)]))(xs).mean()
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    return total * w[1]
def handler(*_):
    raise KeyboardInterrupt
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
try:
    hessian(loss)([0.5, 1.0])
except KeyboardInterrupt:
    stopped += 1
signal.setitimer(signal.ITIMER_REAL, 0.0)
tape.verify()
xs = xs[::1000]
signal.signal(signal.SIGALRM, signal.SIG_IGN)
first = hessian(loss)([0.5, 1.0])
assert first == hessian(loss)([0.5, 1.0])
print("stopped", stopped)
"""
    assert "stopped 1" in run_python(code)


def test_beside_jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    jnp, xs = jax.numpy, np.linspace(-1.0, 2.0, 7)

    def theirs(w):
        a = jax.vmap(lambda x: jnp.stack([jnp.tanh(x * w[0]) * w[1], x * w[1] ** 2]))(xs)
        b = jax.vmap(lambda row, s: row[0] * row[1] + s[2][1] * w[0], in_axes=(0, None))(a, a)
        c = jax.vmap(lambda column: column[0] * column[-1] ** 2, in_axes=1)(a)
        return jnp.sum(b * b) * jnp.std(b) + jnp.mean(a) * jnp.max(c)

    def ours(w):
        a = vmap(lambda x: [(x * w[0]).tanh() * w[1], x * w[1] ** 2], stacked=True)(xs)
        b = vmap(lambda row, s: row[0] * row[1] + s[2][1] * w[0], in_axes=(0, None))(a, a)
        c = vmap(lambda column: column[0] * column[-1] ** 2, in_axes=1)(a)
        return b.sum(b) * b.std() + a.mean() * c.max()

    at = [0.75, -1.25]
    assert close(hessian(ours)(at), jax.hessian(theirs)(jnp.array(at)).tolist())
    assert close(jacfwd(hessian(ours))(at), jax.jacfwd(jax.hessian(theirs))(jnp.array(at)).tolist())
    assert close(jvp(grad(ours), (at,), ([1.0, -2.0],))[1],
                 jax.jvp(jax.grad(theirs), (jnp.array(at),), (jnp.array([1.0, -2.0]),))[1].tolist())
    assert close(jacobian(grad(ours))(at), jax.hessian(theirs)(jnp.array(at)).tolist())
