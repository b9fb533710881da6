"""Sums of products over lists of Values, recorded in one call without a Value per step.

Knows Value, the tape and the operators as nodes. Knows nothing of nn.

Design
------
Nothing is owned. Both functions record exactly the nodes of the plain spelling that their docstrings give, in its
order, so data is the same to the last bit, and so are gradients: as a dot per row where that can be, or else product by
product. Where a user's code could have a say (a subclass of Value, a replaced operator) the plain spelling itself runs,
see plain_lines.py.
"""

import itertools

from micrograd_c._core.bulk import plain_lines

from cpython.ref cimport PyObject
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free

from micrograd_c._core.bulk.products cimport (
    CONSECUTIVE_DOTS, DOTS, NODES, Form, Input, PyList_GET_ITEM, PyList_GET_SIZE, are_numbers, as_inputs, bind_outputs,
    consecutive_inputs, consecutive_weights, find_inputs, have_nodes, hold_operands, node_as_input, read_inputs,
    record_consecutive_dot, record_dot, record_numbers, record_products,
)
from micrograd_c._core.ops.memory cimport new_array
from micrograd_c._core.ops.numbers cimport Number, read_exact_number
from micrograd_c._core.tape.arena cimport (
    NUMBERS, ODD, PRODUCT, Tape, lower_top, record_leaf, reserve, reserve_nary, tape,
)
from micrograd_c._core.tape.rows cimport bits_of_any
from micrograd_c._core.value.lifetime cimport as_plain_number
from micrograd_c._core.value.value cimport Value, new_value, operators_are_ours

__all__ = ["linear", "sumprod"]


def sumprod(ws, xs, start=0):
    """`sum((w * x for w, x in zip(ws, xs)), start)`, with the graph of that. Named after math.sumprod.

    >>> from micrograd_c.engine import Value
    >>> sumprod([Value(2.0), Value(-3.0)], [5.0, Value(7.0)], start=Value(1.0))
    Value(data=-10.0, grad=0)

    Raises ValueError if there are not as many ws as xs.
    """
    if type(ws) is list and type(xs) is list and type(start) is int and operators_are_ours():
        output = record_neighbours(ws, xs, start)
        if output is not None:
            return output
    cdef list weights = as_inputs(ws, "ws")
    cdef list inputs = weights if ws is xs else as_inputs(xs, "xs")
    cdef list starts = [as_plain_number(start)]
    if len(weights) != len(inputs):
        raise ValueError(f"sumprod was given {len(weights)} ws and {len(inputs)} xs; it wants as many of both")
    outputs = record_rows([weights], inputs, starts)
    return plain_lines.sumprod(weights, inputs, starts[0]) if outputs is None else outputs[0]


cdef Value record_neighbours(list ws, list xs, object start):
    """sumprod of plain Values whose nodes are one after the other, ws and xs each, as all of a model's parameters are.

    None for others. Each Value is looked at only by its place on the tape.
    """
    cdef Py_ssize_t width = len(ws)
    cdef Number number
    cdef int32_t top, edge_top, w, x
    cdef Input end
    cdef list outputs
    if width < 2 or tape.pins or not consecutive_weights(&tape, <PyObject *> ws, width):
        return None
    outputs = [new_value()]     # may run any code
    if len(ws) != width or len(xs) != width or not read_exact_number(start, &number):
        return None
    reserve_nary(&tape, 2, PRODUCT)
    w = consecutive_weights(&tape, <PyObject *> ws, width)
    x = w if ws is xs else consecutive_weights(&tape, <PyObject *> xs, width)
    if not w or not x:
        return None
    if bits_of_any(tape.flags + x, width) & ODD:
        return None
    top, edge_top = tape.top, tape.edge_top
    end = node_as_input(&tape, record_consecutive_dot(
        &tape, w, x, width, record_leaf(&tape, number.value, number.is_int), 0
    ))
    if not end.index:
        lower_top(&tape, top, edge_top)
        return None
    bind_outputs(&tape, top, edge_top, <PyObject *> outputs, &end)
    return outputs[0]


def linear(rows, xs, biases=None):
    """A matrix by a vector: `[sum((w * x for w, x in zip(row, xs)), b) for row, b in zip(rows, biases)]`.

    With the graph of that. The biases are 0 if not given. Shapes: rows n x m, xs m, biases n, result n.

    >>> from micrograd_c.engine import Value
    >>> linear([[Value(2.0), Value(1.0)], [Value(0.5), Value(-1.0)]], [3.0, 4.0], biases=[Value(0.0), Value(10.0)])
    [Value(data=10.0, grad=0), Value(data=7.5, grad=0)]

    Raises ValueError if the shapes do not fit.
    """
    cdef list inputs = as_inputs(xs, "xs")
    cdef list matrix = rows if type(rows) is list else list(rows)
    if matrix and type(matrix[0]) is tuple:     # of list(zip(*columns))
        matrix = [list(row) for row in matrix]
    cdef list starts = [0] * len(matrix) if biases is None else as_inputs(biases, "biases")
    outputs = record_rows(matrix, inputs, starts)
    if outputs is not None:
        return outputs
    if len(starts) != len(matrix):
        raise ValueError(f"linear was given {len(matrix)} rows and {len(starts)} biases; it wants as many of both")
    matrix = [as_inputs(row, "a row") for row in matrix]
    for i, row in enumerate(matrix):
        if len(row) != len(inputs):
            raise ValueError(f"row {i} has {len(row)} weights for {len(inputs)} xs; linear wants one for each")
    outputs = record_rows(matrix, inputs, starts)   # now that all rows are lists
    if outputs is not None:
        return outputs
    return [plain_lines.sumprod(row, inputs, start) for row, start in zip(matrix, starts)]


