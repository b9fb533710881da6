"""vmap: what comes out, its sums as Values among others, and what is read anew at each call."""

import copy
import functools
import gc
import math
import pickle
import threading

import numpy as np
import pytest

from micrograd_c import (
    TraceError,
    cross_entropy,
    log_softmax,
    logsumexp,
    mean,
    no_grad,
    softmax,
    sumprod,
    tape,
    viz,
    vmap,
)
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

ROWS = [[0.5, -1.0], [2.0, 0.25], [-0.75, 3.0]]


def test_rows_of_a_network_are_its_calls_to_the_bit():
    model = MLP(2, [16, 16, 1])
    scores = vmap(model)(ROWS)
    assert scores.tolist() == [model(row).data for row in ROWS]
    scores.sum().backward()
    gradients = [p.grad for p in model.parameters()]
    model.zero_grad()
    sum(model(row) for row in ROWS).backward()
    assert gradients == pytest.approx([p.grad for p in model.parameters()], rel=1e-12, abs=1e-15)


def test_a_batch_is_a_sequence_and_a_buffer():
    w = Value(2.0)
    batch = vmap(lambda x: w * x)([1.0, 2.0, 3.0, 4.0])
    assert (len(batch), list(batch), batch.tolist()) == (4, [2.0, 4.0, 6.0, 8.0], [2.0, 4.0, 6.0, 8.0])
    assert (batch[0], batch[-1], batch[1:3], batch[::-2]) == (2.0, 8.0, [4.0, 6.0], [8.0, 4.0])
    with pytest.raises(IndexError, match="row 4 of a Batch of 4 rows"):
        batch[4]
    array = np.asarray(batch)
    assert np.shares_memory(array, np.asarray(batch))
    assert array.dtype == float
    assert not array.flags.writeable
    assert repr(batch) == "Batch([2.0, 4.0, 6.0, 8.0], rows=4)"
    assert repr(vmap(lambda x: x)(range(0) or list(range(9)))).endswith("5.0, ...], rows=9)")
    del batch
    gc.collect()
    assert array.tolist() == [2.0, 4.0, 6.0, 8.0]


def test_results_have_the_functions_structure():
    w = Value(2.0)
    result = vmap(lambda x: [x, (w * x, [x + 1, 5, w])])([1.0, 2.0])
    assert [result[0].tolist(), result[1][0].tolist(), [b.tolist() for b in result[1][1]]] == [
        [1, 2], [2, 4], [[2, 3], [5, 5], [2, 2]]
    ]
    result[1][1][2].sum().backward()
    assert w.grad == 2.0


def test_sums_are_values_among_others_and_one_backward_serves_all():
    w, v = Value(3.0), Value(-2.0)
    xs, weights = [0.5, 1.5, -1.0], [1.0, 0.25, 2.0]
    first, second = vmap(lambda x: [w * x, (w * v * x) ** 2])(xs)
    loss = first.sum(weights) * v + second.mean() + 0.1 * w * w + first.mean(np.array(weights))
    loss.backward()
    gradients = w.grad, v.grad
    w.grad = v.grad = 0
    one, other = [w * x for x in xs], [(w * v * x) ** 2 for x in xs]
    eager = sumprod(one, weights) * v + mean(other) + 0.1 * w * w + sumprod(one, weights) / 3
    eager.backward()
    assert loss.data == pytest.approx(eager.data, rel=1e-13)
    assert gradients == pytest.approx((w.grad, v.grad), rel=1e-12)


def test_backward_adds_up_and_uses_what_the_forward_pass_saw():
    w = Value(3.0)
    total = vmap(lambda x: w * w * x)([1.0, 2.0]).sum()
    w.data = 100.0
    total.backward()
    assert w.grad == 18.0
    total.backward()
    assert w.grad == 36.0


def test_steps_by_hand_and_users_functions_above():
    w, heard = Value(3.0), []
    total = vmap(lambda x: w * w * x)([1.0, 2.0]).sum()
    total.grad = 1
    (run,) = total._prev
    assert run._prev == {w}
    total._backward()
    run._backward()
    assert w.grad == 18.0
    w.grad, total.grad = 0, 0
    out = total * 2
    native = out._backward
    out._backward = lambda: heard.append(out.grad) or native()
    out.backward()
    assert (heard, w.grad) == ([1], 36.0)


def test_parameters_are_read_at_each_call_and_structures_are_traced_once():
    w, traces = Value(2.0), []

    def function(x):
        traces.append(1)
        return w * (x if isinstance(x, Value) else sum(x))

    mapped = vmap(function)
    assert mapped([1.0, 2.0]).tolist() == [2.0, 4.0]
    w.data = 5.0
    assert mapped(np.arange(3)).tolist() == [0.0, 5.0, 10.0]
    assert len(traces) == 1
    assert mapped([[1.0, 2.0]]).tolist() == [15.0]
    assert mapped(np.ones((2, 2))).tolist() == [10.0, 10.0]
    assert len(traces) == 2


def test_shared_arguments():
    w = Value(2.0)
    mapped = vmap(lambda x, s: x * s[0] + s[1][1], in_axes=(0, None))
    assert mapped([1.0, 2.0], [3.0, [0, w]]).tolist() == [5.0, 8.0]
    assert mapped([1.0, 2.0], [4.0, [0, w]]).tolist() == [6.0, 10.0]
    assert mapped([1.0], np.eye(2)[:, :, None].tolist() and [1.0, np.array([7.0, 9.0])]).tolist() == [10.0]
    with pytest.raises(TraceError, match="compared"):
        vmap(lambda x, s: x if s > 0 else -x, in_axes=(0, None))([1.0], 2.0)


