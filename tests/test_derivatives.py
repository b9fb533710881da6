"""Derivatives of every op and helper up to the third, eagerly and mapped, beside JAX's or finite differences."""

import functools
import math
from types import SimpleNamespace

import pytest

from micrograd_c import (
    atan2,
    cross_entropy,
    grad,
    gradients,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linear,
    log_softmax,
    logsumexp,
    maximum,
    mean,
    minimum,
    softmax,
    stop_gradient,
    sumprod,
    vjp,
    vmap,
    where,
)
from micrograd_c._core.ops import rules
from micrograd_c._core.transforms import derivatives
from micrograd_c._core.transforms.rule_steps import steps_of
from micrograd_c.engine import Value

GRID = [-0.9, -0.55, -0.3, 0.2, 0.45, 0.8]
ABOVE_0 = [0.15, 0.4, 0.75, 1.3, 2.2]
POSITIVE = {"log", "sqrt"}
FUNCTIONS = {name: ABOVE_0 if name in POSITIVE else GRID for name in rules.functions()}

# by name: a function of a number, and of the second derivative's other number, as `x` and `y`, and where
OF_TWO = {
    "x + y": lambda m, x, y: x + y, "x - y": lambda m, x, y: x - y, "x * y": lambda m, x, y: x * y,
    "x / y": lambda m, x, y: x / y, "x ** y": lambda m, x, y: x ** y, "x ** 3": lambda m, x, y: x ** 3 * y,
    "x ** 2.5": lambda m, x, y: x ** 2.5 * y, "x ** -1": lambda m, x, y: x ** -1 * y,
    "x ** 0": lambda m, x, y: x ** 0 * y,
    "2 ** x": lambda m, x, y: 2.0 ** x * y, "maximum": lambda m, x, y: m.maximum(x * x, y),
    "minimum": lambda m, x, y: m.minimum(x * x, y), "atan2": lambda m, x, y: m.atan2(x, y),
    "where": lambda m, x, y: m.where(1.0, x * x * y, y) + m.where(0.0, x, x * y * y),
    "stop_gradient": lambda m, x, y: m.stop_gradient(x) * x * y,
}
PAIRS = [(0.4, 0.7), (1.3, 0.6), (2.0, 1.9), (0.25, 2.5)]


def of_list(name):
    def function(m, x, y):
        xs = [x, x * y, y * y, 0.5]
        return {
            "softmax": lambda: m.softmax(xs)[1], "log_softmax": lambda: m.log_softmax(xs)[2],
            "logsumexp": lambda: m.logsumexp(xs), "mean": lambda: m.mean(xs) * x, "sumprod": lambda: m.sumprod(xs, xs),
            "cross_entropy": lambda: m.cross_entropy(xs, 1), "linear": lambda: m.linear([xs], [x, 2.0, y, x])[0],
        }[name]()
    return function


HELPERS = {name: of_list(name) for name in (
    "softmax", "log_softmax", "logsumexp", "mean", "sumprod", "cross_entropy", "linear")}


class Here:
    maximum, minimum, atan2, where, stop_gradient = map(staticmethod, (maximum, minimum, atan2, where, stop_gradient))
    softmax, log_softmax, logsumexp, mean = map(staticmethod, (softmax, log_softmax, logsumexp, mean))
    sumprod, cross_entropy, linear = map(staticmethod, (sumprod, cross_entropy, linear))


def nth(fn, order):
    for _ in range(order):
        fn = grad(fn)
    return fn


def difference(f, x):
    """Of fourth order, of a function that is exact but for rounding."""
    h = 1e-3
    return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)


def test_every_rule_of_the_table_can_be_recorded():
    for name, row in rules.functions().items():
        assert steps_of(row["recorded"], ["x", "y"])[1] >= (-1 if row["recorded"] == "0" else 0), name
    for name, row in rules.of_two().items():
        for text in row["recorded"][:1 if name == "POWER" else 2]:
            assert steps_of(text, ["x", "y", "z", "g"])[1] >= (-1 if text == "0" else 0), name


