"""A mapped function inside of one that is traced: a loop over the rows, part of the trace."""

import collections

import numpy as np
import pytest

from micrograd_c import grad, hessian, jacrev, jit, vmap
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

Pair = collections.namedtuple("Pair", "x y")
X = np.linspace(-1.0, 1.0, 12).reshape(3, 2, 2)


def eager(function, rows):
    """The function's numbers for each row, and the gradients of their sum."""
    results = [function(row) for row in rows]
    sum(results).backward()
    return [y.data for y in results]


def test_the_numbers_and_gradients_of_loops():
    model = MLP(2, [3, 1])
    mapped = vmap(lambda matrix: vmap(lambda row: model(row).tanh())(matrix).mean())
    result = mapped(X)
    result.sum().backward()
    found = [p.grad for p in model.parameters()]
    model.zero_grad()
    values = eager(lambda matrix: sum([model(row).tanh() for row in matrix]) * 0.5, X.tolist())
    assert result.tolist() == pytest.approx(values, rel=1e-13)
    assert found == pytest.approx([p.grad for p in model.parameters()], rel=1e-12)


def test_mapped_twice():
    w = Value(2.0)
    columns = vmap(vmap(lambda x: x * w))(X[0])
    assert [batch.tolist() for batch in columns] == (2.0 * X[0].T).tolist()
    columns[0].sum().backward()
    assert w.grad == pytest.approx(X[0][:, 0].sum())


def test_structures_axes_names_and_weights():
    def function(m, s):
        inner = vmap(
            lambda p, q, *, k: {"a": p["x"] * q + k, "b": Pair(p["y"][1], [q])}, in_axes=({"x": 0, "y": 1}, None))
        result = inner({"x": m[0], "y": m}, s, k=[1.0, 2.0])
        return result["a"].sum([1.0, 10.0]), result["b"].x.sum(m[1]), len(result["b"].y[0]), result["a"][1]

    x = X[1].tolist()
    total, weighted, count, second = vmap(function, in_axes=(0, None))([x], 0.5)
    a = [x[0][0] * 0.5 + 1.0, x[0][1] * 0.5 + 2.0]
    assert total[0] == pytest.approx(a[0] + 10.0 * a[1])
    assert weighted[0] == pytest.approx(x[1][0] * x[1][0] + x[1][1] * x[1][1])
    assert (count[0], second[0]) == (2.0, pytest.approx(a[1]))


def test_rows_along_the_last_axis():
    mapped = vmap(lambda m: list(vmap(lambda column: column[0] - column[1], in_axes=-1)(m)))
    assert [batch.tolist() for batch in mapped(X)] == np.moveaxis(X[:, 0] - X[:, 1], 1, 0).tolist()


def test_in_jit_and_in_transforms_of_rows():
    assert jit(lambda x: vmap(lambda a: a ** 2)(x).mean())([1.0, 2.0, 3.0]).data == pytest.approx(14 / 3)
    assert jit(lambda x: vmap(lambda a: a ** 2)(np.array([1.0, 2.0])).sum() * x)(2.0).data == 10.0
    second = vmap(hessian(lambda x: vmap(lambda a: a ** 3)(x).sum()))([[1.0, 2.0]])
    assert [[batch.tolist() for batch in row] for row in second] == [[[6.0], [0.0]], [[0.0], [12.0]]]
    slopes = vmap(lambda x: vmap(grad(lambda a: a ** 3))(x))([[1.0, 2.0], [3.0, 4.0]])
    assert [batch.tolist() for batch in slopes] == [[3.0, 27.0], [12.0, 48.0]]
    rows = vmap(jacrev(lambda x: vmap(lambda a: a * x[0])(x)))([[2.0, 3.0]])
    assert [[batch.tolist() for batch in row] for row in rows] == [[[4.0], [0.0]], [[3.0], [2.0]]]


@pytest.mark.parametrize(("inner", "said"), [
    (lambda x: vmap(lambda a: a, in_axes=None)(x), "at least one argument with rows"),
    (lambda x: vmap(lambda a, b: a)(x, [1.0]), r"argument 1 \('a'\) has 2, argument 2 \('b'\) has 1"),
    (lambda x: vmap(lambda a: a, in_axes=1)(x), "has no axis 1"), (lambda x: vmap(lambda a: a)(x[0]), "has no axis 0"),
    (lambda x: vmap(lambda p: p["a"])({"a": x, "b": [1.0]}), r"\['a'\] has 2, argument 1 \('p'\)\['b'\] has 1"),
    (lambda x: vmap(lambda p: p["a"], in_axes=({"b": 0},))({"a": x}), "in_axes has axes for"),
    (lambda x: vmap(lambda a: a, in_axes=({"a": 0},))(x), "has no parts"),
    (lambda x: vmap(lambda a: a)([]), "no rows"), (lambda x: vmap(lambda a: a)(x).sum([1.0]), "1 weights for 2 rows"),
])
def test_what_it_cannot_be(inner, said):
    with pytest.raises(ValueError, match=said):
        vmap(inner)([[1.0, 2.0]])


def test_what_was_called_with_buffers_before_is_a_loop_inside():
    w = Value(2.0)
    inner = vmap(lambda y: y * w)
    inner(np.array([1.0, 2.0]))
    batch = vmap(lambda x: x * inner(np.array([1.0, 2.0])).sum())([1.0, 2.0])
    batch.sum().backward()
    assert batch.tolist() == [6.0, 12.0]
    assert w.grad == 9.0
