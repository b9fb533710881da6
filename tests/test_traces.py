"""What a trace of vmap must not know, and what it leaves."""

import array

import pytest

from micrograd_c import TraceError, no_grad, vmap, where
from micrograd_c.engine import Value


def test_a_choice_by_an_argument_is_not_made_in_the_trace():
    """-1 has no logarithm: it must not be taken for what was chosen."""
    mapped = vmap(lambda x: where(x, Value(-1.0) + 2.0, Value(1.0)).log() + where(x, -1.0, 1.0) * 0.0)
    assert mapped([0.0, 1.0]).tolist() == [0.0, 0.0]
    assert vmap(lambda x: where(x, Value(-1.0), Value(1.0)).log())([0.0]).tolist() == [0.0]


def test_a_trace_that_fails_leaves_no_grad_as_it_was():
    w = Value(2.0)
    with no_grad():
        with pytest.raises(ZeroDivisionError):
            vmap(lambda x: x / 0)([1.0])
        assert not (w * 2)._prev
    assert (w * 2)._prev


def test_what_was_traced_before_is_a_loop_in_another_trace():
    inner = vmap(lambda x: x * 2.0)
    numbers = array.array("d", [1.0, 2.0])
    assert inner(numbers).tolist() == [2.0, 4.0]
    assert vmap(lambda x: x + inner(numbers)[0])(numbers).tolist() == [3.0, 4.0]
    assert inner(numbers).tolist() == [2.0, 4.0]


@pytest.mark.parametrize("block", ["with", "generator"])
def test_a_trace_records_though_a_block_around_the_call_is_open(block):
    w = Value(3.0)
    mapped = vmap(lambda x: x * w)

    def call():
        with no_grad():
            yield mapped([1.0, 2.0])

    if block == "with":
        with no_grad():
            first = mapped([1.0, 2.0])
    else:
        (first,) = call()
    assert first.tolist() == [3.0, 6.0]
    mapped([1.0, 2.0]).sum().backward()
    assert w.grad == 3.0


def under_no_grad(x):
    with no_grad():
        inner = x * 2.0 + 1.0
    return inner


@pytest.mark.parametrize("function", [
    lambda x: x * under_no_grad(x).data, lambda x: x if under_no_grad(x) + 1.0 > 0 else -x,
    lambda x: x * float(under_no_grad(x * 1.0)),
], ids=["data", "comparison", "float"])
def test_what_depends_on_the_row_cannot_be_read_under_no_grad_either(function):
    with pytest.raises(TraceError, match="depends on an argument"):
        vmap(function)([1.0, 2.0])


def test_data_that_a_function_assigns_to_cannot_be_traced():
    def function(x):
        factor = Value(2.0) * 3.0
        before = x * factor
        factor.data = 5.0
        return before + x * factor

    with pytest.raises(TraceError, match="is assigned to"):
        vmap(function)([1.0])


@pytest.mark.parametrize("rows", [(2, 3), (3, 2), (0, 1), (1, 0)])
def test_buffers_of_other_lengths_are_refused_by_a_function_that_took_some(rows):
    mapped = vmap(lambda x, y: x + y)
    mapped(*[array.array("d", [1.0, 2.0])] * 2)
    with pytest.raises(ValueError, match="rows"):
        mapped(*[array.array("d", [1.0] * count) for count in rows])


def test_buffers_with_rows_of_another_length_are_traced_anew():
    mapped = vmap(lambda x: sum(x, 0.0))
    for width in (2, 3, 1, 2):
        numbers = memoryview(array.array("d", range(2 * width))).cast("B").cast("d", (2, width))
        assert mapped(numbers).tolist() == [sum(row) for row in numbers.tolist()]


FORMATS = {"b": -7, "B": 250, "h": -30_000, "H": 60_000, "i": -2**31, "I": 2**32 - 1, "q": -2**53, "Q": 2**64 - 2**11,
           "f": 0.5, "d": -0.1}


@pytest.mark.parametrize("format", FORMATS)
def test_numbers_of_every_format_are_read_as_they_are(format):
    number = FORMATS[format]
    numbers = array.array(format, [1, number, 3])
    mapped = vmap(lambda x, y: x + y * 0.0)
    for _ in range(2):      # the second time as they come
        assert mapped(numbers, numbers).tolist() == [1.0, float(number), 3.0]
    assert vmap(lambda x, y: x * y[1], in_axes=(0, None))([1.0], numbers).tolist() == [float(number)]
