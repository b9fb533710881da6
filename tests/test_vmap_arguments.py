"""vmap's arguments: every way to write rows of numbers, and what is said to anything else."""

import array
import ctypes
import datetime

import numpy as np
import pytest

from micrograd_c import vmap
from micrograd_c.engine import Value

FORMATS = ["f8", "f4", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]
NUMBERS = [[1, 0, 3], [4, 5, 0]]


def rows_of(x):
    """What a function of x.shape[1:] sees of each row."""
    def flat(v):
        return [one for part in v for one in flat(part)] if isinstance(v, list) else [v]
    results = vmap(flat)(x)
    return [list(row) for row in zip(*[result.tolist() for result in results])]


@pytest.mark.parametrize("kind", FORMATS)
def test_arrays_of_every_format(kind):
    x = np.array(NUMBERS).astype(kind)
    assert rows_of(x) == x.astype(float).tolist()


@pytest.mark.parametrize("view", [
    lambda x: x[::2], lambda x: x[::-1], lambda x: x[:, ::-1], lambda x: x[:, 1:3], lambda x: x.T, np.asfortranarray,
    lambda x: x[1:4, ::3], lambda x: np.broadcast_to(x[:1], (4, 6)), lambda x: x.reshape(4, 2, 3),
    lambda x: x.reshape(2, 2, 2, 3).transpose(1, 0, 3, 2)[:, :, ::-1],
])
def test_arrays_of_any_strides(view):
    x = view(np.arange(24.0).reshape(4, 6))
    assert rows_of(x) == x.reshape(len(x), -1).tolist()


def test_other_buffers_and_lists():
    wanted = [[1.0, 0.0, 3.0], [4.0, 5.0, 0.0]]
    read_only = np.array(NUMBERS, dtype=float)
    read_only.flags.writeable = False
    view = memoryview(array.array("d", [1, 0, 3, 4, 5, 0])).cast("B").cast("d", (2, 3))
    ctypes_array = ((ctypes.c_double * 3) * 2)((1, 0, 3), (4, 5, 0))
    for x in (NUMBERS, [tuple(row) for row in NUMBERS], [np.array(row) for row in NUMBERS], read_only, view,
              ctypes_array, [[np.float32(n) for n in row] for row in NUMBERS], [[True, False, 3], [4, 5.0, 0]]):
        assert rows_of(x) == wanted
    assert vmap(lambda x: x)(array.array("i", [3, -4])).tolist() == [3.0, -4.0]


def test_arguments_are_copied_as_far_as_gradients_need_them():
    w, x = Value(2.0), np.array([1.0, 2.0])
    for saved_bytes in (0, 2**26):
        w.grad = 0
        total = vmap(lambda x: w * w * x, saved_bytes=saved_bytes)(x).sum()
        x[:] = 100.0
        total.backward()
        assert w.grad == 12.0
        x[:] = [1.0, 2.0]


class Unwilling:
    def __float__(self):
        raise ValueError("no")


@pytest.mark.parametrize("x", [
    None, 3.0, "12", b"12", {1: 2}, object(), [None], ["1"], [[1.0], [None]], [Value(1.0)], [Unwilling()], [1j],
    np.array(["a"]), np.array([None]), np.array([1j]), np.array([datetime.date.today()], dtype="M8[D]"),
    np.array([1.0]).astype(">f8"), np.array([1.0], dtype="f2"), np.zeros(2, dtype=[("a", "f8")]), Value(1.0),
    Unwilling(),
], ids=lambda x: str(x).partition(" at 0x")[0])
def test_what_is_no_rows_of_numbers_is_a_type_error_that_names_the_argument(x):
    for call in (lambda: vmap(lambda point: point)(x), lambda: vmap(lambda y, point: point)([1.0], x)):
        with pytest.raises(TypeError, match=r"argument \d \('point'\)"):
            call()


@pytest.mark.parametrize(("x", "said"), [
    ([[1, 2], [3]], "ragged: a row has 2 entries, another 1 entries"), ([[1, 2], 3], "ragged"), ([1, [2]], "ragged"),
    (np.array(3.0), "should have an axis of rows"),
])
def test_shapes_that_make_no_rows(x, said):
    with pytest.raises((ValueError, TypeError), match=r"argument 1 \('point'\).*" + said):
        vmap(lambda point: point)(x)


@pytest.mark.parametrize("x", [[10**400], [[1.0, 10**400]]])
def test_ints_that_no_float_can_hold(x):
    with pytest.raises(OverflowError, match=r"argument 1 \('point'\) holds an int that is too large"):
        vmap(lambda point: point)(x)


def test_arguments_must_agree_and_be_given():
    with pytest.raises(ValueError, match=r"argument 1 \('x'\) has 2, argument 2 \('y'\) has 1"):
        vmap(lambda x, y: x * y)([1, 2], np.ones(1))
    with pytest.raises(ValueError, match="in_axes has 2 entries for 1 arguments"):
        vmap(lambda x: x, in_axes=(0, None))([1])
    with pytest.raises(ValueError, match="at least one argument with rows"):
        vmap(lambda x: x, in_axes=None)([1])
    with pytest.raises(ValueError, match="at least one argument"):
        vmap(lambda: Value(1.0))()
    for wrong in (True, (0, False), "0", 0.0, (0, [0]), ((0, 1),), {"a": 0}, ({"a": "0"},)):
        with pytest.raises(ValueError, match="in_axes may be an axis"):
            vmap(lambda x: x, in_axes=wrong)
    with pytest.raises(TypeError, match="wants a function, not 3"):
        vmap(3)
    with pytest.raises(ValueError, match="threads must be 1 or more, not 0"):
        vmap(abs, threads=0)


@pytest.mark.parametrize("returned", [None, "x", {1}, object()])
def test_what_a_function_may_not_return(returned):
    with pytest.raises(TypeError, match="must return a Value, or lists or dicts of Values"):
        vmap(lambda x: [x, returned])([1.0])
