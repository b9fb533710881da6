"""NumPy beside Values: what micrograd does with it happens here, too; where micrograd refuses, a test's name says so.

See tests/habits/numpy_*.py for whole programs, and tests/test_whose_operator.py for which operator runs.
"""

import itertools
import operator
import random
from collections import Counter

import micrograd.engine
import micrograd.nn
import numpy as np
import pytest
from programs import nodes_below

import micrograd_c.engine
import micrograd_c.nn
from micrograd_c.engine import Value

Original = micrograd.engine.Value
BOTH = [Value, Original]
REFUSALS = (TypeError, ValueError, AssertionError, ArithmeticError, AttributeError, RuntimeWarning)

# exact in every type, and so is 1 / FLOAT: micrograd goes on with the precision of a scalar's type
FLOAT, INT = 0.5, 3
FLOATS = [np.float64(FLOAT), np.float32(FLOAT), np.float16(FLOAT), np.longdouble(FLOAT), np.array(FLOAT)]
SIGNED = [np.int8(INT), np.int16(INT), np.int32(INT), np.int64(INT), np.array(INT)]
UNSIGNED = [np.uint8(INT), np.uint16(INT), np.uint32(INT), np.uint64(INT)]

USES = {
    "s + v": lambda s, v: s + v, "v + s": lambda s, v: v + s, "s * v": lambda s, v: s * v, "v * s": lambda s, v: v * s,
    "s - v": lambda s, v: s - v, "v - s": lambda s, v: v - s, "s / v": lambda s, v: s / v, "v / s": lambda s, v: v / s,
    "v ** s": lambda s, v: v ** s, "s ** v": lambda s, v: s ** v,
}
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge]


def is_refused(scalar, use):
    """Whether micrograd raises, or NumPy does below it."""
    return {
        "s ** v": True, "v ** s": not isinstance(scalar, float), "v / s": scalar.dtype.kind != "f",
        "v - s": scalar.dtype.kind == "u",
    }.get(use, False)


SCALAR_USES = list(itertools.product(FLOATS + SIGNED + UNSIGNED, USES))


def name_of(thing):
    return f"{thing.dtype}{'[0d]' * isinstance(thing, np.ndarray)}" if hasattr(thing, "dtype") else str(thing)


def number(x):
    """A number's value to the last bit, and whether it is an int, be it Python's or NumPy's."""
    return np.issubdtype(np.asarray(x).dtype, np.integer), float(x).hex()


def seen(thing):
    """What a result is like, whichever of the classes the Values in it are of: with the whole graph below each."""
    if isinstance(thing, tuple(BOTH)):
        below = Counter((node._op, number(node.data)) for node in nodes_below([thing]))
        return repr(thing), number(thing.data), thing._op, below
    if isinstance(thing, np.ndarray):
        return thing.shape, thing.dtype, [seen(one) for one in thing.flat]
    if isinstance(thing, (list, tuple)):
        return [seen(one) for one in thing]
    return repr(thing)


def swept(thing, leaves):
    """Go back from all Values in a result, and return the leaves' gradients."""
    for one in np.ravel(np.array(thing, dtype=object)):
        if isinstance(one, tuple(BOTH)):
            one.backward()
    return [float(leaf.grad) for leaf in leaves]


# --- scalars ---

@pytest.mark.parametrize("data", [3.5, 4])
@pytest.mark.parametrize(("scalar", "use"), [case for case in SCALAR_USES if not is_refused(*case)], ids=name_of)
def test_a_scalar_beside_a_value_gives_what_it_gives_in_micrograd(scalar, use, data):
    values = [cls(data) for cls in BOTH]
    here, there = [USES[use](scalar, value) for value in values]
    assert type(here) is Value
    assert type(here.data) in (int, float)
    assert seen(here) == seen(there)
    assert swept(here, values[:1]) == swept(there, values[1:])


@pytest.mark.parametrize("data", [3.5, 4])
@pytest.mark.parametrize(("scalar", "use"), [case for case in SCALAR_USES if is_refused(*case)], ids=name_of)
def test_a_scalar_that_micrograd_refuses_is_the_number_it_stands_for(scalar, use, data):
    with pytest.raises(REFUSALS):
        USES[use](scalar, Original(data))
    plain = INT if np.issubdtype(scalar.dtype, np.integer) else FLOAT
    first, second = Value(data), Value(data)
    here, expected = USES[use](scalar, first), USES[use](plain, second)
    assert seen(here) == seen(expected)
    assert swept(here, [first]) == swept(expected, [second])


