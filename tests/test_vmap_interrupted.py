"""vmap while a trace or a call is interrupted: by finalizers, other threads, signals, and a lack of memory."""

import sys

import pytest
from conftest import COLLECT_AT_NEXT_CHANCE, collects_when_told, sanitized

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/statm")


def test_finalizers_may_call_the_same_function_for_another_structure(run_python):
    run_python(COLLECT_AT_NEXT_CHANCE + """
import array
from micrograd_c import vmap
w, flat = Value(2.0), array.array("d", [1, 2, 3, 4])
square = memoryview(flat).cast("B").cast("d", (2, 2))
mapped = vmap(lambda x: [x[0] * w, x[1]] if isinstance(x, list) else w * x)
mapped(flat), mapped(square)
for warm in range(8):
    junk = [[] for _ in range(warm)]
    Garbage(lambda: mapped([1.0]))
    results = with_collector(lambda: mapped(square))
    assert [list(one) for one in results] == [[2.0, 6.0], [2.0, 4.0]], (warm, results)
""")


CHAIN = COLLECT_AT_NEXT_CHANCE + """
import faulthandler
from micrograd_c import TraceError, vmap
faulthandler.dump_traceback_later(300, exit=True)      # where it waits for itself
kept, w = [], Value(2.0)
def later(chances, action):
    def finalizer():
        kept.extend([[], [], []])
        action() if chances == 0 else later(chances - 1, action)
    Garbage(finalizer)
"""


@collects_when_told
def test_finalizers_may_trace_at_any_time(run_python):
    run_python(CHAIN + """
def action():
    try:
        seen.append(vmap(lambda x: w * x)([3.0]).tolist())
    except TraceError:
        pass
seen = []
for chances in range(80):
    later(chances, action)
    kept.extend([[], [], []])
    assert with_collector(lambda: vmap(lambda x: w * x)([1.0])).tolist() == [2.0]
assert len(seen) > 20 and all(one == [6.0] for one in seen), seen
""")


def test_finalizers_may_read_numbers_while_a_function_is_traced(run_python):
    run_python(CHAIN + """
def known(v):
    try:
        return v.data == v.data
    except TraceError:
        return None
def action():
    assert (Value(1.0) * 3.0).data == 3.0
def function(x):
    made = [v for k in range(30) for v in (x * float(k), w * float(k))]
    later(chances, action)
    with_collector(lambda: known(made[-1]))
    made += [v for k in range(10) for v in (x * float(k), w * float(k))]
    assert [known(v) for v in made] == [None, True] * 40, chances
    return x
for chances in range(40):
    vmap(function)([1.0])
""")


def test_an_op_of_ones_own_may_be_looked_at_while_another_thread_traces(run_python):
    run_python("""
import threading, warnings
from micrograd_c import TraceError, vmap
from micrograd_c.engine import Value
warnings.simplefilter("ignore")
w, calls, seen = Value(2.0), [], []
looked_at, traced, done = threading.Event(), threading.Event(), threading.Event()
def custom(x):
    calls.append(1)
    out = Value(x.data * 2, (x,), "double")
    if len(calls) == 2:
        looked_at.set()
        traced.wait(2)      # in vain, if the other has to wait for its turn to trace
    return out
def other():
    seen.append(vmap(custom)([1.0, 2.0]).tolist())
    done.set()
def function(x):
    traced.set()
    done.wait(2)
    y = x * w
    try:
        seen.append(y.data)
    except TraceError:
        pass
    return y
thread = threading.Thread(target=other)
thread.start()
assert looked_at.wait(300)
assert vmap(function)([3.0, 4.0]).tolist() == [6.0, 8.0]
thread.join()
assert seen == [[2.0, 4.0]]
""")


@linux
def test_an_interrupt_at_any_moment_ends_the_trace(run_python):
    run_python("""
import random, signal
from micrograd_c import tape, vmap
from micrograd_c._core.value import tracing
from micrograd_c.engine import Value
class Interrupt(BaseException):
    pass
def handler(number, frame):
    raise Interrupt
signal.signal(signal.SIGALRM, handler)
w, interrupts = Value(2.0), 0
while interrupts < 10_000:
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, random.uniform(5e-6, 2e-4))
            vmap(lambda x: w * x[0] + x[1])([[1.0, 2.0]])
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except Interrupt:
        interrupts += 1
    assert not tracing.is_tracing(), interrupts
""")


@linux
@sanitized
def test_a_trace_for_which_there_is_no_memory_leaves_no_grad_as_it_was(run_python):
    run_python("""
import os, resource
from micrograd_c import no_grad, vector, vmap
from micrograd_c.engine import Value
w = [Value(1.0) for _ in range(1_000)]
outputs = vector.linear([w] * 600, w, [w[0]] * 600)     # as nodes of their own, which a trace wants: 48 MB
mapped, limits = vmap(lambda x: x * w[0]), resource.getrlimit(resource.RLIMIT_AS)
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
with no_grad():
    resource.setrlimit(resource.RLIMIT_AS, (used + 20_000_000, limits[1]))
    try:
        mapped([1.0])
    except MemoryError:
        pass
    else:
        raise AssertionError("memory came from nowhere")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert (w[0] * 2)._prev == set()
assert mapped([2.0]).tolist() == [2.0]
with no_grad():
    assert (w[0] * 2)._prev == set()
""")