@pytest.mark.parametrize("text", ["", "nothing(x)", "x +", "x, y", "sin(x, y)", "z", "x if y else z", "'x'"])
def test_a_rule_that_nothing_can_record_is_an_error(text):
    with pytest.raises(ValueError, match="the table of ops has a rule"):
        steps_of(text, ["x", "y"])


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_of_a_function_are_those_of_its_slopes(name, order):
    """The first is the slope that sweeps use, and each is the finite difference of the one before."""
    def f(x):
        return getattr(x, name)()
    for x in FUNCTIONS[name]:
        found = nth(f, order)(x)
        if order == 1:
            assert found == pytest.approx(rules.slope_at(name, x, rules.value_at(name, x)), rel=1e-14, abs=1e-15)
        assert nth(jacfwd(f), order - 1)(x) == pytest.approx(found, rel=1e-12, abs=1e-13)
        assert found == pytest.approx(difference(nth(f, order - 1) if order > 1 else functools.partial(
            rules.value_at, name), x), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_mapped_derivatives_of_a_function_are_the_eager_ones(name, order):
    def f(x):
        return getattr(x * 0.9, name)() * x
    xs = FUNCTIONS[name]
    assert list(vmap(nth(f, order))(xs)) == pytest.approx([nth(f, order)(x) for x in xs], rel=1e-12, abs=1e-12)


def value(f, x, y):
    return float(f(Value(x), Value(y)).data)


def second_and_third(f):
    def by(x, y):
        """Derivatives up to the third, mixed ones too."""
        of_x, of_y = grad(f, (0, 1))(x, y)
        xx, xy = grad(grad(f), (0, 1))(x, y)
        yx, yy = grad(grad(f, 1), (0, 1))(x, y)
        return [of_x, of_y, xx, xy, yx, yy, grad(grad(grad(f)), 1)(x, y), grad(grad(grad(f, 1), 1), 1)(x, y)]
    return by


@pytest.mark.parametrize("name", [*OF_TWO, *HELPERS])
def test_derivatives_of_two_numbers_are_differences_eagerly_and_mapped(name):
    function = {**OF_TWO, **HELPERS}[name]
    f = functools.partial(function, Here)
    by = second_and_third(f)
    found = [by(x, y) for x, y in PAIRS]
    for (x, y), (of_x, of_y, xx, xy, yx, yy, xxy, yyy) in zip(PAIRS, found):
        if name == "stop_gradient":     # its derivatives are not those of its values: see JAX's, below
            continue
        assert xy == pytest.approx(yx, rel=1e-11, abs=1e-12)
        for derivative, of, at in [
            (of_x, lambda x, y=y: value(f, x, y), x), (of_y, lambda y, x=x: value(f, x, y), y),
            (xx, lambda x, y=y: grad(f)(x, y), x), (yy, lambda y, x=x: grad(f, 1)(x, y), y),
            (xxy, lambda y, x=x: grad(grad(f))(x, y), y), (yyy, lambda y, x=x: grad(grad(f, 1), 1)(x, y), y),
        ]:
            assert derivative == pytest.approx(difference(of, at), rel=1e-7, abs=1e-8)
    mapped = vmap(by)([x for x, _ in PAIRS], [y for _, y in PAIRS])
    assert [list(row) for row in zip(*mapped)] == [pytest.approx(row, rel=1e-11, abs=1e-11) for row in found]


# --- JAX ---

@pytest.fixture(scope="module")
def jax():
    module = pytest.importorskip("jax")
    module.config.update("jax_enable_x64", True)
    return module


def jax_library(jax):
    jnp = jax.numpy

    class Library:
        maximum, minimum, atan2 = jnp.maximum, jnp.minimum, jnp.arctan2
        stop_gradient = staticmethod(jax.lax.stop_gradient)
        softmax = staticmethod(lambda xs: jax.nn.softmax(jnp.array(xs)))
        log_softmax = staticmethod(lambda xs: jax.nn.log_softmax(jnp.array(xs)))
        logsumexp = staticmethod(lambda xs: jax.nn.logsumexp(jnp.array(xs)))
        mean = staticmethod(lambda xs: jnp.array(xs).mean())
        sumprod = staticmethod(lambda xs, ys: sum(x * y for x, y in zip(xs, ys)))
        cross_entropy = staticmethod(lambda xs, target: -jax.nn.log_softmax(jnp.array(xs))[target])
        linear = staticmethod(lambda rows, xs: [sum(w * x for w, x in zip(row, xs)) for row in rows])
        where = staticmethod(lambda c, x, y: jnp.where(bool(c), x, y))
    return Library


def jax_function(jax, name):
    jnp, nn = jax.numpy, jax.nn
    spelled = {
        "relu": nn.relu, "sigmoid": nn.sigmoid, "leaky_relu": nn.leaky_relu, "softplus": nn.softplus,
        "log_sigmoid": nn.log_sigmoid, "silu": nn.silu, "gelu": lambda x: nn.gelu(x, approximate=False),
        "gelu_tanh": lambda x: nn.gelu(x, approximate=True), "erf": jax.scipy.special.erf,
        "erfc": jax.scipy.special.erfc, "asin": jnp.arcsin, "acos": jnp.arccos, "atan": jnp.arctan,
    }
    return spelled.get(name) or getattr(jnp, name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_of_functions_are_jaxs(name, jax):
    theirs = jax_function(jax, name)
    xs = FUNCTIONS[name]
    of_ours, of_theirs = (lambda x: getattr(x, name)()), theirs
    for _ in range(3):
        of_ours, of_theirs = grad(of_ours), jax.grad(of_theirs)
        wanted = jax.vmap(of_theirs)(jax.numpy.array(xs)).tolist()
        assert [of_ours(x) for x in xs] == pytest.approx(wanted, rel=1e-10, abs=1e-11)
        assert list(vmap(of_ours)(xs)) == pytest.approx(wanted, rel=1e-10, abs=1e-11)


@pytest.mark.parametrize("name", [*OF_TWO, *HELPERS])
def test_derivatives_of_two_numbers_are_jaxs(name, jax):
    function = {**OF_TWO, **HELPERS}[name]
    ours, theirs = functools.partial(function, Here), functools.partial(function, jax_library(jax))

    def all_of(grad, f):
        return lambda x, y: [*grad(f, (0, 1))(x, y), *grad(grad(f), (0, 1))(x, y), grad(grad(f, 1), 1)(x, y),
                             *grad(grad(grad(f), 1), (0, 1))(x, y), grad(grad(grad(f)))(x, y)]
    found, wanted = all_of(grad, ours), all_of(jax.grad, theirs)
    for x, y in PAIRS:
        assert found(x, y) == pytest.approx([float(one) for one in wanted(x, y)], rel=1e-10, abs=1e-11)


@pytest.mark.parametrize("fn", [
    lambda m, p: m.sin(p["a"] * p["b"][0]) + p["b"][1] ** 3 * p["c"][0][1],
    lambda m, p: m.exp(-p["b"][0] ** 2) / (1 + m.exp(p["c"][0][0])),
], ids=["sin", "exp"])
def test_trees_have_jaxs_structure_and_numbers(fn, jax):
    class Ours:
        sin, exp = staticmethod(lambda x: x.sin()), staticmethod(lambda x: x.exp())
    tree = {"a": 0.5, "b": [1.5, -0.7], "c": ([0.3, 2.0], 1.0)}
    for name, transform in (("grad", grad), ("hessian", hessian)):
        found = transform(functools.partial(fn, Ours))(tree)
        wanted = getattr(jax, name)(functools.partial(fn, jax.numpy))(tree)
        assert jax.tree.structure(found) == jax.tree.structure(wanted)
        assert jax.tree.leaves(found) == pytest.approx([float(one) for one in jax.tree.leaves(wanted)], rel=1e-12)

    def several(m, p, q):
        return {"first": fn(m, p) * q[0], "rest": (q[1] * p["a"], [fn(m, p) ** 2])}
    for name, transform in (("jacrev", jacrev), ("jacfwd", jacfwd)):
        found = transform(functools.partial(several, Ours), argnums=(0, 1))(tree, [2.0, 3.0])
        wanted = getattr(jax, name)(functools.partial(several, jax.numpy), argnums=(0, 1))(tree, [2.0, 3.0])
        assert jax.tree.structure(found) == jax.tree.structure(wanted)
        assert jax.tree.leaves(found) == pytest.approx(
            [float(one) for one in jax.tree.leaves(wanted)], rel=1e-12, abs=1e-15)
    value, pull = vjp(functools.partial(several, Ours), tree, [2.0, 3.0])
    their_value, their_pull = jax.vjp(functools.partial(several, jax.numpy), tree, [2.0, 3.0])
    weights = {"first": 0.5, "rest": (2.0, [-1.0])}
    assert jax.tree.leaves(value) == pytest.approx([float(one) for one in jax.tree.leaves(their_value)])
    assert jax.tree.leaves(pull(weights)) == pytest.approx(
        [float(one) for one in jax.tree.leaves(their_pull(weights))], rel=1e-12)
    pair = jvp(functools.partial(several, Ours), (tree, [2.0, 3.0]), (tree, [1.0, 1.0]))
    theirs = jax.jvp(functools.partial(several, jax.numpy), (tree, [2.0, 3.0]), (tree, [1.0, 1.0]))
    assert jax.tree.leaves(pair) == pytest.approx([float(one) for one in jax.tree.leaves(theirs)], rel=1e-12)


# --- at the edges ---

EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 710.0, -746.0, 1e-310, 1e308, -1e308, math.inf, -math.inf, math.nan]


def close(x, y):
    return x == pytest.approx(y, rel=1e-12, abs=1e-300) or (x != x and y != y)


@pytest.mark.parametrize("name", rules.functions())
def test_recorded_slopes_are_those_of_sweeps_at_the_edges(name):
    """Eagerly where there is a value, and by vmap everywhere."""
    for x in EDGES:
        v = Value(x)
        try:
            y = getattr(v, name)()
        except (ArithmeticError, ValueError):
            continue
        (swept,), (recorded,) = gradients(y, [v]), gradients(y, [v], create_graph=True)
        assert close(recorded.data, swept), (x, recorded, swept)
    if name in ("floor", "ceil"):       # recorded, nothing is multiplied by an infinite adjoint: there is no slope
        return
    wanted = [rules.slope_at(name, x, rules.value_at(name, x)) for x in EDGES]
    found = list(vmap(grad(lambda x: getattr(x, name)()))(EDGES))
    assert all(map(close, found, wanted)), list(zip(EDGES, found, wanted))


@pytest.mark.parametrize("name", ["**", "maximum", "minimum", "where"])
def test_recorded_shares_are_those_of_sweeps_at_the_edges(name):
    few = [0.0, -0.0, 1.0, -2.0, 0.5, 3.0, 5e-324, math.inf, -math.inf, math.nan]
    functions = {
        "**": lambda x, y: x ** y, "maximum": maximum, "minimum": minimum, "where": lambda x, y: where(x, y, x),
    }
    for a in few:
        for b in few:
            x, y = Value(a), Value(b)
            try:
                z = functions[name](x, y)
                swept = gradients(z, [x, y])
            except (ArithmeticError, ValueError):
                continue
            recorded = [one.data for one in gradients(z, [x, y], create_graph=True)]
            assert all(map(close, recorded, swept)), (a, b, recorded, swept)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, 1.5, -2.0, 0.0, 1.0])
