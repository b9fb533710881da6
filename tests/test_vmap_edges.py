"""vmap at the edges: nothing to do, no rows, no numbers, numbers that are none, and what may not be copied."""

import contextlib
import copy
import math
import pickle

import numpy as np
import pytest

from micrograd_c import TraceError, sumprod, vmap
from micrograd_c._core.mapped import executor
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

w, v = Value(2.0), Value(-1.0)
NEXT_TO_NOTHING = {
    "a constant": (lambda x: 3, [3.0] * 2, (0, 0)), "a parameter": (lambda x: w, [2.0] * 2, (2, 0)),
    "of parameters": (lambda x: w * v, [-2.0] * 2, (-2, 4)), "the argument": (lambda x: x[0], [0.5, 1.5], (0, 0)),
    "a Value twice": (lambda x: [y := w * x[0], y][1], [1.0, 3.0], (2, 0)),
    "Value of its own": (lambda x: Value(4.0) * 2, [8.0] * 2, (0, 0)),
    "a product of itself": (lambda x: sumprod([w, w], [x[0], x[0]]), [2.0, 6.0], (4, 0)),
}


@pytest.mark.parametrize("rows", [2, 0])
@pytest.mark.parametrize("saved_bytes", [0, 2**26])
@pytest.mark.parametrize("case", NEXT_TO_NOTHING)
def test_functions_with_next_to_nothing_to_do(case, saved_bytes, rows):
    function, wanted, gradients = NEXT_TO_NOTHING[case]
    w.grad = v.grad = 0
    x = np.array([[0.5], [1.5]])[:rows]
    mapped = vmap(lambda x: [[], [function(x), [function(x)]], [[]]], saved_bytes=saved_bytes)
    for given in (x, x, x.tolist() if rows else x):
        empty, (first, (second,)), other = mapped(given)
        assert (empty, other, first.tolist(), second.tolist()) == ([], [[]], wanted[:rows], wanted[:rows])
        (first.sum() * 0.5 + second.sum() * 0.5).backward()
    assert (w.grad, v.grad) == tuple([3 * g if rows else 0 for g in gradients])


@pytest.mark.parametrize(("x", "seen"), [
    (np.zeros((3, 0)), []), (np.zeros((3, 2, 0)), [[], []]), (np.zeros((0, 0)), []), ([[], [], []], []),
    ([[[], []]] * 3, [[], []]), (np.zeros((3, 0, 2)), []), (np.zeros((0, 2, 0)), [[], []]),
], ids=str)
def test_rows_without_numbers(x, seen):
    def function(x):
        assert x == seen
        return w * 3.0
    for saved_bytes in (0, 2**26):
        w.grad = 0
        mapped = vmap(function, saved_bytes=saved_bytes)
        batch, again = mapped(x), mapped(x)
        (batch.sum() + again.sum()).backward()
        assert (batch.tolist(), w.grad) == ([6.0] * len(x), 6.0 * len(x))


def test_no_outputs():
    assert vmap(lambda x: [])([1.0]) == vmap(lambda x: ())([]) == []
    with pytest.raises(TraceError):
        vmap(lambda x: [] if x > 0 else x)([1.0])


def test_functions_may_change_the_lists_they_get():
    def function(x, s):
        x.append(x.pop(0) * s[0])
        s.clear()
        return [x.pop(), *x]
    mapped, rows, shared = vmap(function, in_axes=(0, None)), [[1.0, 2.0], [3.0, 4.0]], [Value(2.0), 5.0]
    for _ in range(2):
        assert [b.tolist() for b in mapped(rows, shared)] == [[2.0, 6.0], [2.0, 4.0]]
    assert (rows, len(shared)) == ([[1.0, 2.0], [3.0, 4.0]], 2)


@pytest.mark.parametrize("copying", [copy.copy, copy.deepcopy, lambda one: pickle.dumps(one, 2), pickle.dumps])
def test_what_belongs_to_a_run_is_neither_copied_nor_pickled(copying):
    mapped = vmap(lambda x: w * x)
    batch = mapped([1.0])
    for one in (mapped.latest.runner, mapped.latest.runner.program):
        with pytest.raises(TypeError):
            copying(one)
    if copying is not copy.copy:
        with pytest.raises(TypeError, match=r"'\*'|vmap"):
            copying(batch.sum() * 2)


