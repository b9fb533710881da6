"""Sums of products become the nodes they stand for while memory is short, or while finalizers do what they like."""

import sys

import pytest
from conftest import COLLECT_AT_NEXT_CHANCE, sanitized

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/statm")
SHORT_OF_MEMORY = COLLECT_AT_NEXT_CHANCE + """
import copy, os, resource
from micrograd_c._core.value import copying
from micrograd_c import nn, vector, viz

def short_of_memory(call):
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 20_000_000, limits[1]))
    try:
        call()
    except MemoryError as error:
        assert "no memory for a tape of" in str(error), error
    else:
        raise AssertionError("memory came from nowhere")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)

WIDTH, COUNT = 1_000, 600       # as nodes of their own: 48 MB
w = [Value(j % 7 - 3.0) for j in range(WIDTH)]
x = [Value(j % 5 - 2.0) for j in range(WIDTH)]
b = Value(0.5)
outputs = vector.linear([w] * COUNT, x, [b] * COUNT)
loss = sum(outputs)

def numbers():
    tape.collect()      # garbage may go while memory is looked for
    return [repr(v) for v in [loss, b, *w, *x, *outputs]], tape.stats()

def check_hidden_nodes():
    total, products = outputs[7], []
    while total is not b:
        total, product = copying.in_order(total._prev)
        products.append(product)
    assert [copying.in_order(product._prev) for product in reversed(products)] == [[w[j], x[j]] for j in range(WIDTH)]
    assert [product.data for product in reversed(products)] == [w[j].data * x[j].data for j in range(WIDTH)]
"""
LOOKS = {
    "_prev": "loss._prev", "an operand's _prev": "outputs[-1]._prev", "a step": "outputs[0]._backward()",
    "copy": "copy.copy(outputs[3])", "deepcopy": "copy.deepcopy(loss)", "order": "copying.in_order([loss])",
    "counts": "copying.count_ops(loss)", "a drawing": "viz.to_dot(outputs[0])",
    "new operands": "setattr(loss, '_prev', (b,))",
}


@linux
@sanitized
@pytest.mark.parametrize("swept", [False, True], ids=["recorded", "swept"])
def test_a_look_for_which_there_is_no_memory_changes_nothing(swept, run_python):
    run_python(SHORT_OF_MEMORY + f"""
if {swept}:
    loss.backward()
for look in {list(LOOKS.values())}:
    before = numbers()
    for _ in range(2):
        short_of_memory(lambda: eval(look))
        assert numbers() == before, look
def train():
    model = nn.MLP(2, [3, 1])
    model([b, Value(2.0)]).backward()
    model([1.0, 2.0]).backward()
    loss._prev
short_of_memory(train)
b.grad = 0.0
if not {swept}:
    loss.backward()
    assert [v.grad for v in w] == [COUNT * v.data for v in x]
check_hidden_nodes()
""")


@linux
@sanitized
def test_a_second_sweep_for_which_there_is_no_memory_can_be_done_later(run_python):
    """Hidden nodes keep the adjoints of the first sweep, and get none from the one that failed."""
    run_python(SHORT_OF_MEMORY + """
root = outputs[7] * 2.0
root.backward()
before = [repr(v) for v in [b, *w, *x]], tape.stats()
for k in (2, 3):
    short_of_memory(root.backward)
    assert ([repr(v) for v in [b, *w, *x]], tape.stats()) == before
    assert outputs[7].grad == 2.0 * k       # this far it came, as any sweep that fails
for v in [b, *w, *x, *outputs]:
    v.grad = 0
root.backward()
# a sum has got 2 more than the sum above it, a product 2 more than its sum
assert [v.grad for v in w] == [2 * (WIDTH - j + 1) * x[j].data for j in range(WIDTH)]
assert [v.grad for v in x] == [2 * (WIDTH - j + 1) * w[j].data for j in range(WIDTH)]
assert b.grad == 2 * WIDTH
check_hidden_nodes()
""")


@linux
@sanitized
def test_a_sweep_with_functions_of_users_for_which_there_is_no_memory_calls_none(run_python):
    run_python(SHORT_OF_MEMORY + """
called = []
outputs[-1]._backward = lambda: called.append(outputs[-1].grad)
short_of_memory(loss.backward)
assert called == [] and {v.grad for v in [b, *w, *x, *outputs]} == {0}
loss.backward()
assert called == [1] and b.grad == COUNT - 1
check_hidden_nodes()
""")


