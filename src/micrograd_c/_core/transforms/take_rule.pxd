"""The derivative of take, recorded: what of an adjoint, or of a table's tangents, goes by the index.

In a trace nobody knows the index. So each entry's share is written with ops that compare it, as many as the table has
entries; take itself, and its gradient in a backward pass, look only at the one.
"""

from libc.stdint cimport int32_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport tape
from micrograd_c._core.transforms.recorder cimport NOTHING, Recorder, Term, add, apply_two, number_term


cdef inline int take_share(Recorder *r, int32_t node, int32_t edge, Term g, Term *out) except -1:
    """g where the index is that of the entry which this edge of a take's node names, counted from either end."""
    cdef int32_t first = tape.operands[node].a
    cdef int32_t count = tape.operands[node].b - 1
    cdef Term index = Term(tape.edges[first].a, 0.0)
    cdef Term total = Term(NOTHING, 0.0)
    cdef Term here
    cdef int32_t place
    for place in (edge - first - 1, edge - first - 1 - count):
        apply_two(r, rules.EQUAL, index, number_term(place), &here)
        apply_two(r, rules.PICK, here, g, &here)
        add(r, total, here, &total)
    out[0] = total
    return 0
