"""The arena: that nodes come back, that memory is bounded, and that running out of it breaks nothing."""

import collections
import random
import struct
import sys

import pytest
from conftest import custom_sum, sanitized

from micrograd_c import tape
from micrograd_c.engine import Value

MEMORY = """
import gc, os, sys
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
"""
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/statm")


def test_dropping_the_last_handle_drops_the_graph(uncollected):
    tape.collect()
    before = tape.stats()
    x = Value(1.0)
    for _ in range(1_000):
        x = x * 2 + 1
    assert tape.stats()["nodes"] > before["nodes"] + 4_000
    del x
    assert tape.stats() == before


def test_a_million_ops_on_one_handle_need_room_for_a_few(others):
    x = Value(1.0)
    for _ in range(250_000):
        y = x * 0.5 + 1
    assert y.data == 1.5
    assert tape.stats()["capacity"] <= 65_536 + 4 * others


def test_survivors_keep_numbers_operands_and_identity():
    generator = random.Random(1)
    kept = [Value(float(i)) for i in range(10)]
    expected = [v.data for v in kept]
    for _ in range(20_000):
        i, j = generator.randrange(len(kept)), generator.randrange(len(kept))
        a, b = kept[i], kept[j]
        junk = a * b + a * 3 - b        # collected sooner or later
        if generator.random() < 0.2:
            if generator.random() < 0.3:
                kept.append(Value((a.data + b.data) % 7, (a, b), "custom"))
                expected.append((expected[i] + expected[j]) % 7)
            else:
                kept.append(a * 0.5 + b * 0.5)
                expected.append(expected[i] * 0.5 + expected[j] * 0.5)
        if len(kept) > 40:
            for _ in range(10):
                k = generator.randrange(len(kept))
                del kept[k], expected[k]
        if generator.random() < 0.01:
            tape.collect()
    del junk
    assert [v.data for v in kept] == expected
    assert all(v._op in {"", "+", "custom"} for v in kept)


def test_gradients_are_right_after_nodes_have_moved():
    a, b = Value(2.0), Value(3.0)
    for _ in range(3):
        junk = [Value(float(i)) * 2 for i in range(5_000)]
        inner = Value(5.0, (a, b, a), "custom")
        outer = inner * a + (a * b).relu() ** 2
        del junk
        tape.collect()
        inner._backward = lambda inner=inner: setattr(b, "grad", b.grad + inner.grad)
        a.grad = b.grad = 0
        outer.backward()
        assert (a.grad, b.grad) == (5.0 + 2 * 6.0 * 3.0, 2.0 + 2 * 6.0 * 2.0)


def test_old_graphs_do_not_slow_or_change_new_ones():
    old = Value(1.0)
    for _ in range(50_000):
        old = old + 1
    x = Value(2.0)
    y = x * x
    y.backward()
    assert (x.grad, old.grad) == (4.0, 0)


def test_stats_count_what_there_is():
    tape.collect()
    before = tape.stats()
    children = (Value(1.0), Value(2.0), Value(3.0))
    custom = Value(6.0, children, "sum")
    after = tape.stats()
    assert after["nodes"] - before["nodes"] == 4
    assert after["edges"] - before["edges"] == 3
    assert after["bytes_used"] - before["bytes_used"] == 4 * (32 + struct.calcsize("P")) + 3 * 16
    assert after["bytes_used"] <= after["bytes_reserved"]
    assert custom._prev == set(children)


@sanitized
def test_a_chain_of_three_million_ops(run_python):
    run_python("""
from micrograd_c import tape
from micrograd_c.engine import Value
start = tape.stats()["bytes_reserved"]
a, b, x = Value(1e-6), Value(1.0), Value(0.0)
for _ in range(1_500_000):
    x = x * b + a
x.backward()
assert abs(x.data - 1.5) < 1e-6, x
assert a.grad == 1_500_000.0, a
used = tape.stats()
assert used["nodes"] == 3_000_003
assert used["bytes_used"] <= 40 * (used["nodes"] + 1)
del x
assert tape.stats()["nodes"] < 10
assert tape.stats()["bytes_reserved"] == start
""")


