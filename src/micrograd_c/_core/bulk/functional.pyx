"""Sums of products, softmax and the like over lists of Values, recorded in one call without a Value per step.

Knows Value, the tape and the operators as nodes. Knows nothing of nn.

Design
------
Nothing is owned. Each function records exactly the nodes of the plain spelling that its docstring gives, in its order,
so data is the same to the last bit, and so are gradients. Where a user's code could have a say (a subclass of Value, a
replaced operator, exp or log) the plain spelling itself runs, see spelling.py.
"""

import itertools
import operator

from micrograd_c._core.bulk import plain_lines

from cpython.ref cimport PyObject
from libc.float cimport DBL_MAX
from libc.math cimport copysign, isinf
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free, malloc

from micrograd_c._core.bulk.products cimport (
    CONSECUTIVE_DOTS, DOTS, NODES, Form, Input, PyList_GET_ITEM, PyList_GET_SIZE, are_numbers, as_inputs, bind_outputs,
    consecutive_inputs, consecutive_weights, find_inputs, have_nodes, hold_operands, node_as_input, read_inputs,
    record_consecutive_dot, record_dot, record_numbers, record_products,
)
cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.ops.numbers cimport Number, read_exact_number
cimport micrograd_c._core.tape.operators as operators
from micrograd_c._core.tape.arena cimport (
    DATA_INT, NO_TRACE, NUMBERS, ODD, PRODUCT, Tape, lower_top, record, record_leaf, reserve, reserve_nary, tape,
)
from micrograd_c._core.value.lifetime cimport as_plain_number, describe, hold
from micrograd_c._core.value.value cimport Value, bind, compositions_are_ours, new_value, operators_are_ours

__all__ = ["cross_entropy", "linear", "log_softmax", "logsumexp", "mean", "softmax", "sumprod"]

# Records from `width` inputs, all with nodes of their own, and writes the outputs' nodes to `ends`.
ctypedef int (*VectorRecorder)(Tape *t, Input *xs, Py_ssize_t width, Py_ssize_t target, Input *ends) except -1

cdef enum:
    PER_INPUT = 8   # nodes, at most, that a VectorRecorder records for each input, and as many besides

cdef object value_exp = Value.exp
cdef object value_log = Value.log


# --- sums of products ---

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
    cdef int32_t top, edge_top, w, x, k
    cdef uint8_t flags = 0
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
    for k in range(x, x + <int32_t> width):
        flags |= tape.nodes[k].flags
    if flags & ODD:
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
    inputs = <Input *> malloc(2 * (width + count) * sizeof(Input))
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


# --- what is made of all of a list ---

def softmax(xs, /):
    """e^x / sum of all e^x, for each x; computed so that no exp can overflow. A list as long as xs.

    With the graph of

        highest = max(x.data for x in xs)
        exps = [(x - highest).exp() for x in xs]
        total = sum(exps)
        [e / total for e in exps]

    >>> from micrograd_c.engine import Value
    >>> [p.data for p in softmax([Value(1000.0), Value(1000.0)])]
    [0.5, 0.5]

    Raises ValueError if there are no xs.
    """
    cdef list values = some(xs, "softmax")
    outputs = record_vector(values, len(values), 0, record_softmax)
    return plain_lines.softmax(plain_lines.as_values(values)) if outputs is None else outputs


def log_softmax(xs, /):
    """log(softmax(xs)), for each x; computed so that no exp can overflow and no log is of 0. A list as long as xs.

    With the graph of

        shifted = [x - max(x.data for x in xs) for x in xs]
        exps = [x.exp() for x in shifted]
        total = sum(exps).log()
        [x - total for x in shifted]

    >>> from micrograd_c.engine import Value
    >>> [p.data for p in log_softmax([Value(0.0), Value(-2000.0)])]
    [0.0, -2000.0]

    Raises ValueError if there are no xs.
    """
    cdef list values = some(xs, "log_softmax")
    outputs = record_vector(values, len(values), 0, record_log_softmax)
    return plain_lines.log_softmax(plain_lines.as_values(values)) if outputs is None else outputs


