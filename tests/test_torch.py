"""The same expressions in PyTorch, in float64: values and derivatives of every op, and a network."""

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd_c._core.ops import rules
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

torch = pytest.importorskip("torch", reason="PyTorch is the reference for derivatives")

TOLERANCE = 1e-12

anything = st.floats(-4, 4)
away_from_zero = st.one_of(st.floats(0.05, 4), st.floats(-4, -0.05))
positive = st.floats(0.05, 4)
below_1 = st.floats(-0.95, 0.95)
UNARY = {
    "negative": (lambda x: -x, anything),
    "plus number": (lambda x: 0.7 + (x + 1.3), anything),
    "minus number": (lambda x: 0.7 - (x - 1.3), anything),
    "times number": (lambda x: 0.7 * (x * -3), anything),
    "by number": (lambda x: x / 0.3, anything),
    "number by": (lambda x: 0.7 / x, away_from_zero),
    "square": (lambda x: x**2, anything),
    "cube": (lambda x: x**3.0, anything),
    "inverse": (lambda x: x**-1, away_from_zero),
    "inverse root": (lambda x: x**-0.5, positive),
    "number to the power": (lambda x: 2**x, anything),
    "abs of": (abs, anything),
    **{
        name: (
            lambda x, name=name: getattr(x, name)(), anything if math.isfinite(rules.value_at(name, -4.0)) else
            positive if math.isfinite(rules.value_at(name, 4.0)) else below_1
        ) for name in rules.functions() if hasattr(torch.Tensor, name)      # others are in test_activations_torch.py
    },
}
BINARY = {
    "plus": (lambda x, y: x + y, anything, anything),
    "minus": (lambda x, y: x - y, anything, anything),
    "times": (lambda x, y: x * y, anything, anything),
    "by": (lambda x, y: x / y, anything, away_from_zero),
    "power": (lambda x, y: x**y, positive, anything),
    "shared": (lambda x, y: (x * y + x) * x + y * y, positive, positive),
    "softplus": (lambda x, y: ((x * y).exp() + 1).log() * (x - y).sigmoid(), anything, anything),
    "ratio": (lambda x, y: (x.sin() + 2).sqrt() / (y.cos() + 2) ** y.tanh(), anything, anything),
}
SUMS = {"softplus", "ratio"}    # their derivatives are sums that may cancel


def in_torch(function, numbers):
    """The value, and the derivative by each number."""
    x = [torch.tensor(float(number), dtype=torch.float64, requires_grad=True) for number in numbers]
    out = function(*x)
    out.backward()
    return [out.item(), *(one.grad.item() for one in x)]


def here(function, numbers):
    x = [Value(number) for number in numbers]
    out = function(*x)
    out.backward()
    return [out.data, *(one.grad for one in x)]


def check(function, numbers, cancelling=0.0):
    expected = in_torch(function, numbers)
    assert here(function, numbers) == pytest.approx(expected, rel=TOLERANCE, abs=cancelling, nan_ok=True)


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_number(name):
    function, domain = UNARY[name]

    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(domain)
    def drawn(x):
        check(function, [x])

    drawn()


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_an_int(name):
    check(UNARY[name][0], [0 if UNARY[name][1] is below_1 else 3])


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_numbers(name):
    function, *domains = BINARY[name]

    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(*domains)
    def drawn(x, y):
        check(function, [x, y], cancelling=1e-14 if name in SUMS else 0.0)

    drawn()


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_ints(name):
    check(BINARY[name][0], [3, 2])


@pytest.mark.parametrize(
    ("name", "x"),
    [
        ("relu", 0.0), ("abs", 0.0), ("sqrt", 0.0), ("sin", 0.0), ("tanh", 0.0), ("square", 0.0), ("cube", 0.0),
        ("relu", math.inf), ("abs", -math.inf), ("tanh", math.inf), ("tanh", -1000.0),
        ("sigmoid", 1000.0), ("sigmoid", -1000.0), ("sigmoid", -math.inf), ("sigmoid", -700.0),
        ("exp", 709.0), ("exp", -1000.0), ("exp", -math.inf), ("exp", math.inf),
        ("log", math.inf), ("log", 5e-324), ("sin", math.nan), ("sqrt", math.inf),
        ("number to the power", -1000.0), ("number to the power", math.inf),
    ],
)
def test_edges(name, x):
    check(UNARY[name][0], [x])


