"""Long chains of Values that keep one another alive are released without recursion as deep as they are long."""

import sys

import pytest
from conftest import sanitized

# the smallest one that CPython itself can import modules with, which is larger from 3.14 on
STACKS = {"large stack": (8 << 20, 300_000), "small stack": ((64 if sys.version_info < (3, 14) else 128) << 10, 30_000)}
# as CPython 3.13 itself releases containers up to 10,000 deep, whatever the stack: Py_C_RECURSION_LIMIT
if sys.version_info[:2] == (3, 13):
    del STACKS["small stack"]

LINKS = {       # what makes v hold w; "Slotted" is a subclass with slots
    "an attribute": "v.next = w",
    "an attribute of a subclass": "v.attribute = w",
    "a slot of a subclass": "v.slot = w",
    "a list in an attribute": "v.next = [w]",
    "a tuple in an attribute": "v.next = (w,)",
    "a dict in an attribute": "v.next = {'w': w}",
    "a set in an attribute": "v.next = {w}",
    "a list in a slot of a subclass": "v.slot = [w]",
    "its _op": "v._op = w",
    "a tuple as its _op": "v._op = (w,)",
    "the _backward of another": "w._backward = v._backward",
    "a method of another as its _backward": "v._backward = w.relu",
    "a function as its _backward": "v._backward = lambda: w",
    "an object as its _backward": "v._backward = Hook(w)",
    "a method of an object as its _backward": "v._backward = Hook(w).method",
    "a partial as its _backward": "v._backward = functools.partial(print, w)",
    "one after the other of these": (
        "k % 3 or setattr(v, 'next', w); k % 3 != 1 or setattr(v, '_op', [w]);"
        "k % 3 != 2 or setattr(v, '_backward', functools.partial(print, w))"
    ),
    "operands with labels": "w.label = 'w'; v = Value(1.0, (w,))",
    "operands in _prev": "v = w * 1; v._prev",
    "results of operands with labels": "w.label = 'w'; v = w + 1",
}
PROGRAM = """
import functools, gc, threading
from micrograd_c import tape
from micrograd_c.engine import Value

class Slotted(Value):
    __slots__ = ("slot",)

class Hook:
    def __init__(self, value):
        self.value = value
    def __call__(self):
        pass
    method = __call__

def run():
    before = tape.stats()["nodes"]
    first = v = MAKE(0.0)
    for k in range(LENGTH):
        w = v
        v = MAKE(1.0)
        LINK
    del v, w
    del first
    gc.collect()
    tape.collect()
    assert tape.stats()["nodes"] == before
    print("released")

gc.disable()
threading.stack_size(STACK)
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""


@sanitized
@pytest.mark.parametrize(("stack", "length"), STACKS.values(), ids=STACKS)
@pytest.mark.parametrize("link", LINKS)
def test_a_long_chain_is_released(link, stack, length, run_python):
    make = "Slotted" if "subclass" in link else "Value"
    program = PROGRAM.replace("MAKE", make).replace("LINK", LINKS[link])
    assert run_python(program.replace("LENGTH", str(length)).replace("STACK", str(stack))) == "released\n"
