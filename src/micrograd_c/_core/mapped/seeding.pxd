"""Seeds: how gradients get to a run from what was computed from its numbers. Inline functions, compiled into those.

A run's seeds lie as its numbers do, output by output, and belong to one sweep: see passes.pyx.
"""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memset

from micrograd_c._core.mapped.passes cimport RunState, find_seeds, put_aside


cdef struct Part:           # some of a run's numbers, which follow one another
    RunState *run
    int64_t first, count
    int32_t output, outputs     # that they are of


cdef inline bint open_seeds(RunState *s, int64_t sweep) noexcept nogil:
    """Have the run's seeds be those of this sweep. False if there is no memory to put others aside."""
    if not find_seeds(s, sweep):
        if not put_aside(s):
            return False
        memset(s.seeds, 0, s.outputs * s.rows * sizeof(double))
        memset(s.asked, 0, s.outputs)
        s.asked_count = 0
        s.seeded = sweep
    return True


cdef inline void ask(RunState *s, int32_t output) noexcept nogil:
    """An output takes part in the sweep of the seeds, if gradients can come from it."""
    if not s.asked[output] and s.output_adjoints[output] >= 0:
        s.asked[output] = 1
        s.asked_count += 1


cdef inline double *seeds_of(const Part *part) noexcept nogil:
    """Those of these numbers, whose outputs take part from here on."""
    cdef int32_t k
    for k in range(part.output, part.output + part.outputs):
        ask(part.run, k)
    return part.run.seeds + part.first
