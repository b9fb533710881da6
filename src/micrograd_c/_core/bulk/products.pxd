"""Sums of products recorded in one go, with no handle per product: what layers and vectors are made of.

Knows Value and the tape. The caller has reserved room, and runs no Python code before the new nodes have handles.
"""

from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_Check
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_Check
from cpython.ref cimport PyObject
from libc.math cimport isfinite
from libc.stdint cimport int32_t, uint8_t
from libc.string cimport memcmp

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.ops.numbers cimport Number, fits_int, read_exact_number
from micrograd_c._core.tape.arena cimport (
    BIAS, CONSECUTIVE, DATA_INT, FINITE, FIRST, LEAF_NODE, ODD, PRODUCT, Arrays, Edge, Tape, arrays_of, lower_top,
    new_flags, record_leaf, settle, write,
)
from micrograd_c._core.tape.pausing cimport paused_here
from micrograd_c._core.tape.rows cimport bits_of_any
from micrograd_c._core.value.lifetime cimport (
    as_plain_number, describe, held_by, hold_all, is_held_itself, refuse_foreign_value,
)
from micrograd_c._core.value.plain_classes cimport is_plain_class
from micrograd_c._core.value.value cimport Value, bind

cdef extern from "Python.h":
    # as cpython.list has them, but borrowed
    PyObject *PyList_GET_ITEM(PyObject *list, Py_ssize_t i)
    ctypedef struct PyListObject:
        PyObject **ob_item
    Py_ssize_t PyList_GET_SIZE(PyObject *list)
    bint PyObject_CheckBuffer(object one)


cdef enum Form:             # how sums of products are recorded
    CONSECUTIVE_DOTS        # as dots of weights and inputs that are one after the other on the tape
    DOTS                    # as dots
    NODES                   # as all their nodes


cdef struct Input:
    PyObject *value     # borrowed from the list of inputs; NULL for a number
    Number number       # its data
    int32_t index       # its node; 0 for a number, for which every product records a leaf, as in micrograd


cdef inline bint is_value(PyObject *one) noexcept:
    """Whether it is a Value, or of a plain subclass, which has no say."""
    return type(<object> one) is Value or isinstance(<object> one, Value) and is_plain_class(type(<object> one))


cdef inline list as_inputs(object x, str name):
    """x as a list in which every number is a Python float or int."""
    cdef Number number
    cdef list inputs
    if type(x) is list:
        inputs = <list> x
    else:
        inputs = numbers_of_buffer(x) if PyObject_CheckBuffer(x) else None
        if inputs is None:
            try:
                inputs = list(x)
            except TypeError:
                raise TypeError(f"{name} must be a sequence of numbers or Values, not {describe(x)}") from None
    for one in inputs:
        if not isinstance(one, Value) and not read_exact_number(one, &number):
            return [as_operand(one) for one in inputs]
    return inputs


cdef inline list numbers_of_buffer(object x):
    """Those of one axis, without an object of NumPy's per number; None where entries may not be numbers."""
    if hasattr(x, "mask"):
        return None
    try:
        view = memoryview(x)
        return view.tolist() if view.ndim == 1 else None
    except (BufferError, NotImplementedError, TypeError, ValueError):
        return None


cdef inline object as_operand(object one):
    number = as_plain_number(one)       # first: a tensor without axes has a grad and a backward, too
    if number is one:
        refuse_foreign_value(one)
    return number


cdef inline bint read_inputs(PyObject *x, Py_ssize_t width, Input *inputs, bint *plain) noexcept:
    """False if an input is neither exactly a Value nor a number that can be read without running Python code."""
    cdef PyObject *one
    cdef Py_ssize_t i
    cdef int overflow = 0
    for i in range(width):
        one = PyList_GET_ITEM(x, i)
        inputs[i].value = NULL
        if is_value(one):
            if not (<Value> one).index:
                return False
            inputs[i].value = one
            plain[0] &= (<Value> one).plain
        elif PyFloat_Check(<object> one):
            inputs[i].number = Number(PyFloat_AS_DOUBLE(<object> one), 0)
        elif PyLong_Check(<object> one):
            inputs[i].number.value = <double> PyLong_AsLongLongAndOverflow(<object> one, &overflow)
            if overflow:
                return False
            inputs[i].number.is_int = fits_int(inputs[i].number.value)
        else:
            return False
    return True


cdef inline void find_inputs(Tape *t, Input *inputs, Py_ssize_t width) noexcept:
    """Look up the inputs' nodes, which `reserve` may have renumbered."""
    cdef Py_ssize_t i
    for i in range(width):
        inputs[i].index = 0
        if inputs[i].value != NULL:
            inputs[i].index = (<Value> inputs[i].value).index
            inputs[i].number = Number(t.data[inputs[i].index], t.flags[inputs[i].index] & DATA_INT)


