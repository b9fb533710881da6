"""Ctrl-C in the middle of what runs for long in C: it ends there or goes on, as the handler says, and all stays usable.

How soon the handler runs, benchmarks/interrupts.py tells.
"""

import sys

import pytest
from conftest import sanitized

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has it")

PRESSED = """
import array, collections, ctypes, functools, operator, signal
from micrograd_c import gradients, sumprod, tape, vmap
from micrograd_c._core.transforms import derivatives, plain_sweeps
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

def with_interrupt(action, handler):
    # by map() and methodcaller, so that no bytecode, and no look for signals, comes between the signal and the action
    handled = []
    def call(number, frame):
        handled.append(number)
        handler()
    before = signal.signal(signal.SIGINT, call)
    try:
        both = [ctypes.pythonapi.PyErr_SetInterrupt, action]
        collections.deque(map(operator.methodcaller("__call__"), both), 0)
    finally:
        signal.signal(signal.SIGINT, before)
        tape.verify()
    assert handled == [signal.SIGINT]

def end():
    raise KeyboardInterrupt

def interrupted(action):
    try:
        with_interrupt(action, end)
    except KeyboardInterrupt:
        return True
    return False

def sums(x, length):
    # x has its share of the gradient from each step
    out = x
    for _ in range(length):
        out = out + x
    return out

def asked(loss, x, create_graph=False):
    # what gives gradients when it is gone through, without bytecode
    if create_graph:
        return map(derivatives.reverse, [[loss]], [[[(0, 1.0)]]], [[x]])
    return map(plain_sweeps.numbers, [[loss]], [[x]])

def products(length):
    # x has it from the last one alone
    x = Value(1.0)
    out = x
    for _ in range(length):
        out = out * 1.0
    return x, out
"""

HANDLERS = {
    "nothing": "pass",
    "looks": "tape.verify()",
    "collects": "garbage.clear(); tape.collect(); [Value(1.0) * 2 for _ in range(1000)]",
    "sweeps the same": "loss.backward()",
    "sweeps another": "(x * other).backward()",
}
GRADIENTS = {"sweeps the same": 2 * 1_200_001.0, "sweeps another": 1_200_001.0 + 5.0}


@pytest.mark.parametrize("does", HANDLERS)
def test_a_sweep_goes_on_where_it_was(does, run_python):
    """If the handler sweeps the same graph, what is above the place has its adjoint added to, and then again."""
    run_python(PRESSED + f"""
garbage = [Value(1.0) for _ in range(1000)]     # a collection moves what is above
x, other = Value(3.0), Value(5.0)
loss = sums(x, 1_200_000)
seen = []
def handler():
    seen.append(x.grad)
    {HANDLERS[does]}
with_interrupt(loss.backward, handler)
assert 0 < seen[0] < 1_200_001.0, seen      # in the middle
assert x.grad {'>=' if does == 'sweeps the same' else '=='} {GRADIENTS.get(does, 1_200_001.0)}, x.grad
x.grad = 0
loss = x * 2
loss.backward()
assert x.grad == 2.0
""")


def test_a_handler_that_raises_ends_the_sweep_and_leaves_no_marks(run_python):
    run_python(PRESSED + """
x = Value(3.0)
loss = sums(x, 1_200_000)
def handler():
    raise KeyboardInterrupt
try:
    with_interrupt(loss.backward, handler)
except KeyboardInterrupt:
    pass
else:
    raise AssertionError("the handler's error was lost")
tape.verify()
x.grad = 0
(x * x).backward()
assert x.grad == 6.0
""")


def test_long_dots_are_no_reason_to_wait(run_python):
    """Between two of a million products each the handler runs: there is one product's share of the gradient then."""
    run_python(PRESSED + """
ws = [Value(1.0) for _ in range(1_100_000)]
first, second = sumprod(ws, ws), sumprod(ws, ws)
loss = first + second
seen = []
with_interrupt(loss.backward, lambda: seen.append(ws[5].grad))
assert (seen, ws[5].grad) == ([2.0], 4.0), (seen, ws[5].grad)
""")


