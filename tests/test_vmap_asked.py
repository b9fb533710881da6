"""vmap's backward pass visits what the eager engine's does: what the root cannot reach adds nothing, not even 0 * inf.
"""

import itertools
import math
import random
import threading

import numpy as np
import pytest

from micrograd_c import stop_gradient, sumprod, vmap, where
from micrograd_c._core.mapped import executor
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

INFINITE = math.inf


def gradients_of(function, rows, parameters, roots, times=1, **options):
    """Of the sum over the rows, so many times, of the outputs that are asked: vmap's and the eager engine's."""
    found = []
    batches = vmap(function, **options)(np.array(rows * times))
    eager = [function([Value(x) for x in row]) for row in rows]
    for total in (sum(batches[k].sum() for k in roots), sum(row[k] for row in eager for k in roots)):
        for p in parameters:
            p.grad = 0
        total.backward()
        found.append([p.grad for p in parameters])
    return found[0], [times * grad for grad in found[1]]


def close(one, other):
    return one == pytest.approx(other, rel=1e-12, abs=1e-12, nan_ok=True)


def test_an_output_that_the_loss_does_not_use_does_not_poison_the_gradient():
    w = Value(1.0)
    a, b = vmap(lambda x: (x * w, (x * w).sqrt()))([0.0, 1.0])
    a.sum().backward()
    assert w.grad == 1.0
    w.grad = 0
    b.sum().backward()
    assert not math.isfinite(w.grad)
    w.grad = 0
    a.mean().backward()
    assert w.grad == 0.5


def test_seeds_of_0_are_not_the_same_as_none():
    """As in the eager engine, whose sweep goes through a product with 0."""
    w = Value(1.0)
    a, b = vmap(lambda x: (x * w, (x * w).sqrt()))([0.0, 1.0])
    for total in (a.sum() + b.sum([0.0, 1.0]), a.sum() + 0.0 * b.sum(), b.mean([0.0, 0.0])):
        w.grad = 0
        total.backward()
        assert math.isnan(w.grad)


def test_each_sweep_has_outputs_of_its_own():
    w, v = Value(1.0), Value(3.0)
    a, b, c = vmap(lambda x: (x * w, (x * w).sqrt() * v, v * v * x))([0.0, 1.0])
    sums = [a.sum(), b.sum(), c.sum()]
    for k, wanted in [(0, (1.0, 0.0)), (2, (0.0, 6.0)), (0, (1.0, 0.0)), (1, None), (2, (0.0, 6.0)), (0, (1.0, 0.0))]:
        w.grad = v.grad = 0
        sums[k].backward()
        assert wanted is None or (w.grad, v.grad) == wanted
        assert wanted is not None or not math.isfinite(w.grad)
    for value in (w, v, *sums):     # a sum's own adds up, as everywhere
        value.grad = 0
    (sums[0] + sums[2]).backward()
    assert (w.grad, v.grad) == (1.0, 6.0)


