"""NATIVE nodes, which have a rule of their own: see Native in arena.pxd."""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport PUSHED, Edge, Native, Pushed, Tape, record


cdef inline int32_t record_native(Tape *t, Native *native, int32_t count, double data) noexcept:
    """Record one over so many edges, which the caller has written from the tape's first free one on. Needs room.

    The term of the first edge becomes the rule. Under no_grad the node is a leaf, and has no edges.
    """
    cdef int32_t index = record(t, rules.NATIVE, t.edge_top, count, data, 0)
    if t.op[index] == rules.NATIVE:
        memcpy(&t.edges[t.edge_top].term, &native, sizeof(native))
        t.edge_top += count
    return index


cdef inline Pushed push_nothing(
    Native *native, double *grads, const Edge *edges, int32_t count, double grad, int64_t sweep
) noexcept nogil:
    """The rule of what is only in traces, where there are no sweeps."""
    return PUSHED
