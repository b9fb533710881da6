"""How a walk over a graph goes through the loops of a trace. Part of transforms/derivatives.pyx."""

from libc.stdint cimport int32_t

from micrograd_c._core.mapped.rolling cimport ends_of
from micrograd_c._core.tape.arena cimport tape
from micrograd_c._core.transforms.derivatives cimport Walk


cdef inline object rules_of_loops():
    """Which are built on derivatives."""
    from micrograd_c._core.transforms import loop_rules
    return loop_rules


cdef inline int loop_backward(Walk walk, int32_t loop) except -1:
    """From the adjoints of what a loop leaves down to those of what it reads."""
    cdef int32_t first = tape.operands[loop].a + 1
    cdef int32_t count = tape.operands[loop].b - 1
    cdef int32_t k, end
    cdef dict adjoints = {}
    for number, end in ends_of(loop).items():
        if walk.has_tangent(end) if end <= walk.high else False:
            adjoints[number] = walk.value_of(walk.terms[end - walk.low])
    if adjoints:
        wanted = {k for k in range(count) if walk.is_on_the_way(tape.edges[first + k].a)}
        for place, share in rules_of_loops().pulled(loop, adjoints, wanted).items():
            if place in wanted:
                walk.give(tape.edges[first + <int32_t> place].a, walk.term_of(share))
    return 0


cdef inline int loop_upward(Walk walk, int32_t loop) except -1:
    """From the tangents of what a loop reads up to those of what it leaves."""
    cdef int32_t first = tape.operands[loop].a + 1
    cdef int32_t count = tape.operands[loop].b - 1
    cdef int32_t k
    cdef dict ends = ends_of(loop)
    cdef dict tangents = {}
    for k in range(count):
        if walk.has_tangent(tape.edges[first + k].a):
            tangents[k] = walk.value_of(walk.terms[tape.edges[first + k].a - walk.low])
    if tangents:
        wanted = {number for number, k in ends.items() if k <= walk.high and walk.is_on_the_way(k)}
        for number, share in rules_of_loops().pushed(loop, tangents, wanted).items():
            walk.give(ends[number], walk.term_of(share))
    return 0