def test_powers_by_numbers_have_all_derivatives(exponent):
    def f(x):
        return x ** exponent
    factor, power = 1.0, exponent
    for order in range(1, 4):
        factor, power = factor * power, power - 1
        for x in (0.7, 2.5):
            assert nth(f, order)(x) == pytest.approx(factor * x ** power)
            assert list(vmap(nth(f, order))([x])) == pytest.approx([factor * x ** power])


def test_a_slope_that_python_has_no_number_for_is_an_error_as_in_backward():
    with pytest.raises(ZeroDivisionError):
        grad(lambda x: x ** 0.5)(0.0)
    with pytest.raises(ZeroDivisionError):
        grad(grad(lambda x: x ** 1.5))(0.0)
    assert grad(lambda x: x.sqrt())(0.0) == math.inf
    assert list(vmap(grad(lambda x: x ** 0.5))([0.0, 4.0])) == [math.inf, 0.25]


# --- forward at the top, where only numbers are wanted ---

def changed_by(function, numbers, amounts, plain):
    """What it changes by, or the exception; None where it has no value."""
    values = [Value(number) for number in numbers]
    try:
        root = function(*values)
    except (ArithmeticError, ValueError):
        return None
    try:
        ((found,),) = derivatives.forward([root], [list(enumerate(amounts))], values, plain=plain)
    except (ArithmeticError, ValueError) as error:
        return type(error)
    return float(found.data if isinstance(found, Value) else found or 0.0)


