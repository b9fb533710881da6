"""What an adopted class does a little otherwise than micrograd.

How gradients begin, whose data slopes are made of, and what relu gives for 0.

Knows Value and the tape. Knows nothing of whose habits they are, or how they were found.

Design
------
A process adopts one class, so habits are the process's: flags of new nodes, which `record` looks at where it looks for
no_grad blocks, and so at no cost for who has none; and other functions for `backward` and `relu`, which are assigned to
the class Value in the place of its own.
"""

cimport cython

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.adopted.old_data cimport sweep_by_old_data
from micrograd_c._core.adopted.old_data import keep_old_data
from micrograd_c._core.tape.arena cimport DATA_INT, GRAD_FLOAT, HABITS, tape
from micrograd_c._core.value.lifetime cimport check_initialised
from micrograd_c._core.value.local_gradients cimport local_grads_kept
from micrograd_c._core.value.operands cimport sweep_from
from micrograd_c._core.value.recording cimport by_rule
from micrograd_c._core.value.reading cimport note_read
from micrograd_c._core.value.value cimport Value

__all__ = ["backward", "local_grads", "relu", "set_backward", "set_float_slopes", "set_new_nodes", "set_relu"]

cdef enum Zero:         # what relu gives
    AS_IT_IS = 0        # what Value.relu does
    INT = 1             # the int 0
    FLOAT = 2           # 0.0

ZEROS = {"as it is": AS_IT_IS, "int": INT, "float": FLOAT}

SEEDS = {"int": (False, False), "float": (True, False), "shown": (True, True)}

cdef bint begins_with_float = False
cdef bint shows_int = False
cdef bint goes_by_old_data = False
cdef Zero below = AS_IT_IS      # for x < 0
cdef Zero at_zero = AS_IT_IS    # for x == 0
cdef Zero at_nan = AS_IT_IS


def set_new_nodes(bint grad_is_float, bint data_is_float):
    """Whether the gradient of a new node is 0.0 and not 0, and whether its data is a float where Python has an int."""
    tape.fresh = GRAD_FLOAT if grad_is_float else 0
    tape.cleared = DATA_INT if data_is_float else 0
    tape.paused = tape.paused & ~HABITS | (HABITS if grad_is_float or data_is_float else 0)


def set_float_slopes(bint on):
    """Whether a gradient that has gone through relu is a float whatever it was, as by float(x > 0) * grad."""
    tape.float_slopes = on


def set_relu(str negative not None, str zero not None, str nan not None):
    """What `relu` below gives for numbers below 0, for 0 and for nan: 'as it is', 'int' or 'float'."""
    global below, at_zero, at_nan
    below, at_zero, at_nan = ZEROS[negative], ZEROS[zero], ZEROS[nan]


@cython.binding(True)
def relu(Value self not None):
    """max(0, x), with the int or float 0 that the adopted class has there."""
    cdef Value out = by_rule(self, rules.RELU)
    cdef Zero zero
    cdef double x = tape.data[self.index]
    if x > 0.0 or self.index >= tape.traced:
        return out
    zero = below if x < 0.0 else at_zero if x == 0.0 else at_nan
    if zero != AS_IT_IS:
        tape.data[out.index] = 0.0
        tape.flags[out.index] = tape.flags[out.index] & ~DATA_INT | (DATA_INT if zero == INT else 0)
    return out


def set_backward(str seed not None, bint by_old_data):
    """How `backward` below begins: 'int', with 1; 'float', with 1.0; 'shown', with 1, but all else are floats.

    by_old_data: slopes are made of data as it was when a node was computed.
    """
    global begins_with_float, shows_int, goes_by_old_data
    begins_with_float, shows_int, goes_by_old_data = SEEDS[seed][0], SEEDS[seed][1], by_old_data
    keep_old_data(by_old_data)


@cython.binding(True)
def backward(Value self not None):
    """Add to the `grad` of each node that this Value was computed from its derivative with respect to that node."""
    check_initialised(self)
    note_read(self, "its backward() is called")
    tape.grad[self.index] = 1.0
    tape.flags[self.index] &= ~GRAD_FLOAT
    if begins_with_float:
        tape.flags[self.index] |= GRAD_FLOAT
    try:
        if goes_by_old_data:
            sweep_by_old_data(self)
        else:
            sweep_from(self)
    finally:
        if shows_int and tape.grad[self.index] == 1.0:
            tape.flags[self.index] &= ~GRAD_FLOAT


@cython.binding(True)
def local_grads(Value self not None):
    """The derivatives with respect to the operands, from data as it was when this Value was computed."""
    return local_grads_kept(self)