cdef inline int32_t record_products(
    Tape *t, PyObject *weights, Input *inputs, Py_ssize_t width, Input start, bint *plain
) noexcept:
    """The last node of `sum((w * x for w, x in zip(weights, inputs)), start)`, or 0 if a weight is not just a Value.

    Needs room for 3 * width + 1 nodes, and a width above 0.
    """
    cdef Arrays at = arrays_of(t)
    cdef int32_t top = t.top
    cdef int32_t total = start.index
    cdef int32_t x
    cdef PyObject *w
    cdef Number running = start.number
    cdef Number product
    cdef Py_ssize_t j
    cdef uint8_t leaf_flags
    if not total:
        total = top
        write(at, total, rules.LEAF, 0, 0, running.value, new_flags(t, running.is_int | LEAF_NODE))
        top += 1
    for j in range(width):
        w = PyList_GET_ITEM(weights, j)
        if not is_value(w) or not (<Value> w).index:
            return 0
        plain[0] &= (<Value> w).plain
        x = inputs[j].index
        if not x:
            x = top
            leaf_flags = new_flags(t, inputs[j].number.is_int | LEAF_NODE)
            write(at, x, rules.LEAF, 0, 0, inputs[j].number.value, leaf_flags)
            top += 1
        product.value = at.data[(<Value> w).index] * inputs[j].number.value
        product.is_int = at.flags[(<Value> w).index] & inputs[j].number.is_int
        if product.is_int:
            product.is_int = settle(&product.value)
        write(at, top, rules.MUL, (<Value> w).index, x, product.value, new_flags(t, product.is_int))
        running.value += product.value
        running.is_int &= product.is_int
        if running.is_int:
            running.is_int = settle(&running.value)
        write(at, top + 1, rules.ADD, total, top, running.value, new_flags(t, running.is_int))
        total = top + 1
        top += 2
    t.top = top
    return total


cdef inline bint have_nodes(Input *inputs, Py_ssize_t width) noexcept:
    cdef Py_ssize_t j
    for j in range(width):
        if not inputs[j].index:
            return False
    return True


cdef inline bint are_numbers(Input *inputs, Py_ssize_t width) noexcept:
    """Whether no input has a node."""
    cdef Py_ssize_t j
    for j in range(width):
        if inputs[j].index:
            return False
    return True


cdef inline void record_numbers(Tape *t, Input *inputs, Py_ssize_t width) noexcept:
    """A leaf for each, which dots with NUMBERS share. There must be room for them."""
    cdef int32_t top = t.top
    cdef uint8_t flags
    cdef Py_ssize_t j
    for j in range(width):
        flags = new_flags(t, inputs[j].number.is_int | LEAF_NODE)
        write(arrays_of(t), top, rules.LEAF, 0, 0, inputs[j].number.value, flags)
        inputs[j].index = top
        top += 1
    t.top = top


cdef inline int32_t consecutive_inputs(Input *inputs, Py_ssize_t width) noexcept:
    """The first input's node if those of the others follow it one by one; else 0."""
    cdef Py_ssize_t j
    for j in range(1, width):
        if inputs[j].index != inputs[0].index + j:
            return 0
    return inputs[0].index


cdef inline int32_t consecutive_weights(Tape *t, PyObject *weights, Py_ssize_t width) noexcept:
    """The same for a list of Values. Compares the handles that the tape knows, without a look at each Value.

    Unless there are subclasses that have been plain: one may have got an operator since.
    """
    cdef PyObject **items = (<PyListObject *> weights).ob_item
    cdef int32_t first
    cdef Py_ssize_t j
    if not is_value(items[0]):
        return 0
    first = (<Value> items[0]).index
    if first + width > t.top or memcmp(items, t.handles + first, width * sizeof(void *)):
        return 0
    for j in range(1, width if t.has_subclasses else 0):
        if not is_value(items[j]):
            return 0
    return first


cdef inline int32_t consecutive_from(Tape *t, PyObject *values, int32_t k) noexcept:
    """How many Values of a list, from the k-th on, have nodes that follow one another, and always will.

    A dot that is replaced by the nodes it stands for has these between it and the one below it.
    """
    cdef PyObject **items = (<PyListObject *> values).ob_item + k
    cdef int32_t first = (<Value> items[0]).index
    cdef int32_t most = <int32_t> min(PyList_GET_SIZE(values) - k, <Py_ssize_t> (t.top - first))
    cdef int32_t count = 1
    if memcmp(items, t.handles + first, most * sizeof(void *)) == 0:
        count = most
    else:
        while count < most and <void *> items[count] == t.handles[first + count]:
            count += 1
    if t.first_dot < first + count:
        for most in range(1, count):
            if t.op[first + most] == rules.DOT:
                return most
    return count


# A dot stands for the nodes of record_products. `state` is NUMBERS if the inputs are those of record_numbers, else 0.
# Each of the next three returns 0 if a weight holds an int: products must be floats.

