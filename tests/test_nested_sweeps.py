"""A sweep goes on while another one, of a function, a handler or a thread, goes through the same mapped run."""

import gc
import sys
import threading

import pytest
from test_interrupts import PRESSED

from micrograd_c import vmap
from micrograd_c.engine import Value


def run():
    w = Value(3.0)
    return w, vmap(lambda x: x * w)([1.0, 2.0])


@pytest.mark.parametrize("inner", ["mean", "sum", "weights"])
@pytest.mark.parametrize("times", [1, 2])
def test_in_a_function_of_an_op(inner, times):
    w, batch = run()
    others = {"mean": batch.mean, "sum": batch.sum, "weights": lambda: batch.sum([2.0, 0.5])}
    custom, first, second = Value(5.0, (w,), "custom"), batch.sum(), others[inner]()

    def sweep_again():
        for _ in range(times):
            second.backward()
    custom._backward = sweep_again
    (first + custom).backward()
    assert w.grad == 3.0 + times * {"mean": 1.5, "sum": 3.0, "weights": 3.0}[inner]


def test_several_levels_deep():
    w, batch = run()
    root = batch.sum()
    for level in range(5):
        inner, custom = root, Value(1.0, (w,), f"level {level}")
        custom._backward = inner.backward
        root = batch.sum([1.0, level]) + custom
    root.backward()
    assert w.grad == 3.0 + sum(1.0 + 2.0 * level for level in range(5))


def test_sums_before_and_after_the_one_within():
    w, batch = run()
    late = batch.sum([10.0, 0.0])       # below the custom op: its share comes when the sweep within is over
    custom = Value(5.0, (w,), "custom")
    custom._backward = batch.mean().backward
    (late + custom + batch.sum()).backward()
    assert w.grad == 10.0 + 1.5 + 3.0


def test_what_a_sweep_left_that_raised_is_not_given_on():
    w, batch = run()
    custom = Value(5.0, (w,), "custom")

    def fail():
        raise ZeroDivisionError
    custom._backward = fail
    root = custom + batch.sum()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            root.backward()
    assert w.grad == 0
    batch.mean().backward()
    assert w.grad == 1.5
    del root, custom, batch
    gc.collect()


def test_of_two_threads():
    w, batch = run()
    inside, done = threading.Event(), threading.Event()
    custom, first, second = Value(5.0, (w,), "custom"), batch.sum(), batch.sum() * 10

    def wait():
        inside.set()
        done.wait(60)
    custom._backward = wait
    thread = threading.Thread(target=(first + custom).backward)
    thread.start()
    inside.wait(60)
    second.backward()
    done.set()
    thread.join()
    assert w.grad == 33.0


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has it")
def test_of_a_handler_of_ctrl_c(run_python):
    run_python(PRESSED + """
w = Value(3.0)
batch = vmap(lambda x: x * w)([1.0, 2.0])
x, chain = products(3_000_000)      # between the run and its sum
root, second = chain + batch.sum(), batch.mean()
with_interrupt(root.backward, second.backward)
assert (w.grad, x.grad) == (3.0 + 1.5, 1.0), (w, x)
""")


def test_an_output_that_only_the_sweep_within_asked_for_has_no_part_in_the_one_around():
    """Its slope is infinite, and 0 times that is nan."""
    w, u = Value(3.0), Value(2.0)
    plain, root_of = vmap(lambda x: (x * w, (x * u).sqrt()))([0.0, 1.0])
    custom, both, first = Value(5.0, (w,), "custom"), plain.sum() + root_of.sum(), plain.sum()

    def sweep_both():
        both.backward()
        w.grad = u.grad = 0.0
    custom._backward = sweep_both
    (custom + first).backward()
    assert (w.grad, u.grad) == (1.0, 0.0)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no resource module")
def test_what_sweeps_left_that_raised_is_freed(run_python):
    run_python("""
import resource
from micrograd_c import vmap
from micrograd_c.engine import Value
w = Value(3.0)
batch = vmap(lambda x: x * w)([1.0] * 100_000)
second = batch.mean()

def sweep_and_fail():
    second.backward()
    raise ZeroDivisionError

def fail():
    custom = Value(5.0, (w,), "custom")
    custom._backward = sweep_and_fail
    try:
        (custom + batch.sum()).backward()
    except ZeroDivisionError:
        return
    raise AssertionError("nothing was raised")

for _ in range(20):
    fail()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(200):
    fail()
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
assert grown < 40_000, grown        # kilobytes; each left 800
""")
