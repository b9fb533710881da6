"""What depends on what, in a graph.

Knows the tape. Knows nothing of why somebody asks.
"""

from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport calloc, free

from micrograd_c._core.value.lifetime cimport check_initialised
from micrograd_c._core.value.operands cimport mark_operands
from micrograd_c._core.value.value cimport Value

__all__ = ["depends_on"]


def depends_on(Value root not None, list values not None):
    """Whether the root was computed from any of these Values, or is one.

    Wants all dots expanded, as they are while a function is traced.
    """
    cdef Value value
    cdef uint8_t *marked
    cdef bint found = False
    cdef int32_t lowest = root.index
    cdef int32_t i
    check_initialised(root)
    for value in values:
        check_initialised(value)
        lowest = min(lowest, value.index)
    marked = <uint8_t *> calloc(root.index + 1, 1)
    if marked == NULL:
        raise MemoryError("no memory to walk over a graph")
    marked[root.index] = 1
    for i in range(root.index, lowest, -1):
        if marked[i]:
            mark_operands(i, marked)
    for value in values:
        found |= value.index <= root.index and marked[value.index]
    free(marked)
    return found
