"""take: rows of a table by an index, where it is known and where it is a number of a row; oracle: the list itself."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_ops import same
from test_vmap_functions import environment, relaxed  # noqa: F401

from micrograd_c import TraceError, grad, hessian, jacfwd, jacrev, jit, no_grad, sumprod, take, tape, vmap
from micrograd_c._core.mapped import executor
from micrograd_c.engine import Value


def table_of(rows, columns):
    generator = random.Random(rows * 100 + columns)
    return [[Value(generator.gauss(0, 1)) for _ in range(columns)] for _ in range(rows)]


def gradients(table):
    found = [[float(v.grad) for v in row] for row in table]
    for row in table:
        for v in row:
            v.grad = 0
    return found


@pytest.mark.parametrize("index", [1, -1, 1.0, np.int64(1), np.float64(-2.0), Value(1.0), Value(-1), True])
def test_a_known_index_is_that_of_a_list(index):
    table = [Value(1.0), Value(2.0), Value(3.0)]
    place = int(index.data if isinstance(index, Value) else index)
    assert take(table, index) is table[place]
    assert take(tuple(table), index) is table[place]
    assert take(np.array([1.0, 2.0, 3.0]), index) == [1.0, 2.0, 3.0][place]
    assert vmap(lambda x: x * take(table, index))([2.0]).tolist() == [2.0 * table[place].data]


@settings(relaxed)
@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 6), st.integers(1, 40), st.integers(0, 999),
       st.sampled_from(executor.instruction_sets()), st.sampled_from([0, 1, 8]), st.sampled_from([0, 2**26]),
       st.sampled_from([1, 3]))
def test_numbers_and_gradients_are_those_of_lists(
    environment, rows, columns, places, count, seed, kernels, block, saved, threads,    # noqa: F811
):
    generator = random.Random(seed)
    table, w = table_of(rows, columns), Value(0.5)
    indexes = [[generator.randrange(-rows, rows) for _ in range(places)] for _ in range(count)]
    x = [[generator.gauss(0, 1) for _ in range(columns)] for _ in range(count)]

    def function(ks, x):
        total = w * x[0]
        for k in ks:
            total = (total + sumprod(take(table, k), x) * w).tanh()
        return total + take([w, *table[0]], ks[0] * 0.0) * take([1.0, 2.0], ks[0] * 0.0 - 1.0)

    eager = [function(ks, list(map(Value, row))) for ks, row in zip(indexes, x)]
    sum(eager).backward()
    wanted, of_w, w.grad = gradients(table), w.grad, 0
    environment(kernels, block)
    mapped = vmap(function, threads=threads, saved_bytes=saved)
    for _ in range(2):
        result = mapped(np.array(indexes), x)
        result.sum().backward()
        assert result.tolist() == pytest.approx([y.data for y in eager], rel=1e-12, abs=1e-12)
        assert np.allclose(gradients(table), wanted, rtol=1e-12, atol=1e-12)
        assert w.grad == pytest.approx(of_w, rel=1e-12)
        w.grad = 0


def test_many_rows_are_shared_out_among_threads():
    table, indexes = table_of(7, 2), np.arange(20_000) % 7
    seen = set()
    for threads, saved in [(1, 2**26), (3, 2**26), (1, 0), (3, 0)]:
        result = vmap(lambda k: sumprod(take(table, k), take(table, k)), threads=threads, saved_bytes=saved)(indexes)
        result.mean().backward()
        seen.add(repr((result.tolist(), gradients(table))))
    assert len(seen) == 1


def test_a_table_that_is_an_argument():
    lookup, times = vmap(lambda t, k: [row * 2.0 for row in take(t, k)], in_axes=(None, 0)), []
    for kind in (lambda t: t, lambda t: np.array([[v.data for v in row] for row in t]), tuple):
        table = table_of(3, 2)
        first, second = lookup(kind(table), [2, 0])
        assert first.tolist() == [2.0 * table[2][0].data, 2.0 * table[0][0].data]
        assert second.tolist() == [2.0 * table[2][1].data, 2.0 * table[0][1].data]
        times.append(second.keeps_graph)
        if second.keeps_graph:
            second.sum().backward()
            assert gradients(table) == [[0.0, 2.0], [0.0, 0.0], [0.0, 2.0]]
    assert times == [True, False, True]


def test_an_index_that_all_rows_share():
    table = table_of(3, 1)
    lookup = vmap(lambda x, k: x * take(table, k)[0], in_axes=(0, None))
    for k in (0, 2, -1):
        result = lookup([1.0, 2.0], k)
        assert result.tolist() == [table[k][0].data, 2.0 * table[k][0].data]
        result.sum().backward()
        assert gradients(table)[k] == [3.0]


def test_entries_may_be_computed():
    w = Value(3.0)
    lookup = vmap(lambda k: take([w, w * 2.0, 5.0, w ** 2], k))
    result = lookup([0, 1, 2, 3, 1])
    assert result.tolist() == [3.0, 6.0, 5.0, 9.0, 6.0]
    result.sum().backward()
    assert w.grad == 1.0 + 2.0 + 6.0 + 2.0


def test_by_jit():
    table = table_of(4, 2)
    lookup = jit(lambda k, n: [sum(row) for row in zip(take(table, k), take(table, n))])
    for _ in range(5):
        first, second = lookup(3, 0)
        assert first.data == table[3][0].data + table[0][0].data
        (first + second * 2.0).backward()
        assert gradients(table) == [[1.0, 2.0], [0.0, 0.0], [0.0, 0.0], [1.0, 2.0]]


@pytest.mark.parametrize("index", [3, -4, 0.5, float("nan"), float("inf"), 1e300, -1e300])
@pytest.mark.parametrize("block", [1, 8])
def test_indexes_that_are_none_give_nan_and_no_gradient(environment, index, block):     # noqa: F811
    environment(executor.instruction_sets()[0], block)
    table = table_of(3, 1)
    result = vmap(lambda k: take(table, k)[0] * 2.0)([1, index])
    assert result[0] == 2.0 * table[1][0].data
    assert result[1] != result[1]
    result.sum([1.0, 0.5]).backward()
    assert gradients(table) == [[0.0], [2.0], [0.0]]


@pytest.mark.parametrize(("table", "index", "error", "said"), [
    ([1.0], 1, IndexError, "range"), ([1.0], 0.5, TypeError, "whole number, not 0.5"),
    ([1.0], "0", TypeError, "whole number or a Value"), ([1.0], Value(2.0), IndexError, "range"),
    ([1.0], Value.__new__(Value), AttributeError, "no data"),
])
def test_what_cannot_be_told_is_an_error_at_once(table, index, error, said):
    with pytest.raises(error, match=said):
        take(table, index)


@pytest.mark.parametrize(("table", "error", "said"), [
    ([], IndexError, "empty"), ([[1.0], [1.0, 2.0]], ValueError, "alike"), ([1.0, [1.0]], ValueError, "alike"),
    ([[1.0], 1.0], ValueError, "alike"), (["a"], TypeError, "number"), (3.0, TypeError, "iterable"),
    ([Value.__new__(Value)], AttributeError, "no data"),
])
def test_tables_that_are_none_are_errors_in_a_trace(table, error, said):
    with pytest.raises(error, match=said):
        vmap(lambda k: take(table, k))([0])
    assert vmap(lambda k: take([1.0], k))([0]).tolist() == [1.0]


def test_a_table_of_a_row_is_told_what_to_do():
    with pytest.raises(TypeError, match=r"the same for all rows.*sumprod"):
        vmap(lambda x, k: take(x, k))([[1.0, 2.0]], [0])


def test_a_table_of_numbers_given_to_jit_is_told_what_to_do():
    compiled = jit(lambda t, k: take(t, k))
    with pytest.raises(TypeError, match="jit was given: give Values"):
        compiled([1.0, 2.0], 1)
    assert compiled([Value(1.0), Value(2.0)], 1).data == 2.0


def test_what_is_taken_has_no_data_in_a_trace():
    with pytest.raises(TraceError, match="depends on an argument"):
        vmap(lambda k: take([1.0, 2.0], k).data)([0])
    kept = []
    vmap(lambda k: kept.append(take([1.0, 2.0], k)) or k)([0])
    with pytest.raises(TraceError):
        kept[0] + 1.0


def test_gradients_with_respect_to_rows_and_to_the_table():
    table = [2.0, 3.0, 5.0]
    slopes = vmap(grad(lambda x, k: x ** 2 * take(table, k)), in_axes=(0, 0))([1.0, 2.0], [2, 0])
    assert slopes.tolist() == [10.0, 8.0]
    by_table = grad(lambda t: vmap(lambda t, k: take(t, k) ** 2, in_axes=(None, 0))(t, [1, 1, 2]).sum())
    assert by_table(table) == [0.0, 12.0, 10.0]


def energy(table, k, x):
    """Of a row of a table of pairs, and a number."""
    a, b = take(table, k)
    return (a * x).sin() * b ** 3 + a / b


INDEXES = [2, 0, 1, -1, -3, 2]


@pytest.mark.parametrize("transform", [grad, jacrev, jacfwd, hessian, lambda f: grad(grad_of_sum(f))])
def test_derivatives_of_rows_with_respect_to_the_table(transform):
    table = [[0.5, 1.5], [-0.3, 2.0], [1.1, 0.7]]
    xs = [0.3 * k - 0.5 for k in range(len(INDEXES))]
    wanted = [flattened(transform(energy)(table, k, x)) for k, x in zip(INDEXES, xs)]
    mapped = vmap(transform(energy), in_axes=(None, 0, 0))(table, [float(k) for k in INDEXES], xs)
    found = list(zip(*(batch.tolist() for batch in flattened(mapped))))
    for row, expected in zip(found, wanted):
        assert row == pytest.approx(expected, rel=1e-12, abs=1e-15)


def grad_of_sum(f):
    def total(table, k, x):
        return sum(flattened(grad(f)(table, k, x)))
    return total


def flattened(nested):
    return [one for part in nested for one in flattened(part)] if isinstance(nested, list) else [nested]


def test_derivatives_with_respect_to_the_table_in_a_compiled_function():
    table = [[0.5, 1.5], [-0.3, 2.0], [1.1, 0.7]]
    compiled = jit(lambda t, k, x: grad(energy)(t, k, x))
    for k in INDEXES:
        values = [[Value(a), Value(b)] for a, b in table]
        found = [value.data for value in flattened(compiled(values, float(k), 0.4))]
        assert found == pytest.approx(flattened(grad(energy)(table, k, 0.4)), rel=1e-12)


def test_an_index_has_the_derivative_0():
    assert vmap(grad(lambda k: take([2.0, 3.0], k) * k))([0.0, 1.0]).tolist() == [2.0, 3.0]


def test_an_infinite_adjoint_goes_to_the_entry_that_was_taken_only():
    slopes = vmap(grad(lambda t, k: take(t, k).sqrt()), in_axes=(None, 0))([4.0, 0.0], [0, 1])
    assert [slope.tolist() for slope in slopes] == [[0.25, 0.0], [0.0, math.inf]]


@pytest.mark.parametrize("make", [vmap, jit])
def test_under_no_grad_in_a_trace_the_tape_stays_sound(make):
    def chosen(k):
        with no_grad():
            a = take(table_of(3, 1), k)[0]
        return a * k

    kept = Value(1.0)       # or all above old values would go at once
    edges = tape.stats()["edges"]
    with pytest.raises(TraceError, match="no_grad"):
        make(chosen)([0.0, 1.0] if make is vmap else 1.0)
    tape.verify()
    assert (tape.stats()["edges"], kept.data) == (edges, 1.0)


def test_without_gradients_and_row_by_row():
    table = table_of(3, 1)
    with no_grad():
        assert vmap(lambda k: take(table, k)[0])([1]).sum()._prev == set()

    with pytest.warns(UserWarning, match="row by row"):
        result = vmap(lambda k: same(take(table, k)[0] * 2.0))([2, 2, 0])
    result.sum().backward()
    assert gradients(table) == [[2.0], [0.0], [4.0]]


@pytest.mark.parametrize("way", ["vmap", "jit"])
def test_an_index_of_parameters_is_read_at_each_call(way):
    w, table = Value(0.3), [Value(10.0), Value(20.0), Value(30.0)]

    def of_row(x):
        return take(table, (w * 2).floor()) * x + take([1.0, 2.0, 3.0], w.floor()) + take([4.0, 5.0], Value(1.0)) * x

    mapped, compiled = vmap(of_row), jit(of_row)
    for number in (0.3, 0.7, 1.2, 0.3):
        w.data = number
        for p in table:
            p.grad = 0
        total = mapped([1.0, 0.5]).sum() if way == "vmap" else compiled(1.0) + compiled(0.5)
        total.backward()
        row = int(2 * number)
        assert total.data == 15.0 * (row + 1) + 2 * (1.0 + int(number)) + 7.5
        assert [p.grad for p in table] == [1.5 if k == row else 0.0 for k in range(3)]
