"""Ctrl-C in the middle of a sweep or a collection: what its handler may do there, and that all goes on afterwards.

Each program calls `with_interrupt(action, handler)`: Ctrl-C is pressed before a function in C. No Python code runs in
between, so that only the function itself can look for it.
"""

import pytest

PRESSED = """
import collections, ctypes, operator, signal
from micrograd_c import tape, vmap
from micrograd_c.engine import Value
from micrograd_c.nn import MLP
from micrograd_c.vector import sumprod

def with_interrupt(action, handler):
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
    assert handled == [signal.SIGINT]
    tape.verify()

def chain(x, length):
    out = x
    for _ in range(length):
        out = out + x
    return out
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
loss = chain(x, 1_200_000)
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
loss = chain(x, 1_200_000)
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