def logsumexp(xs, /):
    """The logarithm of the sum of all e^x, computed so that no exp can overflow. One Value.

    With the graph of `sum((x - highest).exp() for x in xs).log() + highest`, highest as in softmax, but the nearest
    float that is finite. The log of 0, where all xs are -inf, is -inf here.

    >>> from micrograd_c.engine import Value
    >>> logsumexp([Value(1000.0), Value(1000.0)])
    Value(data=1000.6931471805599, grad=0)

    Raises ValueError if there are no xs.
    """
    cdef list values = some(xs, "logsumexp")
    outputs = record_vector(values, 1, 0, record_logsumexp)
    return plain_lines.logsumexp(plain_lines.as_values(values), log_of_zero) if outputs is None else outputs[0]


def mean(xs, /):
    """`sum(xs) / len(xs)`, with the graph of that.

    >>> from micrograd_c.engine import Value
    >>> mean([Value(1.0), Value(2), Value(6)])
    Value(data=3.0, grad=0)

    Raises ValueError if there are no xs.
    """
    cdef list values = some(xs, "mean")
    outputs = record_vector(values, 1, 0, record_mean) if type(values[0]) is Value else None
    return plain_lines.mean(values) if outputs is None else outputs[0]


def cross_entropy(logits, target):
    """-log(softmax(logits)[target]), computed so that nothing overflows and no log is of 0. One Value.

    With the graph of

        highest = max(x.data for x in logits)
        sum((x - highest).exp() for x in logits).log() - (logits[target] - highest)

    >>> from micrograd_c.engine import Value
    >>> cross_entropy([Value(0.0), Value(-2000.0)], target=1)
    Value(data=2000.0, grad=0)

    Raises IndexError if target is not one of 0 ... len(logits) - 1, and ValueError if there are no logits.
    """
    cdef list values = some(logits, "cross_entropy")
    cdef Py_ssize_t place
    try:
        place = operator.index(target)
    except TypeError:
        raise TypeError(f"target must be the index of a logit, not {describe(target)}") from None
    if not 0 <= place < len(values):
        raise IndexError(f"target {place} is not one of the {len(values)} logits: it must be 0 ... {len(values) - 1}")
    outputs = record_vector(values, 1, place, record_cross_entropy)
    return plain_lines.cross_entropy(plain_lines.as_values(values), place) if outputs is None else outputs[0]


cdef list some(object xs, str function):
    cdef list values = as_inputs(xs, "the argument of " + function)
    if not values:
        raise ValueError(f"{function} was given an empty list; it wants one Value at least")
    return values


cdef bint arithmetic_is_ours() except -1:
    return (
        operators_are_ours() and compositions_are_ours() and tape.traced == NO_TRACE
        and getattr(Value, "exp", None) is value_exp and getattr(Value, "log", None) is value_log
    )


cdef list record_vector(list xs, Py_ssize_t count, Py_ssize_t target, VectorRecorder recorder):
    """So many outputs, recorded from xs; None if Python code might have a say."""
    cdef Py_ssize_t width = len(xs)
    cdef bint plain = True
    cdef list outputs
    cdef Input *inputs
    cdef int32_t top
    if not arithmetic_is_ours():
        return None
    # first: making Values may run Python's collector, and so code that changes the list
    outputs = [new_value() for _ in range(count)]
    if len(xs) != width:
        return None
    inputs = <Input *> malloc((width + count) * sizeof(Input))
    if inputs == NULL:
        raise MemoryError(f"no memory for {width} inputs")
    try:
        if not read_inputs(<PyObject *> xs, width, inputs, &plain):
            return None
        reserve(&tape, PER_INPUT * (width + 1))
        # from here to bind no Python code runs, so borrowed pointers and indexes stay good
        top = tape.top
        find_inputs(&tape, inputs, width)
        record_leaves(&tape, inputs, width)
        recorder(&tape, inputs, width, target, inputs + width)
        bind_outputs(&tape, top, tape.edge_top, <PyObject *> outputs, inputs + width)
    finally:
        free(inputs)
    if not plain:
        hold_operands(outputs, xs)
    return outputs


cdef int record_softmax(Tape *t, Input *xs, Py_ssize_t width, Py_ssize_t target, Input *ends) except -1:
    cdef int32_t total
    cdef Py_ssize_t i
    total = record_exps(t, xs, width, highest_input(xs, width), ends)
    for i in range(width):
        ends[i] = node_as_input(t, operators.divide(t, ends[i].index, total))
    return 0


