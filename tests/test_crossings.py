"""Programs in which two features met and one of them lost: the smallest that showed it, each."""

import pytest

from micrograd_c import Value, sumprod, vmap


@pytest.mark.parametrize("expand", [
    lambda dot: dot._prev,
    lambda dot: Value(0.0, (dot,), "mine")._prev,
    lambda dot: (dot.backward(), dot.backward()),
], ids=["_prev", "custom op", "second backward"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_mapped_run_above_dots_that_are_replaced_keeps_its_operands(expand, count):
    parameters = [Value(2.0 + k) for k in range(count)]
    f = vmap(lambda x: sum(w * x for w in parameters))
    f([1.0])
    dot = sumprod([*parameters, Value(1.0)], [Value(3.0)] * (count + 1))
    total = f([1.0, 2.0, 3.0]).sum()
    expand(dot)
    for w in parameters:
        w.grad = 0.0
    total.backward()
    assert [w.grad for w in parameters] == [6.0] * count