@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("scalar", [*FLOATS, *SIGNED, *UNSIGNED, np.True_], ids=name_of)
def test_comparing_with_a_scalar_which_micrograd_refuses_compares_data(scalar, compare):
    for refused in (lambda: compare(scalar, Original(3)), lambda: compare(Original(3), scalar)):
        with pytest.raises(TypeError):
            refused()
    for data in (0.25, 0.5, 1, 3, 4.0):
        assert compare(scalar, Value(data)) == compare(scalar, data)
        assert compare(Value(data), scalar) == compare(data, scalar)


@pytest.mark.parametrize("scalar", [*FLOATS, *SIGNED, *UNSIGNED], ids=name_of)
def test_equality_with_a_scalar_is_never_given(scalar):
    for cls in BOTH:
        assert not cls(scalar.item()) == scalar     # noqa: SIM201
        assert not scalar == cls(scalar.item())     # noqa: SIM201


@pytest.mark.parametrize("data", [3.5, 4])
@pytest.mark.parametrize("use", ["s + v", "v + s", "s * v", "v * s", "s - v", "s / v"])
def test_a_numpy_bool_counts_as_its_number(use, data):
    for scalar in (np.True_, np.False_):
        here, there = [USES[use](scalar, cls(data)) for cls in BOTH]
        assert here.data == there.data
        assert isinstance(here.data, float) == isinstance(there.data, (float, np.floating))


@pytest.mark.parametrize(
    "scalar", [s for s in FLOATS + SIGNED + UNSIGNED if not isinstance(s, np.ndarray)], ids=name_of
)
def test_a_scalar_as_data_and_as_grad_is_read_by_value(scalar):
    def use(cls):
        a, b, c = cls(scalar), cls(1.5), cls(1.5)
        b.data = scalar
        c.data += scalar
        c.grad = scalar
        c.grad += 1.0
        return [a, b, c, a * b + c, a * 2]

    here, there = use(Value), use(Original)
    assert seen(here) == seen(there)
    assert all(type(v.data) in (int, float) and type(v.grad) in (int, float) for v in here)


# --- neural networks ---

def network(module, x):
    random.seed(3)
    model = module.MLP(3, [4, 2])
    return model(x), model.parameters()


ROWS = {
    "floats": lambda cls: np.array([0.5, -2.0, 3.25]), "ints": lambda cls: np.array([1, -2, 0]),
    "uint8": lambda cls: np.array([1, 2, 0], dtype=np.uint8), "strided": lambda cls: np.arange(6.0).reshape(3, 2).T[1],
    "0d": lambda cls: [np.array(0.5), np.float64(2), np.int64(3)],
    "Values": lambda cls: np.array([cls(0.5), cls(-2), cls(3.25)]),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_network_takes_a_row_of_an_array(row):
    rows = [row(cls) for cls in BOTH]
    (here, mine), (there, originals) = network(micrograd_c.nn, rows[0]), network(micrograd.nn, rows[1])
    assert seen(here) == seen(there)
    assert swept(here, mine) == pytest.approx(swept(there, originals), rel=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "uint64", "longdouble", "bool", "object"])
def test_a_network_reads_other_types_by_value(dtype):
    row = np.array([1, 0, 3.25]).astype(dtype)
    here, expected = [network(micrograd_c.nn, x)[0] for x in (row, [float(x) for x in row])]
    assert [v.data for v in here] == [v.data for v in expected]


# --- arrays of Values ---

