"""scan: oracle is the loop written out, and where JAX is there, jax.lax.scan."""

import collections

import numpy as np
import pytest

from micrograd_c import TraceError, grad, hessian, jit, scan, sumprod, vmap
from micrograd_c.engine import Value

Pair = collections.namedtuple("Pair", "a b")
XS = [0.5, -1.0, 0.25, 2.0]


def rnn(h, x, w=1.3):
    new = (h * w + x).tanh()
    return new, new * h


def by_loop(w, xs=XS, reverse=False):
    h, ys = Value(0.1), []
    for x in reversed(xs) if reverse else xs:
        h, y = rnn(h, x, w)
        ys.append(y)
    return h, ys[::-1] if reverse else ys


def numbers(tree):
    if isinstance(tree, dict):
        return {key: numbers(one) for key, one in tree.items()}
    if isinstance(tree, Pair):
        return Pair(*map(numbers, tree))
    if isinstance(tree, (list, tuple)):
        return type(tree)(map(numbers, tree))
    return tree.data if isinstance(tree, Value) else tree


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("kind", [list, np.array])
def test_it_is_the_loop(reverse, compiled, kind):
    w, twin = Value(1.3), Value(1.3)
    step = lambda h, x: rnn(h, x, w)        # noqa: E731
    last, ys = scan(jit(step) if compiled else step, Value(0.1), kind(XS), reverse=reverse)
    expected, all_of_them = by_loop(twin, reverse=reverse)
    assert last.data == pytest.approx(expected.data, rel=1e-15)
    assert numbers(ys) == pytest.approx(numbers(all_of_them), rel=1e-15)
    (last + sum(ys)).backward()
    (expected + sum(all_of_them)).backward()
    assert w.grad == pytest.approx(twin.grad, rel=1e-13)


def test_a_compiled_step_is_traced_once_however_long_the_sequence():
    traced = []

    def step(h, x):
        traced.append(x)
        return h * 0.5 + x, h

    last, ys = scan(jit(step), 1.0, [0.1] * 500)
    assert len(traced) <= 2         # a number at first, then a Value
    assert len(ys) == 500
    assert last.data == pytest.approx(0.2)


@pytest.mark.parametrize("stacked", [False, True])
def test_a_mapped_step_carries_batches(stacked):
    w, twin = Value(1.3), Value(1.3)
    rows = np.array([[0.5, -1.0, 0.25], [2.0, 0.1, -0.3]])      # of two sequences
    step = vmap(lambda h, x: rnn(h, x, w), stacked=stacked)
    last, ys = scan(step, np.full(2, 0.1), rows.T)
    (last.sum() + sum(y.sum() for y in ys)).backward()
    ends = [by_loop(twin, row) for row in rows]
    sum(end + sum(outputs) for end, outputs in ends).backward()
    assert last.tolist() == pytest.approx([end.data for end, _ in ends], rel=1e-14)
    assert w.grad == pytest.approx(twin.grad, rel=1e-12)


def test_derivatives_and_rows_go_through_it():
    def total(w, xs):
        last, ys = scan(lambda h, x: rnn(h, x, w), 0.1, xs)
        return last + sum(ys)

    slope, curve = grad(total)(1.3, XS), hessian(total)(1.3, XS)
    step = 1e-5
    assert slope == pytest.approx(
        (total(Value(1.3 + step), XS).data - total(Value(1.3 - step), XS).data) / (2 * step), rel=1e-8)
    assert curve == pytest.approx((grad(total)(1.3 + step, XS) - grad(total)(1.3 - step, XS)) / (2 * step), rel=1e-6)
    rows = [XS, XS[::-1]]
    mapped = vmap(grad(total), in_axes=(None, 0))(1.3, rows)
    assert mapped.tolist() == pytest.approx([grad(total)(1.3, row) for row in rows], rel=1e-12)


def test_tuples_and_dicts_are_scanned_together_and_come_back_as_such():
    def step(carry, x):
        total = carry["total"] + x["a"] * x["b"][0]
        return {"total": total}, Pair({"t": total}, (x["a"], None))

    carry, ys = scan(step, {"total": 0.0}, {"a": [1.0, 2.0, 3.0], "b": ([4.0, 5.0, 6.0], None)})
    assert carry == {"total": 32.0}
    assert ys == Pair({"t": [4.0, 14.0, 32.0]}, ([1.0, 2.0, 3.0], None))
    _, ys = scan(lambda c, x: (c, [x, x * 2]), None, [1.0, 2.0])
    assert ys == [[1.0, 2.0], [2.0, 4.0]]
    _, ys = scan(lambda c, x: (c, Pair(*x)), None, Pair([1, 2], [3, 4]))
    assert ys == Pair([1, 2], [3, 4])


