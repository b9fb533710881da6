"""Value numbers: which nodes of a trace have the same value as an earlier one, as the same op of the same operands.

They are found as in Cocke and Schwartz's value numbering: from the first node on, each is looked up by its op and its
operands' numbers. Sums and products are looked up, too, but keep numbers of their own in what is computed: they cost no
more than what would be kept for another reader, and sums of products that others read are no layers.
"""

from libc.stdint cimport int32_t, uint64_t
from libc.string cimport memcmp, memcpy

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport tape


cdef inline void number_values(
    int32_t start, int32_t top, const int32_t *needed, int32_t *same, int32_t *table, int32_t size
) noexcept nogil:
    """Write, for each needed node from `start` on, which one is computed in its place to `same`, which has each itself.

    `needed` is 0 for nodes that are not, and below 0 for leaves that stand for arguments. The table's size is a power
    of 2, at least twice the number of nodes, and it is full of zeros.
    """
    cdef int32_t i, place
    for i in range(start, top):
        if needed[i] > 0 and (tape.op[i] == rules.LEAF or not rules.has_edges(tape.op[i])):
            place = <int32_t> (hash_of(i, same) & <uint64_t> (size - 1))
            while table[place] and not are_same(table[place], i, same):
                place = (place + 1) & (size - 1)
            if table[place]:
                same[i] = table[place]
            else:
                table[place] = i
    for i in range(start, top):
        if not is_shared(tape.op[i]):
            same[i] = i


cdef inline bint is_shared(int op) noexcept nogil:
    """Whether equal nodes of this op are computed once."""
    return op != rules.LEAF and op != rules.ADD and op != rules.MUL


cdef inline uint64_t hash_of(int32_t index, const int32_t *same) noexcept nogil:
    cdef uint64_t found = <uint64_t> tape.op[index]
    if tape.op[index] == rules.LEAF:
        memcpy(&found, tape.data + index, sizeof(found))
    else:
        found = found * 0x9E3779B97F4A7C15ULL + <uint64_t> same[tape.operands[index].a]
        found = found * 0xC2B2AE3D27D4EB4FULL + <uint64_t> same[tape.operands[index].b]
    found ^= found >> 29
    found *= 0x9E3779B97F4A7C15ULL
    return found ^ (found >> 32)


cdef inline bint are_same(int32_t one, int32_t two, const int32_t *same) noexcept nogil:
    if tape.op[one] != tape.op[two]:
        return False
    if tape.op[one] == rules.LEAF:
        return memcmp(tape.data + one, tape.data + two, sizeof(double)) == 0
    return (
        same[tape.operands[one].a] == same[tape.operands[two].a]
        and same[tape.operands[one].b] == same[tape.operands[two].b])
