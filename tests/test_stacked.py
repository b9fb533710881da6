"""vmap's results as arrays: stacked, and with any axis for the rows. Beside NumPy, JAX and the eager engine."""

import collections
import copy
import ctypes
import gc
import itertools
import pickle
import warnings
import weakref

import numpy as np
import pytest
from own_ops import same

from micrograd_c import grad, jacrev, jit, no_grad, sumprod, value_and_grad, vmap
from micrograd_c._core.mapped import batch as batches
from micrograd_c._core.mapped.row_by_row import Rowwise
from micrograd_c.engine import Value

Pair = collections.namedtuple("Pair", "x y")
ROWS = [0.5, -1.25, 3.0, 0.75, -0.5]
OPTIONS = [{}, {"threads": 2}, {"saved_bytes": 0}, {"threads": 2, "saved_bytes": 0}]


def matrix(x, w):
    """Two lists of three: two that depend on w, one that is the same in all rows, one that is a constant."""
    return [[x * w, (x + w).tanh(), x * x], [w * w, x - 1.0, Value(7.0)]]


def number(value):
    return value.data if isinstance(value, Value) else value


def eager(rows, at=0.5):
    return [[[number(one) for one in line] for line in matrix(Value(x), Value(at))] for x in rows]


def loss_of(weights, rows=ROWS, at=0.5):
    """The eager loss and gradient: each number times its weight."""
    w = Value(at)
    loss = sum([sumprod(line, list(map(float, own))) for x, both in zip(rows, weights)
                for line, own in zip(matrix(Value(x), w), both)])
    loss.backward()
    return loss.data, w.grad


# --- arrays ---

