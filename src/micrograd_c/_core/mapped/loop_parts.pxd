"""What the steps of a loop do backward: of each, the part to which gradients come. Part of mapped/program.pyx.

Gradients come to a step's outputs from what is done with what it gives, and from the step after it. So this is found
from the last step up. Few steps differ: a Variant is kept for each choice of outputs that was ever wanted.
"""

from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memset

from micrograd_c._core.mapped.program cimport (
    NO_PLACE, Backward, Loop, LoopPart, LoopRoom, Variant, follow, free_backward, room_like,
)


cdef enum:
    NO_MEMORY = -1


cdef inline bint make_loop_rooms(Backward *b) noexcept nogil:
    """False if there is no memory."""
    cdef const Loop *loop
    cdef LoopRoom *room
    cdef int32_t k
    b.loops = <Loop *> calloc(b.sizes.loops + 1, sizeof(Loop))
    b.loop_rooms = <LoopRoom *> calloc(b.sizes.loops + 1, sizeof(LoopRoom))
    if b.loops == NULL or b.loop_rooms == NULL:
        return False
    for k in range(b.sizes.loops):
        loop, room = b.whole.loops + k, b.loop_rooms + k
        room.parts = <const LoopPart **> calloc(<size_t> loop.steps + 1, sizeof(LoopPart *))
        room.asked = <uint8_t *> calloc(<size_t> loop.carried + loop.given + 1, 1)
        room.first_starts = <uint8_t *> calloc(<size_t> loop.carried + 1, 1)
        room.first_gets = <uint8_t *> calloc(<size_t> loop.steps * loop.got + 1, 1)
        room.first_sames = <int32_t *> calloc(<size_t> loop.same + 1, sizeof(int32_t))
        if (room.parts == NULL or room.asked == NULL or room.first_starts == NULL or room.first_gets == NULL
                or room.first_sames == NULL):
            return False
    return True


cdef inline void free_loop_rooms(Backward *b) noexcept nogil:
    cdef LoopRoom *room
    cdef Variant *variant
    cdef int32_t k
    for k in range(b.sizes.loops if b.loop_rooms != NULL else 0):
        room = b.loop_rooms + k
        while room.variants != NULL:
            variant = room.variants
            room.variants = variant.next
            free_variant(variant)
        free(room.parts)
        free(room.asked)
        free(room.first_starts)
        free(room.first_gets)
        free(room.first_sames)
    free(b.loop_rooms)
    free(b.loops)


cdef inline void free_variant(Variant *variant) noexcept nogil:
    free_backward(variant.backward)
    free(variant.reached)
    free(variant)


cdef inline Variant *variant_for(Backward *b, int32_t number, const uint8_t *asked) noexcept nogil:
    """That of a loop for some outputs of a step. NULL if there is no memory."""
    cdef LoopRoom *room = b.loop_rooms + number
    cdef const Backward *step = b.steps[number]
    cdef Variant *variant = room.variants
    cdef int32_t k, slot
    while variant != NULL:
        if memcmp(variant.part.asked, asked, step.outputs) == 0:
            return variant
        variant = variant.next
    variant = <Variant *> calloc(1, sizeof(Variant))
    if variant == NULL:
        return NULL
    variant.backward = room_like(step)
    variant.reached = <uint8_t *> calloc(<size_t> step.inputs + 1, 1)
    if variant.backward == NULL or variant.reached == NULL or not follow(variant.backward, asked):
        free_variant(variant)
        return NULL
    for k in range(step.inputs):
        slot = step.input_adjoints[k]
        variant.reached[k] = slot >= 0 and variant.backward.given[slot]
    variant.part = LoopPart(variant.backward.code, variant.backward.asked, variant.reached)
    variant.next, room.variants = room.variants, variant
    return variant


cdef inline bint is_given(Backward *b, int32_t slot) noexcept nogil:
    return slot >= 0 and b.given[slot]


cdef inline bint give_place(Backward *b, int32_t place) noexcept nogil:
    """A gradient goes to a place. True if it is the first that a slot gets."""
    cdef bint first
    if place == NO_PLACE:
        return False
    if place < 0:
        b.busy[~place] = 1
        return False
    first = not b.given[place]
    b.given[place] = 1
    return first


cdef inline bint is_asked(
    Backward *b, const Loop *loop, int32_t step, int32_t k, const uint8_t *reached
) noexcept nogil:
    """Whether a gradient comes to an output of a step, if those were reached in the step after it."""
    if loop.adjoint_outs[k] < 0:
        return False
    if k >= loop.carried:
        return is_given(b, loop.adjoint_ends[step * loop.given + k])
    if step == loop.steps - 1:
        return is_given(b, loop.adjoint_ends[k])
    return reached != NULL and reached[k] != 0


cdef inline int follow_loop(Backward *b, int32_t number) noexcept nogil:
    """Find the part of each step, and what these give to whom. 0 if no gradient comes to the loop, or NO_MEMORY."""
    cdef const Loop *whole = b.whole.loops + number
    cdef LoopRoom *room = b.loop_rooms + number
    cdef Variant *variant = NULL
    cdef const uint8_t *reached = NULL      # of the step after this one
    cdef int32_t carried = whole.carried
    cdef int32_t ends = carried + whole.steps * whole.given
    cdef bint any_asked
    cdef bint found = False
    cdef int32_t t, k
    for k in range(whole.same):
        room.first_sames[k] = -1
    for t in range(whole.steps - 1, -1, -1):
        any_asked = False
        for k in range(carried + whole.given):
            room.asked[k] = is_asked(b, whole, t, k, reached)
            any_asked |= room.asked[k] != 0
        room.parts[t], reached = NULL, NULL
        if not any_asked:
            continue
        if variant == NULL or memcmp(variant.part.asked, room.asked, carried + whole.given):
            variant = variant_for(b, number, room.asked)
            if variant == NULL:
                return NO_MEMORY
            for k in range(whole.uses):
                b.busy[whole.first_use + k] |= variant.backward.busy[k]
        room.parts[t], reached = &variant.part, variant.reached
        found = True
    for k in range(ends):       # these adjoint slots are other nodes' from here on
        if whole.adjoint_ends[k] >= 0:
            b.given[whole.adjoint_ends[k]] = 0
    if not found:
        return 0
    for t in range(whole.steps - 1, -1, -1):
        if room.parts[t] == NULL:
            continue
        reached = room.parts[t].reached
        for k in range(whole.got):
            room.first_gets[t * whole.got + k] = reached[carried + k] and give_place(
                b, whole.adjoint_gets[t * whole.got + k])
        for k in range(whole.same):
            if reached[carried + whole.got + k] and give_place(b, whole.adjoint_sames[k]):
                room.first_sames[k] = t
    for k in range(carried):
        room.first_starts[k] = room.parts[0] != NULL and room.parts[0].reached[k] and give_place(
            b, whole.adjoint_starts[k])
    b.loops[number] = whole[0]
    b.loops[number].parts = room.parts
    b.loops[number].first_starts, b.loops[number].first_gets = room.first_starts, room.first_gets
    b.loops[number].first_sames = room.first_sames
    return 1