def test_without_sequences():
    assert scan(lambda c, x: (c * 2, x), 1, length=5) == (32, None)
    assert scan(lambda c, x: (c + x, c), 0, [], length=0) == (0, [])


@pytest.mark.parametrize(("call", "error", "said"), [
    (lambda: scan(lambda c, x: (c, x), 0), TypeError, "length=10"),
    (lambda: scan(lambda c, x: (c, x), 0, length=-1), TypeError, "length must be"),
    (lambda: scan(lambda c, x: (c, x), 0, length=True), TypeError, "length must be"),
    (lambda: scan(lambda c, x: (c, x), 0, 3.0), TypeError, "xs must be a list or an array.*3.0 of type float"),
    (lambda: scan(lambda c, x: (c, x), 0, "abc"), TypeError, "xs must be a list"),
    (lambda: scan(lambda c, x: (c, x), 0, [1], length=2), ValueError, "length has 2, xs has 1"),
    (lambda: scan(lambda c, x: (c, x), 0, {"a": [1], "b": ([1, 2],)}), ValueError, r"xs\['a'\] has 1, xs\['b'\]\[0\]"),
    (lambda: scan(lambda c, x: c, 0, [1]), TypeError, r"a pair \(carry, y\), not 0 of type int"),
    (lambda: scan(lambda c, x: (c, x, x), 0, [1]), TypeError, "pair"),
    (lambda: scan(lambda c, x: ([c], x), 0, [1]), TypeError, r"it was \*, and step 0 has made it \[\*\]"),
])
def test_mistakes_are_told(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_what_contains_itself_is_a_value_error():
    xs = {}
    xs["xs"] = xs
    with pytest.raises(ValueError, match="64"):
        scan(lambda c, x: (c, x), 0, xs)
    carry = []
    carry.append(carry)
    with pytest.raises(ValueError, match="64"):
        scan(lambda c, x: (c, x), carry, [1])


def test_in_a_trace_it_is_a_loop_written_out():
    weights = [Value(0.5), Value(-0.25)]

    def of_row(xs):
        last, ys = scan(lambda h, x: ([(h[0] * weights[0] + x).tanh(), h[0] * weights[1]], sumprod(h, h)), [0.0, 1.0],
                        xs)
        return last[0] + last[1] + sum(ys)

    rows = [XS, XS[::-1]]
    batch = vmap(of_row)(rows)
    assert batch.tolist() == pytest.approx([of_row(row).data for row in rows], rel=1e-14)
    with pytest.raises(TraceError):
        vmap(lambda x: scan(lambda c, k: (c, k), 0.0, [1.0] * int(x))[0] + x)([2.0])


def test_as_jax_has_it():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)

    def theirs(h, x):
        new = jax.numpy.tanh(h * 1.3 + x["a"][0] * x["b"])
        return new, {"new": new, "both": (h, x["b"])}

    def ours(h, x):
        new = Value.tanh(h * 1.3 + x["a"][0] * x["b"])
        return new, {"new": new, "both": (h, x["b"])}

    xs = {"a": ([0.5, 1.0, -1.0],), "b": [0.1, 0.2, 0.3]}
    for reverse in False, True:
        last, ys = scan(ours, Value(0.2), xs, reverse=reverse)
        expected, all_of_them = jax.lax.scan(
            theirs, 0.2, jax.tree_util.tree_map(jax.numpy.array, xs, is_leaf=lambda one: isinstance(one, list)),
            reverse=reverse)
        assert last.data == pytest.approx(float(expected), rel=1e-14)
        assert numbers(ys)["new"] == pytest.approx(all_of_them["new"].tolist(), rel=1e-14)
        assert numbers(ys)["both"][0] == pytest.approx(all_of_them["both"][0].tolist(), rel=1e-14)
        assert ys["both"][1] == pytest.approx(all_of_them["both"][1].tolist())
