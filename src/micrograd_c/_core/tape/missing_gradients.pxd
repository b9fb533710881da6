"""Gradients that are None, as zero_grad(set_to_none=True) leaves them. Part of tape/arena.pyx, see its design."""

from libc.math cimport copysign
from libc.stdint cimport int32_t

from micrograd_c._core.tape.arena cimport GRAD_FLOAT, Tape


cdef inline bint is_minus_zero(double number) noexcept nogil:
    return number == 0.0 and copysign(1.0, number) < 0.0


cdef inline bint has_no_grad(const Tape *t, int32_t index) noexcept nogil:
    """Its gradient is None until a backward pass reaches it.

    That is -0.0 where Python would hold an int, which no int is: what is added first, be it 0.0, is then the sum.
    """
    return not t.flags[index] & GRAD_FLOAT and is_minus_zero(t.grad[index])


cdef inline void drop_grad(Tape *t, int32_t index) noexcept nogil:
    t.grad[index] = -0.0
    t.flags[index] &= ~GRAD_FLOAT
    t.minus_zeros = 1       # so no sweep leaves out what adds 0.0


cdef inline void give_grad(Tape *t, int32_t index) noexcept nogil:
    """Before a function of a user's adds to it."""
    if has_no_grad(t, index):
        t.grad[index] = 0.0
