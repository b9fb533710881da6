"""What vmap compiles small functions to: numbers stay in their slots as long as gradients need them, and no longer.

Each function goes on after the op in question, so that slots given back too early are written to again.
"""

import math

import pytest

from micrograd_c import atan2, maximum, minimum, stop_gradient, sumprod, vmap, where
from micrograd_c._core.ops import rules
from micrograd_c.engine import Value

ROWS = [[0.5, 1.25], [2.0, -0.75], [0.25, 3.0]]


def after(y, x):
    """Sums of what nobody needs any more."""
    return y + 1.0 + x[1] + x[0] + 2.0


def dot(p, x, start=None):
    return sumprod([p[0], p[1]], x, p[2] if start is None else start)


def mixed(p, x):
    return [dot(p, x).tanh(), dot(p, x).relu(), dot(p, x, p[1]), dot(p, x, p[0]).sigmoid()]


def partly_used(p, x):
    """Of a layer's outputs some get no gradient, and their adjoints are 0 in each block."""
    hidden = [dot([p[k], p[1], p[2]], x).tanh() for k in range(3)]
    above = [dot([p[0], p[2], p[k]], hidden[1:]).sigmoid() for k in range(3)]
    return above[0] * hidden[1] + stop_gradient(above[1]) + after(hidden[2] * above[2], x) + stop_gradient(hidden[0])


def residual(p, x):
    """Sums that start from what varies, and what they start from is read elsewhere, too."""
    hidden = [dot(p, x, x[0] * x[1]), dot([p[1], p[2], p[0]], x, x[1]).tanh()]
    for _ in range(2):
        hidden = [dot([p[k], p[1 - k], p[2]], hidden, one).relu() + one for k, one in enumerate(hidden)]
    return [dot(p, hidden, hidden[0]), dot([p[2], p[1]], hidden, hidden[0]), dot([p[0], p[2]], hidden, x[0] * 2.0)]


def one_after_the_other(p, x):
    """Of the same inputs, each sum starts from the one before."""
    total = x[0] * x[1]
    for k in range(4):
        total = dot([p[k % 3], p[(k + 1) % 3]], x, total)
    return total * dot(p, x, total).tanh()


def from_their_first(p, x):
    """Of the same inputs, sums start from the first of them, which starts from what varies."""
    first = x[0] * p[2] + p[0] * x[0] + p[1] * x[1]
    others = [first + p[k] * x[0] + p[2 - k] * x[1] for k in range(3)]
    return [first * others[0], others[1] + others[2]]


def repeated(p, x):
    """The same layer, with biases, at places one after the other; some of its outputs are used at one place only."""
    past = x
    for _ in range(3):
        outputs = [dot([p[k], p[1], p[2]], past, p[0]).tanh() for k in range(3)]
        past = outputs[:2]
    return [outputs[2], past[0] * past[1]]


def attention(p, x):
    """Sums of products of which all factors vary: of a number with itself, from a bias, from what varies."""
    q, k, v = [[x[j] * p[i] for j in range(2)] + [x[0] + p[i]] for i in range(3)]
    scores = [sum(a * b for a, b in zip(q, one)) for one in (k, v, q)]
    weighted = sumprod(scores, v, p[1])
    squares = sum(one * one for one in k)
    return [weighted * scores[0], sumprod(scores, k, weighted).tanh() * squares,
            sumprod([x[0], x[1]], [x[1], x[0]], scores[2])]


def within(y, name):
    """Where the function is defined."""
    return y if math.isfinite(rules.value_at(name, 2.0)) else y.tanh() * 0.9