LOGARITHM = Value(0.0)
INSIDE = {      # outputs; some of them cannot be asked without 0 * inf where w is 0 or infinite
    "below another": lambda w, x: [y := w[0] * x[0], y.sqrt(), y * w[1]],
    "above another": lambda w, x: [(w[0] * x[0]) ** -1, w[0] * x[0], w[1] * x[1]],
    "a layer": lambda w, x: [sumprod(w[2:4], x), sumprod(w[:2], x), sumprod(w[4:6], x, w[6])],
    "a layer with an activation": lambda w, x: [
        sumprod(w[2:4], x).tanh(), sumprod(w[:2], x).tanh(), sumprod(w[4:6], x).tanh()],
    "two layers": lambda w, x: [
        h := [sumprod(w[:2], x).relu(), sumprod(w[2:4], x).relu()], sumprod(w[4:6], h), h[1], h[0]][1:],
    "a parameter": lambda w, x: [x[0] * w[0].log(), x[0] * w[1], x[1] * (w[0].log() * w[2])],
    "a parameter twice": lambda w, x: [x[0] * w[0].sqrt() + w[1], x[1] * w[0], x[1] * w[0].sqrt()],
    "the same": lambda w, x: [y := (w[0] * x[0]).sqrt(), y, w[1] * x[1]],
    "constants": lambda w, x: [x[0] * x[1], (w[0] * x[0]).log(), w[1]],
}
ONCE = ("a parameter", "a parameter twice")     # of these something is computed once a call


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("special", [0.0, INFINITE, -INFINITE])
@pytest.mark.parametrize("name", INSIDE)
def test_any_choice_of_outputs_has_the_eager_gradients(name, special, threads):
    rows, times = [[0.0, 1.0], [2.0, -1.0], [0.5, 0.25]], 1 if threads == 1 else 1500
    for place in (0, 2, 4):
        w = [Value(k / 4 + 0.5) for k in range(7)]
        w[place].data = special
        function = lambda x: INSIDE[name](w, x)     # noqa: B023, E731
        try:
            function([Value(1.0), Value(1.0)])
            [function([Value(x) for x in row]) for row in rows]
        except (ValueError, ZeroDivisionError, OverflowError):     # what is an error there is infinite here
            continue
        for asked in itertools.chain.from_iterable(itertools.combinations(range(3), n) for n in (1, 2, 3)):
            try:
                ours, eager = gradients_of(function, rows, w, asked, times, threads=threads)
            except (ValueError, ZeroDivisionError):
                continue
            if name in ONCE:    # times its slope after it was summed over rows: infinite here may be nan there
                ours, eager = ([g if math.isfinite(g) else math.nan for g in one] for one in (ours, eager))
            assert list(map(math.isnan, ours)) == list(map(math.isnan, eager)), (asked, place)
            assert close(ours, eager), (asked, place)


@pytest.mark.parametrize("asked", [(0,), (1,), (0, 2), (5,), (1, 3, 5), (0, 1, 2, 3, 4, 5)])
@pytest.mark.parametrize("kernels", executor.instruction_sets())
def test_rows_of_a_layer_that_are_not_asked_add_nothing(asked, kernels, monkeypatch):
    monkeypatch.setenv("MICROGRAD_C_KERNELS", kernels)
    model = MLP(5, [7, 6], activation="tanh")
    rows = [[math.sin(7 * k + j) for j in range(5)] for k in range(19)]
    ours, eager = gradients_of(model, rows, model.parameters(), asked)
    assert close(ours, eager)
    model.layers[1].neurons[3].w[2].data = INFINITE
    ours, eager = gradients_of(model, rows, model.parameters(), asked)
    assert list(map(math.isnan, ours)) == list(map(math.isnan, eager))
    assert 3 in asked or not any(map(math.isnan, ours))


def layers_of_the_same_weights(w, x, places=20, outputs=5):
    """At places one after the other, more than are summed together: of each all outputs. Biases differ at one place."""
    inputs = [[x[0] * (k + 1), (x[1] - k * 0.125 * w[17]).tanh(), x[1] * w[18]] for k in range(places)]
    return [sumprod(w[3 * j : 3 * j + 3], inputs[k], w[16 if k == 3 else 15]).tanh()
            for k in range(places) for j in range(outputs)]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kernels", executor.instruction_sets())
def test_layers_of_the_same_weights_add_up_whichever_of_their_outputs_are_asked(seed, kernels, monkeypatch):
    monkeypatch.setenv("MICROGRAD_C_KERNELS", kernels)
    generator = random.Random(seed)
    w = [Value(generator.uniform(-1.0, 1.0)) for _ in range(19)]
    choices = [generator.sample(range(5), generator.randint(0, 5)) for _ in range(3)] + [[0, 1, 2, 3, 4]]
    asked = [5 * place + j for place in range(20) for j in generator.choice(choices)]
    rows = [[math.sin(7 * k), math.cos(3 * k)] for k in range(11)]
    ours, eager = gradients_of(lambda x: layers_of_the_same_weights(w, x), rows, w, asked or [0])
    assert close(ours, eager)


