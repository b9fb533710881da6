"""Graphs whose nodes have moved, as the tape was full or was collected: what was below, and what is known of them."""

import pytest

from micrograd_c import tape
from micrograd_c.engine import Value
from micrograd_c.vector import sumprod

MOVED = {
    "collected": """
garbage = [Value(1.0) for _ in range(1000)]
def move():
    garbage.clear()
    tape.collect()
""",
    "dropped": """
garbage = Value(1.0)
for _ in range(5_000):
    garbage = garbage + 1       # without handles
def move():
    global garbage, filling
    del garbage
    filling, nodes = Value(1.0), 0
    while tape.stats()["nodes"] > nodes:
        nodes = tape.stats()["nodes"]
        filling = filling + 1
""",
}


@pytest.mark.parametrize("way", MOVED)
def test_data_that_was_assigned_to_counts_after_nodes_have_moved(way, run_python):
    """0 * infinity is no number: an adjoint of 0 is not skipped."""
    run_python(f"""
import math
from micrograd_c import sumprod, tape
from micrograd_c.engine import Value
{MOVED[way]}
ws, xs = [Value(1.0) for _ in range(3)], [Value(2.0) for _ in range(3)]
out = sumprod(ws, xs) * 0.0
xs[1].data = math.inf
nodes = tape.stats()["nodes"]
move()
assert tape.stats()["nodes"] < nodes + 7_000
out.backward()
assert [math.isnan(w.grad) for w in ws] == [False, True, False], [w.grad for w in ws]
""")


@pytest.mark.parametrize("make", [
    lambda v: Value(2.0, (v,), "op"), lambda v: sumprod([v, Value(1.0)], [Value(2.0), Value(3.0)]),
], ids=["op", "dot"])
def test_edges_go_with_the_nodes_that_have_them(make):
    v = Value(1.0)
    edges = tape.stats()["edges"]
    for _ in range(10):
        result = make(v)
        del result
    assert tape.stats()["edges"] == edges
    tape.verify()


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_data_that_an_optimizer_has_changed_counts_in_graphs_from_before(kind, run_python):
    """As above, when a step has made it infinite."""
    run_python(f"""
import math
from micrograd_c import optim, sumprod
from micrograd_c.engine import Value
ws, xs = [Value(1.0) for _ in range(3)], [Value(2.0), Value(1.7e308), Value(2.0)]
out = sumprod(ws, [xs[0], xs[1] * 0.5, xs[2]]) * 0.0 + sumprod(ws, xs) * 0.0
xs[1].grad = -1.0
options = dict(weight_decay=0.0) if "{kind}" == "AdamW" else dict()
optim.{kind}([xs[1]], lr=1e308, **options).step()
assert xs[1].data == math.inf
out.backward()
assert [math.isnan(w.grad) for w in ws] == [False, True, False], [w.grad for w in ws]
""")


def test_survivors_that_died_are_dropped_and_what_came_after_them_is_young(run_python):
    """They were most of the tape when it was full the first time, and go when it is full again."""
    run_python("""
from micrograd_c import tape
from micrograd_c.engine import Value
def chain(nodes):
    out = Value(1.0)
    for _ in range(nodes // 2):
        out = out + 1
    return out
survives, goes = chain(9_000), chain(6_000)
last = Value(5.0)
del goes
top = last + 1
nodes = 0
while tape.stats()["nodes"] > nodes:
    nodes = tape.stats()["nodes"]
    top = top + 1
tape.verify()
assert nodes > 15_000 and tape.stats()["nodes"] < 11_000
del survives
nodes = 0
while tape.stats()["nodes"] > nodes:
    nodes = tape.stats()["nodes"]
    top = top + 1
tape.verify()
assert nodes > 15_000 and tape.stats()["nodes"] < 9_000
top.backward()
assert last.grad == 1.0
""")


FULL = """
from micrograd_c import sumprod, tape
from micrograd_c.engine import Value

def lowest(label=None):
    out = Value(1.0)
    for k in range(5_000):
        out = out + 1
        if label and k % 100 == 0:
            out.label = label
    return out

def fill():
    filling, nodes = Value(1.0), 0
    while tape.stats()["nodes"] > nodes:
        nodes = tape.stats()["nodes"]
        filling = filling + 1
    tape.verify()
    assert tape.stats()["nodes"] < 8_000 < nodes

"""


def test_plain_data_goes_with_the_lowest_nodes_of_a_full_tape(run_python):
    run_python(FULL + """
garbage = lowest("of a dead one")
above = Value(2.0)
inner = above * 3
inner.label = "inner"
above = inner.relu()
del inner, garbage
fill()
(inner,) = above._prev
assert inner.label == "inner"
""")


@pytest.mark.parametrize("dead", ["ws", "xs"])
def test_operands_of_dots_without_handles_stay_in_a_full_tape(dead, run_python):
    """The lowest of what is alive is an operand of a dot only."""
    run_python(FULL + f"""
garbage = lowest()
operands = [Value(2.0 + k) for k in range(3)]
others = [Value(5.0), Value(6.0), Value(7.0)]
out = sumprod(*({"(operands, others)" if dead == "ws" else "(others, operands)"}))
del operands, garbage
fill()
out.backward()
assert [v.grad for v in others] == [2.0, 3.0, 4.0]
""")