@pytest.mark.parametrize(
    ("base", "exponent"),
    [
        (0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (0, 3), (2.5, 0.0), (1.0, 1e9),
        (-2.0, 0.0), (-2.0, 2.0), (-2.0, -3.0), (-2.0, 1.0), (0.0, math.inf), (2.0, -math.inf), (math.inf, 2.0),
    ],
)
def test_edges_of_a_power_of_values(base, exponent):
    check(lambda x, y: x**y, [base, exponent])


@pytest.mark.parametrize(("base", "exponent"), [
    *itertools.product([0.0, -2.0, 1.0], [0.0, 2.0, 3]), (0.0, 0.5), (0.0, 1e-300),     # whose base's slope is infinite
])
def test_edges_of_a_number_to_the_power_of_a_value(base, exponent):
    check(lambda x: base**x, [exponent])


@pytest.mark.parametrize(
    ("function", "numbers", "error"),
    [
        (lambda x, y: x**y, (0.0, -1.0), ZeroDivisionError),
        (lambda x, y: x**y, (0.0, 0.5), ZeroDivisionError),     # the slope
        (lambda x: x**0.5, (0.0,), ZeroDivisionError),
        (lambda x: 1 / x, (0.0,), ZeroDivisionError),
        (lambda x: 0.0**x, (-1.0,), ZeroDivisionError),
        (lambda x, y: x**y, (-2.0, 0.5), ValueError),
        (lambda x: (-2.0) ** x, (0.5,), ValueError),
        (lambda x, y: x**y, (1e200, 2.0), OverflowError),
        (lambda x: x.exp(), (710.0,), OverflowError),
        (lambda x: x.log(), (0.0,), ValueError),
        (lambda x: x.log(), (-1.0,), ValueError),
        (lambda x: x.sqrt(), (-1.0,), ValueError),
        (lambda x: x.sin(), (math.inf,), ValueError),
        (lambda x: x.cos(), (-math.inf,), ValueError),
    ],
)
def test_where_torch_leaves_the_real_numbers_python_raises(function, numbers, error):
    assert not all(math.isfinite(number) for number in in_torch(function, numbers))
    with pytest.raises(error):
        here(function, numbers)


@pytest.mark.parametrize("power", [0, 0.0, 1, 2, 2.0, 3])
@pytest.mark.parametrize("base", [0, 0.0, -0.0])
def test_powers_of_0_whose_slope_is_finite_have_it(base, power):
    """Though x**0 is 0 * x**-1 in micrograd, and an error."""
    check(lambda x: x**power, [base])
    check(lambda x: x ** Value(power) if isinstance(x, Value) else x ** torch.tensor(float(power)), [base])


@pytest.mark.parametrize("sizes", [(3, [4, 4, 1]), (2, [16, 16, 1]), (3, [2]), (2, [3, 2])], ids=str)
def test_network(sizes):
    random.seed(7)
    model = MLP(*sizes)
    inputs = [[random.uniform(-2, 2) for _ in range(sizes[0])] for _ in range(5)]
    layers = [
        [[torch.tensor([w.data for w in n.w], dtype=torch.float64, requires_grad=True) for n in layer.neurons],
         [torch.tensor(float(n.b.data), dtype=torch.float64, requires_grad=True) for n in layer.neurons]]
        for layer in model.layers
    ]
    total = torch.tensor(0.0, dtype=torch.float64)
    for x in inputs:
        x = torch.tensor(x, dtype=torch.float64)
        for k, (weights, biases) in enumerate(layers):
            x = torch.stack(weights) @ x + torch.stack(biases)
            x = x.relu() if k < len(layers) - 1 else x
        total = total + (x.tanh() * x).sum()
    total.backward()
    expected = [
        number.item() for weights, biases in layers for w, b in zip(weights, biases) for number in [*w.grad, b.grad]
    ]
    outputs = [out if isinstance(out, list) else [out] for out in map(model, inputs)]
    loss = sum(y.tanh() * y for out in outputs for y in out)
    loss.backward()
    assert loss.data == pytest.approx(total.item(), rel=TOLERANCE, abs=0)
    assert [p.grad for p in model.parameters()] == pytest.approx(expected, rel=TOLERANCE, abs=1e-14)
