"""Where a Program's parameters are on the tape: spans of nodes that follow one another. Part of mapped/executor.pyx.

To find them, all handles must be looked at. So the Program keeps what was found until something on the tape has moved.
"""

from cpython.mem cimport PyMem_Realloc
from cpython.ref cimport PyObject
from libc.stdint cimport int32_t

from micrograd_c._core.bulk.products cimport consecutive_from
from micrograd_c._core.mapped.program cimport Program
from micrograd_c._core.tape.arena cimport Span, tape
from micrograd_c._core.value.value cimport Value


cdef inline int find_spans(Program program) except -1:
    cdef list values = program.values
    cdef int32_t k = 0
    if program.moves == tape.moves:
        return 0
    program.span_count = 0
    while k < len(values):
        if program.span_count == program.span_room:
            widen(program)
        program.spans[program.span_count] = span_from(values, k)
        k += length(program.spans[program.span_count])
        program.span_count += 1
    program.moves = tape.moves
    return 0


cdef inline int widen(Program program) except -1:
    cdef int32_t room = 2 * program.span_room + 1
    cdef void *spans = PyMem_Realloc(program.spans, room * sizeof(Span))
    if spans == NULL:
        raise MemoryError("no memory for where parameters are")
    program.spans, program.span_room = <Span *> spans, room
    return 0


cdef inline Span span_from(list values, int32_t k) noexcept:
    """Of the k-th Value and those after it whose nodes follow."""
    cdef int32_t first = (<Value> values[k]).index
    return Span(first, first + consecutive_from(&tape, <PyObject *> values, k))


cdef inline int32_t length(Span span) noexcept nogil:
    return span.end - span.first
