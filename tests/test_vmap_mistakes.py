"""What is said to mistakes with vmap: the same at a first call and at any other, and what to do instead."""

import array
import ctypes
import decimal
import fractions
import types

import numpy as np
import pytest

from micrograd_c import TraceError, maximum, no_grad, stop_gradient, vmap
from micrograd_c.engine import Value

w = Value(2.0)


def batch_of(function=lambda x: x * w, rows=(1.0, 2.0)):
    return vmap(function)(list(rows))


def by_rows(function=lambda x: x * w, rows=(1.0, 2.0)):
    """A result that was computed row by row."""
    with pytest.warns(UserWarning, match="row by row"):
        return vmap(lambda x: function(Value(x.data, (x,), "same")))(list(rows))


def said_by(call, *arguments):
    with pytest.raises(Exception) as caught:    # noqa: PT011
        call(*arguments)
    return type(caught.value), str(caught.value)


class WithGrad:
    """What another library's arrays look like."""
    shape = (2,)
    dtype = "float64"

    def tolist(self):
        return "no"


class Broken:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("out of order")

    def __len__(self):
        raise RuntimeError("out of order")


def itself():
    parts = []
    parts.append(parts)
    return parts


WRONG = {
    "None": None, "number": 1.0, "int": 3, "text": "ab", "bytes": b"12345678", "bytearray": bytearray(8),
    "dict": {0: 1.0}, "set": {1.0}, "generator": (x for x in [1.0]), "range": range(3), "Value": Value(1.0),
    "Values": [Value(1.0)],
    "ragged": [[1.0], [1.0, 2.0]], "texts": ["a"], "none": [None], "complex": [1j], "deep": [[[1.0]], [2.0]],
    "itself": itself(), "dates": np.array(["2020-01-01"], dtype="M8[D]"), "objects": np.array([1.0, None]),
    "halves": np.ones(2, dtype=np.float16), "complexes": np.ones(2, dtype=complex), "swapped": np.ones(2, dtype=">f8"),
    "long doubles": np.ones(2, dtype=np.longdouble), "structured": np.zeros(2, dtype=[("a", "f8"), ("b", "f8")]),
    "masked text": np.array(["a", "b"]), "axisless": np.array(1.0), "empty text": "", "65 axes": None,
    "two": np.ones((2, 2)), "a row of two": [[1.0, 2.0]], "another number": 7, "huge int": [10**400], "Batch": None,
    "rowwise": None, "Batches": None, "like an array": WithGrad(), "broken": Broken(), "released": None,
    "class": float, "function": len, "module": types, "fractions": [fractions.Fraction(1, 2), "x"],
    "decimals": [decimal.Decimal(1), None], "nothing": [], "empty rows": [[]], "pointers": (ctypes.c_char_p * 2)(),
}
MAKERS = {      # of what cannot be made before there is a test
    "Batch": batch_of, "rowwise": by_rows, "Batches": lambda: [batch_of(), batch_of()],
    "65 axes": lambda: axes(65), "released": lambda: released(),
}


def axes(count):
    kind = ctypes.c_double
    for _ in range(count):
        kind = kind * 1
    return kind()


def released():
    view = memoryview(array.array("d", [1.0, 2.0]))
    view.release()
    return view


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("name", WRONG)
def test_a_later_call_refuses_what_the_first_does_and_says_the_same(name, count):
    wrong = MAKERS[name]() if name in MAKERS else WRONG[name]
    good = np.array([1.0, 2.0])

    def function(*numbers):
        return numbers[0] * w

    def outcome(mapped, *arguments):
        try:
            return [mapped(*arguments)]
        except Exception as error:
            return type(error), str(error)

    for place in range(count):
        arguments = [good] * count
        arguments[place] = wrong
        first = outcome(vmap(function), *arguments)
        warm = vmap(function)
        warm(*[good] * count)
        second = outcome(warm, *arguments)
        third = outcome(warm, *arguments)
        if isinstance(first, list):         # it was no mistake
            assert [one.tolist() for one in first] == [one.tolist() for one in second]
            return
        assert first == second == third
        assert warm(*[good] * count).tolist() == [2.0, 4.0]


@pytest.mark.parametrize("arguments", [
    (), (np.ones(2), np.ones(3)), (np.ones(2), 1.0), (1.0, np.ones(2)),
], ids=range(4))
def test_wrong_numbers_of_arguments_and_rows_likewise(arguments):
    def function(x, y=None):
        return x * w if y is None else x * y
    warm = vmap(function)
    warm(np.ones(2), np.ones(2))
    warm(np.ones(2))
    assert said_by(warm, *arguments) == said_by(warm, *arguments) == said_by(vmap(function), *arguments)