@pytest.mark.parametrize("data", [math.inf, -math.inf, math.nan])
def test_parameters_may_be_infinite_or_no_numbers(data):
    w, v = Value(1.0), Value(2.0)
    mapped = vmap(lambda x: [w * x, v * x])
    mapped([1.0])
    w.data = data
    for function in (mapped, vmap(lambda x: [w * x, v * x])):
        w.grad = v.grad = 0
        bad, good = function([1.0, 0.0, -2.0])
        assert list(map(repr, bad)) == [repr((w * x).data) for x in (1.0, 0.0, -2.0)]
        (bad.sum() + good.sum()).backward()
        assert (good.tolist(), w.grad, v.grad) == ([2.0, 0.0, -4.0], -1.0, -1.0)


# --- numbers ---

@pytest.mark.parametrize("kernels", executor.instruction_sets())
def test_uses_of_a_parameter_that_no_gradient_comes_to_add_nothing(kernels, run_python, monkeypatch):
    monkeypatch.setenv("MICROGRAD_C_KERNELS", kernels)
    monkeypatch.setenv("MALLOC_PERTURB_", "165")        # memory that nobody has written to holds large numbers
    run_python("""
from micrograd_c import stop_gradient, sumprod, vmap
from micrograd_c.engine import Value
w = [Value(float(k)) for k in range(12)]
def function(x):
    seen = sumprod(w, [x] * 12, w[0])
    return seen + stop_gradient(sum([v * x for v in w]) + sumprod(w, [x * 2.0] * 12, w[1]).tanh())
for threads in (1, 2):
    for v in w:
        v.grad = 0
    vmap(function, threads=threads)([1.0, 2.0] * 2500).sum().backward()
    assert [v.grad for v in w] == [12500.0] + [7500.0] * 11, [v.grad for v in w]
""")


def test_more_threads_than_there_can_be():
    """Each has memory of its own."""
    model, x = MLP(4, [8, 8, 1]), np.random.RandomState(0).randn(2048 * 200, 4)
    gradients = []
    for threads in (1, *[65] * 8, 130):
        model.zero_grad()
        vmap(model, threads=threads)(x).mean().backward()
        gradients.append([p.grad for p in model.parameters()])
    assert all(one == gradients[0] for one in gradients)


@pytest.mark.parametrize(("function", "data"), [
    (lambda w: 1 / w, 0.0), (lambda w: w**-2, 0.0), (lambda w: w**0.5, -1.0), (lambda w: w**0.5, 0.0),
    (lambda w: w**w, -0.5), (lambda w: w**1001, -10.0), (lambda w: w.log(), 0.0), (lambda w: w.exp(), 1000.0),
])
def test_what_is_no_number_of_parameters_is_none_of_rows_either(function, data):
    """1 / w for w = 0 is infinite, whether w is a parameter or a row's; and so is its slope."""
    w = Value(2.0)
    of_parameter, of_row = vmap(lambda x: x * function(w)), vmap(function)
    of_parameter([1.0])
    w.data = data
    numbers = of_parameter([1.0])
    numbers.sum().backward()
    assert repr(numbers.tolist()) == repr(of_row([data]).tolist())
    assert not math.isfinite(w.grad)


def test_a_sum_stepped_by_hand_or_in_a_sweep_that_failed_counts_once():
    w, u, fails = Value(3.0), Value(0.0), [True]

    def graph():
        batch = vmap(lambda x: w * x)([1.0, 2.0])
        between = u * 1.0       # a sweep comes to it after the sum, and before the run
        total = batch.sum()
        return batch, total, between, total + between

    _, total, _, _ = graph()
    (run,) = total._prev
    total.grad = 1
    total._backward()
    (u * 2).backward()
    run._backward()
    by_hand = w.grad
    _, total, between, loss = graph()
    native = between._backward
    between._backward = lambda: 1 / 0 if fails[0] else native()
    with pytest.raises(ZeroDivisionError):
        loss.backward()
    fails[0] = False
    w.grad = total.grad = loss.grad = between.grad = 0
    loss.backward()
    assert (by_hand, w.grad) == (3.0, 3.0)


