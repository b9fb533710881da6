"""Arguments and results of mapped functions that have names: dicts, named tuples, keywords; and rows along any axis."""

import collections
import warnings

import numpy as np
import pytest
from own_ops import same

from micrograd_c import grad, vmap
from micrograd_c.engine import Value

Pair = collections.namedtuple("Pair", "x y")
X = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("of", [np.asarray, np.asfortranarray, lambda x: x.tolist(), lambda x: x[::-1, :, ::2]])
def test_rows_along_any_axis(axis, of):
    x = of(X)
    wanted = np.moveaxis(np.asarray(x), axis, 0)
    mapped = vmap(lambda row: [[number * 2.0 for number in line] for line in row], in_axes=axis)
    for _ in range(2):
        found = np.array([[np.asarray(batch) for batch in line] for line in mapped(x)])
        assert (found == np.moveaxis(wanted * 2.0, 0, -1)).all()


def test_an_axis_for_each_argument():
    mapped = vmap(lambda a, b, c: a[0] * b[1] + c, in_axes=(1, 0, None))
    a, b = X[0, :2], X[0].T     # four rows of each
    assert mapped(a, b, 0.5).tolist() == (a[0] * b[:, 1] + 0.5).tolist()
    with pytest.raises(ValueError, match=r"has 2, argument 2 .* has 4"):
        mapped(a.T, b, 0.5)


@pytest.mark.parametrize("axis", [2, -3, 100])
def test_an_axis_that_is_not_there(axis):
    for x in (X[0], X[0].tolist()):
        with pytest.raises(ValueError, match=rf"argument 1 \('row'\) has no axis {axis}, which in_axes says"):
            vmap(lambda row: row[0], in_axes=axis)(x)


def test_arguments_by_name():
    times = []

    def function(a, b=0.0, *, c):
        times.append(1)
        return a * 100 + b * 10 + c

    mapped = vmap(function)
    assert mapped([1, 2], c=[3, 4]).tolist() == [103.0, 204.0]
    assert mapped([1, 2], c=[3, 4], b=[5, 6]).tolist() == [153.0, 264.0]
    assert mapped([0, 1], c=[3, 4], b=[15, 16]).tolist() == [153.0, 264.0]
    assert mapped(a=[1], c=[2]).tolist() == [102.0]
    assert len(times) == 3
    order = vmap(lambda **k: [list(k).index("b") * 1.0])
    assert (order(b=[1.0], a=[2.0])[0][0], order(a=[2.0], b=[1.0])[0][0]) == (0.0, 1.0)
    with pytest.raises(ValueError, match=r"argument 1 \('a'\) has 2, argument 'c' has 1"):
        mapped([1, 2], c=[1])


def test_dicts_and_named_tuples():
    w = Value(2.0)

    def function(batch, pair):
        return {"product": batch["a"] * pair.x, "more": Pair(batch["b"][1] * w, [pair.y])}

    mapped = vmap(function)
    for k in range(2):
        result = mapped({"a": [1.0, 2.0], "b": [[1, 2], [3, 4]]}, Pair([5.0, 6.0], np.array([7, 8 + k])))
        assert list(result) == ["product", "more"]
        assert result["product"].tolist() == [5.0, 12.0]
        assert type(result["more"]) is Pair
        assert (result["more"].x.tolist(), result["more"].y[0].tolist()) == ([4.0, 8.0], [7.0, 8.0 + k])
    result["more"].x.sum().backward()
    assert w.grad == 6.0
    with pytest.raises(ValueError, match=r"\['b'\] has 1"):
        mapped({"a": [1.0, 2.0], "b": [[1, 2]]}, Pair([5.0, 6.0], [7, 8]))


def test_axes_in_dicts_and_named_tuples():
    mapped = vmap(lambda p, q: p["x"] * p["w"] + q.y[0] + q.x, in_axes=({"x": 0, "w": None}, Pair(None, 1)))
    w = Value(3.0)
    result = mapped({"x": [1.0, 2.0], "w": w}, Pair(0.5, [[10.0, 20.0]]))
    assert result.tolist() == [13.5, 26.5]
    result.sum().backward()
    assert w.grad == 3.0
    shared = vmap(lambda p, x: p["w"] * x, in_axes=(None, 0))
    assert shared({"w": w}, [1.0, 2.0]).tolist() == [3.0, 6.0]
    for axes, said in [({"x": 0}, "in_axes has axes for"), ({"x": 0, "w": 0}, "is a single number")]:
        with pytest.raises((ValueError, TypeError), match=said + "|holds a Value"):
            vmap(lambda p: p["x"], in_axes=(axes,))({"x": [1.0], "w": np.array(1.0)})
    with pytest.raises(ValueError, match="has no parts"):
        vmap(lambda x: x, in_axes=({"x": 0},))([1.0])


def test_gradients_of_a_dict_of_shared_numbers_and_of_rows():
    slopes = vmap(grad(lambda p, x: p["a"] * x ** 2 + p["b"]), in_axes=(None, 0))({"a": 2.0, "b": 1.0}, [1.0, 3.0])
    assert {name: batch.tolist() for name, batch in slopes.items()} == {"a": [1.0, 9.0], "b": [1.0, 1.0]}
    slopes = vmap(grad(lambda p: p["x"] ** 3))({"x": [1.0, 2.0]})
    assert slopes["x"].tolist() == [3.0, 12.0]


def test_row_by_row():
    function = vmap(lambda p, *, k: {"a": same(p["x"]) * k, "b": Pair(p["x"], [p["x"]])})
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        result = function({"x": [1.0, 2.0]}, k=[3.0, 4.0])
    assert (result["a"].tolist(), result["b"].y[0].tolist()) == ([3.0, 8.0], [1.0, 2.0])
    empty = function({"x": []}, k=[])
    assert (empty["a"].tolist(), type(empty["b"])) == ([], Pair)
    rows = iter([{"a": 1.0}] * 3 + [{"b": 1.0}])
    uneven = vmap(lambda x: {next(iter(next(rows))): same(x)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=r"differs from row to row: a dict of \['a'\], and of \['b'\]"):
            uneven([1.0, 2.0])