def test_what_a_layer_computes_for_nobodys_gradient_takes_no_part():
    """Two neurons over the same inputs are one layer, of which one is behind a stop_gradient."""
    for special in (INFINITE, -INFINITE, math.nan):
        w = [Value(0.5), Value(special), Value(2.0), Value(-1.0)]

        def function(x):
            h = sumprod(w[:1] * 2, x) * sumprod(w[2:], x)       # noqa: B023
            seen = where(1.0, stop_gradient(sumprod(w[1:3], x)), 0.0)       # noqa: B023
            return [h + 0.0 * stop_gradient(seen.relu()), h]
        ours, eager = gradients_of(function, [[1.0, 2.0], [0.5, -1.0]], w, (0,))
        assert close(ours, eager)
        assert not any(map(math.isnan, ours))


def test_what_parameters_alone_compute_for_nobodys_gradient_takes_no_part():
    w, v = Value(0.0), Value(2.0)
    total = vmap(lambda x: x * v + stop_gradient(x * (w.sqrt() + 1.0)))([1.0, 2.0]).sum()
    total.backward()
    assert (total.data, w.grad, v.grad) == (9.0, 0.0, 3.0)


@pytest.mark.parametrize("rows", [[], np.zeros(0)])
def test_no_rows_ask_for_nothing(rows):
    w = Value(0.0)
    total = vmap(lambda x: x * w.sqrt())(rows).sum()
    total.backward()
    assert (total.data, w.grad) == (0.0, 0.0)


def test_memory_of_one_choice_goes_to_the_next_run(run_python):
    run_python("""
import gc
from micrograd_c import tape, vmap
from micrograd_c.engine import Value
w = [Value(1.0 + k) for k in range(40)]
mapped = vmap(lambda x: [x * v for v in w])
kept = []
for step in range(2000):
    batches = mapped([0.5, 1.5])
    kept = [*kept[-3:], batches]
    for v in w:
        v.grad = 0
    chosen = {step % 40, step % 7, 13}
    sum(batches[k].sum() for k in chosen).backward()
    assert [v.grad for v in w] == [2.0 if k in chosen else 0.0 for k in range(40)], step
    for old in kept:
        old[5].sum().backward()
""")


def test_random_functions_and_choices():
    generator = random.Random(1)
    for _ in range(60):
        w = [Value(generator.choice([0.0, 0.5, -1.0, 2.0])) for _ in range(6)]
        steps = [(generator.randrange(7), generator.randrange(50), generator.randrange(50)) for _ in range(12)]

        def function(x):
            pool = [*x, *w]     # noqa: B023
            for op, i, j in steps:      # noqa: B023
                a, b = pool[i % len(pool)], pool[j % len(pool)]
                pool.append([lambda: a * b, lambda: a + b, lambda: a.relu(), lambda: sumprod(w[:2], [a, b], w[2]),   # noqa: B023
                             lambda: sumprod(w[3:5], [a, b]).tanh(), lambda: stop_gradient(a) * b,       # noqa: B023
                             lambda: (a * a).sqrt() * b][op]())     # noqa: B023
            return pool[-5:]
        rows = [[generator.choice([0.0, 1.0, -0.5]), generator.choice([0.0, 2.0])] for _ in range(3)]
        for _ in range(4):
            asked = sorted(generator.sample(range(5), generator.randint(1, 4)))
            ours, eager = gradients_of(function, rows, w, asked)
            assert list(map(math.isnan, ours)) == list(map(math.isnan, eager))
            assert close(ours, eager)


