"""A child of os.fork works, whatever other threads were doing, and has what was this thread's.

Indexes that other threads held, and no_grad blocks that they had open, are of no concern to it.
"""

import os

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

FORKED = """
import os, threading, traceback, warnings
from micrograd_c import no_grad, tape, vmap
from micrograd_c.engine import Value
warnings.simplefilter("ignore", DeprecationWarning)      # of forks with threads

def in_child(action):
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


def test_nodes_are_given_back_though_another_thread_was_in_a_sweep(run_python):
    run_python(FORKED + """
reached, go_on = threading.Event(), threading.Event()
def wait():
    reached.set()
    go_on.wait()
x = Value(2.0)
loss = Value(3.0, (x,), "slow")
loss._backward = wait
thread = threading.Thread(target=loss.backward)
thread.start()
reached.wait()

def action():
    nodes = tape.stats()["nodes"]
    for _ in range(10):
        out = x * 2
        for _ in range(1000):
            out = out + 1
        del out
    assert tape.stats()["nodes"] <= nodes + 10, tape.stats()
    tape.verify()

in_child(action)
go_on.set()
thread.join()
""")


def test_a_sweep_goes_on_in_the_child_of_a_users_function(run_python):
    run_python(FORKED + """
x = Value(2.0)
for _ in range(100):
    garbage = x * 2         # what a collection would take away below the sweep
y = x * 3
node = Value(6.0, (y,), "forks")
in_which = []
def fork():
    in_which.append(os.fork())
    if in_which[0] == 0:
        del globals()["garbage"]
        tape.collect()
        [Value(1.0) for _ in range(100)]
    y.grad += 5.0
node._backward = fork
loss = node * 1.0
try:
    loss.backward()
    assert x.grad == 15.0, x.grad
    tape.verify()
except BaseException:
    traceback.print_exc()
    os._exit(1)
if in_which[0] == 0:
    os._exit(0)
assert os.waitpid(in_which[0], 0)[1] == 0
""")


def test_a_generators_block_stays_open_in_the_child(run_python):
    run_python(FORKED + """
x = Value(2.0)
def numbers():
    with no_grad():
        yield x * 2
        in_child(lambda: check(False))
        yield x * 3
def check(recorded):
    assert bool((x * 2)._prev) == recorded
generator = numbers()
assert not next(generator)._prev
in_child(lambda: check(True))
next(generator)
""")


def test_a_block_that_another_thread_opened_stays_open_where_its_context_was_copied(run_python):
    run_python(FORKED + """
import contextvars
x = Value(2.0)
def check():
    assert not (x * 2)._prev
with no_grad():
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(in_child, check))
    failed = []
    threading.excepthook = failed.append
    thread.start()
    thread.join()
assert not failed, failed
""")


def test_a_block_of_another_context_of_this_thread_stays_open_in_the_child(run_python):
    run_python(FORKED + """
import contextvars
x = Value(2.0)

def action():
    assert (x * x)._prev == {x}     # the block is not of this context

with no_grad():
    contextvars.Context().run(in_child, action)
    def within():
        child = os.fork()
        if child:
            assert os.waitpid(child, 0)[1] == 0
        return child
    child = contextvars.Context().run(within)
    assert (x * x)._prev == set()
if child == 0:
    tape.verify()
    os._exit(0 if (x * x)._prev == {x} else 1)
""")


def test_a_block_of_this_thread_stays_open_in_the_child(run_python):
    run_python(FORKED + """
x = Value(2.0)
def check():
    assert not (x * 2)._prev
with no_grad():
    with no_grad():
        pass
    in_child(check)
assert (x * 2)._prev
""")


MEANWHILE = FORKED + """
inside, leave = threading.Event(), threading.Event()

def wait():
    inside.set()
    leave.wait(300)

def in_a_custom_op():
    x = Value(2.0)
    y = Value(4.0, (x,), "mine")
    y._backward = wait
    (y * 1.0).backward()

def in_a_trace():
    vmap(lambda x: (wait(), x * 2.0)[1])([1.0])

def in_no_grad():
    with no_grad():
        wait()

def in_a_run():
    inside.set()
    mapped = vmap(lambda x: x.sin().exp().tanh().sin().exp())
    while not leave.is_set():
        mapped(memoryview(bytes(8 * 100_000)).cast("d"))

def works():
    w = Value(3.0)
    w.label = "w"
    out = w * w + 1.0
    del w
    out.backward()
    assert out._prev and [v.data for v in out._prev]
    p = Value(2.0)
    total = vmap(lambda x: x * p)([1.0, 2.0]).sum()
    total.backward()
    assert p.grad == 3.0
    before = tape.stats()["nodes"]
    del out, total, p
    tape.collect()
    tape.verify()
    assert tape.stats()["nodes"] < before       # so nothing is pinned

thread = threading.Thread(target=WHERE)
thread.start()
inside.wait()
for _ in range(5):
    in_child(works)
leave.set()
thread.join()
tape.verify()
"""


@pytest.mark.parametrize("where", ["in_a_custom_op", "in_no_grad", "in_a_run", "in_a_trace"])
def test_a_child_works_while_another_thread_is(where, run_python):
    run_python(MEANWHILE.replace("WHERE", where))
