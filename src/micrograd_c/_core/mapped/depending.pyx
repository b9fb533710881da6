"""What depends on what, in a graph.

Knows the tape. Knows nothing of why somebody asks.
"""

from libc.stdint cimport uint8_t
from libc.stdlib cimport free

from micrograd_c._core.value.lifetime cimport check_initialised
from micrograd_c._core.value.operands cimport mark_reachable
from micrograd_c._core.value.value cimport Value

__all__ = ["depends_on"]


def depends_on(Value root not None, list values not None):
    """Whether the root was computed from any of these Values, or is one.

    Wants all dots expanded, as they are while a function is traced.
    """
    cdef Value value
    cdef uint8_t *reached
    cdef bint found = False
    check_initialised(root)
    for value in values:
        check_initialised(value)
    reached = mark_reachable(root.index)
    for value in values:
        found |= value.index <= root.index and reached[value.index]
    free(reached)
    return found