OPTIONS = [{}, {"saved_bytes": 0}, {"threads": 2}, {"threads": 2, "saved_bytes": 0}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("rows", [2, 5000])
def test_however_rows_are_run_and_however_often(options, rows):
    v, u, hidden = Value(0.0), Value(3.0), [Value(0.5), Value(-INFINITE), Value(0.0)]

    def function(x):
        layer = [sumprod([u, u], [x, x]).relu(), sumprod(hidden[:2], [x, x], hidden[2]).relu()]
        return [v * v * x, (v * v).sqrt() * x, u * x, layer[0], layer[1] * hidden[2], (x * v).sqrt()]
    batches = vmap(function, **options)(np.arange(rows) % 2.0)
    odd = rows // 2
    for _ in range(2):
        for k, wanted in [(0, (0.0, 0.0)), (2, (0.0, odd)), (3, (0.0, 2.0 * odd)), (0, (0.0, 0.0)), (2, (0.0, odd))]:
            for p in (v, u, *hidden):
                p.grad = 0
            batches[k].sum().backward()
            assert (v.grad, u.grad) == wanted
            assert [p.grad for p in hidden] == [0.0, 0.0, 0.0]
        v.grad = 0
        batches[1].sum().backward()
        assert not math.isfinite(v.grad)
    for p in (v, u, *hidden):
        p.grad = 0
    total = batches[2].sum() + batches[3].mean()
    total.backward()
    once = u.grad
    again = batches[2].sum() + batches[3].mean()
    again.backward()
    assert (u.grad, v.grad) == (2 * once, 0.0)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_sums_and_parameters_with_functions_of_their_own(options):
    """A sweep that calls them goes another way through the tape."""
    u, v = Value(1.0), Value(2.0)
    a, b = vmap(lambda x: (x * u * v, (x * u).sqrt()), **options)([0.0, 1.0])
    called = []
    root = a.sum()
    inner = root * 1.0
    inner._backward = lambda: (called.append(inner.grad), setattr(root, "grad", root.grad + inner.grad))
    u._backward = lambda: called.append(u.grad)
    (inner + 0.0).backward()
    assert (called, u.grad, v.grad) == ([1.0, 2.0], 2.0, 1.0)
    u.grad = v.grad = 0
    unasked = b.sum()
    unasked._backward = lambda: None        # a user's own rule that asks for nothing
    (a.sum() + unasked).backward()
    assert (u.grad, v.grad) == (2.0, 1.0)
    u.grad = v.grad = 0
    b.sum().backward()
    assert not math.isfinite(u.grad)


def test_a_sum_and_a_run_by_hand():
    u = Value(1.0)
    a, b = vmap(lambda x: (x * u, (x * u).sqrt()))([0.0, 1.0])
    total = a.sum()
    run, = total._prev
    total.grad = 2.0
    total._backward()
    run._backward()
    assert u.grad == 2.0
    run._backward()         # the seeds are spent
    assert u.grad == 2.0
    b.sum().backward()
    assert not math.isfinite(u.grad)


def test_a_sweep_of_another_run_between():
    u = Value(1.0)
    mapped = vmap(lambda x: (x * u, (x * u).sqrt(), u * 3.0))
    first, second = mapped([0.0, 1.0]), mapped([0.0, 1.0, 2.0])
    for one, k, wanted in [(first, 0, 1.0), (second, 2, 9.0), (first, 2, 6.0), (second, 0, 3.0), (first, 0, 1.0)] * 2:
        u.grad = 0
        one[k].sum().backward()
        assert u.grad == wanted
    u.grad = 0
    (first[0].sum() + second[2].sum()).backward()
    assert u.grad == 10.0


def test_a_step_by_hand_belongs_to_the_sweep_of_its_thread():
    """Another thread's sweep, with functions of its own, begins before a sweep and ends in the middle of it."""
    u, other = Value(1.0), Value(2.0)
    total = vmap(lambda x: x * u)([1.0, 3.0]).sum()
    begun, may_end = threading.Event(), threading.Event()
    other._backward = lambda: (begun.set(), may_end.wait(10))
    thread = threading.Thread(target=(other * 1.0).backward)
    own = total._backward

    def by_hand():
        may_end.set()
        thread.join()
        own()

    total._backward = by_hand
    thread.start()
    assert begun.wait(10)
    total.backward()
    assert u.grad == 4.0


def test_a_step_by_hand_during_another_threads_sweep_belongs_to_none():
    u, other = Value(1.0), Value(2.0)
    total = vmap(lambda x: x * u)([1.0, 3.0]).sum()
    run, = total._prev
    begun, may_end = threading.Event(), threading.Event()
    other._backward = lambda: (begun.set(), may_end.wait(10))
    thread = threading.Thread(target=(other * 1.0).backward)
    thread.start()
    assert begun.wait(10)
    total.grad = 2.0
    total._backward()
    may_end.set()
    thread.join()
    run._backward()
    assert u.grad == 8.0