# --- rows ---

def test_rows_that_would_not_fit_into_any_memory(run_python):
    run_python("""
import sys
import numpy as np
from micrograd_c import vmap
for rows in (sys.maxsize // 8, sys.maxsize // 4, sys.maxsize // 2 + 5):
    for saved_bytes in (0, 2**26, 2**63, 2**70):
        try:
            vmap(lambda x: x * 2.0, saved_bytes=saved_bytes)(np.broadcast_to(np.int8(1), rows))
        except MemoryError:
            continue
        raise AssertionError(rows)
""")


def test_numbers_that_are_not_aligned():
    """Of packed structs, and of bytes from somewhere. Undefined in C, though most processors do it."""
    packed = np.zeros(3, dtype=[("a", "i1"), ("b", "f8"), ("c", "i4")])
    packed["b"] = packed["c"] = [1, 2, 3]
    raw = np.frombuffer(b"x" + np.arange(3.0).tobytes(), offset=1)
    for x, wanted in ((packed["b"], [1, 2, 3]), (packed["c"], [1, 2, 3]), (raw, [0, 1, 2])):
        mapped = vmap(lambda x: x * 1.0)
        assert mapped(x).tolist() == mapped(x).tolist() == wanted


def test_empty_lists_in_many_lists():
    depths = []

    def depth(x):
        return 1 + depth(x[0]) if isinstance(x, list) and x else int(isinstance(x, list))
    for count in range(1, 13):
        x = []
        for _ in range(count):
            x = [x]
        vmap(lambda x: depths.append(depth(x)) or 1.0)(x)
    assert depths == list(range(1, 13))


def test_no_rows_row_by_row_have_the_functions_structure():
    def function(x):
        out = w * x
        native = out._backward
        out._backward = lambda: native()
        return [out, [x, x]]
    mapped = vmap(function)
    with pytest.warns(UserWarning, match="row by row"):
        mapped([1.0])
    first, (second, third) = mapped([])
    assert list(first) == list(second) == list(third) == []


def test_shared_values_made_anew_do_not_pile_up():
    mapped = vmap(lambda x, s: w * x * s, in_axes=(0, None))
    for k in range(1000):
        assert mapped([1.0], Value(1.0) * k).tolist() == [2.0 * k]
    assert len(mapped.specializations) < 500


# --- functions ---

@pytest.mark.parametrize("function", [
    lambda x: copy.copy(x) * w, lambda x: copy.deepcopy(x * w), lambda x: [x.__init__(7.0), x * w][1],
    lambda x: [setattr(x, "data", 7.0), x * w][1], lambda x: [y := x * w, setattr(y, "data", 7.0), y * 1][2],
    lambda x: [y := x * w, y.backward(), y][2], lambda x: [y := x * w, setattr(y, "grad", 1.0), y._backward(), y][3],
], ids=["copy", "deepcopy", "__init__", "data of x", "data of a result", "backward", "_backward"])
def test_what_a_trace_cannot_follow_is_an_error_or_works(function):
    wanted = [function(Value(x)).data for x in (1.0, 3.0)]
    w.grad = 0
    with contextlib.suppress(TraceError):
        assert vmap(function)([1.0, 3.0]).tolist() == wanted
    assert math.isfinite(w.grad)


def test_an_op_of_ones_own_may_read_data_in_a_comprehension():
    def own(*values):
        out = Value(sum(v.data for v in values) + max([v.data for v in values]), values, "own")
        out._backward = lambda: [setattr(v, "grad", v.grad + out.grad) for v in values]
        return out

    w = Value(3.0)
    with pytest.warns(UserWarning, match="row by row"):
        rows = vmap(lambda x: own(x, w))([1.0, 5.0])
    assert rows.tolist() == [7.0, 13.0]
    rows.sum().backward()
    assert w.grad == 2