@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("axis", range(-3, 3))
@pytest.mark.parametrize("rows", [1, 5, 3001])
def test_numbers_and_gradients(rows, axis, options):
    rows, w = np.linspace(-1.0, 2.0, rows), Value(0.5)
    mapped = vmap(lambda x: matrix(x, w), out_axes=axis, stacked=True, **options)
    for _ in range(2):      # the second time without looking
        stack = mapped(rows)
        array = np.asarray(stack)
        np.testing.assert_allclose(array, np.moveaxis(eager(rows), 0, axis), rtol=1e-14)
        assert stack.shape == array.shape == memoryview(stack).shape
        assert stack.tolist() == array.tolist()
        assert [one.tolist() if isinstance(one, np.ndarray) else one for one in array] == list(stack)
        assert (len(stack), stack[-1], stack[:1]) == (len(array), array[-1].tolist(), array[:1].tolist())
        weights = np.random.RandomState(0).randn(*array.shape)
        wanted = loss_of(np.moveaxis(weights, axis, 0), rows)
        for given in (weights, weights.tolist(), np.asfortranarray(weights), weights[::-1][::-1]):
            w.grad = 0
            loss = stack.sum(given)
            loss.backward()
            assert (loss.data, w.grad) == pytest.approx(wanted, rel=1e-9, abs=1e-12)
        w.grad = 0
        (stack.mean() * 3.0 + stack.mean(weights)).backward()
        both = loss_of(np.full((len(rows), 2, 3), 3.0 / weights.size), rows)[1] + wanted[1] / weights.size
        assert w.grad == pytest.approx(both, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("axis", range(3))
def test_reductions_are_over_all_numbers(axis):
    w = Value(0.5)
    stack = vmap(lambda x: matrix(x, w), out_axes=axis, stacked=True)(ROWS)
    for name in ("min", "max", "std"):
        assert getattr(stack, name)().data == pytest.approx(getattr(np.asarray(stack), name)(), rel=1e-14)
    stack.min().backward()
    assert w.grad == 0.0        # it is one of the x - 1
    with pytest.raises(ValueError, match="of no rows"):
        vmap(lambda x: matrix(x, w), stacked=True)([]).max()


def test_nothing_is_copied():
    w = Value(0.5)
    stack = vmap(lambda x: matrix(x, w), stacked=True)(ROWS)
    first, second = np.asarray(stack), np.asarray(memoryview(stack))
    assert first.base is not None
    assert np.shares_memory(first, second)
    assert not first.flags.writeable
    kept = weakref.ref(first)
    del stack, second
    gc.collect()
    np.testing.assert_allclose(kept(), eager(ROWS), rtol=1e-14)


def test_who_wants_numbers_in_order_gets_them_or_an_error():
    import io

    lists = vmap(lambda x: [[x, x + 1.0], [x * 2.0, x * 3.0]], out_axes=-1, stacked=True)([1.0, 2.0])
    assert bytes(lists) == np.ascontiguousarray(lists).tobytes()
    assert io.BytesIO().write(lists) == 64
    first = vmap(lambda x: [[x, x + 1.0], [x * 2.0, x * 3.0]], stacked=True)([1.0, 2.0])
    with pytest.raises(BufferError, match=r"out_axes=-1"):
        io.BytesIO().write(first)
    assert bytes(memoryview(first)) == np.asarray(first).tobytes()
    flat = vmap(lambda x: [x, x + 1.0], stacked=True)([1.0, 2.0])
    assert np.asarray(flat).flags.f_contiguous
    one_row = vmap(lambda x: [x, x + 1.0], stacked=True)([5.0])
    assert io.BytesIO().write(one_row) == 16


FLAGS = {"SIMPLE": 0, "ND": 8, "STRIDES": 0x18, "C": 0x38, "F": 0x58, "ANY": 0x98, "INDIRECT": 0x118}


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("flags", FLAGS)
def test_views_of_every_kind_are_numpys(flags, axis):
    testbuffer = pytest.importorskip("_testbuffer", reason="of CPython's own tests")
    stack = vmap(lambda x: matrix(x, 2.0), out_axes=axis, stacked=True)(ROWS)
    array = np.asarray(stack)
    for with_format in (0, 4):
        found = []
        for one in (stack, array):
            try:
                view = testbuffer.ndarray(one, getbuf=FLAGS[flags] | with_format)
                found.append((view.shape, view.strides, view.ndim, view.nbytes, view.format))
            except (BufferError, ValueError):
                found.append("refused")
        assert found[0] == found[1] or (flags == "SIMPLE" and found[0][3] == found[1][3])


def test_empty_shapes():
    assert vmap(lambda x: [[], []], stacked=True)(ROWS).shape == (5, 2, 0)
    empty = vmap(lambda x: [x, x], stacked=True)([])
    assert (empty.shape, empty.tolist(), np.asarray(empty).shape) == ((0, 2), [], (0, 2))
    assert empty.sum().data == 0.0
    with pytest.raises(ZeroDivisionError):
        empty.mean()


def test_deep_lists_and_the_limit():
    def nested(x, depth):
        return x if depth == 0 else [nested(x, depth - 1)]

    deep = vmap(lambda x: nested(x, 63), stacked=True)(ROWS)
    assert deep.shape == (5,) + (1,) * 63
    assert memoryview(deep).shape == deep.shape
    with pytest.raises(ValueError, match="64 deep"):
        vmap(lambda x: nested(x, 64), stacked=True)(ROWS)


# --- structures ---

def test_lists_are_arrays_and_everything_else_stays():
    w = Value(2.0)
    result = vmap(lambda x: ([x, w], {"a": [[x], [w]], "b": x}, Pair(w * x, [(x, w), {"c": x}])), stacked=True)(ROWS)
    assert type(result) is tuple
    assert [type(one) for one in (result[1], result[2], result[2].y, result[2].y[0])] == [dict, Pair, list, tuple]
    shapes = [result[0].shape, result[1]["a"].shape, result[1]["b"].shape, result[2].x.shape, result[2].y[1]["c"].shape]
    assert shapes == [(5, 2), (5, 2, 1), (5,), (5,), (5,)]
    assert np.asarray(result[1]["a"])[:, 1, 0].tolist() == [2.0] * 5
    assert type(vmap(lambda x: (x, w))(ROWS)) is list       # as ever


def test_value_and_grad_of_each_row():
    w = Value(2.0)
    rows = np.linspace(-1.0, 1.0, 12).reshape(4, 3)
    values, slopes = vmap(value_and_grad(lambda x: w * sumprod(x, x)), stacked=True)(rows)
    np.testing.assert_allclose(slopes, 4.0 * rows)
    slopes.sum(rows).backward()
    assert w.grad == pytest.approx(2.0 * (rows ** 2).sum())
    assert values.shape == (4,)


AXES = [0, -1, (0, 0), [0, {"a": 0, "b": -1}], (0, {"a": 1, "b": 0}), (0, {"a": -1, "b": None}), (0, None)]


@pytest.mark.parametrize("axes", AXES, ids=str)
def test_out_axes_are_jaxs(axes):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    depends = axes != (0, None)
    ours = vmap(lambda x: (x[0], {"a": [x[0] * 2.0 if depends else Value(2.0), Value(3.0)], "b": Value(5.0)}),
                out_axes=axes, stacked=True)
    theirs = jax.vmap(lambda x: (x[0], {"a": jax.numpy.array([x[0] * 2.0 if depends else 2.0, 3.0]),
                                        "b": jax.numpy.array(5.0)}), out_axes=axes if axes != AXES[3] else tuple(axes))
    rows = np.array([[1.0], [2.0], [4.0]])
    found, wanted = ours(rows), theirs(rows)
    assert found[0].tolist() == wanted[0].tolist()
    for name in "ab":
        numbers = found[1][name]
        if isinstance(numbers, (list, Value)):
            numbers = [one.data for one in numbers] if isinstance(numbers, list) else numbers.data
        np.testing.assert_array_equal(np.asarray(numbers), np.asarray(wanted[1][name]))


def test_what_is_the_same_in_all_rows_is_a_value():
    w = Value(3.0)
    mapped = vmap(lambda x, s: (x * w, w * s), in_axes=(0, None), out_axes=(0, None))
    for _ in range(2):
        losses, decay = mapped(ROWS, 2.0)
        assert isinstance(decay, Value)
        assert decay.data == 6.0
        w.grad = 0
        (losses.mean() + decay * decay).backward()
        assert w.grad == pytest.approx(np.mean(ROWS) + 2 * 6.0 * 2.0)
    infinite = Value(0.0)
    _, root = vmap(lambda x: (x, infinite.sqrt()), out_axes=(0, None))(ROWS)
    root.backward()
    assert infinite.grad == np.inf
    assert vmap(lambda x: [[w, Value(1.0)]], out_axes=None, stacked=True)(ROWS)[0][1].data == 1.0
    with pytest.raises(ValueError, match="not known without any row"):
        vmap(lambda x: w, out_axes=None)([])


@pytest.mark.parametrize("function", [lambda x: x, lambda x: x * 0.0, lambda x: x - x, lambda x: Value(1.0) + x])
def test_what_depends_on_the_rows_wants_an_axis(function):
    for mapped in (vmap(function, out_axes=None), vmap(lambda x: [Value(1.0), function(x)], None, None, stacked=True),
                   vmap(lambda x: (1.0, function(x)), out_axes=(0, None))):
        if mapped.in_axes is None:
            continue
        with pytest.raises(ValueError, match="out_axes is None for a result that depends on the rows"):
            mapped(ROWS)


@pytest.mark.parametrize(("function", "options", "said"), [
    (lambda x: x, {"out_axes": 1}, "which has 1 with its rows. With stacked=True"),
    (lambda x: [x, x], {"out_axes": -2}, r"what the function returns\[0\]"),
    (lambda x: [x, x], {"out_axes": 2, "stacked": True}, "axis 2 for what the function returns, which has 2"),
    (lambda x: [x, x], {"out_axes": -3, "stacked": True}, "which has 2 with its rows"),
    (lambda x: [x, [x]], {"stacked": True}, "is ragged, and cannot be stacked"),
    (lambda x: [[x], [x, x]], {"stacked": True}, "is ragged"),
    (lambda x: {"a": [x, [x]]}, {"stacked": True}, r"returns\['a'\] is ragged"),
    (lambda x: (x, x), {"out_axes": (0,)}, "has 2 entries, for which out_axes has"),
    (lambda x: {"a": x}, {"out_axes": {"b": 0}}, r"has a dict of \['a'\], for which"),
    (lambda x: {"a": x}, {"out_axes": [0]}, r"has a dict of \['a'\], for which"),
    (lambda x: [x, x], {"out_axes": {"a": 0}}, "has 2 entries, for which"),
    (lambda x: x, {"out_axes": (0,)}, "is one part of the result: out_axes must have one axis for it"),
    (lambda x: [x, x], {"out_axes": (0, 0), "stacked": True}, "is one part of the result"),
])
def test_axes_that_do_not_fit(function, options, said):
    with pytest.raises(ValueError, match=said):
        vmap(function, **options)(ROWS)
    with pytest.raises(ValueError, match=said):
        jit(lambda: vmap(function, **options)([1.0, 2.0]))()


@pytest.mark.parametrize("axes", ["0", 0.0, True, {"a": "0"}, (0, "1"), [[0, 1.5]], {0}])
def test_axes_that_are_none(axes):
    with pytest.raises(ValueError, match="out_axes may be an axis"):
        vmap(lambda x: x, out_axes=axes)


def test_axes_in_themselves():
    axes = [0]
    axes.append(axes)
    with pytest.raises(ValueError, match="out_axes has lists in lists more than 64 deep"):
        vmap(lambda x: x, out_axes=axes)


def test_stacked_is_true_or_false():
    with pytest.raises(ValueError, match="stacked must be True or False"):
        vmap(lambda x: x, stacked=1)


@pytest.mark.parametrize(("weights", "error", "said"), [
    (np.ones((5, 3, 2)), ValueError, "as what they are for"), (np.ones((4, 2, 3)), ValueError, "4 weights for 5 rows"),
    (np.ones(5), TypeError, r"numbers, of shape \(5, 2, 3\), not an array of 1 axes"), (2.0, TypeError, "of shape"),
    ([[1.0]] * 5, TypeError, "not an array of 2 axes"),
    ([[[1.0, "a"]]] * 5, TypeError, "weights must be numbers, not str"),
    (np.ones((5, 2, 3, 1)), TypeError, "not an array of 4 axes"), ({}, TypeError, "not a dict"),
])
def test_wrong_weights(weights, error, said):
    with pytest.raises(error, match=said):
        vmap(lambda x: matrix(x, 2.0), stacked=True)(ROWS).sum(weights)


def test_weights_without_the_axis_of_rows():
    with pytest.raises(TypeError, match="have no axis 2"):
        vmap(lambda x: matrix(x, 2.0), out_axes=2, stacked=True)(ROWS).sum([1.0] * 5)


# --- how it is run ---

def test_only_outputs_that_are_asked_take_part():
    w = Value(0.0)
    first, second = vmap(lambda x: ([x * w, w * w], [(x * w).sqrt(), x]), stacked=True)([1.0, 2.0])
    first.sum().backward()
    assert w.grad == 3.0
    w.grad = 0
    second.sum().backward()
    assert w.grad == np.inf
    w.grad = 0
    (first.sum() + second.sum(np.zeros((2, 2)))).backward()
    assert np.isnan(w.grad)     # as eagerly: 0 times infinity


def test_sums_of_stacks_of_one_run_add_up():
    w = Value(0.5)
    first, second = vmap(lambda x: ([x * w, w * w], [[w, x]]), stacked=True)(ROWS)
    for _ in range(2):
        w.grad = 0
        (first.sum() * 2.0 + second.mean() + first.max()).backward()
        assert w.grad == pytest.approx(2.0 * (sum(ROWS) + 5.0) + 0.5 + 3.0)


def test_without_gradients():
    w = Value(0.5)
    mapped = vmap(lambda x: matrix(x, w), stacked=True)
    with no_grad():
        stack = mapped(ROWS)
    assert (stack.keeps_graph, stack.sum()._prev) == (False, set())
    assert not vmap(lambda x: [x, x], stacked=True)(ROWS).keeps_graph
    assert mapped(ROWS).keeps_graph
    with no_grad():
        assert mapped(ROWS).sum()._prev == set()


@pytest.mark.parametrize("axis", range(-3, 3))
def test_row_by_row(axis):
    w = Value(0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mapped = vmap(lambda x: matrix(same(x), w), out_axes=axis, stacked=True)
        stack = mapped(ROWS)
        assert type(stack) is Rowwise
    wanted = np.moveaxis(eager(ROWS), 0, axis)
    np.testing.assert_allclose(np.asarray(stack), wanted)
    assert (stack.shape, stack.tolist(), stack[1]) == (wanted.shape, wanted.tolist(), wanted[1].tolist())
    assert len(stack) == len(wanted)
    weights = np.random.RandomState(0).randn(*wanted.shape)
    loss = stack.sum(weights)
    loss.backward()
    assert (loss.data, w.grad) == pytest.approx(loss_of(np.moveaxis(weights, axis, 0)))
    assert stack.max().data == wanted.max()
    assert mapped([]).shape == np.moveaxis(np.zeros((0, 2, 3)), 0, axis).shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="run row by row"):
            vmap(lambda x: same(x), out_axes=None)(ROWS)


@pytest.mark.parametrize("axis", range(-3, 3))
def test_inside_of_a_trace(axis):
    weights = np.random.RandomState(0).randn(*np.moveaxis(np.zeros((5, 2, 3)), 0, axis).shape)

    def function(rows, w):
        stack = vmap(lambda x: matrix(x, w), out_axes=axis, stacked=True)(rows)
        assert len(stack) == weights.shape[0]
        return [stack.sum(weights), stack.mean(), stack.max(), stack[0][1][1], stack.sum(weights.tolist())]

    w = Value(0.5)
    found = jit(function)(ROWS, w)
    wanted = np.moveaxis(eager(ROWS), 0, axis)
    assert [one.data for one in found] == pytest.approx(
        [(wanted * weights).sum(), wanted.mean(), wanted.max(), wanted[0, 1, 1], (wanted * weights).sum()])
    found[0].backward()
    assert w.grad == pytest.approx(loss_of(np.moveaxis(weights, axis, 0))[1])
    with pytest.raises(ValueError, match="weights for"):
        jit(lambda: vmap(lambda x: [x, x], stacked=True)([1.0]).sum([[1.0]]))()


def test_the_same_in_all_rows_inside_of_a_trace():
    def function(rows, w, out_axes=(0, None)):
        losses, decay = vmap(lambda x: (x * w, sumprod([w, 2.0], [w, w])), out_axes=out_axes)(rows)
        return losses.sum() + decay

    w = Value(3.0)
    total = jit(function)(ROWS, w)
    total.backward()
    assert (total.data, w.grad) == (sum(ROWS) * 3.0 + 15.0, sum(ROWS) + 8.0)
    assert vmap(function, in_axes=(0, None))([ROWS], w).tolist() == [total.data]
    for wrong in (lambda x: x, lambda x: sumprod([x, 1.0], [2.0, 2.0]), lambda x: (x * 2.0).tanh()):
        with pytest.raises(ValueError, match="depends on the rows"):
            jit(lambda rows: vmap(wrong, out_axes=None)(rows))(ROWS)    # noqa: B023


def test_in_a_function_that_is_differentiated():
    rows = [[1.0, 2.0], [3.0, 4.0]]
    mapped = lambda w: vmap(lambda x: [w * x[0], w * w * x[1]], stacked=True)(rows)      # noqa: E731
    found = grad(lambda w: mapped(w).sum([[1.0, 2.0], [3.0, 4.0]]))(3.0)
    assert found == 1.0 + 9.0 + 6.0 * (4.0 + 16.0)
    jacobian = vmap(jacrev(lambda x: [x[0] * x[1], x[0] ** 2]), stacked=True)(rows)
    assert jacobian.tolist() == [[[2.0, 1.0], [2.0, 0.0]], [[4.0, 3.0], [6.0, 0.0]]]


def test_as_an_argument_of_another_function():
    stack = vmap(lambda x: [[x, x + 1.0], [x * 2.0, x * 3.0]], stacked=True)([1.0, 2.0])
    again = vmap(lambda m: m[0][1] + m[1][0] * m[1][1], stacked=True)(stack)
    assert again.tolist() == [8.0, 27.0]
    assert vmap(lambda m: m[0][0], in_axes=2)(stack).tolist() == [1.0, 2.0]
    assert vmap(lambda x, m: m[1][1][1], in_axes=(0, None))([1.0], stack).tolist() == [6.0]
    assert jit(lambda m: m[1][1][1] - m[0][0][0])(stack).data == 5.0


@pytest.mark.parametrize("axis", range(3))
def test_copies_have_shape_and_axis(axis):
    w = Value(0.5)
    stack = vmap(lambda x: matrix(x, w), out_axes=axis, stacked=True)(ROWS)
    for twin in (copy.copy(stack), copy.deepcopy(stack), *[
            pickle.loads(pickle.dumps(stack, k)) for k in range(pickle.HIGHEST_PROTOCOL + 1)]):
        assert (twin.shape, twin.tolist(), twin.keeps_graph) == (stack.shape, stack.tolist(), False)
        assert np.asarray(twin).strides == np.asarray(stack).strides
        weights = np.random.RandomState(0).randn(*twin.shape)
        assert (twin.sum(weights).data, twin.sum()._prev) == (stack.sum(weights).data, set())
    empty = copy.copy(vmap(lambda x: [[], []], stacked=True)(ROWS))
    assert empty.shape[0] == 0 or empty.shape == (5, 2, 0)


@pytest.mark.parametrize("arguments", [
    (b"abc",), ((ctypes.c_double * 4)(), (3,)), ((ctypes.c_double * 4)(), (2,), 2), ((ctypes.c_double * 4)(), (2,), -1),
    ((ctypes.c_double * 4)(), (-2,)), ((ctypes.c_double * 4)(), (0,)), ((ctypes.c_double * 4)(), ("a",)),
    ((ctypes.c_double * 4)(), (1,) * 64), ((ctypes.c_double * 4)(), (2**32, 2**32)), (np.ones(8)[::2],), (None,),
    ((ctypes.c_double * 4)(), (2**62, 4)),
])
def test_pickles_that_were_tampered_with(arguments):
    with pytest.raises((TypeError, ValueError, OverflowError)):
        batches.of_numbers(*arguments)


def test_many_shapes_beside_numpy():
    w = Value(1.5)
    for shape in itertools.product([1, 2, 3], repeat=3):
        def function(x, shape=shape):
            return [[[x * w * (i + 1) + j - k for k in range(shape[2])] for j in range(shape[1])]
                    for i in range(shape[0])]
        for axis in range(-4, 4):
            found = np.asarray(vmap(function, out_axes=axis, stacked=True)(ROWS))
            i, j, k = np.indices(shape)
            wanted = np.moveaxis(np.array([x * 1.5 * (i + 1) + j - k for x in ROWS]), 0, axis)
            np.testing.assert_allclose(found, wanted)