@linux
@sanitized
def test_5000_demo_steps_leave_memory_flat(run_python):
    grown = run_python(MEMORY + """
from micrograd_c.demo import Training
training = Training("micrograd_c")
for k in range(5_000):
    training.k = min(k, 99)
    training.step()
    if k == 200:
        start = resident()
print(resident() - start)
""")
    assert int(grown) < 2e6


@linux
@sanitized
def test_small_graphs_with_state_leave_memory_flat(run_python):
    grown = run_python(MEMORY + """
import copy
from micrograd_c.engine import Value
from micrograd_c.nn import MLP
class Named(Value):
    pass
def step():
    a, b = Named(2.0), Value(3)
    a.label, b.m = "a", [b]
    out = Value(5.0, (a, b), "custom")
    out._backward = lambda: setattr(a, "grad", a.grad + out.grad)
    total = (out * a - b / a).tanh() + sum(out._prev) + MLP(2, [2, 1])([a, 1.0])
    total.backward()
    copy.deepcopy(total)
    for bad in ("x", None):
        try:
            total + Value(bad)
        except TypeError:
            pass
for k in range(4_000):
    step()
    if k % 100 == 0:
        gc.collect()
    if k == 1_000:
        start = resident()
print(resident() - start)
""")
    assert int(grown) < 1e6


@linux
@sanitized
def test_running_out_of_memory_is_a_memory_error_and_breaks_nothing(run_python):
    run_python(MEMORY + """
import resource
from micrograd_c import tape
from micrograd_c.engine import Value
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (used + 100_000_000,) * 2)

def grow(op):
    x, count = Value(0.0), 0
    try:
        while True:
            x = op(x)
            count += 1
    except MemoryError:
        pass
    before = tape.stats()
    for _ in range(3):
        try:
            for _ in range(10_000_000):
                x = op(x)
            raise AssertionError("memory came from nowhere")
        except MemoryError:
            pass
    x.backward()
    return count

one = Value(1.0)
assert grow(lambda x: x + one) > 100_000
assert one.grad > 100_000
many = tuple(Value(1.0) for _ in range(1_000))
assert grow(lambda x: Value(1.0, (x, *many), "wide")) > 1_000
y = Value(3.0)
z = y * y + 1
z.backward()
assert (z.data, y.grad) == (10.0, 6.0)
assert tape.collect() < 1_010
""")


def test_the_tape_says_how_many_nodes_are_left():
    x = Value(1.0)
    assert tape.collect() == tape.stats()["nodes"] >= 1
    assert x.data == 1.0


def test_large_graphs_one_after_the_other_give_memory_back_in_the_end(others):
    for _ in range(3):
        x = Value(0.0)
        for _ in range(700_000):
            x = x + 1.0
        x.backward()
        del x
    for _ in range(3):
        Value(1.0)
    assert tape.stats()["capacity"] < (1 << 20) + 4 * others


@pytest.mark.parametrize("kept", [1, 2, 5])
@pytest.mark.parametrize("chained", [False, True], ids=["fresh graphs", "graphs on graphs"])
def test_graphs_that_outlive_the_next_one_stay_right_while_older_ones_go(kept, chained, others):
    """All functions are linear, so the gradient of each is known: the vector of its coefficients."""
    draw = random.Random(kept)
    weights = [Value(draw.uniform(-1, 1)) for _ in range(5)]
    window = collections.deque(maxlen=kept)
    largest = 0
    for step in range(400):
        terms = [(w, [float(w is other) for other in weights]) for w in weights]
        if chained and window and step % 50:
            terms += window
        for _ in range(draw.randrange(200, 600)):
            (a, da), (b, db) = draw.choice(terms), draw.choice(terms)
            factor = draw.uniform(-0.5, 0.5)
            made = custom_sum(a, b) if draw.random() < 0.1 else a + b
            terms.append((made * factor, [(x + y) * factor for x, y in zip(da, db)]))
        window.append(terms[-1])
        del terms, made, a, b
        largest = max(largest, tape.stats()["nodes"])
        # once each, as a second sweep would start from the gradients that the first has left
        if step == 399 or (step % 7 == 0 and not chained):
            value, coefficients = window[0]
            for w in weights:
                w.grad = 0
            value.backward()
            assert [w.grad for w in weights] == pytest.approx(coefficients, rel=1e-9, abs=1e-12)
            assert value.data == pytest.approx(sum(c * w.data for c, w in zip(coefficients, weights)), abs=1e-12)
    assert chained or largest < 100_000 + 4 * others