cdef int record_log_softmax(Tape *t, Input *xs, Py_ssize_t width, Py_ssize_t target, Input *ends) except -1:
    cdef Number highest = highest_input(xs, width)
    cdef int32_t total
    cdef Py_ssize_t i
    for i in range(width):
        ends[i] = node_as_input(t, operators.subtract_number(t, xs[i].index, highest))
    for i in range(width):
        xs[i] = node_as_input(t, operators.unary(t, ends[i].index, rules.EXP))
    total = operators.unary(t, record_total(t, xs, width), rules.LOG)
    for i in range(width):
        ends[i] = node_as_input(t, operators.subtract(t, ends[i].index, total))
    return 0


cdef int record_logsumexp(Tape *t, Input *xs, Py_ssize_t width, Py_ssize_t target, Input *ends) except -1:
    cdef Number highest = nearest_finite(highest_input(xs, width))
    cdef int32_t total = record_exps(t, xs, width, highest, xs)
    total = record_log_of_zero(t, total) if t.nodes[total].data == 0.0 else operators.unary(t, total, rules.LOG)
    ends[0] = node_as_input(t, operators.add_number(t, total, highest))
    return 0


cdef int record_cross_entropy(Tape *t, Input *xs, Py_ssize_t width, Py_ssize_t target, Input *ends) except -1:
    cdef Number highest = highest_input(xs, width)
    cdef int32_t chosen = xs[target].index
    cdef int32_t total = operators.unary(t, record_exps(t, xs, width, highest, xs), rules.LOG)
    chosen = operators.subtract_number(t, chosen, highest)
    ends[0] = node_as_input(t, operators.subtract(t, total, chosen))
    return 0


cdef int record_mean(Tape *t, Input *xs, Py_ssize_t width, Py_ssize_t target, Input *ends) except -1:
    ends[0] = node_as_input(t, operators.divide_number(t, record_total(t, xs, width), Number(<double> width, DATA_INT)))
    return 0


cdef inline int32_t record_log_of_zero(Tape *t, int32_t a) noexcept:
    """-inf, which Value.log() refuses to be."""
    return record(t, rules.LOG, a, 0, rules.value(rules.LOG, 0.0), 0)


def log_of_zero(Value zero not None):
    """The same as a Value, for the plain spelling."""
    cdef Value out = new_value()
    reserve(&tape, 1)
    bind(out, record_log_of_zero(&tape, zero.index))
    hold(out, zero)
    return out


cdef int32_t record_exps(Tape *t, Input *xs, Py_ssize_t width, Number highest, Input *exps) except -1:
    """(x - highest).exp() for each x, which may be written over the xs; and their sum, which is returned."""
    cdef int32_t x
    cdef Py_ssize_t i
    for i in range(width):
        x = operators.subtract_number(t, xs[i].index, highest)
        exps[i] = node_as_input(t, operators.unary(t, x, rules.EXP))
    return record_total(t, exps, width)


cdef void record_leaves(Tape *t, Input *xs, Py_ssize_t width) noexcept:
    """Numbers count as Values with that data."""
    cdef Py_ssize_t i
    for i in range(width):
        if not xs[i].index:
            xs[i].index = record_leaf(t, xs[i].number.value, xs[i].number.is_int)


cdef inline int32_t record_total(Tape *t, Input *xs, Py_ssize_t width) except -1:
    """sum(xs): 0 + x is x + 0."""
    cdef int32_t total = operators.add_number(t, xs[0].index, Number(0.0, DATA_INT))
    cdef Py_ssize_t i
    for i in range(1, width):
        total = operators.record_sum(t, total, xs[i].index)
    return total


cdef Number highest_input(Input *xs, Py_ssize_t width) noexcept:
    """max(): the first of the highest, and the first of all if that is not a number."""
    cdef Number highest = xs[0].number
    cdef Py_ssize_t i
    for i in range(1, width):
        if xs[i].number.value > highest.value:
            highest = xs[i].number
    return highest


cdef inline Number nearest_finite(Number number) noexcept:
    """Infinite minus infinite is no number; minus the largest float it is infinite as before."""
    if isinf(number.value):
        number.value = copysign(DBL_MAX, number.value)
    return number
