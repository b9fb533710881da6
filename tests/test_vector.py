"""sumprod, linear, softmax and the like: the graphs of their plain spellings, to the last bit."""

import gc
import math
import sys

import numpy as np
import pytest
from conftest import nodes_of
from hypothesis import example, given
from hypothesis import strategies as st

import micrograd_c
from micrograd_c import no_grad, tape
from micrograd_c.engine import Value
from micrograd_c.vector import cross_entropy, linear, log_softmax, logsumexp, mean, softmax, sumprod


def plain_sumprod(ws, xs, start=0):
    return sum((w * x for w, x in zip(ws, xs)), start)


def plain_linear(rows, xs, biases=None):
    if biases is None:
        biases = [0] * len(rows)
    return [sum((w * x for w, x in zip(row, xs)), b) for row, b in zip(rows, biases)]


def exps_of(xs, most=math.inf):
    highest = max(min(max(x.data for x in xs), most), -most)
    return highest, [(x - highest).exp() for x in xs]


def plain_softmax(xs):
    _, exps = exps_of(xs)
    total = sum(exps)
    return [e / total for e in exps]


def plain_log_softmax(xs):
    highest = max(x.data for x in xs)
    shifted = [x - highest for x in xs]
    exps = [x.exp() for x in shifted]
    total = sum(exps).log()
    return [x - total for x in shifted]


def plain_logsumexp(xs):
    highest, exps = exps_of(xs, sys.float_info.max)     # infinite minus infinite is no number
    return sum(exps).log() + highest


def plain_mean(xs):
    return sum(xs) / len(xs)


def plain_cross_entropy(logits, target):
    highest, exps = exps_of(logits)
    return sum(exps).log() - (logits[target] - highest)


PLAIN = {
    sumprod: plain_sumprod, linear: plain_linear, softmax: plain_softmax, logsumexp: plain_logsumexp, mean: plain_mean,
    cross_entropy: plain_cross_entropy, log_softmax: plain_log_softmax,
}
KINDS = {}
OVER_A_LIST = [softmax, log_softmax, logsumexp, mean, lambda xs: cross_entropy(xs, 0)]


def written(out):
    """All there is to see of the graphs below some Values: each node with all below it, as often as it is there."""
    seen = {}

    def look(v):
        if v not in seen:
            seen[v] = None
            below = sorted(look(child) for child in v._prev)
            seen[v] = KINDS.setdefault((v._op, repr(v), tuple(below)), len(KINDS))
        return seen[v]

    tops = [look(v) if isinstance(v, Value) else repr(v) for v in (out if isinstance(out, list) else [out])]
    return tops, sorted(seen.values())


def observed(function, make):
    """What is to be seen of function(*make()): the graph, before and after backward(), and gradients of arguments."""
    arguments = make()
    out = function(*arguments)
    before = written(out)
    flat = [v for argument in arguments for v in flatten(argument) if isinstance(v, Value)]
    for weight, v in enumerate(out if isinstance(out, list) else [out]):
        if isinstance(v, Value):
            (v * (weight + 0.5)).backward()
    return before, written(out), [repr(v.grad) for v in flat]


def flatten(thing):
    return [v for part in thing for v in flatten(part)] if isinstance(thing, list) else [thing]


numbers = st.one_of(st.integers(-4, 4), st.floats(-30, 30), st.sampled_from([0.0, -0.0, 1e-300, 700.0]))
operands = st.one_of(numbers, numbers.map(lambda x: (x,)))      # a tuple stands for a Value, made anew for each use
values = numbers.map(lambda x: (x,))


def make_values(description):
    if isinstance(description, tuple):
        return Value(*description)
    return [make_values(part) for part in description] if isinstance(description, list) else description


@st.composite
def matrices(draw, entries):
    width, height = draw(st.integers(0, 5)), draw(st.integers(0, 4))
    row = st.lists(entries, min_size=width, max_size=width)
    return [
        draw(st.lists(row, min_size=height, max_size=height)), draw(row),
        draw(st.none() | st.lists(operands, min_size=height, max_size=height)),
    ]


def same_as_plain(function, description):
    here = observed(function, lambda: make_values(description))
    there = observed(PLAIN[function], lambda: make_values(description))
    assert here == there


@given(matrices(operands) | matrices(values))
def test_linear_is_its_plain_spelling(description):
    same_as_plain(linear, description)


