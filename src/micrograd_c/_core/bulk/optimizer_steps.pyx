"""The update rules of optimizers, and zero_grad, as loops over nodes.

Knows Value and the tape. Options, their defaults and their names are the business of optim.py.

Design
------
Nothing is owned. The caller brings a list of Values and, as arrays of doubles of the same length, what a rule remembers
about each of them. A first pass checks all; only the second changes anything, and runs no Python code. The order of
operations is that of PyTorch's single-tensor functions, from which the rules are taken.
"""

from cpython cimport array
from cpython.ref cimport PyObject
from libc.stdint cimport int32_t
from libc.math cimport sqrt
from libc.string cimport memset

from micrograd_c._core.bulk.products cimport PyList_GET_ITEM, consecutive_weights
from micrograd_c._core.tape.arena cimport DATA_INT, GRAD_FLOAT, tape
from micrograd_c._core.tape.changes cimport has_dots, note_change
from micrograd_c._core.tape.missing_gradients cimport drop_grad, has_no_grad
from micrograd_c._core.tape.rows cimport add_multiples, clear_bits
from micrograd_c._core.value.lifetime cimport check_initialised, describe
from micrograd_c._core.value.observers cimport announce_assignments, before_assignment
from micrograd_c._core.value.value cimport Value, properties_are_ours


def zero_grad(list parameters not None, bint set_to_none=False):
    """Set all gradients to the int 0, as a new Value has it, or to None."""
    cdef int32_t first = check_parameters(parameters)
    cdef int32_t index
    cdef Py_ssize_t i
    if first and not set_to_none:
        memset(tape.grad + first, 0, len(parameters) * sizeof(double))
        clear_bits(tape.flags + first, GRAD_FLOAT, len(parameters))
        return
    for i in range(len(parameters)):
        index = index_of(parameters, i, first)
        if set_to_none:
            drop_grad(&tape, index)
        else:
            tape.grad[index] = 0.0
            tape.flags[index] &= ~GRAD_FLOAT


def any_without_grad(list parameters not None):
    """Whether one of them has None, and so will be left alone."""
    if not tape.minus_zeros:        # none ever had
        return False
    return lacks_grad(parameters, check_parameters(parameters))


cdef bint lacks_grad(list parameters, int32_t first) noexcept:
    """The same, where they have been checked."""
    cdef Py_ssize_t i
    for i in range(len(parameters) if tape.minus_zeros else 0):     # else none ever had
        if has_no_grad(&tape, index_of(parameters, i, first)):
            return True
    return False


def zero_plain(parameters, set_to_none=False):
    """zero_grad for a list of nothing but Values. False, and nothing done, if Python code might have a say."""
    if type(parameters) is not list or not properties_are_ours():
        return False
    for p in <list> parameters:
        if type(p) is not Value or not (<Value> p).index:
            return False
    zero_grad(parameters, set_to_none)
    return True


def sgd(
    list parameters not None, array.array buffer, double lr, double momentum, double dampening, double weight_decay,
    bint nesterov, bint maximize, bint first, array.array updates,
):
    """Stochastic gradient descent, as torch.optim.SGD. The buffer holds the momenta; None if there is no momentum.

    updates counts those by momentum that each parameter had; None: as many as all others, see `first`.
    b = g at the first step, then momentum * b + (1 - dampening) * g; nesterov: g + momentum * b; else b.
    """
    cdef double gradient
    cdef double *b = NULL
    cdef double *counts = NULL
    cdef Py_ssize_t i
    cdef int32_t index, node_of_first
    if buffer is not None:
        b = checked(buffer, parameters)
    if updates is not None:
        counts = checked(updates, parameters)
    node_of_first = announce(parameters)
    if node_of_first and not lacks_grad(parameters, node_of_first) and b == NULL and weight_decay == 0.0:
        note_row(node_of_first, len(parameters))
        add_multiples(tape.data + node_of_first, tape.grad + node_of_first, lr if maximize else -lr, len(parameters))
        return
    for i in range(len(parameters)):
        index = index_of(parameters, i, node_of_first)
        if has_no_grad(&tape, index):
            continue
        if counts != NULL:
            first = counts[i] == 0.0
            counts[i] += 1.0
        gradient = -tape.grad[index] if maximize else tape.grad[index]
        if weight_decay != 0.0:     # 0 * inf is NaN
            gradient += weight_decay * tape.data[index]
        if b != NULL:
            b[i] = gradient if first else momentum * b[i] + (1.0 - dampening) * gradient
            gradient = gradient + momentum * b[i] if nesterov else b[i]
        set_data(index, tape.data[index] - lr * gradient)


