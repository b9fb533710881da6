"""Code that runs in the middle of things: finalizers, weak references and odd classes must not reach freed memory."""

import pytest
from conftest import COLLECT_AT_NEXT_CHANCE

RECORD = COLLECT_AT_NEXT_CHANCE + """
made = []
def record():
    made.extend(Value(1.0) for _ in range(40_000))
"""
PROGRAMS = {
    "a finalizer of an attribute does not bring the Value back": """
import weakref
from micrograd_c.engine import Value
class Keep:
    def __del__(self):
        kept.append(reference())
kept = []
v = Value(1.0)
reference = weakref.ref(v)
v.keep = Keep()
del v
assert kept == [None]
""",
    "a Value that somebody's __setattr__ gave attributes is not made again with them": """
from micrograd_c.engine import Value
original = Value.__setattr__
Value.__setattr__ = lambda self, name, value: object.__setattr__(self, name, value)
for i in range(300):
    v = Value(1.0)
    v.label = "old"
del v
assert not any(hasattr(Value(2.0), "label") for _ in range(600))
values = [Value(2.0) for _ in range(600)]
assert not any(hasattr(v, "label") for v in values)
Value.__setattr__ = original
""",
    "another class may be assigned": """
import gc
from micrograd_c.engine import Value
class Sub(Value):
    pass
values = []
for i in range(300):
    v = Value(1.0)
    v.__class__ = Sub
    values.append(v)
result = values[0] * 2
del values, v
gc.collect()
assert {type(Value(2.0)) for _ in range(600)} == {Value}
assert [type(v) for v in result._prev if v.data == 1.0] == [Sub]
""",
    "a dying Value is not held": """
from micrograd_c.engine import Value
class Label:
    def __del__(self):
        a.label = "x"
class Sub(Value):
    __slots__ = ("slot",)
a = Value(1.0)
s = Sub(2.0, (a,))
s.slot = Label()
top = Value(9.0)
del s
assert a.label == "x"
""",
    "a subclass may initialise in __new__": """
import copy
from micrograd_c import tape
from micrograd_c.engine import Value
class Sub(Value):
    def __new__(cls, *arguments):
        self = super().__new__(cls)
        Value.__init__(self, 0.0)
        return self
original = Sub(3.0)
before = tape.stats()["young_handles"]
for twin in (copy.copy(original), copy.deepcopy(original)):
    assert (twin.data, type(twin)) == (3.0, Sub)
del twin
assert tape.stats()["young_handles"] == before
tape.collect()
assert original.data == 3.0
""",
    "a slope that raises may run any code": RECORD + """
x = Value(0.0)
y = (x * 2.0) ** 0.5
for _ in range(1_000):
    y = y + x
Garbage(record)
junk = [[] for _ in range(200)]
try:
    with_collector(y.backward)
except ZeroDivisionError:
    pass
else:
    raise AssertionError
x.grad = 0
(x * 3.0).backward()
assert x.grad == 3.0
""",
    "state that comes late may run any code": RECORD + """
junk = [Value(5.0) for _ in range(3_000)]
p = Value(0.0)
x = p + 1
sums = [x + float(i) for i in range(1_000)]
del junk
lists = [[] for _ in range(300)]
Garbage(record)
with_collector(lambda: setattr(x, "_backward", lambda: None))
del x
assert all([v for v in s._prev if v._op][0]._backward() is None for s in sums)
assert p.grad == 0
""",
    "operands may be replaced while they are looked at": COLLECT_AT_NEXT_CHANCE + """
import copy
live = [Value(1.0) for _ in range(600)]
def attempt(look, warm):
    child = live[0]
    y = Value(3.0) + Value(2.0)
    hoard = [Value(1.0) for _ in range(300)]
    junk = [[] for _ in range(warm)]
    left = [2]
    def replace():      # not in the first collection, but in the next
        left[0] -= 1
        if left[0]:
            Garbage(replace)
        else:
            y._prev = (child,) * 300_000
    Garbage(replace)
    found = with_collector(lambda: look(y))
    assert len(found if isinstance(found, set) else found._prev) in (1, 2)
    (child + child).backward()
    if isinstance(found, Value):
        found.backward()
for warm in range(6):
    attempt(lambda y: y._prev, warm)
    attempt(copy.copy, warm)
""",
    "a layer's lists may change while it is recorded": COLLECT_AT_NEXT_CHANCE + """
from micrograd_c.nn import MLP
x = [1.0, 2.0]
model = MLP(2, [4, 4, 300])
model(x)
live = [Value(1.0) for _ in range(300)]
Garbage(lambda: x.extend([1.0] * 100_000))
try:
    with_collector(lambda: model(x))
except ValueError:
    pass
""",
    "lists may change while sums of products are recorded": COLLECT_AT_NEXT_CHANCE + """
from micrograd_c.vector import linear, softmax, sumprod
def attempt(change, call):
    rows = [[Value(1.0), Value(2.0)] for _ in range(300)]
    xs, biases = [Value(3.0), Value(4.0)], [Value(5.0) for _ in range(300)]
    live = [Value(1.0) for _ in range(300)]
    Garbage(lambda: change(rows, xs, biases))
    try:
        out = with_collector(lambda: call(rows, xs, biases))
    except (ValueError, TypeError, OverflowError, IndexError):
        return
    for one in out if isinstance(out, list) else [out]:
        one.backward()
CHANGES = [
    lambda rows, xs, biases: rows.clear(), lambda rows, xs, biases: xs.clear(),
    lambda rows, xs, biases: biases.clear(), lambda rows, xs, biases: rows[7].clear(),
    lambda rows, xs, biases: rows.__setitem__(7, 3.0), lambda rows, xs, biases: xs.extend([2.0] * 100_000),
    lambda rows, xs, biases: xs.__setitem__(0, 10**400), lambda rows, xs, biases: rows[9].__setitem__(0, "x"),
]
for change in CHANGES:
    attempt(change, lambda rows, xs, biases: linear(rows, xs, biases))
    attempt(change, lambda rows, xs, biases: sumprod(rows[0], xs, biases[0]))
    attempt(change, lambda rows, xs, biases: softmax(biases))
""",
    "helpers refuse what is no Value": """
from micrograd_c._core.value import copying
from micrograd_c._core.value import local_step
from micrograd_c._core.bulk import optimizer_steps
for call in (lambda: optimizer_steps.zero_grad([None]), lambda: optimizer_steps.zero_grad(None),
             lambda: copying.shallow_copy(None), lambda: copying.deep_copy(None, {}),
             lambda: copying.reduce_leaf(None), lambda: local_step.LocalStep(None),
             lambda: local_step.LocalStep.__new__(local_step.LocalStep)):
    try:
        call()
    except TypeError:
        pass
    else:
        raise AssertionError(call)
""",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_no_code_in_the_middle_reaches_freed_memory(program, run_python):
    run_python(program)