W = np.array([[2.0, -1], [0.25, 3]])
I = np.array([[2, -1], [4, 3]])         # noqa: E741
ELEMENTWISE = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
IN_PLACE = {"+=": operator.iadd, "-=": operator.isub, "*=": operator.imul, "/=": operator.itruediv}
BESIDE = {  # what stands beside an array of Values; x is one more of these, v a Value
    "int": lambda x, v: 2, "float": lambda x, v: 2.5, "float64": lambda x, v: np.float64(2.5),
    "int64": lambda x, v: np.int64(3), "floats": lambda x, v: W, "ints": lambda x, v: I, "row": lambda x, v: W[0],
    "Values": lambda x, v: x, "row of Values": lambda x, v: x[1], "column of Values": lambda x, v: x[:, :1],
    "float list": lambda x, v: [[1.5, 2.0], [4, 0.5]], "Value": lambda x, v: v,
}
RESULTS = {
    "-x": lambda x: -x, "x**2": lambda x: x ** 2, "x**-1": lambda x: x ** -1, "x**I": lambda x: x ** I,
    "sum": lambda x: x.sum(), "sum axis 0": lambda x: x.sum(axis=0), "sum axis 1": lambda x: x.sum(1, keepdims=True),
    "np.sum": np.sum, "np.sum list": lambda x: np.sum(list(x.flat)), "sum rows": sum, "trace": np.trace,
    "np.mean axis": lambda x: np.mean(x, axis=0), "mean by hand": lambda x: x.sum() / float(x.size), "prod": np.prod,
    "cumsum": np.cumsum, "cumprod axis": lambda x: np.cumprod(x, axis=1), "diff": np.diff,
    "dot": lambda x: np.dot(x[0], x[1]), "dot floats": lambda x: x.dot(W), "floats dot": lambda x: W.dot(x),
    "dot list": lambda x: np.dot(x[0], [1.0, 2]), "@": lambda x: x @ x, "@ floats": lambda x: x @ W,
    "ints @": lambda x: I @ x, "row @": lambda x: x[0] @ x, "inner": lambda x: np.inner(x[0], x[1]),
    "outer": lambda x: np.outer(x[0], x[1]), "einsum": lambda x: np.einsum("ij,kj->ik", x, W.astype(object)),
    "tensordot": lambda x: np.tensordot(x, x), "kron": lambda x: np.kron(x[0], [1, 2]),
    "convolve": lambda x: np.convolve(x[0], [1.0, 2]), "np.add": lambda x: np.add(x, W),
    "np.subtract": lambda x: np.subtract(1, x), "np.multiply": lambda x: np.multiply(x, W),
    "np.divide": lambda x: np.divide(x, W), "np.negative": np.negative, "np.square": np.square,
    "np.reciprocal": np.reciprocal, "np.power": lambda x: np.power(x, 2), "add.reduce": np.add.reduce,
    "multiply.reduce": np.multiply.reduce, "add.accumulate": np.add.accumulate,
    "subtract.outer": lambda x: np.subtract.outer(x[0], [1, 2.5]), "np.where": lambda x: np.where(W > 0, x, 0),
    "mask": lambda x: x[W > 0], "masked": lambda x: x * (W > 0).astype(int), "flat": lambda x: [v * 2 for v in x.flat],
    "tolist": lambda x: x.tolist(), "T": lambda x: x.T * 1, "item": lambda x: x[:1, :1].item(),
    "stack": lambda x: np.stack([x, x * 2]), "concatenate": lambda x: np.concatenate([x[0], [1.0]]),
    "apply_along_axis": lambda x: np.apply_along_axis(lambda row: row.sum(), 0, x),
    "vectorize": lambda x: np.vectorize(lambda v: v.relu(), otypes=[object])(x),
    "vectorize data": lambda x: np.vectorize(lambda v: v.data * 2)(x), "x == x": lambda x: np.equal(x, x),
    "data": lambda x: np.array([v.data for v in x.flat]), "int data": lambda x: np.array([v.data for v in x[:, 1]]),
    "x == 1": lambda x: x == 1.0, "in": lambda x: x[0, 1] in x, "any": np.any, "repr": repr, "str": str,
    "isscalar": lambda x: np.isscalar(x[0, 0]), "shape": lambda x: np.shape(x[0, 0]),
}


def array(cls):
    return np.array([[cls(1.0), cls(-2)], [cls(0.5), cls(3)]])


def compare(use):
    """Use an array of either class; results are to be the same, and gradients up to the order of their sums."""
    here, there = array(Value), array(Original)
    ours, theirs = use(here, Value(3.0)), use(there, Original(3.0))
    assert seen(ours) == seen(theirs)
    assert swept(ours, here.flat) == pytest.approx(swept(theirs, there.flat), rel=1e-12)


@pytest.mark.parametrize("use", RESULTS.values(), ids=RESULTS)
def test_arrays_of_values_compute_as_in_micrograd(use):
    compare(lambda x, v: use(x))


@pytest.mark.parametrize("other", BESIDE.values(), ids=BESIDE)
@pytest.mark.parametrize("op", ELEMENTWISE.values(), ids=ELEMENTWISE)
def test_operators_of_arrays_of_values_broadcast_as_in_micrograd(op, other):
    compare(lambda x, v: op(x, other(x, v)))
    if other is not BESIDE["Value"]:
        compare(lambda x, v: op(other(x, v), x))


@pytest.mark.parametrize("other", BESIDE.values(), ids=BESIDE)
@pytest.mark.parametrize("op", IN_PLACE.values(), ids=IN_PLACE)
def test_operators_in_place_replace_the_values_in_an_array(op, other):
    def use(x, v):
        y = x.copy()
        z = op(y, other(x, v))
        assert z is y
        return z

    compare(use)