FUNCTIONS = {
    "sums of products that vary": attention, "one factor many times": lambda p, x: (lambda y: sumprod(
        [y, y, y], [y, x[0], x[1] * p[1]], y) + y.tanh())(x[0] * p[0]),
    "products of inputs": lambda p, x: sumprod([x[0], x[1], x[0]], [x[1], x[1], x[0]], p[0]) * p[1],
    "products from sums": lambda p, x: sumprod([x[0] * p[0], x[1]], [x[1] * p[1], x[0]], dot(p, x)).relu(),
    "sums that start from what varies": residual, "sums from sums": one_after_the_other, "a layer repeated": repeated,
    "sums from their first": from_their_first,
    "a sum of products only": lambda p, x: p[0] * x[0] + p[1] * x[1] + p[2] * x[0] * x[1],
    "a start twice": lambda p, x: (lambda s: [dot(p, x, s), dot([p[1], p[2]], x, s)])(x[0] * p[2]),
    "starts of their own": lambda p, x: (lambda s: [
        dot(p, x, s[0]), dot([p[1], p[2]], x, s[1]), dot([p[2], p[0]], x, s[2])])(
            [x[0] * p[0], x[1] * p[1], (x[0] * p[2]).tanh()]),
    "a start that is an input": lambda p, x: [dot(p, x, x[0]), dot([p[1], p[2]], x, x[1])],
    **{name: (lambda p, x, name=name: after(getattr(within(x[0] * p[0], name), name)(), x))
       for name in rules.functions()},
    "number ** v": lambda p, x: after(2.0 ** (x[0] * p[0]), x), "v ** 3": lambda p, x: after((x[0] * p[0]) ** 3, x),
    "v ** v": lambda p, x: after((x[0] * p[0]) ** (x[1] * p[1]), x),
    "a * b": lambda p, x: after((x[0] + p[0]) * (x[1] + p[1]), x),
    "a * input": lambda p, x: after((x[0] + p[0]) * x[1], x), "input * a": lambda p, x: after(x[1] * (x[0] + p[0]), x),
    "a * a": lambda p, x: after((x[0] + p[0]) * 1.0 * ((x[0] + p[0]) * 2.0), x),
    "square": lambda p, x: (lambda y: after(y * y + y, x))((x[0] + p[0]).tanh()),
    "maximum": lambda p, x: after(maximum(x[0] * p[0], x[1] + p[1]), x),
    "minimum": lambda p, x: after(minimum(x[0] * p[0], x[1] + p[1]), x),
    "where": lambda p, x: after(where(maximum(x[1], 0.0) + 0.0, x[0] * p[0], x[1] + p[1]), x),
    "a sum used twice": lambda p, x: (lambda s: (s + p[2] * x[0]) * s)(p[2] + p[0] * x[0] + p[1] * x[1]),
    "a product used twice": lambda p, x: (lambda y: (p[2] + y + p[1] * x[1]) * y)(p[0] * x[0]),
    "a dot used twice": lambda p, x: (lambda d: d.tanh() * d)(dot(p, x)),
    "an input twice": lambda p, x: sumprod([p[0], p[1], p[2]], [x[0], x[0], x[1]], p[2]).tanh(),
    "a hidden input twice": lambda p, x: (lambda h: [
        sumprod([p[k], p[1], p[2], p[0]], [h, h, x[1], h], p[2]).tanh() for k in range(3)])((x[0] * p[0]).tanh()),
    "a bias only": lambda p, x: [dot([1.5, 2.0], x, p[k]).tanh() for k in range(3)],
    "weights only": lambda p, x: [dot(p, x, 1.0).tanh() for k in range(3)],
    "activations": mixed, "partly used": partly_used,
    "a sum of one number twice": lambda p, x: (lambda y: (lambda twice, a, b: twice + (a + b))(
        y + y, x[1] + p[1], x[1] + p[2]))(x[0] + p[0]),
    "an output twice": lambda p, x: (lambda y: [y, y, y * 2.0])((x[0] * p[0]).tanh()),
    "a sum that is an output": lambda p, x: (lambda s: [s, s + p[0] * x[1], s.tanh()])(
        p[2] + p[0] * x[0] + p[1] * x[1]),
    "a product that is an output": lambda p, x: (lambda y: [y, p[2] + y + p[1] * x[1]])(p[0] * x[0]),
    "an input that is an output": lambda p, x: [x[0], x[0] * p[0], x[1]],
    "a parameter that is an output": lambda p, x: [p[0], p[0] * p[1], x[0] * p[0]],
    "of parameters": lambda p, x: x[0] * (p[0] * p[1]).tanh().exp().sqrt() + p[2] ** 3 / p[0] - p[1].relu() * x[1],
    "stopped parameters": lambda p, x: x[0] * stop_gradient(p[0] * p[1]) + p[0] * x[1] + stop_gradient(p[2]),
    "a long layer": lambda p, x: [sumprod([p[k % 3] for k in range(11)], [*x, *[x[k % 2] * p[k % 3] for k in range(9)]],
                                          p[j % 3]).tanh() for j in range(5)],
}


