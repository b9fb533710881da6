"""What a result of vmap is reduced to, beside what the eager engine and JAX make of the numbers; and its copies."""

import copy
import functools
import math
import pickle
import warnings

import numpy as np
import pytest
from own_ops import same

from micrograd_c import jit, maximum, minimum, no_grad, vmap
from micrograd_c._core.mapped.row_by_row import Rowwise
from micrograd_c.engine import Value

ROWS = [0.5, -1.25, 3.0, 0.75, -0.5]


def slope_of(function, rows=ROWS, at=1.5, **options):
    """Of the loss that the function makes of the rows times w: the number, and w's gradient by backward()."""
    w = Value(at)
    loss = function(vmap(lambda x: (x * w) ** 2 + x, **options)(rows))
    loss.backward()
    return loss.data, w.grad


def eagerly(reduce, rows=ROWS, at=1.5):
    w = Value(at)
    loss = reduce([(Value(x) * w) ** 2 + x for x in rows])
    loss.backward()
    return loss.data, w.grad


def std(values, ddof=0):
    middle = sum(values) / len(values)
    return (sum([(v - middle) ** 2 for v in values]) / (len(values) - ddof)).sqrt()


EAGER = {
    "min": lambda values: functools.reduce(minimum, values), "max": lambda values: functools.reduce(maximum, values),
    "std": std,
}
OPTIONS = [{}, {"threads": 2}, {"saved_bytes": 0}, {"threads": 2, "saved_bytes": 0}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("rows", [ROWS, np.linspace(-1.0, 2.0, 5001)], ids=len)
@pytest.mark.parametrize("name", EAGER)
def test_numbers_and_gradients_are_the_eager_ones(name, rows, options):
    wanted = eagerly(EAGER[name], rows)
    assert slope_of(lambda b: getattr(b, name)(), rows, **options) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("ddof", [0, 1, 2.5])
def test_degrees_of_freedom(ddof):
    found = slope_of(lambda b: b.std(ddof))
    assert found == pytest.approx(eagerly(lambda values: std(values, ddof)), rel=1e-12)
    assert found[0] == pytest.approx(np.std([(1.5 * x) ** 2 + x for x in ROWS], ddof=ddof), rel=1e-12)


def test_several_of_one_run_add_up():
    parts = [slope_of(lambda b, name=name: getattr(b, name)())[1] for name in ("min", "max", "std", "mean")]
    found = slope_of(lambda b: b.min() + 2.0 * b.max() - b.std() * 3.0 + b.mean())[1]
    assert found == pytest.approx(parts[0] + 2.0 * parts[1] - 3.0 * parts[2] + parts[3], rel=1e-12)
    w = Value(2.0)
    batch = vmap(lambda x: x * w)(ROWS)
    largest = batch.max()
    for _ in range(2):
        w.grad = 0
        largest.backward()
        assert w.grad == 3.0


@pytest.mark.parametrize("rows", [[2.0, 1.0, 2.0], [1.0, 1.0, 1.0, 1.0], [0.0, -0.0], [1.0, 2.0, 2.0, 2.0]], ids=str)
@pytest.mark.parametrize("name", ["min", "max", "std"])
def test_equal_rows_as_in_jax(name, rows):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    weights = [Value(1.0) for _ in rows]
    hot = np.eye(len(rows))
    mapped = vmap(lambda x, h: x + sum([w * one for w, one in zip(weights, h)]))
    loss = getattr(mapped(np.array(rows) - 1.0, hot), name)()
    loss.backward()
    number, slopes = jax.value_and_grad(getattr(jax.numpy, name))(jax.numpy.array(rows))
    assert loss.data == pytest.approx(float(number))
    assert [w.grad for w in weights] == pytest.approx(np.asarray(slopes).tolist(), nan_ok=True)


def test_equal_rows_share_the_gradient():
    w = Value(1.0)
    batch = vmap(lambda x, y: x + w * y)([2.0, 1.0, 2.0, 2.0], [3.0, 5.0, 6.0, 9.0])
    largest = batch.max()
    largest.backward()
    assert (largest.data, w.grad) == (11.0, 9.0)
    w.data, w.grad = 0.0, 0
    vmap(lambda x, y: x + w * y)([2.0, 1.0, 2.0, 2.0], [3.0, 5.0, 6.0, 9.0]).max().backward()
    assert w.grad == pytest.approx(6.0, rel=1e-15)


def test_nan_is_the_smallest_and_the_largest():
    w = Value(1.0)
    batch = vmap(lambda x, y: x + w * y)([1.0, math.nan, 3.0, math.nan], [1.0, 2.0, 4.0, 8.0])
    for reduced in (batch.min(), batch.max()):
        w.grad = 0
        reduced.backward()
        assert math.isnan(reduced.data)
        assert w.grad == 5.0
    assert vmap(lambda x: x)([math.inf, 1.0, -math.inf]).max().data == math.inf


def test_without_gradients():
    w = Value(2.0)
    with no_grad():
        batch = vmap(lambda x: x * w)(ROWS)
        assert (batch.max().data, batch.max()._prev) == (6.0, set())
    assert (batch.min().data, batch.min()._prev) == (-2.5, set())
    with no_grad():
        assert vmap(lambda x: x * w)(ROWS).std()._prev == set()


@pytest.mark.parametrize("make", [lambda: vmap(lambda x: x)([]), lambda: Rowwise([])], ids=["Batch", "Rowwise"])
def test_no_rows(make):
    for name in ("min", "max"):
        with pytest.raises(ValueError, match="of no rows"):
            getattr(make(), name)()
    with pytest.raises(ZeroDivisionError, match="deviation of 0 rows"):
        make().std()


def test_too_few_rows_for_ddof():
    for made in (vmap(lambda x: x)([1.0]), Rowwise([Value(1.0)])):
        with pytest.raises(ZeroDivisionError, match="deviation of 1 rows, with ddof 1"):
            made.std(1)
    with pytest.raises(TypeError):
        vmap(lambda x: x)([1.0]).std("one")


@pytest.mark.parametrize("name", EAGER)
def test_row_by_row_and_inside_of_a_trace(name):
    wanted = eagerly(EAGER[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        w = Value(1.5)
        by_rows = vmap(lambda x: same((x * w) ** 2 + x))(ROWS)
    assert type(by_rows) is Rowwise
    loss = getattr(by_rows, name)()
    loss.backward()
    assert (loss.data, w.grad) == pytest.approx(wanted, rel=1e-12)

    def function(xs, w):
        return getattr(vmap(lambda x: (x * w) ** 2 + x)(xs), name)()

    w = Value(1.5)
    loss = jit(function)(ROWS, w)
    loss.backward()
    assert (loss.data, w.grad) == pytest.approx(wanted, rel=1e-12)


def test_row_by_row_equal_rows_share_the_gradient():
    values = [Value(2.0), Value(1.0), Value(2.0), Value(2.0)]
    Rowwise(values).max().backward()
    assert [v.grad for v in values] == pytest.approx([1 / 3, 0, 1 / 3, 1 / 3])
    unknown = [Value(math.nan), Value(1.0)]
    smallest = Rowwise(unknown).min()
    smallest.backward()
    assert math.isnan(smallest.data)
    assert [v.grad for v in unknown] == [1.0, 0]


COPIES = {
    "copy": copy.copy, "deepcopy": copy.deepcopy,
    **{f"pickle {k}": lambda one, k=k: pickle.loads(pickle.dumps(one, k)) for k in range(pickle.HIGHEST_PROTOCOL + 1)},
}


@pytest.mark.parametrize("way", COPIES)
def test_copies_have_the_numbers_and_no_gradients(way):
    w = Value(2.0)
    batch = vmap(lambda x: x * w)([1.0, -0.0, math.nan, math.inf])
    twin = COPIES[way](batch)
    assert type(twin) is type(batch)
    np.testing.assert_array_equal(np.asarray(twin), np.asarray(batch))
    assert not np.shares_memory(np.asarray(twin), np.asarray(batch))
    assert (batch.keeps_graph, twin.keeps_graph, twin.sum()._prev) == (True, False, set())
    assert (len(twin), twin[0], str(twin[1])) == (4, 2.0, "-0.0")
    assert vmap(lambda x: x * 3.0)(twin)[0] == 6.0
    again = COPIES[way](twin)
    del twin
    assert (again.max().data != again.max().data, again[3]) == (True, math.inf)
    assert COPIES[way](vmap(lambda x: x * w)([])).tolist() == []


def test_a_batch_in_what_is_copied():
    w = Value(2.0)
    kept = {"losses": vmap(lambda x: x * w)([1.0, 2.0]), "w": w}
    twin = copy.deepcopy(kept)
    assert twin["losses"].mean().data == 3.0
    twin["losses"].mean().backward()
    assert (w.grad, twin["w"].grad) == (0, 0)
