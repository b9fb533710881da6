"""Ctrl-C ends what runs for long in C, and leaves all usable. How soon, benchmarks/interrupts.py tells."""

import sys

import pytest
from conftest import sanitized

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has it"),
    sanitized,      # graphs of millions of nodes
]

PROGRAM = """
import ctypes, functools, operator, signal
from micrograd_c import sumprod, tape, vmap
from micrograd_c.engine import Value

send = ctypes.PyDLL(None)["raise"]
send.restype, send.argtypes = ctypes.c_int, [ctypes.c_int]

def interrupted(action):
    # by map() and methodcaller, so that no bytecode, and no look for signals, comes between the signal and the action
    try:
        list(map(operator.methodcaller("__call__"), [functools.partial(send, signal.SIGINT), action]))
    except KeyboardInterrupt:
        return True
    finally:
        tape.verify()
    return False

def chain(count):
    x = Value(1.0)
    y = x
    for _ in range(count):
        y = y * 1.0
    return x, y
"""


def test_a_sweep_ends(run_python):
    run_python(PROGRAM + """
x, y = chain(2_000_000)
assert interrupted(y.backward)
assert x.grad == 0      # so it did not come down to x
x, y = chain(1_000)
y.backward()
assert x.grad == 1.0
""")


def test_a_sweep_whose_signal_is_handled_goes_on(run_python):
    run_python(PROGRAM + """
def handler(*_):
    other, root = chain(1_000)
    root.backward()
    sumprod([root, root], [other, other])._prev
    seen.append((x.grad, other.grad))
seen = []
signal.signal(signal.SIGINT, handler)
x, y = chain(2_000_000)
w = Value(0.5)
z = sumprod([y, w], [w, w])     # a dot above
assert not interrupted(z.backward)
assert seen == [(0, 1.0)] and x.grad == 0.5 and w.grad == 2.0, (seen, x.grad, w.grad)
""")


def test_a_sweep_that_calls_functions_ends(run_python):
    run_python(PROGRAM + """
x, y = chain(2_000_000)
z = Value(y.data, (y,), "mine")
z._backward = lambda: setattr(y, "grad", y.grad + z.grad)
assert interrupted(z.backward)
assert x.grad == 0
assert tape.stats()["functions"] == 1
""")


@pytest.mark.parametrize("backward", [False, True])
def test_a_mapped_run_ends_forward_and_backward(backward, run_python):
    run_python(PROGRAM + f"""
def f(x):
    for _ in range(50):
        x = (x * w).sin()
    return x
w = Value(1.0)
mapped = vmap(f)
rows = memoryview(bytes(8 * 400_000)).cast("d")
total = mapped(rows).sum()
assert interrupted(total.backward if {backward} else functools.partial(mapped, rows))
assert w.grad == 0
total.backward()
assert w.grad == 0.0 and mapped([0.5])[0] == f(Value(0.5)).data
""")


def test_a_mapped_run_whose_signal_is_handled_goes_on(run_python):
    run_python(PROGRAM + """
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(w.grad))
w = Value(0.5)
mapped = vmap(lambda x: (x * w).sin().exp().tanh() * w)
rows = memoryview(bytes(8 * 2_000_000)).cast("d")
right = mapped(rows).sum()
right.backward()
gradient, w.grad = w.grad, 0.0
total = mapped(rows).sum()
assert not interrupted(total.backward)
assert seen == [0.0] and w.grad == gradient
""")


def test_a_collection_is_given_up_and_the_tape_grows(run_python):
    run_python(PROGRAM + """
x, y = chain(2_000_000)
before = tape.stats()["nodes"]
garbage = y * 2.0
kept = garbage + 1.0
del garbage
assert interrupted(tape.collect)
x.label = "x"
assert tape.collect() == before + 4 and kept.data == 3.0
""")
