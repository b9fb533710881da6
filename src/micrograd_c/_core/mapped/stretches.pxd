"""Uses of uniforms as stretches that are copied and added up at once. Part of mapped/program.pyx.

Layers use parameters in the order of the tape, so a model of many parameters has few stretches. A gradient is begun by
the first stretch that has its uniform, if that is the first for all of its uniforms; others add to it.
"""

from cpython.mem cimport PyMem_Free
from libc.stdint cimport int32_t, uint8_t

from micrograd_c._core.mapped.program cimport Program, Stretch, allocate


cdef inline int find_stretches(Program program) except -1:
    cdef Stretch *last
    cdef int32_t k
    program.stretches = last = <Stretch *> allocate(program.uses, sizeof(Stretch))
    for k in range(program.uses):
        if k and program.used[k] == program.used[k - 1] + 1:
            last.count += 1
        else:
            last = program.stretches + program.stretch_count
            program.stretch_count += 1
            last[0] = Stretch(k, program.used[k], 1, 0)
    find_cleared(program)
    return 0


cdef inline int find_cleared(Program program) except -1:
    cdef uint8_t *begun = <uint8_t *> allocate(program.uniforms, sizeof(uint8_t))       # 1, or 2 by one that is `again`
    cdef Stretch *stretch
    cdef int32_t ranges = 0
    cdef int32_t k, j
    try:
        for k in range(program.stretch_count):
            stretch = program.stretches + k
            for j in range(stretch.uniform, stretch.uniform + stretch.count):
                stretch.again |= begun[j] != 0
            for j in range(stretch.uniform, stretch.uniform + stretch.count):
                begun[j] = begun[j] or (2 if stretch.again else 1)
        for k in range(program.uniforms):
            ranges += begun[k] != 1 and (k == 0 or begun[k - 1] == 1)
        program.cleared = <Stretch *> allocate(ranges, sizeof(Stretch))
        for k in range(program.uniforms):
            if begun[k] != 1:
                if k == 0 or begun[k - 1] == 1:
                    program.cleared[program.cleared_count] = Stretch(0, k, 0, 0)
                    program.cleared_count += 1
                program.cleared[program.cleared_count - 1].count += 1
    finally:
        PyMem_Free(begun)
    return 0
