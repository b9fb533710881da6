"""A child of os.fork works, whatever other threads were doing."""

import os

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

PROGRAM = """
import os, threading, warnings
from micrograd_c import no_grad, tape, vmap
from micrograd_c.engine import Value
warnings.simplefilter("ignore", DeprecationWarning)      # of forks with threads
inside, leave = threading.Event(), threading.Event()

def wait():
    inside.set()
    leave.wait(20)

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
for _ in range(TIMES):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            works()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
leave.set()
thread.join()
tape.verify()
"""


@pytest.mark.parametrize("where", ["in_a_custom_op", "in_no_grad", "in_a_run", "in_a_trace"])
def test_a_child_works_while_another_thread_is(where, run_python):
    run_python(PROGRAM.replace("WHERE", where).replace("TIMES", "5"))