@pytest.mark.parametrize("function", [
    functools.partial(lambda a, x: a * x, 2.0), Value(2.0).__mul__, type("F", (), {"__call__": lambda s, x: 2 * x})(),
], ids=["partial", "method", "object"])
def test_any_callable(function):
    assert vmap(function)([1.0, 2.5]).tolist() == [2.0, 5.0]


def test_what_is_made_of_lists_can_be_traced():
    ws = [Value(0.5), Value(-1.5)]

    def function(x):
        logits = [w * x[0] + x[1] for w in ws]
        return [cross_entropy(logits, 1), logsumexp(logits), *softmax(logits), *log_softmax(logits)]

    results = vmap(function)(ROWS)
    for k, row in enumerate(ROWS):
        wanted = [v.data for v in function(list(map(Value, row)))]
        assert [result[k] for result in results] == pytest.approx(wanted, rel=1e-14)
    results[0].mean().backward()
    gradients = [w.grad for w in ws]
    for w in ws:
        w.grad = 0
    mean([function(list(map(Value, row)))[0] for row in ROWS]).backward()
    assert gradients == pytest.approx([w.grad for w in ws], rel=1e-12)


def test_under_no_grad_there_are_numbers_and_no_graph():
    w = Value(2.0)
    mapped = vmap(lambda x: w * x)
    with no_grad():
        batch = mapped([1.0, 2.0])
        assert batch.sum()._prev == set()
    batch.sum().backward()
    assert (batch.tolist(), w.grad) == ([2.0, 4.0], 0)
    mapped([1.0, 2.0]).sum().backward()
    assert w.grad == 3.0


def test_no_rows():
    w = Value(2.0)
    batch = vmap(lambda x: w * x[0])(np.zeros((0, 2)))
    assert (batch.tolist(), batch.sum().data) == ([], 0.0)
    batch.sum().backward()
    assert w.grad == 0.0
    with pytest.raises(ZeroDivisionError, match="mean of no rows"):
        batch.mean()


@pytest.mark.parametrize(("weights", "error"), [
    ([1.0], ValueError), (np.ones(4), ValueError), (np.ones((3, 1)), TypeError),
])
def test_wrong_weights(weights, error):
    with pytest.raises(error, match="weights"):
        vmap(lambda x: x[0])(ROWS).sum(weights)


def test_graphs_through_vmap_are_drawn_but_not_copied():
    w = Value(2.0)
    total = vmap(lambda x: w * x)([1.0]).sum()
    assert viz.to_dot(total).count("vmap") == 2
    for copying in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="vmap"):
            copying(total)


def test_a_run_lives_as_long_as_what_was_computed_from_it_and_no_longer():
    w = Value(2.0)

    def build():
        return vmap(lambda x: w * x)([1.0, 2.0]).sum() * 3 + 1

    before = tape.stats()["edges"]
    loss = build()
    gc.collect()
    tape.collect()
    loss.backward()
    assert w.grad == 9.0
    del loss
    gc.collect()
    tape.collect()
    assert tape.stats()["edges"] <= before


def test_threads_share_a_mapped_function():
    w, results = Value(2.0), {}
    mapped = vmap(lambda x: (w * x).tanh())

    def work(k):
        for n in range(1, 30):
            batch = mapped([k / n] * n)
            results[k, n] = batch.sum().data == pytest.approx(n * math.tanh(2 * k / n))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4 * 29
    assert all(results.values())


class Line:
    def __init__(self, w, b):
        self.w, self.b = Value(w), Value(b)

    @vmap
    def at(self, x):
        return self.w * x + self.b


def test_a_method_is_traced_for_each_object_and_its_copy():
    one, other = Line(2.0, 1.0), Line(-1.0, 0.0)
    for _ in range(2):
        assert (one.at([1.0, 2.0]).tolist(), other.at([1.0, 2.0]).tolist()) == ([3.0, 5.0], [-1.0, -2.0])
    assert one.at is one.at
    copied = copy.deepcopy(one)
    copied.w.data = 10.0
    assert (copied.at([1.0]).tolist(), one.at([1.0]).tolist()) == ([11.0], [3.0])
    with pytest.raises(TypeError, match=r"argument 1 \('x'\) must be rows"):
        one.at(3.0)


class Steeper(Line):
    @vmap
    def at(self, x):
        return 10.0 * x

    def below(self, x):
        return super().at(x)


class Bare:
    __slots__ = ()


def test_methods_are_found_as_any_other():
    line = Steeper(2.0, 1.0)
    for _ in range(2):
        assert (line.at([1.0]).tolist(), line.below([1.0]).tolist()) == ([10.0], [3.0])
    Bare.later = Line.later = vmap(lambda self, x: x * 2.0)
    assert (line.later is line.later, line.later([1.0]).tolist(), Bare().later([1.0]).tolist()) == (True, [2.0], [2.0])
    assert Line.later.fn is Line.__dict__["later"].fn


def test_weights_that_would_get_no_gradient_are_refused():
    with pytest.raises(TypeError, match="weights must be numbers, not Values"):
        vmap(lambda x: x * 2)([1.0]).sum([Value(1.0)])
