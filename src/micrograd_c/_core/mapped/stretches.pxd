"""Uses of uniforms as stretches that are copied and added up at once. Part of mapped/program.pyx.

Layers use parameters in the order of the tape, so a model of many parameters has few stretches. A gradient is begun by
the first stretch that has its uniform, if that is the first for all of its uniforms; others add to it. A stretch that
is the only one for all of its uniforms, which are parameters, can be read and added to where these are.
"""

from cpython.mem cimport PyMem_Free
from libc.stdint cimport int32_t, uint8_t

from micrograd_c._core.mapped.program cimport Program, Stretch, allocate


cdef inline int find_stretches(Program program) except -1:
    cdef int32_t parameters = <int32_t> (len(program.values) + len(program.used_given))
    cdef Stretch *last
    cdef int32_t k
    program.stretches = last = <Stretch *> allocate(program.uses, sizeof(Stretch))
    for k in range(program.uses):
        if k and program.used[k] == program.used[k - 1] + 1 and program.used[k] != parameters:
            last.count += 1
        else:
            last = program.stretches + program.stretch_count
            program.stretch_count += 1
            last[0] = Stretch(k, program.used[k], 1, 0, 0)
    find_cleared(program)
    find_others(program, parameters)
    return 0


cdef inline int find_cleared(Program program) except -1:
    cdef uint8_t *begun = <uint8_t *> allocate(program.uniforms, sizeof(uint8_t))       # 1, or 2 by one that is `again`
    cdef Stretch *stretch
    cdef int32_t k, j
    try:
        for k in range(program.stretch_count):
            stretch = program.stretches + k
            for j in range(stretch.uniform, stretch.uniform + stretch.count):
                stretch.again |= begun[j] != 0
            for j in range(stretch.uniform, stretch.uniform + stretch.count):
                begun[j] = begun[j] or (2 if stretch.again else 1)
        program.cleared = ranges_without(1, begun, program.uniforms, &program.cleared_count)
    finally:
        PyMem_Free(begun)
    return 0


cdef inline int find_others(Program program, int32_t parameters) except -1:
    cdef uint8_t *times = <uint8_t *> allocate(program.uniforms, sizeof(uint8_t))       # 2: several; 3: it is alone
    cdef Stretch *stretch
    cdef int32_t k, j
    try:
        for k in range(program.uses):
            times[program.used[k]] = min(2, times[program.used[k]] + 1)
        for k in range(program.stretch_count):
            stretch = program.stretches + k
            stretch.alone = stretch.uniform + stretch.count <= parameters
            for j in range(stretch.uniform, stretch.uniform + stretch.count):
                stretch.alone &= times[j] == 1
            for j in range(stretch.uniform, stretch.uniform + stretch.count if stretch.alone else stretch.uniform):
                times[j] = 3
        program.others = ranges_without(3, times, parameters, &program.other_count)
    finally:
        PyMem_Free(times)
    return 0


cdef inline Stretch *ranges_without(uint8_t mark, const uint8_t *marks, int32_t end, int32_t *count) except NULL:
    """The uniforms below `end` that do not have this mark."""
    cdef Stretch *ranges
    cdef int32_t size = 0
    cdef int32_t k
    for k in range(end):
        size += marks[k] != mark and (k == 0 or marks[k - 1] == mark)
    ranges = <Stretch *> allocate(size, sizeof(Stretch))
    for k in range(end):
        if marks[k] != mark:
            if k == 0 or marks[k - 1] == mark:
                ranges[count[0]] = Stretch(0, k, 0, 0, 0)
                count[0] += 1
            ranges[count[0] - 1].count += 1
    return ranges