def test_a_loop_that_keeps_its_last_loss_does_not_grow(run_python):
    run_python("""
from micrograd_c import tape
from micrograd_c.engine import Value
weights = [Value(1.0) for _ in range(1000)]
for _ in range(60):
    loss = sum((w * w for w in weights), Value(0.0))
    loss.backward()
    assert tape.stats()["capacity"] == 16384
assert tape.stats()["base"] == 1000
assert [w.grad for w in weights] == [120.0] * 1000
""")


def test_functions_count_only_while_their_nodes_are_there(run_python):
    """A sweep that calls functions is slower: it must end with the last node that has one."""
    run_python("""
import collections
import gc
import weakref
from micrograd_c import tape
from micrograd_c.engine import Value

def relay(value):
    out = Value(value.data, (value,), "relay")
    out_again = weakref.ref(out)    # no cycle, so that it goes at once
    def _backward():
        for child in out_again()._prev:
            child.grad += out_again().grad
    out._backward = _backward
    return out

w = Value(2.0)
losses = collections.deque()
for step in range(6_000):
    loss = relay(w * 3.0) * 2.0      # what only a relay refers to is the lowest node of its graph
    for _ in range(10):
        loss = loss + w
    losses.append(loss)
    if len(losses) == 3:
        w.grad = 0
        losses.popleft().backward()
        assert w.grad == 16.0
    assert tape.stats()["functions"] < 2_000
losses.clear()
del loss
gc.collect()
tape.collect()
assert (tape.stats()["functions"], tape.stats()["edges"]) == (0, 0)
""")


def test_functions_that_were_among_old_values_do_not_keep_dots_away_for_ever(run_python):
    run_python("""
from micrograd_c import sumprod, tape
from micrograd_c.engine import Value

def graphs(count):
    for _ in range(count):
        sumprod(xs, xs).backward()
    return tape.stats()

below = [Value(0.5) for _ in range(20)]
own = Value(2.0, (below[0],), "own")
own._backward = lambda: None
xs = [Value(0.5) for _ in range(20)]
stats = graphs(1_000)
assert stats["functions"] == 1
assert stats["base"] > 40           # so they count as old
del own
assert graphs(100)["functions"] == 0
assert [x.grad for x in xs] == [1100.0] * 20
tape.verify()
""")


def test_a_graph_above_live_values_goes_with_its_last_value():
    a, b = Value(1.0), Value(2.0)
    before = tape.stats()
    c = a * b + a
    c += Value(6.0, (a, b), "sum")
    c._backward = lambda: None
    assert tape.stats()["nodes"] > before["nodes"]
    del c
    after = tape.stats()
    assert [after[key] for key in ("nodes", "edges", "functions")] == [
        before[key] for key in ("nodes", "edges", "functions")
    ]


def test_values_below_many_graphs_count_as_old_and_come_back_all_the_same():
    model = [Value(0.5) for _ in range(50)]
    for _ in range(1000):
        total = sum(p * p for p in model)
        total.backward()
        del total
    assert [p.grad for p in model] == [1000.0] * 50
    nodes = tape.stats()["nodes"]
    del model
    tape.collect()
    assert tape.stats()["nodes"] <= nodes - 50


def test_a_value_in_the_middle_stays_when_what_is_above_goes():
    a = Value(3.0)
    middle = a * 2
    top = middle * middle
    del top
    other = middle + 1      # recorded where the square was
    other.backward()
    assert (other.data, middle.data, a.grad) == (7.0, 6.0, 2.0)