cdef inline int32_t record_dot(
    Tape *t, PyObject *weights, Input *inputs, Py_ssize_t width, int32_t start, uint8_t state, bint *plain
) noexcept:
    """Also returns 0 if a weight is not just a Value. Needs room for a node and width + PRODUCT edges."""
    cdef Arrays at = arrays_of(t)
    cdef Edge *edge = t.edges + t.edge_top + PRODUCT
    cdef double running = at.data[start]
    cdef int32_t index
    cdef PyObject *w
    cdef Py_ssize_t j
    for j in range(width):
        w = PyList_GET_ITEM(weights, j)
        if not is_value(w):
            return 0
        index = (<Value> w).index
        plain[0] &= (<Value> w).plain
        if not index or at.flags[index] & DATA_INT:
            return 0
        running += at.data[index] * inputs[j].number.value
        edge[j] = Edge(0.0, index, inputs[j].index)
    return write_dot(t, start, edge[0].a, edge[0].b, width, running, state)


cdef inline int32_t record_consecutive_dot(
    Tape *t, int32_t w, int32_t x, Py_ssize_t width, int32_t start, uint8_t state
) noexcept:
    """For nodes one after the other, from w and from x on. Also returns 0 if a weight is not plain.

    Needs room for a node and PRODUCT edges.
    """
    cdef double running = t.data[start]
    cdef const double *weights = t.data + w
    cdef const double *inputs = t.data + x
    cdef Py_ssize_t j
    if bits_of_any(t.flags + w, width) & (DATA_INT | ODD):
        return 0
    for j in range(width):
        running += weights[j] * inputs[j]
    return write_dot(t, start, w, x, width, running, state | CONSECUTIVE)


cdef inline bint record_four_dots(
    Tape *t, const int32_t *w, int32_t x, Py_ssize_t width, uint8_t state, int32_t *dots
) noexcept:
    """record_consecutive_dot for four neurons whose bias is right after their weights; False if it is 0 for any.

    Their sums grow side by side, each in its own order: an addition need not wait for the one before it.
    """
    cdef const double *inputs = t.data + x
    cdef const double *w0 = t.data + w[0]
    cdef const double *w1 = t.data + w[1]
    cdef const double *w2 = t.data + w[2]
    cdef const double *w3 = t.data + w[3]
    cdef double sum0 = w0[width]
    cdef double sum1 = w1[width]
    cdef double sum2 = w2[width]
    cdef double sum3 = w3[width]
    cdef uint8_t flags = 0
    cdef Py_ssize_t j
    for j in range(4):
        flags |= bits_of_any(t.flags + w[j], width)
    if flags & (DATA_INT | ODD):
        return False
    for j in range(width):
        sum0 += w0[j] * inputs[j]
        sum1 += w1[j] * inputs[j]
        sum2 += w2[j] * inputs[j]
        sum3 += w3[j] * inputs[j]
    state |= CONSECUTIVE
    dots[0] = write_dot(t, w[0] + <int32_t> width, w[0], x, width, sum0, state)
    dots[1] = write_dot(t, w[1] + <int32_t> width, w[1], x, width, sum1, state)
    dots[2] = write_dot(t, w[2] + <int32_t> width, w[2], x, width, sum2, state)
    dots[3] = write_dot(t, w[3] + <int32_t> width, w[3], x, width, sum3, state)
    return True


cdef inline int32_t write_dot(
    Tape *t, int32_t start, int32_t w, int32_t x, Py_ssize_t width, double data, uint8_t state
) noexcept:
    """Write the node. Edges of single products, if there are any, have been written already."""
    cdef int32_t index = t.top
    cdef Edge *edge = t.edges + t.edge_top
    cdef int32_t count = PRODUCT if state & CONSECUTIVE else <int32_t> width + PRODUCT
    edge[BIAS] = Edge(<double> width, start, 0)
    edge[FIRST] = Edge(0.0, w, x)
    write(arrays_of(t), index, rules.DOT, t.edge_top, count, data, new_flags(t, 0))
    t.activation[index] = rules.ADD
    t.dot[index] = state | (FINITE if isfinite(data) else 0)
    t.first_dot = min(t.first_dot, index)
    t.edge_top += count
    t.top = index + 1
    return index


cdef inline void bind_outputs(Tape *t, int32_t start, int32_t edge_start, PyObject *outputs, Input *ends) noexcept:
    """Make the outputs the handles of nodes recorded from `start` on; under no_grad only leaves for them remain."""
    cdef Py_ssize_t i
    cdef bint paused = t.paused and paused_here()
    if paused:
        lower_top(t, start, edge_start)
    for i in range(PyList_GET_SIZE(outputs)):
        if paused:
            ends[i].index = record_leaf(t, ends[i].number.value, ends[i].number.is_int)
        bind(<Value> PyList_GET_ITEM(outputs, i), ends[i].index)


cdef inline Input node_as_input(Tape *t, int32_t index) noexcept:
    return Input(NULL, Number(t.data[index], t.flags[index] & DATA_INT), index)


cdef inline int hold_operands(list outputs, list operands) except -1:
    """`hold` for all Values among the operands at once."""
    cdef list held = []
    cdef Value value
    for operand in operands:
        if isinstance(operand, Value):
            value = operand
            if not value.plain:
                held.append(value if is_held_itself(value) else held_by(value))
    together = tuple(held)
    for output in outputs:
        hold_all(output, together)
    return 0
