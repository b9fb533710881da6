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

from micrograd_c._core.bulk.products cimport PyList_GET_ITEM, consecutive_weights
from micrograd_c._core.tape.arena cimport DATA_INT, GRAD_FLOAT, tape
from micrograd_c._core.tape.changes cimport note_change
from micrograd_c._core.tape.missing_gradients cimport drop_grad, has_no_grad
from micrograd_c._core.value.lifetime cimport check_initialised, describe
from micrograd_c._core.value.observers cimport announce_assignments
from micrograd_c._core.value.value cimport Value, properties_are_ours


def zero_grad(list parameters not None, bint set_to_none=False):
    """Set all gradients to the int 0, as a new Value has it, or to None."""
    cdef int32_t first = check_parameters(parameters)
    cdef int32_t index
    cdef Py_ssize_t i
    for i in range(len(parameters)):
        index = index_of(parameters, i, first)
        if set_to_none:
            drop_grad(&tape, index)
        else:
            tape.grad[index] = 0.0
            tape.flags[index] &= ~GRAD_FLOAT


def any_without_grad(list parameters not None):
    """Whether one of them has None, and so will be left alone."""
    cdef int32_t first
    cdef Py_ssize_t i
    if not tape.minus_zeros:        # none ever had
        return False
    first = check_parameters(parameters)
    for i in range(len(parameters)):
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
    check_parameters(parameters)
    if buffer is not None:
        b = checked(buffer, parameters)
    if updates is not None:
        counts = checked(updates, parameters)
    announce_assignments(parameters)
    node_of_first = check_parameters(parameters)        # again: nodes may have new numbers
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
    check_parameters(parameters)
    m = checked(mean, parameters)
    v = checked(square, parameters)
    if updates is not None:
        counts = checked(updates, parameters)
    if largest is not None:
        most = checked(largest, parameters)
    announce_assignments(parameters)
    first = check_parameters(parameters)        # again: nodes may have new numbers
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


cdef inline double between(double start, double end, double part) noexcept:
    """torch.lerp, which counts from the nearer end."""
    return start + part * (end - start) if part < 0.5 else end - (end - start) * (1.0 - part)


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


cdef double *checked(array.array numbers, list parameters) except NULL:
    if numbers.typecode != "d" or len(numbers) != len(parameters):
        raise ValueError(f"this optimizer's state is for {len(numbers)} parameters, and there are {len(parameters)}")
    return numbers.data.as_doubles