@linux
@sanitized
@pytest.mark.parametrize("looks", ["loss._prev", "y._prev", "loss.backward()", "loss = own(y)"])
def test_a_loop_that_looks_at_each_graph_stays_in_its_memory(looks, run_python):
    """While the next step is recorded, the last one's graph is there. What looks puts nodes in the place of dots."""
    run_python(f"""
import gc, random
from micrograd_c import tape
from micrograd_c.engine import Value
from micrograd_c.nn import MLP
gc.set_threshold(700)       # more from CPython 3.14 on, so that more cycles wait to be collected

def own(y):
    out = Value(y.data ** 2, (y,), "own")
    def _backward():
        y.grad += 2 * y.data * out.grad
    out._backward = _backward
    return out

model = MLP(8, [16, 16, 1])
def steps(count):
    global loss, y
    for _ in range(count):
        y = model([random.random() for _ in range(8)])
        loss = y * y
        {looks}
        loss.backward()
    return tape.stats()["bytes_reserved"]

early = steps(600)
assert steps(1800) <= 1.5 * early, (early, tape.stats())
""")


def test_the_error_may_run_any_code(run_python):
    run_python(SHORT_OF_MEMORY + """
loss.backward()
small = nn.Layer(2, 2, nonlin=False)
done = []
def anything():
    tape.collect()
    out = small([b, w[0]])[0]
    out.backward()
    done.append(small.neurons[0].w[0].grad)
for call in (loss.backward, lambda: loss._prev, lambda: copy.copy(loss)):
    Garbage(anything)
    short_of_memory(lambda: with_collector(call))
gc.collect()
assert done == [0.5, 1.0, 1.5]
loss.backward()
check_hidden_nodes()
""")


LOOKED_AT = {
    "its operands": "[v for out in outputs for v in out._prev]", "a copy": "copy.copy(outputs[0])",
    "a deep copy": "copy.deepcopy(sum(outputs))", "its ops": "copying.count_ops(outputs[1])",
    "its order": "copying.in_order(outputs)", "a second sweep": "outputs[0].backward()",
    "a step": "outputs[0]._backward()", "another call": "model(x)", "a sum of products": "linear([x, x], x)",
}
CODE = {
    "collects": "tape.collect(); gc.collect()", "records": "kept.extend(model(x)); kept.append(outputs[0] * 2)",
    "sweeps": "sum(outputs).backward()", "looks": "kept.extend(outputs[1]._prev)",
    "fills the tape": "sum([1.0] * 18_000, Value(0.5))", "lets go": "del x[1:], outputs[1:], kept[:]",
    "labels": "setattr(outputs[0], 'label', 'mine')", "gives a function": "outputs[0].__class__ = Sub",
}


def test_finalizers_may_do_anything_while_a_layer_is_looked_at(run_python):
    """Nothing breaks, and afterwards the graph is a whole one."""
    run_python(COLLECT_AT_NEXT_CHANCE + f"""
import copy
from micrograd_c._core.value import copying
from micrograd_c import nn
from micrograd_c.vector import linear
class Sub(Value):
    pass
def sweep(root):        # all nodes below: op, data, and the gradient of root
    found, todo = set(), [root]
    while todo:
        v = todo.pop()
        if v not in found:
            found.add(v)
            todo += v._prev
    for v in found:
        v.grad = 0
    root.backward()
    return [(v._op, v.data, v.grad) for v in copying.in_order(found)]
crowd = [Value(1.0) for _ in range(300)]    # so that new Values are allocated
for code in {list(CODE.values())}:
    for look in {list(LOOKED_AT.values())}:
        for warm in (0, 1, 2, 3):
            model, kept = nn.MLP(3, [4, 3]), []
            x = [Value(1.0), Value(2.0) * 1.5, Value(-1)]
            outputs = model(x)
            outputs[0].backward()
            more = [Value(1.0) for _ in range(300)]
            left = [2]
            def finalizer():
                left[0] -= 1
                if left[0]:
                    Garbage(finalizer)
                else:
                    exec(code)
            Garbage(finalizer)
            junk = [[] for _ in range(warm)]
            try:
                found = with_collector(lambda: eval(look))
            except (ValueError, IndexError):
                assert code.startswith("del")       # a layer wants all its inputs
            seen = sweep(outputs[0])
            assert seen == sweep(model([Value(1.0), Value(2.0) * 1.5, Value(-1)])[0]), (code, look, warm)
""")
