"""Softmax and the like: what is made of all of a list of Values, recorded in one call without a Value per step.

Knows Value, the tape and the operators as nodes. Knows nothing of nn.

Design
------
Nothing is owned. Each function records exactly the nodes of the plain spelling that its docstring gives, in its order,
so data is the same to the last bit, and so are gradients. Where a user's code could have a say (a subclass of Value, a
replaced operator, exp or log) the plain spelling itself runs, see plain_lines.py.
"""

import operator

from micrograd_c._core.bulk import plain_lines

from cpython.ref cimport PyObject
from libc.float cimport DBL_MAX
from libc.math cimport copysign, isinf
from libc.stdint cimport int32_t
from libc.stdlib cimport free

from micrograd_c._core.bulk.products cimport (
    Input, as_inputs, bind_outputs, find_inputs, hold_operands, node_as_input, read_inputs,
)
cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.ops.memory cimport new_array
from micrograd_c._core.ops.numbers cimport Number
cimport micrograd_c._core.tape.operators as operators
from micrograd_c._core.tape.arena cimport DATA_INT, NO_TRACE, Tape, record, record_leaf, reserve, tape
from micrograd_c._core.value.lifetime cimport describe, hold
from micrograd_c._core.value.value cimport Value, bind, compositions_are_ours, new_value, operators_are_ours

__all__ = ["cross_entropy", "log_softmax", "logsumexp", "mean", "softmax"]

# Records from `width` inputs, all with nodes of their own, and writes the outputs' nodes to `ends`.
ctypedef int (*VectorRecorder)(Tape *t, Input *xs, Py_ssize_t width, Py_ssize_t target, Input *ends) except -1

cdef enum:
    PER_INPUT = 8   # nodes, at most, that a VectorRecorder records for each input, and as many besides

cdef object value_exp = Value.exp
cdef object value_log = Value.log


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
    inputs = <Input *> new_array(<size_t> width + count, sizeof(Input))
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
    total = record_log_of_zero(t, total) if t.data[total] == 0.0 else operators.unary(t, total, rules.LOG)
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