@pytest.mark.parametrize("op", ELEMENTWISE.values(), ids=ELEMENTWISE)
@pytest.mark.parametrize("numbers", [W, I, W[0], np.array(2.0)], ids=["floats", "ints", "row", "0d"])
def test_an_array_of_numbers_beside_a_value_computes_as_in_micrograd(op, numbers):
    values = [cls(2.0) for cls in BOTH]
    here, there = [op(numbers, value) for value in values]
    assert seen(here) == seen(there)
    assert swept(here, values[:1]) == swept(there, values[1:])


@pytest.mark.parametrize("op", ELEMENTWISE.values(), ids=ELEMENTWISE)
def test_a_value_beside_an_array_is_an_array_of_values_where_micrograd_makes_one_value_of_an_array(op):
    here, there = op(Value(2.0), W), op(Original(2.0), W)
    assert here.shape == W.shape
    assert isinstance(there, Original)
    assert [[v.data for v in row] for row in here] == there.data.tolist()


@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (lambda v: np.array(v), ()), (lambda v: np.array([v]), (1,)), (lambda v: np.array([[v, 2], [3.5, v]]), (2, 2)),
        (lambda v: np.asarray([[v]]), (1, 1)), (lambda v: np.array([v], dtype=object), (1,)),
        (lambda v: np.full((2, 3), v), (2, 3)), (lambda v: np.atleast_1d(v), (1,)),
    ],
)
def test_a_value_in_an_array_is_a_scalar_object(build, shape):
    for cls in BOTH:
        value = cls(2.0)
        made = build(value)
        assert made.shape == shape
        assert made.dtype == object
        assert any(one is value for one in made.flat)


# --- what micrograd lacks a method for ---

COMPUTED = {
    "np.exp": (np.exp, lambda v: v.exp()), "np.tanh": (np.tanh, lambda v: v.tanh()),
    "np.sin": (np.sin, lambda v: v.sin()), "np.cos": (np.cos, lambda v: v.cos()), "np.abs": (np.abs, abs),
    "abs": (abs, abs), "np.log": (lambda x: np.log(x * x), lambda v: (v * v).log()),
    "np.sqrt": (lambda x: np.sqrt(x ** 2), lambda v: (v ** 2).sqrt()), "2 ** x": (lambda x: 2 ** x, lambda v: 2 ** v),
    "|x| ** x": (lambda x: abs(x) ** x, lambda v: abs(v) ** v),
}
COMPARED = {
    "max": np.max, "min": np.min, "max axis": lambda x: x.max(axis=1), "argmax": lambda x: x.argmax(),
    "argmin axis": lambda x: x.argmin(axis=0), "sort": lambda x: np.sort(x, axis=None), "argsort": np.argsort,
    "x > 0": lambda x: x > 0, "x <= W": lambda x: x <= W, "less": lambda x: np.less(W, x), "T": lambda x: x >= x.T,
    "maximum": lambda x: np.maximum(x, x.T), "clip": lambda x: np.clip(x, -1.0, 1.0), "median": np.median,
    "unique": np.unique, "sign": np.sign, "isclose": lambda x: np.isclose(x, 1.0), "astype": lambda x: x.astype(float),
}


@pytest.mark.parametrize(("function", "method"), COMPUTED.values(), ids=COMPUTED)
def test_functions_that_micrograd_lacks_call_the_methods(function, method):
    with pytest.raises(REFUSALS):
        function(array(Original))
    x, y = array(Value), array(Value)
    here, expected = function(x), np.array([[method(v) for v in row] for row in y])
    assert seen(here) == seen(expected)
    assert swept(here, x.flat) == swept(expected, y.flat)


@pytest.mark.parametrize("function", COMPARED.values(), ids=COMPARED)
def test_what_needs_an_order_which_micrograd_lacks_follows_data(function):
    with pytest.raises(TypeError):
        function(array(Original))
    here = function(array(Value))
    expected = function(np.array([[1.0, -2], [0.5, 3]]))
    assert np.shape(here) == np.shape(expected)
    assert [float(one) for one in np.ravel(here)] == [float(one) for one in np.ravel(expected)]


def test_the_mean_over_all_which_micrograd_refuses_has_equal_slopes():
    with pytest.raises(ValueError, match="negative integer powers"):
        np.mean(array(Original))
    x = array(Value)
    mean = np.mean(x)
    assert mean.data == 0.625
    assert swept(mean, x.flat) == [0.25] * 4