@pytest.mark.parametrize("name", [*rules.functions(), *OF_TWO])
def test_changes_as_numbers_are_those_of_nodes(name):
    m = SimpleNamespace(maximum=maximum, minimum=minimum, atan2=atan2, where=where, stop_gradient=stop_gradient)
    tried = 0
    for x in EDGES:
        for y in EDGES if name in OF_TWO else [0.0]:
            for amount in (1.0, -2.5):
                def function(x, y):
                    return OF_TWO[name](m, x, y) if name in OF_TWO else getattr(x, name)()
                found, wanted = (changed_by(function, [x, y], [amount, 0.75], plain) for plain in (True, False))
                tried += wanted is not None
                assert found is wanted or close(found, wanted), (x, y, amount, found, wanted)
    assert tried > 5


def test_changes_that_are_values_or_of_local_gradients():
    def f(x, y):
        return [Value(2.0, (x, y), (3.0, 0.5)) * y, x * 2.0, stop_gradient(x), Value(1.0)]

    assert jvp(f, (1.5, 2.0), (Value(1.0), 10.0)) == ([4.0, 3.0, 1.5, 1.0], [2.0 * 8.0 + 20.0, 2.0, 0.0, 0.0])
    assert jacfwd(f)(1.5, Value(2.0)) == [6.0, 2.0, 0.0, 0.0]
    x = Value(2.0)
    x.grad = 7.0
    assert jvp(lambda x: x ** 2 * 3, (x,), (0.5,)) == (12.0, 6.0)
    assert x.grad == 7.0
    with pytest.raises(ZeroDivisionError):
        jvp(lambda x: x ** 0.5, (0.0,), (1.0,))