cdef list record_rows(list rows, list xs, list starts):
    """A sum of products a row, or None if Python code might have a say, or a row is no list as long as xs."""
    cdef Py_ssize_t width = len(xs)
    cdef Py_ssize_t count = len(rows)
    cdef bint plain = True
    cdef bint done = False
    cdef list outputs
    cdef Input *inputs
    if not width or not count or not operators_are_ours():
        return None
    # first: making Values may run Python's collector, and so code that changes the lists
    outputs = [new_value() for _ in range(count)]
    if len(xs) != width or len(rows) != count or len(starts) != count:
        return None
    inputs = <Input *> new_array(2 * (<size_t> width + count), sizeof(Input))
    if inputs == NULL:
        raise MemoryError(f"no memory for {width} inputs")
    try:
        if read_inputs(<PyObject *> xs, width, inputs, &plain):
            if read_inputs(<PyObject *> starts, count, inputs + 2 * width, &plain):
                # from a reserve to bind no Python code runs, so borrowed pointers and indexes stay good
                if width > 1 and tape.pins == 0:
                    reserve_nary(&tape, width + 2 * count, count * PRODUCT)
                    done = record_all_rows(&tape, rows, xs, inputs, <PyObject *> outputs, CONSECUTIVE_DOTS, &plain)
                    if not done:
                        reserve_nary(&tape, width + 2 * count, count * (width + PRODUCT))
                        done = record_all_rows(&tape, rows, xs, inputs, <PyObject *> outputs, DOTS, &plain)
                if not done:
                    reserve(&tape, count * (3 * width + 1))
                    done = record_all_rows(&tape, rows, xs, inputs, <PyObject *> outputs, NODES, &plain)
    finally:
        free(inputs)
    if not done:
        return None
    if not plain:
        hold_operands(outputs, [*xs, *starts, *itertools.chain.from_iterable(rows)])
    return outputs


cdef bint record_all_rows(
    Tape *t, list rows, list xs, Input *inputs, PyObject *outputs, Form form, bint *plain
) noexcept:
    """Record all rows and bind the outputs, or record nothing and return False."""
    cdef int32_t top = t.top
    cdef int32_t edge_top = t.edge_top
    cdef int32_t end
    cdef Py_ssize_t width = PyList_GET_SIZE(<PyObject *> xs)
    cdef Py_ssize_t count = PyList_GET_SIZE(<PyObject *> rows)
    cdef Py_ssize_t i
    cdef Input *row_inputs = inputs + width
    cdef Input *starts = row_inputs + width
    cdef Input *ends = starts + count
    cdef PyObject *row
    cdef int32_t x
    cdef uint8_t state = 0
    find_inputs(t, inputs, width)
    find_inputs(t, starts, count)
    if form != NODES and are_numbers(inputs, width):
        record_numbers(t, inputs, width)
        state = NUMBERS
    elif form != NODES and not have_nodes(inputs, width):
        return False
    x = consecutive_inputs(inputs, width)
    for i in range(count):
        row = PyList_GET_ITEM(<PyObject *> rows, i)
        end = 0
        if type(<object> row) is not list or PyList_GET_SIZE(row) != width:
            pass
        elif form != NODES:
            end = record_row(t, row, inputs, width, x, starts[i], form, state, plain)
        else:
            end = record_products(t, row, inputs, width, starts[i], plain)
            if not end and read_inputs(row, width, row_inputs, plain):
                # number * Value is Value * number
                find_inputs(t, row_inputs, width)
                end = record_products(t, <PyObject *> xs, row_inputs, width, starts[i], plain)
        if not end:
            lower_top(t, top, edge_top)
            return False
        ends[i] = node_as_input(t, end)
    bind_outputs(t, top, edge_top, outputs, ends)
    return True


cdef inline int32_t record_row(
    Tape *t, PyObject *row, Input *inputs, Py_ssize_t width, int32_t x, Input start, Form form, uint8_t state,
    bint *plain
) noexcept:
    """A row as a dot, or 0; x is the first input's node if the others' follow it."""
    cdef int32_t w = consecutive_weights(t, row, width) if x else 0
    cdef int32_t dot = 0
    if not start.index:
        start.index = record_leaf(t, start.number.value, start.number.is_int)
    if w:
        dot = record_consecutive_dot(t, w, x, width, start.index, state)
    if dot or form == CONSECUTIVE_DOTS:
        return dot
    return record_dot(t, row, inputs, width, start.index, state, plain)
