"""The C face of recorded_rules.pyx."""

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.transforms.recorder cimport NOTHING, Rule

cdef Rule of_first[rules.OP_COUNT]      # of functions: the slope; of ops of two: the first operand's share
cdef Rule of_second[rules.OP_COUNT]


cdef inline bint has_first(int op) noexcept:
    """Whether a gradient goes to its only or first operand."""
    return of_first[op].result != NOTHING


cdef inline bint has_second(int op) noexcept:
    return of_second[op].result != NOTHING
