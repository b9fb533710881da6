"""vmap: what cannot be traced is said, with the user's line, or run row by row; nothing is left behind by an error."""

import gc
import math
import os
import signal
import threading

import numpy as np
import pytest

from micrograd_c import TraceError, maximum, no_grad, softmax, tape, vmap, where
from micrograd_c.engine import Value


def under_no_grad(x):
    with no_grad():
        y = x * 2
    return y * 3


@pytest.mark.parametrize(("function", "said"), [
    (lambda x: x * x.data, "its .data is read"),
    (lambda x: Value(float(x)), "it is turned into a float"),
    (lambda x: x * math.exp(x), "it is turned into a float"),
    (lambda x: x if x > 0 else -x, "it is compared"),
    (lambda x: max(x, 0), "it is compared"),
    (lambda x: x if x else -x, "its truth is asked for"),
    (lambda x: (x * 2 + 1) if (x * 2).data > 1 else x, "its .data is read"),
    (under_no_grad, "no_grad"),
])
def test_what_depends_on_the_row_cannot_be_read(function, said):
    gc.collect()
    before = tape.collect()
    for _ in range(2):
        with pytest.raises(TraceError, match=said) as caught:
            vmap(function)([1.0, 2.0])
    message = str(caught.value)
    if "no_grad" not in said and "vmap" not in said:
        line = function.__code__.co_firstlineno
        assert f"{__file__}:{line}: " in message
        assert "where(cond, a, b)" in message
    del caught
    gc.collect()
    tape.collect()
    assert tape.stats()["nodes"] == before
    assert vmap(lambda x: x + 1)([1.0]).tolist() == [2.0]


def test_what_does_not_depend_on_the_row_can():
    w = Value(2.0)

    def function(x):
        y = w * 3
        assert bool(y)
        return x * y.data if y > 5 else x

    assert vmap(function)([1.0, 2.0]).tolist() == [6.0, 12.0]


def test_an_error_of_the_function_comes_through_and_leaves_nothing():
    gc.collect()
    before = tape.collect()
    mapped = vmap(lambda x: x * [1][x is not None])
    with pytest.raises(IndexError, match="list index out of range") as caught:
        mapped([1.0])
    del caught
    gc.collect()
    tape.collect()
    assert tape.stats()["nodes"] == before
    w = Value(1.0)
    (w * 2).backward()
    assert w.grad == 2


def test_another_thread_may_compute_while_a_function_is_traced():
    seen, begin, end = [], threading.Event(), threading.Event()

    def other():
        begin.wait()
        x = Value(3.0)
        y = x * x
        y.backward()
        seen.append((y.data, x.grad, float(y), y > 1))
        end.set()

    def function(x):
        begin.set()
        end.wait()
        return x * 2

    thread = threading.Thread(target=other)
    thread.start()
    assert vmap(function)([1.0]).tolist() == [2.0]
    thread.join()
    assert seen == [(9.0, 6.0, 9.0, True)]


def tanh(self):
    """As in lectures."""
    t = math.tanh(self.data)
    out = Value(t, (self,), "tanh")

    def _backward():
        self.grad += (1 - t * t) * out.grad

    out._backward = _backward
    return out


def test_an_op_of_ones_own_is_run_row_by_row_with_one_warning():
    w, xs, weights = Value(0.5), [0.1, 0.2, -3.0], [1.0, 2.0, 0.5]
    mapped = vmap(lambda x: [tanh(w * x[0]), x[1]])
    rows = [[x, 1.0] for x in xs]
    with pytest.warns(UserWarning, match="row by row, which is slow: it has an op of its own") as caught:
        first, second = mapped(rows)
    assert (len(caught), caught[0].filename) == (1, __file__)
    mapped(rows)        # a warning is an error here
    assert first.tolist() == [math.tanh(0.5 * x) for x in xs]
    assert (len(first), first[1:], second.tolist()) == (3, first.tolist()[1:], [1.0] * 3)
    assert np.array_equal(np.asarray(first), first.tolist())
    (first.sum(weights) + first.mean()).backward()
    wanted = sum((1 - math.tanh(0.5 * x) ** 2) * x * (weight + 1 / 3) for x, weight in zip(xs, weights))
    assert w.grad == pytest.approx(wanted)