@given(st.lists(st.tuples(operands, operands), max_size=6), st.none() | operands)
@example([((2.0,), 3)], None)
@example([(2, (3,)), ((1,), (1,))], (0,))
def test_sumprod_is_its_plain_spelling(pairs, start):
    ws, xs = [w for w, _ in pairs], [x for _, x in pairs]
    same_as_plain(sumprod, [ws, xs] if start is None else [ws, xs, start])


@pytest.mark.parametrize("function", [softmax, log_softmax, logsumexp, mean])
@given(st.lists(values, min_size=1, max_size=6))
def test_a_function_of_a_list_is_its_plain_spelling(function, xs):
    same_as_plain(function, [xs])


@given(st.lists(values, min_size=1, max_size=6), st.data())
def test_cross_entropy_is_its_plain_spelling(logits, data):
    same_as_plain(cross_entropy, [logits, data.draw(st.integers(0, len(logits) - 1))])


@given(st.lists(operands, min_size=1, max_size=5))
def test_the_mean_of_mixed_numbers_and_values_is_its_plain_spelling(xs):
    same_as_plain(mean, [xs])


@pytest.mark.parametrize("function", [softmax, log_softmax, logsumexp, lambda xs: cross_entropy(xs, 1)])
def test_numbers_count_as_values_with_that_data(function):
    as_numbers, as_values = function([1.0, 2, Value(0.5)]), function([Value(1.0), Value(2), Value(0.5)])
    assert written(as_numbers) == written(as_values)


@pytest.mark.parametrize("special", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("place", [0, 1])
def test_what_is_not_finite_does_what_it_does_in_the_plain_spelling(special, place):
    xs = [(1.0,), (2.0,)]
    xs[place] = (special,)
    for function in (softmax, log_softmax, logsumexp, mean):
        same_as_plain(function, [xs])
    same_as_plain(cross_entropy, [xs, 0])


def test_against_the_formulas_without_overflow():
    xs = [Value(x) for x in (1000.0, 998.5, -3.0)]
    shares = softmax(xs)
    assert sum(p.data for p in shares) == pytest.approx(1.0)
    assert shares[1].data / shares[0].data == pytest.approx(math.exp(-1.5))
    assert [p.data for p in log_softmax(xs)] == pytest.approx([-logsumexp(xs).data + x.data for x in xs])
    assert logsumexp(xs).data == pytest.approx(1000 + math.log(1 + math.exp(-1.5)))
    assert cross_entropy(xs, 2).data == pytest.approx(1003 + math.log(1 + math.exp(-1.5)))
    cross_entropy(xs, 2).backward()
    assert [x.grad for x in xs] == pytest.approx([shares[0].data, shares[1].data, -1.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sumprod([Value(1)], [1, 2]), ValueError, "given 1 ws and 2 xs"),
        (lambda: linear([[Value(1)], [Value(1), Value(2)]], [1.0]), ValueError, "row 1 has 2 weights for 1 xs"),
        (lambda: linear([[Value(1)]], [1.0], [1, 2]), ValueError, "given 1 rows and 2 biases"),
        (lambda: linear([3], [1.0]), TypeError, "a row must be a sequence of numbers or Values, not 3 of type int"),
        (lambda: sumprod(Value(1), [1.0]), TypeError, "ws must be a sequence"),
        (lambda: softmax([]), ValueError, "softmax was given an empty list"),
        (lambda: log_softmax([]), ValueError, "log_softmax was given an empty list"),
        (lambda: logsumexp([]), ValueError, "logsumexp was given an empty list"),
        (lambda: mean([]), ValueError, "mean was given an empty list"),
        (lambda: mean(3), TypeError, "the argument of mean must be a sequence"),
        (lambda: cross_entropy([], 0), ValueError, "cross_entropy was given an empty list"),
        (lambda: cross_entropy([Value(1)], 1), IndexError, r"target 1 is not one of the 1 logits: .* 0 \.\.\. 0$"),
        (lambda: cross_entropy([Value(1)], -1), IndexError, "target -1 is not one"),
        (lambda: cross_entropy([Value(1)], 0.0), TypeError, "target must be the index of a logit, not 0.0"),
        (lambda: softmax([Value(1), "x"]), TypeError, "'x'"),
        (lambda: sumprod([Value(1)], ["x"]), TypeError, "can't multiply sequence"),
    ],
)
def test_mistakes_are_errors_that_leave_nothing_behind(call, error, message):
    gc.collect()
    before = tape.collect()
    with pytest.raises(error, match=message):
        call()
    gc.collect()
    assert tape.collect() == before