def adam(
    list parameters not None, array.array mean not None, array.array square not None, array.array largest, double lr,
    double beta1, double beta2, double eps, double weight_decay, bint decoupled, bint maximize, long step,
    array.array updates,
):
    """Adam, and with decoupled weight decay AdamW, as in torch.optim; step counts from 1.

    updates counts those that each parameter had, in the place of step - 1, once one was left out; or None.

    mean and square are the running averages of gradients and of their squares; largest, for amsgrad, the largest
    square so far, else None. Kingma and Ba, https://arxiv.org/abs/1412.6980; Loshchilov and Hutter,
    https://arxiv.org/abs/1711.05101; Reddi, Kale and Kumar, https://arxiv.org/abs/1904.09237.
    """
    cdef double gradient, decayed, size
    cdef double step_size = lr / (1.0 - beta1 ** <object> step)
    cdef double correction = (1.0 - beta2 ** <object> step) ** 0.5
    cdef double *counts = NULL
    cdef double *m
    cdef double *v
    cdef double *most = NULL
    cdef Py_ssize_t i
    cdef int32_t index, first
    m = checked(mean, parameters)
    v = checked(square, parameters)
    if updates is not None:
        counts = checked(updates, parameters)
    if largest is not None:
        most = checked(largest, parameters)
    first = announce(parameters)
    if first and not lacks_grad(parameters, first) and counts == NULL and most == NULL:
        note_row(first, len(parameters))
        move_row(
            tape.data + first, tape.grad + first, m, v, len(parameters), 1.0 - lr * weight_decay if decoupled else 1.0,
            0.0 if decoupled else weight_decay, maximize, beta1, beta2, step_size, correction, eps)
        return
    for i in range(len(parameters)):
        index = index_of(parameters, i, first)
        if has_no_grad(&tape, index):
            continue
        if counts != NULL:
            counts[i] += 1.0
            if <long> counts[i] != step:
                step = <long> counts[i]
                step_size = lr / (1.0 - beta1 ** <object> step)
                correction = (1.0 - beta2 ** <object> step) ** 0.5
        gradient = -tape.grad[index] if maximize else tape.grad[index]
        decayed = tape.data[index]
        if decoupled:
            decayed *= 1.0 - lr * weight_decay
        elif weight_decay != 0.0:
            gradient += weight_decay * decayed
        m[i] = between(m[i], gradient, 1.0 - beta1)
        v[i] = v[i] * beta2 + (1.0 - beta2) * gradient * gradient
        size = v[i]
        if most != NULL:
            if size > most[i] or size != size:      # NaN stays
                most[i] = size
            size = most[i]
        set_data(index, decayed - step_size * m[i] / (sqrt(size) / correction + eps))


cdef void move_row(
    double *data, const double *gradients, double *mean, double *square, Py_ssize_t count, double kept, double decay,
    bint maximize, double beta1, double beta2, double step_size, double correction, double eps,
) noexcept nogil:
    """The same for neighbours on the tape, with the same operations: in short rows, so that each loop is vectors."""
    cdef double g[64]
    cdef Py_ssize_t i, n
    while count > 0:
        n = min(count, 64)
        for i in range(n):
            g[i] = -gradients[i] if maximize else gradients[i]
        if decay != 0.0:
            for i in range(n):
                g[i] += decay * data[i]
        for i in range(n):
            mean[i] = between(mean[i], g[i], 1.0 - beta1)
        for i in range(n):
            square[i] = square[i] * beta2 + (1.0 - beta2) * g[i] * g[i]
        for i in range(n):
            g[i] = sqrt(square[i]) / correction + eps
        for i in range(n):
            data[i] = data[i] * kept - step_size * mean[i] / g[i]
        data, gradients, mean, square = data + n, gradients + n, mean + n, square + n
        count -= n


cdef inline double between(double start, double end, double part) noexcept nogil:
    """torch.lerp, which counts from the nearer end."""
    return start + part * (end - start) if part < 0.5 else end - (end - start) * (1.0 - part)


cdef inline void note_row(int32_t first, Py_ssize_t count) noexcept:
    """Data of neighbours will be assigned to right after, as floats."""
    cdef Py_ssize_t i
    for i in range(count if has_dots(&tape) else 0):
        note_change(&tape, first + <int32_t> i)
    clear_bits(tape.flags + first, DATA_INT, count)


cdef inline void set_data(int32_t index, double data) noexcept:
    note_change(&tape, index)
    tape.data[index] = data
    tape.flags[index] &= ~DATA_INT


cdef inline int32_t index_of(list parameters, Py_ssize_t i, int32_t first) noexcept:
    """A parameter's node, if `first` is what check_parameters returned."""
    return first + <int32_t> i if first else (<Value> PyList_GET_ITEM(<PyObject *> parameters, i)).index


cpdef int check_parameters(list parameters) except -1:
    """Raise TypeError unless all are Values. Returns the first one's node if the others' follow it, else 0."""
    cdef int32_t first = 0
    if parameters:
        first = consecutive_weights(&tape, <PyObject *> parameters, len(parameters))
    if first:
        return first
    for p in parameters:
        if type(p) is Value and (<Value> p).index:      # nearly always
            continue
        if not isinstance(p, Value):
            raise TypeError(f"an optimizer changes Values, not {describe(p)}")
        check_initialised(<Value> p)
    return 0


cdef int32_t announce(list parameters) except -1:
    """Announce that data of all will be assigned to. Returns what check_parameters does after that."""
    cdef int32_t first = check_parameters(parameters)
    announce_assignments(parameters)
    if first and before_assignment == NULL:     # nodes may have new numbers; neighbours stay neighbours
        return (<Value> parameters[0]).index
    return check_parameters(parameters)


cdef double *checked(array.array numbers, list parameters) except NULL:
    if numbers.typecode != "d" or len(numbers) != len(parameters):
        raise ValueError(f"this optimizer's state is for {len(numbers)} parameters, and there are {len(parameters)}")
    return numbers.data.as_doubles