def test_keywords_likewise():
    warm = vmap(lambda x: x * w)
    first = said_by(lambda: vmap(lambda x: x * w)(x=[[1.0], 2.0]))
    warm(x=[1.0])
    assert said_by(lambda: warm(x=[[1.0], 2.0])) == first
    assert first == (ValueError, "argument 'x' is ragged: a row has 1 entries, another float")


# --- Batches as arguments ---

LOST = "whose gradient would be lost here: give it as an argument of its own, or compute both in one function"


@pytest.mark.parametrize("make", [batch_of, by_rows])
@pytest.mark.parametrize("call", [
    lambda b: vmap(lambda x: x)([b, b]), lambda b: batch_of().sum([b, 1.0]), lambda b: vmap(lambda x: x)([[b], [b]]),
    lambda b: by_rows().sum([b, 1.0]),
], ids=range(4))
def test_a_batch_with_a_gradient_is_an_argument_of_its_own(make, call):
    with pytest.raises(TypeError, match=LOST):
        call(make())


@pytest.mark.parametrize("make", [
    no_grad(batch_of), no_grad(by_rows), lambda: batch_of(lambda x: x * 2.0),
    lambda: batch_of(lambda x: 2.0 * stop_gradient(x * w)),
    lambda: np.asarray(batch_of(lambda x: 2.0 * x)), lambda: memoryview(batch_of()), lambda: batch_of().tolist(),
], ids=range(7))
def test_one_without_gradient_is_as_good_as_its_numbers(make):
    batch = make()
    numbers = list(batch)
    for _ in range(2):
        assert vmap(lambda x: x * 3.0)(batch).tolist() == [3.0 * x for x in numbers]
    assert [x.tolist() for x in vmap(lambda x: x)([batch, batch])] == [[x, x] for x in numbers]
    assert vmap(lambda x, y: x * y[1], in_axes=(0, None))([1.0], batch).tolist() == [numbers[1]]
    assert batch_of(lambda x: x).sum(batch).data == numbers[0] + 2 * numbers[1]
    warm = vmap(lambda x: x * w)
    warm(np.ones(2))
    assert warm(batch).tolist() == [2.0 * x for x in numbers]


# --- other libraries ---

@pytest.mark.parametrize("grad", [False, True])
def test_tensors_are_told_how_to_become_arguments(grad):
    torch = pytest.importorskip("torch")
    x = torch.ones(2, dtype=torch.float64, requires_grad=grad)
    warm = vmap(lambda x: x * w)
    warm(np.ones(2))
    for call in (lambda: vmap(lambda x: x)(x), lambda: warm(x), lambda: vmap(lambda x: x)([x, x]),
                 lambda: batch_of().sum(x), lambda: vmap(lambda x, s: x, in_axes=(0, None))([1.0], x),
                 lambda: vmap(lambda x: x)([x[0], x[1]]),
                 lambda: vmap(lambda x, s: x, in_axes=(0, None))([1.0], [1.0, x[0]])):
        with pytest.raises(TypeError, match=r"PyTorch.*give x\.detach\(\)\.numpy\(\)"):
            call()
    assert warm(x.detach().numpy()).tolist() == [2.0, 2.0]


def test_masked_arrays_are_told_how_to_become_arguments():
    x = np.ma.masked_array([1.0, 2.0], mask=[False, True])
    warm = vmap(lambda x: x * w)
    warm(np.ones(2))
    for call in (lambda: vmap(lambda x: x)(x), lambda: warm(x), lambda: batch_of().sum(x),
                 lambda: vmap(lambda x, s: x, in_axes=(0, None))([1.0], x)):
        with pytest.raises(TypeError, match=r"masked array.*give x\.filled\(number\)"):
            call()
    assert warm(x.filled(0.0)).tolist() == [2.0, 0.0]


def test_structured_arrays_are_told_of_their_fields():
    x = np.zeros(2, dtype=[("a", "f8"), ("b", "f8")])
    for call in (lambda: vmap(lambda x: x)(x), lambda: batch_of().sum(x)):
        with pytest.raises(TypeError, match=r"it has fields, each of which can be an argument, array\['field'\]"):
            call()
    assert vmap(lambda a: a * 2.0)(x["a"]).tolist() == [0.0, 0.0]


# --- what is done with a Batch ---

