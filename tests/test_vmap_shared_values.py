"""Values as shared arguments of a mapped function: known by their place, and not by which ones they are."""

import pytest
from own_ops import cube, double

from micrograd_c import TraceError, grad, jit, no_grad, stop_gradient, vmap
from micrograd_c.engine import Value

X = [1.0, 2.0, 3.0]


class Traced:
    """A mapped function that counts how often it is traced."""

    def __init__(self, fn, in_axes=(0, None), **options):
        self.times = 0

        def function(*arguments):
            self.times += 1
            return fn(*arguments)

        self.mapped = vmap(function, in_axes, **options)

    def __call__(self, *arguments):
        return self.mapped(*arguments)


def test_one_that_is_computed_for_each_call_is_traced_once():
    w, line = Value(0.5), Traced(lambda x, scale: x * scale + scale ** 2)
    for w.data in (0.5, 1.5, -1.0):
        w.grad = 0
        scale = w * 3.0
        result = line(X, scale)
        assert result.tolist() == [x * scale.data + scale.data ** 2 for x in X]
        result.sum().backward()
        assert (scale.grad, w.grad) == (6.0 + 6.0 * scale.data, 3.0 * (6.0 + 6.0 * scale.data))
    assert line.times == 1


def test_nested_lists_of_them():
    line = Traced(lambda x, p: p[0][0] * x + p[1] * p[0][1] + p[2])
    for k in range(3):
        a, b, c = Value(1.0 + k), Value(2.0), Value(3.0)
        line(X, [[a, b], c, 0.25 * k]).sum().backward()
        assert (a.grad, b.grad, c.grad) == (6.0, 9.0, 6.0)
    assert line.times == 1


def test_one_at_two_places_or_closed_over_as_well_is_told_apart():
    w, other = Value(2.0), Value(5.0)
    line = Traced(lambda x, a, b: x * a * 10.0 + b + w * 100.0, (0, None, None))
    line(X, w, w).sum().backward()
    assert w.grad == 60.0 + 3.0 + 300.0
    w.grad = 0
    line(X, other, w).sum().backward()
    assert (w.grad, other.grad, line.times) == (303.0, 60.0, 1)


def test_numbers_and_values_in_one_place_are_two_structures():
    w, line = Value(2.0), Traced(lambda x, a: x * a)
    assert line(X, 2.0).tolist() == line(X, w).tolist() == line(X, 2).tolist() == [2.0, 4.0, 6.0]
    assert line.times == 2


def test_their_data_cannot_be_read_in_a_trace():
    with pytest.raises(TraceError, match="depends on an argument"):
        vmap(lambda x, a: x * a if a > 0 else x, (0, None))(X, Value(2.0))


class Marked(Value):
    __slots__ = ()

    def twice(self):
        return self * 2.0


def test_functions_find_their_class_and_attributes():
    w = Marked(2.0)
    line = Traced(lambda x, a: a.twice() * x)
    line(X, w).sum().backward()
    assert w.grad == 12.0
    other = Marked(1.0)
    assert (line(X, other).tolist(), line.times) == ([2.0, 4.0, 6.0], 1)
    plain = Value(1.0)
    plain.power = 3
    assert vmap(lambda x, a: x * a ** a.power, (0, None))(X, plain).tolist() == X


def test_gradients_go_on_to_ops_of_ones_own():
    w = Value(3.0)

    line = Traced(lambda x, a: x * a)
    for _ in range(2):
        w.grad = 0
        line(X, cube(w)).sum().backward()
        assert w.grad == 6.0 * 27.0
    assert line.times == 1


def test_a_function_that_is_run_row_by_row_gets_the_values_themselves():
    w = Value(2.0)
    with pytest.warns(UserWarning, match="row by row"):
        result = vmap(lambda x, a: Value(x.data * a.data, (x, a), "own", [a.data, x.data]) * Value(
            a.data, (a,), "same"), (0, None))(X, w)
    assert result.tolist() == [4.0, 8.0, 12.0]


def test_an_op_of_ones_own_on_one_is_computed_row_by_row():
    w = Value(3.0)

    with pytest.warns(UserWarning, match="row by row"):
        vmap(lambda x, a: double(a) * x, (0, None))(X, w).sum().backward()
    assert w.grad == 12.0


@pytest.mark.parametrize("rows", [1, 3, 100])
def test_a_mapped_function_within_a_gradient(rows):
    x = [0.1 * k for k in range(rows)]
    line = Traced(lambda x, a, b: (a * x + b).tanh(), (0, None, None))

    def loss(a, b):
        return line(x, a, b * b).mean()

    for a, b in [(0.5, 0.25), (1.5, -0.5)]:
        slopes = [1 - Value(a * one + b * b).tanh().data ** 2 for one in x]
        wanted = (sum([s * one for s, one in zip(slopes, x)]) / rows, sum(slopes) * 2 * b / rows)
        assert grad(loss, argnums=(0, 1))(a, b) == pytest.approx(wanted, rel=1e-12)
    assert line.times == 1


def test_one_that_is_not_used_is_in_no_graph():
    used, unused = Value(2.0), Value(3)
    result = vmap(lambda x, a, b: x * a + 0.0 * stop_gradient(b), (0, None, None))(X, used, unused).sum()
    assert jit(lambda a, b: a * 2.0)(used, unused)._prev != set()
    vmap(lambda x, a, b: x * a, (0, None, None))(X, used, unused).sum().backward()
    assert (repr(unused.grad), used.grad) == ("0", 6.0)
    result.backward()
    assert used.grad == 12.0


def test_without_gradients():
    w, line = Value(2.0), Traced(lambda x, a: x * a)
    with no_grad():
        assert line(X, w).sum()._prev == set()
    line(X, w).sum().backward()
    assert (w.grad, line.times) == (6.0, 1)


@pytest.mark.parametrize(("given", "error"), [
    ([Value.__new__(Value)], AttributeError), ([object()], TypeError), (["a"], TypeError),
])
def test_what_cannot_be_one(given, error):
    line = Traced(lambda x, a: x * a[0])
    with pytest.raises(error):
        line(X, given)
    line(X, [Value(1.0)])
    with pytest.raises(error):
        line(X, given)
