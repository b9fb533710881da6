"""The `_backward` of a Value whose node has no function of a user's."""

cimport cython
from libc.stdint cimport int32_t

from micrograd_c._core.tape.arena cimport DATA_INT, GRAD_FLOAT, expand_dots, tape
from micrograd_c._core.tape.sweeping cimport local_step, sweep_of_steps
from micrograd_c._core.value.lifetime cimport check_initialised
from micrograd_c._core.value.reading cimport note_read
from micrograd_c._core.value.value cimport Value


@cython.trashcan(True)
cdef class LocalStep:
    """The `_backward` of a node that has no function of its own."""

    def __cinit__(self, Value value not None, *more):
        self.value = value

    def __copy__(self):
        return self     # as functions are copied

    def __deepcopy__(self, memo, /):
        return self

    def __reduce__(self):
        raise TypeError("cannot pickle the _backward of a Value: pickle the Value, if it is a leaf")

    def __call__(self):
        check_initialised(self.value)
        note_read(self.value, "its _backward() is called")
        expand_dots(&tape)
        local_step(&tape, self.value.index, sweep_of_steps())


@cython.trashcan(True)
cdef class FormerStep(LocalStep):
    """The `_backward` of a Value whose `_prev` was assigned: the step of the node that it had before."""

    def __cinit__(self, Value value not None, Value former not None):
        self.former = former

    def __call__(self):
        cdef int32_t index, former
        check_initialised(self.value)
        note_read(self.value, "its _backward() is called")
        expand_dots(&tape)
        index, former = self.value.index, self.former.index
        tape.data[former], tape.grad[former] = tape.data[index], tape.grad[index]
        tape.flags[former] = (
            tape.flags[former] & ~(DATA_INT | GRAD_FLOAT) | tape.flags[index] & (DATA_INT | GRAD_FLOAT))
        local_step(&tape, former, sweep_of_steps())