def test_any_sequence_will_do():
    x = Value(2.0)
    assert linear(np.array([[1.0, 2.0], [3.0, 4.0]]), (x, x), iter([0, 1]))[1].data == 15.0
    assert linear([(x, 1)], np.array([1.5, 2.5]))[0].data == 5.5
    assert sumprod(np.array([1, 2]), [x, x]).data == 6.0
    assert sumprod((x for _ in range(2)), np.array([1, 2]), np.float32(0.5)).data == 6.5
    assert mean(np.array([x, 3 * x])).data == 4.0
    assert cross_entropy([x, x], np.int64(1)).data == pytest.approx(math.log(2))


def test_numbers_alone_stay_numbers_where_they_do_in_the_plain_spelling():
    assert sumprod([1, 2], [3, 4], 5) == 16
    assert linear([[1, 2], [3, 4]], [5, 6]) == [17, 39]
    assert mean([1, 2]) == 1.5


@pytest.mark.parametrize("name", ["__add__", "__radd__", "__mul__", "__rmul__", "__sub__", "__truediv__", "__pow__",
                                  "__neg__", "exp", "log"])
def test_what_somebody_has_replaced_is_what_runs(name, patch_value):
    original = getattr(Value, name)
    arguments = [[[(0.5,), (2.0,)], [(1.5,), 3.0]], [(-1.0,), (2.5,)]]

    def count(self, *others):
        calls.append(name)
        return original(self, *others)

    patch_value(name, count)
    for function in PLAIN:
        description = {linear: arguments, sumprod: [arguments[0][0], arguments[1]],
                       cross_entropy: [arguments[1], 1]}.get(function, [arguments[1]])
        calls = []
        function(*make_values(description))
        here, calls = calls, []
        PLAIN[function](*make_values(description))
        assert here == calls


@pytest.mark.parametrize("call", [*OVER_A_LIST, lambda xs: sumprod(xs, xs), lambda xs: linear([xs], xs)])
def test_a_subclass_brings_its_own_operators(call):
    class Loud(Value):
        def __add__(self, other):
            heard.append("+")
            return super().__add__(other)

        def __mul__(self, other):
            heard.append("*")
            return super().__mul__(other)

        __radd__ = __add__

    heard = []
    call([Loud(1.0), Loud(2.0)])
    assert heard


@pytest.mark.parametrize("call", [*OVER_A_LIST, lambda xs: sumprod(xs, [1.0, 2.0]), lambda xs: linear([xs], [1, 2])])
def test_operands_with_state_are_kept_for_as_long_as_the_result(call):
    xs = [Value(1.0), Value(2.0)]
    for x, name in zip(xs, "ab"):
        x.label = name
    out = call(xs)
    del xs, x
    gc.collect()
    outputs = out if isinstance(out, list) else [out]
    for one in outputs:
        assert {v.label for v in nodes_of(one) if hasattr(v, "label")} == {"a", "b"}


@pytest.mark.parametrize("call", [*OVER_A_LIST, lambda xs: sumprod(xs, xs), lambda xs: linear([xs, xs], xs, xs)])
def test_under_no_grad_only_the_results_are_recorded(call):
    xs = [Value(1.0), Value(2.0)]
    with_graph = call(xs)
    before = tape.stats()["nodes"]
    with no_grad():
        out = call(xs)
    outputs = out if isinstance(out, list) else [out]
    assert tape.stats()["nodes"] == before + len(outputs)
    assert [v._prev for v in outputs] == [set()] * len(outputs)
    assert repr(out) == repr(with_graph)


def test_a_graph_larger_than_the_tape_is_recorded_in_one_call():
    row = [Value(1.0) for _ in range(1000)]
    outputs = linear([row] * 300, row)
    assert {v.data for v in outputs} == {1000.0}
    sum(outputs).backward()
    assert row[7].grad == 600.0


def test_the_same_names_are_at_the_top_level():
    assert micrograd_c.softmax is softmax
    names = {"cross_entropy", "linear", "log_softmax", "logsumexp", "mean", "softmax", "sumprod"}
    assert names <= set(micrograd_c.__all__)