def as_list(results):
    return list(results) if isinstance(results, list) else [results]


def gradients(parameters, loss):
    for parameter in parameters:
        parameter.grad = 0
    loss.backward()
    return [parameter.grad for parameter in parameters]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_numbers_and_gradients_are_those_of_rows(function):
    parameters = [Value(1.25), Value(0.75), Value(1.5)]

    def of_row(x):
        return FUNCTIONS[function](parameters, x)

    def by_row():       # anew for each sweep, as gradients of what is between add up
        return list(zip(*[as_list(of_row([Value(number) for number in row])) for row in ROWS]))

    mapped = vmap(of_row)
    for k, batch in enumerate(as_list(mapped(ROWS))):
        rows = by_row()[k]
        assert list(batch) == pytest.approx([row.data for row in rows])
        assert gradients(parameters, batch.sum([1.0, 3.0, -2.0])) == pytest.approx(
            gradients(parameters, rows[0] + rows[1] * 3.0 + rows[2] * -2.0))
    together = sum((batch.sum() for batch in as_list(mapped(ROWS))), Value(0.0))
    wanted = sum((value for rows in by_row() for value in rows), Value(0.0))
    assert gradients(parameters, together) == pytest.approx(gradients(parameters, wanted))


def test_what_is_computed_of_shared_numbers_only_is_computed_at_each_call():
    mapped = vmap(lambda x, s, t: x * (s * t) + (s - t).exp(), in_axes=(0, None, None))
    for s, t in [(2.0, 2.0), (3.0, 3.0), (-1.0, -1.0)]:
        assert mapped([1.0, 2.0], s, t).tolist() == [s * t + 1.0, 2 * s * t + 1.0]


@pytest.mark.parametrize(("function", "op", "times"), [
    (lambda x, w: (x * w).sin() + (x * w).sin() * (x * w).cos(), "sin", 1),
    (lambda x, w: (x * w).sin() + (w * x).sin(), "sin", 2),
    (lambda x, w: (x * 2.0).exp() + (x * 2.0).exp() * w + (x * 3.0).exp(), "exp", 2),
    (lambda x, w: (x * x + 1.0) ** 0.3 + (x * x + 1.0) ** 0.3 * w + (x * x + 1.0) ** 0.7, "**", 2),
    (lambda x, w: (x * w).exp().sin() * (x * w).exp().sin(), "sin", 1),
    (lambda x, w: maximum(x, w) + maximum(x, w) * maximum(w, x), "max", 2),
    (lambda x, w: sum([(x * w + k % 2).tanh() for k in range(6)]), "tanh", 2),
])
def test_what_is_written_twice_is_computed_once(function, op, times):
    w, rows = Value(0.75), [0.5, -1.5, 2.0]
    mapped = vmap(lambda x: function(x, w))
    result = mapped(rows)
    described = [line.split()[0] for line in mapped.latest.runner.program.describe()]
    assert described.count(op) == times
    result.sum().backward()
    found, w.grad = w.grad, 0
    eager = [function(Value(x), w) for x in rows]
    sum(eager).backward()
    assert result.tolist() == pytest.approx([y.data for y in eager], rel=1e-14)
    assert found == pytest.approx(w.grad, rel=1e-12)


def test_what_differs_in_one_number_of_thousands_is_not_the_same():
    numbers = [0.001 * k for k in range(3000)]
    mapped = vmap(lambda x: sum([(x * c).sin() for c in numbers]))
    assert mapped([1.5])[0] == pytest.approx(sum([math.sin(1.5 * c) for c in numbers]), rel=1e-12)


def test_products_that_are_written_twice_stay_in_layers():
    w = [Value(0.5), Value(-1.0), Value(2.0)]
    mapped = vmap(lambda x: sumprod(w, x) * sumprod([w[0], w[1], w[1]], x))
    mapped([[1.0, 2.0, 3.0]])
    assert mapped.latest.runner.program.describe() == ["layer 2 x 3", "* 5"]


def test_zeros_of_either_sign_are_two_numbers():
    mapped = vmap(lambda x: (1.0 / maximum(x * 0.0, -1.0), atan2(Value(0.0), x), atan2(Value(-0.0), x)))
    assert [list(batch) for batch in mapped([-1.0])][1:] == [[math.pi], [-math.pi]]