def test_a_value_with_a_backward_of_its_own_is_run_row_by_row():
    w = Value(0.5)

    def function(x):
        out = w * x
        native = out._backward
        out._backward = lambda: [native() for _ in range(2)]
        return out

    with pytest.warns(UserWarning, match="row by row"):
        batch = vmap(function)([1.0, 3.0])
    batch.sum().backward()
    assert (batch.tolist(), w.grad) == ([0.5, 1.5], 8.0)


def test_choices_can_be_traced():
    mapped = vmap(lambda x: maximum(x, 0.5))
    assert mapped([1.0, 0.25]).tolist() == [1.0, 0.5]


def test_functions_of_the_package_may_stand_beside_an_op_of_ones_own():
    w, rows = Value(0.5), [[1.0, 2.0], [3.0, 4.0]]
    function = lambda x: softmax([tanh(w * x[0]), x[1]])[0]     # noqa: E731
    with pytest.warns(UserWarning, match="row by row"):
        shares = vmap(function)(rows)
    assert shares.tolist() == [function([Value(x) for x in row]).data for row in rows]


@pytest.mark.filterwarnings("ignore:vmap runs")
def test_choices_in_what_is_run_row_by_row_do_not_show_in_the_next_trace():
    """Whose first nodes would be taken for what does not depend on an argument."""
    def chosen(x):
        y = Value(x.data, (x,), "same")
        for _ in range(10):
            y = where(x, y, 1.0)
        return y
    assert vmap(chosen)([1.0, 2.0]).tolist() == [1.0, 2.0]
    with pytest.raises(TraceError, match="turned into a float"):
        vmap(lambda x: x * float(x * 2.0 * 2.0))([1.0, 2.0])


def test_another_thread_may_call_what_vmap_has_made_while_this_one_traces():
    """It waits for its turn to trace, and needs none for what was traced before."""
    traced, results = vmap(lambda x: x * 2.0), []
    traced(np.ones(1))
    w, begun = Value(2.0), threading.Event()

    def other():
        begun.set()
        try:
            results.extend([traced(np.ones(2)).tolist(), vmap(lambda x: x * 3.0)([1.0]).tolist()])
        except TraceError as error:
            results.append(error)
    thread = threading.Thread(target=other)

    def function(x):
        thread.start()
        assert begun.wait(300)
        thread.join(0.2)
        return x * w
    assert vmap(function)([1.0]).tolist() == [2.0]
    thread.join(300)
    assert results == [[2.0, 2.0], [3.0]]


OWN_OPS = """
import os, signal, threading, time, warnings
from micrograd_c import TraceError, vmap
from micrograd_c.engine import Value
warnings.simplefilter("ignore")

def cube(x, pause=0.0):
    out = Value(x.data ** 3, (x,), "cube")
    time.sleep(pause)
    return out

def check():
    try:
        vmap(lambda x: x * (2 if x.data > 1 else 3))([1.0, 2.0])
    except TraceError:
        return
    raise AssertionError("data was read in a trace")
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="signals are sent as POSIX has it")
def test_ctrl_c_while_a_function_is_watched_leaves_nothing_behind(run_python):
    run_python(OWN_OPS + """
def interrupt(*_):
    raise KeyboardInterrupt
signal.signal(signal.SIGALRM, interrupt)
for k in range(300):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.00002 + 0.000001 * k)
        while True:
            vmap(lambda x: cube(x))([1.0, 2.0])
    except KeyboardInterrupt:
        pass
    check()
""")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_of_a_fork_knows_nothing_of_a_function_that_is_watched(run_python):
    run_python(OWN_OPS + """
inside = threading.Event()
thread = threading.Thread(target=lambda: vmap(lambda x: (inside.set(), cube(x, 0.2))[1])([1.0, 2.0]))
thread.start()
inside.wait()
time.sleep(0.05)
child = os.fork()
check()
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
thread.join()
""")


def test_what_other_threads_do_says_nothing_of_a_function_that_is_watched(run_python):
    run_python(OWN_OPS + """
done = False
def others():
    while not done:
        (Value(1.0) * 2).data
        Value(2.0, (Value(1.0),), "other")
        time.sleep(0.0001)
thread = threading.Thread(target=others)
thread.start()
try:
    for _ in range(20):
        assert vmap(lambda x: cube(x, 0.002))([1.0, 2.0]).tolist() == [1.0, 8.0]
        check()
finally:
    done = True
    thread.join()
""")