@pytest.mark.parametrize("make", [batch_of, by_rows, lambda: batch_of(lambda x: x)])
def test_what_a_batch_is_not_is_said_with_what_to_do(make):
    batch = make()
    for use in (float, int, complex):
        with pytest.raises(TypeError, match=r"of 2 rows is not one number: batch\[0\] is a row's"):
            use(batch)
    for use in (bool, lambda b: not b, lambda b: 1 if b else 2):
        with pytest.raises(ValueError, match="is neither true nor false: ask any"):
            use(batch)
    for other in (1, 2.5, w, batch, [1.0, 2.0], None, True):
        for use in (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b, lambda a, b: a ** b,
                    lambda a, b: a // b, lambda a, b: a % b, lambda a, b: a @ b):
            for call in (lambda: use(batch, other), lambda: use(other, batch)):    # noqa: B023
                with pytest.raises(TypeError, match="takes no part in arithmetic: have the function given to vmap"):
                    call()
    for use in (lambda: -batch, lambda: abs(batch), lambda: sum([batch, batch]), lambda: 1 - batch):
        with pytest.raises(TypeError, match=r"sum\(\) or mean\(\), which are Values"):
            use()
    for use in (lambda: batch > 0, lambda: batch <= batch, lambda: 1.0 < batch):     # noqa: SIM300
        with pytest.raises(TypeError, match=r"compare its numbers, np\.asarray\(batch\)"):
            use()
    with pytest.raises(TypeError, match=r"A batch has one axis, its rows: sum\(\) adds up all of them"):
        batch.sum(0)
    with pytest.raises(TypeError, match="A batch has one axis"):
        batch.mean(0)
    assert (batch == batch, batch != batch, batch == 1) == (True, False, False)
    assert (batch in [batch], {batch: 1}[batch]) == (True, 1)


@pytest.mark.parametrize("make", [batch_of, by_rows])
def test_arrays_compute_with_its_numbers(make):
    batch, x = make(), np.array([1.0, 2.0])
    assert (batch + x).tolist() == (x + batch).tolist() == [3.0, 6.0]
    assert (batch - x).tolist() == [1.0, 2.0]
    assert (x / batch).tolist() == [0.5, 0.5]
    assert (batch > x).tolist() == (x < batch).tolist() == [True, True]
    assert (np.float64(2.0) * np.asarray(batch)).tolist() == [4.0, 8.0]


# --- what functions return ---

@pytest.mark.parametrize("number", [
    1, 2.5, True, np.int64(3), np.float64(2.5), np.float32(1.5), np.int8(-1), np.bool_(True), np.array(4.0),
    np.array(2),
])
def test_numbers_of_every_kind_may_be_returned(number):
    assert vmap(lambda x: number)([1.0, 2.0]).tolist() == [float(number)] * 2
    assert [one.tolist() for one in vmap(lambda x: [x, (number,)][1])([1.0])] == [[float(number)]]
    with pytest.warns(UserWarning, match="row by row"):
        mixed = vmap(lambda x: [Value(x.data, (x,), "same"), number])([1.0])
    assert [one.tolist() for one in mixed] == [[1.0], [float(number)]]


@pytest.mark.parametrize(("result", "said"), [
    (None, "does it have a `return`"),
    ((x for x in [1.0]), r"return a list, \[... for ...\]"), (np.ones(2), r"return array.tolist\(\)"),
    ("text", "not str"), ({1.0}, "not set"), (1j, "not complex"),
    ([1.0, None], "does it have a `return`"), ([[{"a": None}]], "does it have a `return`"),
])
def test_other_results_are_told_what_to_be(result, said):
    for function in (lambda x: result, lambda x: [x, result]):
        for _ in range(2):
            with pytest.raises(TypeError, match=f"must return a Value, .*, not .*{said}|{said}"):
                vmap(function)([1.0])
    with pytest.raises(TypeError, match="must return a Value, or lists or dicts of Values"), pytest.warns(
            UserWarning, match="row by row"):
        vmap(lambda x: [Value(x.data, (x,), "same"), result])([1.0])


# --- in a trace ---

@pytest.mark.parametrize(("use", "what"), [
    (float, "turned into a float"), (bool, "truth is asked"), (lambda x: x > 0, "compared"),
    (lambda x: x.data, ".data is read"), (int, "turned into an int"), (repr, ".data is read"),
    (round, "rounded"), (lambda x: f"{x:.2f}", "formatted"),
    (lambda x: x == 0, "compared with a number"), (lambda x: x.backward(), "backward"),
    (lambda x: setattr(x, "data", 1.0), "assigned"), (lambda x: max(x, 0.0), "compared"),
    (lambda x: [1.0, 2.0][x], "indices must be"), (lambda x: {0: 1.0}[x], "looked up in a dict"),
])
def test_what_cannot_be_asked_in_a_trace(use, what):
    for _ in range(2):
        with pytest.raises(TypeError, match=what) as caught:
            vmap(lambda x: [x * w, use(x)][0])([1.0])
        if isinstance(caught.value, TraceError):
            assert "test_vmap_mistakes.py" in str(caught.value)
    assert vmap(lambda x: maximum(x, 0.0) * w)([-1.0, 1.0]).tolist() == [0.0, 2.0]
