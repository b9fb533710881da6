"""What an adopted class does a little otherwise than micrograd: whether gradients begin as floats, what relu gives for 0.

Knows Value and the tape. Knows nothing of whose habits they are, or how they were found.

Design
------
A process adopts one class, so habits are the process's: flags of new nodes, which `record` looks at where it looks for
no_grad blocks, and so at no cost for who has none; and other functions for `backward` and `relu`, which are assigned to
the class Value in the place of its own.
"""

cimport cython

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport DATA_INT, GRAD_FLOAT, HABITS, Node, sweep, tape
from micrograd_c._core.value.lifetime cimport check_initialised
from micrograd_c._core.value.operands cimport sweep_with_hooks
from micrograd_c._core.value.recording cimport by_rule
from micrograd_c._core.value.value cimport Value, note_read

__all__ = ["is_older_than_data", "set_float_slopes", "set_new_nodes", "set_relu"]

cdef enum Zero:         # what relu gives
    AS_IT_IS = 0        # what Value.relu does
    INT = 1             # the int 0
    FLOAT = 2           # 0.0

ZEROS = {"as it is": AS_IT_IS, "int": INT, "float": FLOAT}

cdef Zero below = AS_IT_IS      # for x < 0
cdef Zero at_zero = AS_IT_IS    # for x == 0
cdef Zero at_nan = AS_IT_IS


def set_new_nodes(bint grad_is_float, bint data_is_float):
    """Whether the gradient of a new node is 0.0 and not 0, and whether its data is a float where Python has an int."""
    tape.fresh = GRAD_FLOAT if grad_is_float else 0
    tape.kept = <unsigned char> (~DATA_INT if data_is_float else 0xff)
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
    cdef Node *node
    cdef Zero zero
    cdef double x = tape.nodes[self.index].data
    if x > 0.0 or self.index >= tape.traced:
        return out
    zero = below if x < 0.0 else at_zero if x == 0.0 else at_nan
    if zero != AS_IT_IS:
        node = tape.nodes + out.index
        node.data = 0.0
        node.flags = node.flags & ~DATA_INT | (DATA_INT if zero == INT else 0)
    return out


@cython.binding(True)
def backward_from_float(Value self not None):
    """Value.backward, which begins with 1.0 and not with 1."""
    begin(self)
    push(self)


@cython.binding(True)
def backward_of_floats(Value self not None):
    """Value.backward, which begins with 1, but whose slopes are floats."""
    begin(self)
    try:
        push(self)
    finally:
        if tape.nodes[self.index].grad == 1.0:
            tape.nodes[self.index].flags &= ~GRAD_FLOAT


cdef int begin(Value root) except -1:
    check_initialised(root)
    note_read(root, "its backward() is called")
    tape.nodes[root.index].grad = 1.0
    tape.nodes[root.index].flags |= GRAD_FLOAT
    return 0


cdef int push(Value root) except -1:
    if tape.hooks:
        sweep_with_hooks(root)
    else:
        sweep(&tape, root.index)
    return 0


def is_older_than_data(Value root not None):
    """Whether data of any Value was assigned to since this one was computed."""
    check_initialised(root)
    return root.index < tape.unchanged