@pytest.mark.parametrize("hooked", [False, True], ids=["", "among functions of users"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_is_swept_again(hooked, threads, run_python):
    """A run that Ctrl-C has stopped has given nothing yet, and gives all when it is begun again."""
    run_python(PRESSED + f"""
import array
model = MLP(2, [16, 16, 1])
rows = memoryview(array.array("d", [k % 97 / 97 for k in range(1_200_000)])).cast("B").cast("d", (600_000, 2))
mapped = vmap(model, threads={threads})
mapped(rows).mean().backward()
wanted = [p.grad for p in model.parameters()]
model.zero_grad()
seen = []
loss = mapped(rows).mean() * 1.0
if {hooked}:
    elsewhere = Value(1.0, (loss,), "of a user")
    elsewhere._backward = lambda: None
with_interrupt(loss.backward, lambda: seen.append([p.grad for p in model.parameters()]))
assert not any(seen[0]) and [p.grad for p in model.parameters()] == wanted
""")


def test_a_collection_gives_up_and_leaves_no_marks(run_python):
    run_python(PRESSED + """
values = [Value(float(k)) for k in range(1_200_000)]
del values[::2]
nodes = tape.stats()["nodes"]
with_interrupt(tape.collect, lambda: None)
assert tape.stats()["nodes"] == nodes
assert tape.collect() < nodes
assert [v.data for v in values[:3]] == [1.0, 3.0, 5.0]
""")


@sanitized
def test_a_sweep_ends(run_python):
    run_python(PRESSED + """
x, y = products(2_000_000)
assert interrupted(y.backward)
assert x.grad == 0      # so it did not come down to x
x, y = products(1_000)
y.backward()
assert x.grad == 1.0
""")


@sanitized
def test_a_sweep_whose_signal_is_handled_goes_on(run_python):
    run_python(PRESSED + """
def handler():
    other, root = products(1_000)
    root.backward()
    sumprod([root, root], [other, other])._prev
    seen.append((x.grad, other.grad))
seen = []
x, y = products(2_000_000)
w = Value(0.5)
z = sumprod([y, w], [w, w])     # a dot above
with_interrupt(z.backward, handler)
assert seen == [(0, 1.0)] and x.grad == 0.5 and w.grad == 2.0, (seen, x.grad, w.grad)
""")


@sanitized
def test_a_sweep_that_calls_functions_ends(run_python):
    run_python(PRESSED + """
x, y = products(2_000_000)
z = Value(y.data, (y,), "mine")
z._backward = lambda: setattr(y, "grad", y.grad + z.grad)
assert interrupted(z.backward)
assert x.grad == 0
assert tape.stats()["functions"] == 1
""")


@sanitized
@pytest.mark.parametrize("backward", [False, True])
def test_a_mapped_run_ends_forward_and_backward(backward, run_python):
    run_python(PRESSED + f"""
def f(x):
    for _ in range(50):
        x = (x * w).sin()
    return x
w = Value(1.0)
mapped = vmap(f)
rows = memoryview(bytes(8 * 300_000)).cast("d")
total = mapped(rows).sum()
assert interrupted(total.backward if {backward} else functools.partial(mapped, rows))
assert w.grad == 0
total.backward()
assert w.grad == 0.0 and mapped([0.5])[0] == f(Value(0.5)).data
""")


@sanitized
def test_a_mapped_run_whose_signal_is_handled_goes_on(run_python):
    run_python(PRESSED + """
seen = []
w = Value(0.5)
mapped = vmap(lambda x: (x * w).sin().exp().tanh() * w)
rows = memoryview(bytes(8 * 2_000_000)).cast("d")
right = mapped(rows).sum()
right.backward()
gradient, w.grad = w.grad, 0.0
total = mapped(rows).sum()
with_interrupt(total.backward, lambda: seen.append(w.grad))
assert seen == [0.0] and w.grad == gradient
""")


@sanitized
def test_a_collection_is_given_up_and_the_tape_grows(run_python):
    run_python(PRESSED + """
x, y = products(2_000_000)
before = tape.stats()["nodes"]
garbage = y * 2.0
kept = garbage + 1.0
del garbage
assert interrupted(tape.collect)
x.label = "x"
assert tape.collect() == before + 4 and kept.data == 3.0
""")


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("does", ["nothing", "looks", "collects"])
def test_gradients_go_on_where_they_were(does, create_graph, run_python):
    run_python(PRESSED + f"""
garbage = [Value(1.0) for _ in range(1000)]
x = Value(3.0)
loss = sums(x, 1_200_000) * 1.0
x.grad, found = 7, []
def handler():
    assert not found
    {HANDLERS[does]}
with_interrupt(functools.partial(found.extend, asked(loss, x, {create_graph})), handler)
assert [float(one.data if {create_graph} else one) for one in found[0][0]] == [1_200_001.0] and x.grad == 7
""")


@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_that_are_ended_leave_nothing(create_graph, run_python):
    run_python(PRESSED + f"""
x = Value(3.0)
loss = sums(x, 2_400_000) * 1.0
x.grad, found = 7, []
assert interrupted(functools.partial(found.extend, asked(loss, x, {create_graph})))
assert not found and (x.grad, loss.grad) == (7, 0)
assert gradients(loss, [x], {create_graph})[0] > 0
x.grad = 0
(x * x).backward()
assert x.grad == 6.0
""")


def test_a_handler_finds_gradients_where_they_belong(run_python):
    run_python(PRESSED + """
a, b = Value(2.0), Value(3.0)
w = a * b
w.grad = 5.0
x = Value(1.0)
loss = sums(x, 1_200_000) * w
x.grad, loss.grad = 7, 1.5
seen, found = [], []
def handler():
    assert not found
    seen.append((x.grad, w.grad, loss.grad))
    (w * 2.0).backward()
    w.data = 6
    w.label = [1]
    seen.append((a.grad, b.grad, gradients(loss, [w])[0]))
with_interrupt(functools.partial(found.extend, asked(loss, x)), handler)
assert seen == [(7, 5.0, 1.5), (21.0, 14.0, 1_200_001.0)], seen     # 5 were there already
assert found == [[[6.0 * 1_200_001.0]]], found
assert (x.grad, w.grad, loss.grad, w.data, w.label) == (7, 7.0, 1.5, 6, [1])
assert type(w.data) is int
""")