class Weight(Value):
    pass


def labelled(number):
    value = Value(number)
    value.label = "w"
    return value


@pytest.mark.parametrize("x", [
    [1.0, Value(2.0)], [1, 2.0], [Weight(1.0), 2.0], [1.0, labelled(2.0)], [Value(1), 2.0], (1.0, [2.0]), (1.0, 2),
], ids=str)
def test_lists_with_others_among_them(x):
    """Which are not looked at all at once."""
    leaves = [x[0], *x[1]] if isinstance(x[1], list) else list(x)

    def f(x):
        a, b = [x[0], *x[1]] if isinstance(x[1], list) else x
        assert getattr(b, "label", None) == getattr(leaves[1], "label", None)
        assert type(a) is (Weight if type(leaves[0]) is Weight else Value)
        return [a * b ** 2, a + b]
    value, change = jvp(f, (x,), (x,))
    assert (value, change) == ([4.0, 3.0], [12.0, 3.0])
    assert [type(one) for one in change] == [float, float]
    assert jvp(jacfwd(lambda x: f(x)[0]), (x,), (x,))[1] is not None


def test_lists_of_other_lengths_and_lists_that_are_written_to():
    with pytest.raises(ValueError, match="tangents must have the structure of primals"):
        jvp(lambda x: x[0] * 1.0, ([1.0, 2.0],), ([1.0],))
    with pytest.raises(ValueError, match="tangents must have the structure of primals"):
        jvp(lambda x: x[0] * 1.0, ([1.0, 2.0],), ([1.0, [2.0]],))
    given = [1.0, 2.0]
    assert grad(lambda x: (x.append(1.0), x[0] * x[1])[1])(given) == [2.0, 1.0]
    assert given == [1.0, 2.0]
