"""What of a trace an Analysis has to read, and how much room it takes. Part of mapped/analysis.pyx, see its design."""

from libc.stdint cimport int32_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport Operands, Span, Spans, spans_of, tape


cdef inline int need_all(list indexes, const int32_t *computed, int32_t *needed) except -1:
    for index in indexes:
        need(computed[<int32_t> index], needed)
    return 0


cdef inline void need(int32_t index, int32_t *needed) noexcept:
    """Leaves that stand for arguments are told apart."""
    if not needed[index]:
        needed[index] = 1


cdef inline void need_span(Span span, const int32_t *computed, int32_t *needed) noexcept:
    cdef int32_t i
    for i in range(span.first, span.end):
        need(computed[i], needed)


cdef inline void need_operands(int32_t index, const int32_t *computed, int32_t *needed) noexcept:
    cdef Operands operands = tape.operands[index]
    cdef Spans spans
    cdef int32_t j
    if rules.has_edges(tape.op[index]):
        for j in range(operands.a, operands.a + operands.b):
            spans = spans_of(&tape, index, j)
            need_span(spans.a, computed, needed)
            need_span(spans.b, computed, needed)
    else:
        need(computed[operands.a], needed)
        need(computed[operands.b], needed)


cdef inline int32_t table_size(int32_t nodes) noexcept:
    """A power of 2, with room for as many nodes again."""
    cdef int32_t size = 16
    while size < 2 * nodes:
        size *= 2
    return size


cdef inline int32_t size_as_read(int32_t index) noexcept:
    """How many nodes of the Analysis a node of the trace becomes."""
    return size_with_edges(tape.operands[index].b) if tape.op[index] == rules.LOCAL else 1


cdef inline int32_t size_with_edges(int32_t count) noexcept:
    """Per operand a local gradient, a product and, but for the first, a sum; then the number, and GIVEN."""
    return 3 * count + 1
