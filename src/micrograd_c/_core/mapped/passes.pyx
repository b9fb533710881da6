"""The passes of a run over its rows: forward, and backward from the seeds that sums left. C, without Python's lock.

Knows a RunState, the kernels and the tape's sweeps. Owns nothing but seeds that are put aside, which the Run frees.

Design
------
Rows go through the Program in blocks, whose slots fit a processor's cache. Blocks make up chunks, which are shared out
among threads; how many rows one has depends on the batch and the Program only. Gradients are summed within each chunk,
and then over the chunks, in order: so the number of threads does not show. Numbers that are the same for all rows are
computed apart, once.

Sums add to the seeds, the adjoints of the outputs, before a sweep comes down to the Run; an output without such a sum
in that sweep takes no part in it. Seeds belong to one sweep. If another one runs in the middle of it, they are put
aside, and put back when their own sweep goes on.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.mapped.columns cimport read_column
from micrograd_c._core.mapped.linking cimport keep_row_gradients, open_links, push_links
from micrograd_c._core.mapped.program cimport MOST_LANES, Scalar, Stretch, follow, in_parallel
from micrograd_c._core.tape.arena cimport PUSH_INTERRUPTED, PUSH_OUT_OF_MEMORY, PUSHED, Edge, Native, Pushed
from micrograd_c._core.tape.interrupts cimport is_interrupted
from micrograd_c._core.tape.rows cimport add_row
from micrograd_c._core.tape.sweeping cimport goes_on

cdef extern from "<time.h>" nogil:
    struct timespec:
        long tv_sec
        long tv_nsec
    int timespec_get(timespec *time, int base)
    int TIME_UTC

cdef double BETWEEN_LOOKS = 0.01    # seconds, from one look for Ctrl-C to the next


# --- blocks and chunks ---

cdef inline double *slots_of(RunState *s, int64_t block, int64_t thread) noexcept nogil:
    return s.slots_of_all + (block if s.stored == NULL and s.differentiable else thread) * s.slots * s.width


cdef inline void pad(double *slot, int32_t rows, double number) noexcept nogil:
    """Fill the lanes beyond the last row: what happens to be there may be subnormal, with which all is slow."""
    while rows % MOST_LANES:
        slot[rows] = number
        rows += 1


cdef void read_inputs(RunState *s, int64_t block, int32_t rows, double *slots) noexcept nogil:
    """Copy a block's inputs to its first slots, from the arguments or from where they were stored."""
    cdef double *stored = NULL
    cdef size_t size = <size_t> s.input_slots * s.width
    cdef double *place
    cdef int32_t k
    if s.stored != NULL:
        stored = s.stored + block * size
    if s.columns == NULL and s.input_places == NULL:
        memcpy(slots, stored, size * sizeof(double))
        return
    for k in range(s.inputs):
        place = slots + (<int64_t> k if s.input_places == NULL else <int64_t> s.input_places[k]) * s.places
        if s.columns == NULL:
            memcpy(place, stored + <size_t> k * s.width, s.width * sizeof(double))
            continue
        read_column(s.columns + k, block * s.block, rows, place)
        if s.places > 1:
            pad(place, rows, place[rows - 1])
        if stored != NULL and s.input_places != NULL:
            memcpy(stored + <size_t> k * s.width, place, s.width * sizeof(double))
    if stored != NULL and s.input_places == NULL:
        memcpy(stored, slots, size * sizeof(double))


cdef inline void run_block(RunState *s, int64_t block, int32_t rows, double *slots) noexcept nogil:
    read_inputs(s, block, rows, slots)
    s.kernels.forward(s.code, slots, s.width, rows, s.numbers)


cdef double now() noexcept nogil:
    """The time in seconds."""
    cdef timespec time
    timespec_get(&time, TIME_UTC)
    return time.tv_sec + 1e-9 * time.tv_nsec


cdef bint is_stopped(RunState *s, int64_t block, int64_t chunk) noexcept nogil:
    """Whether to leave the rest undone. The thread of the first chunk, the caller's, checks for Ctrl-C now and then."""
    cdef double time
    if block % 4 == 3 and chunk % s.threads == 0 and not s.stopped:
        time = now()
        if time > s.looked + BETWEEN_LOOKS:
            s.looked = time
            if s.holds_lock:
                s.stopped = is_interrupted()
            else:
                with gil:
                    s.stopped = is_interrupted()
    return s.stopped


cdef void forward_chunk(void *context, int64_t chunk) noexcept nogil:
    cdef RunState *s = <RunState *> context
    cdef int64_t block = chunk * s.blocks_of_chunk
    cdef int64_t end = min(block + s.blocks_of_chunk, blocks_of(s))
    cdef double *slots
    cdef double *values
    cdef int32_t rows, k
    while block < end and not is_stopped(s, block, chunk):
        rows = <int32_t> min(<int64_t> s.block, s.rows - block * s.block)
        slots = slots_of(s, block, chunk % s.threads)
        run_block(s, block, rows, slots)
        for k in range(s.outputs):
            values = s.values + k * s.rows + block * s.block
            memcpy(values, slots + <int64_t> s.output_slots[k] * s.places, rows * sizeof(double))
        block += 1


cdef void backward_chunk(void *context, int64_t chunk) noexcept nogil:
    cdef RunState *s = <RunState *> context
    cdef int64_t block = chunk * s.blocks_of_chunk
    cdef int64_t end = min(block + s.blocks_of_chunk, blocks_of(s))
    cdef double *adjoints = s.adjoint_slots + (chunk % s.threads) * s.adjoints * s.width
    cdef double *slots
    cdef double *slot
    cdef bint fresh = True
    cdef int32_t rows, k
    while block < end and not is_stopped(s, block, chunk):
        rows = <int32_t> min(<int64_t> s.block, s.rows - block * s.block)
        slots = slots_of(s, block, chunk % s.threads)
        if s.stored != NULL:
            run_block(s, block, rows, slots)
        for k in range(s.outputs):
            if s.output_adjoints[k] >= 0:
                if s.places == 1:       # the only one: others in its slot are no outputs
                    memset(adjoints + s.output_adjoints[k] // s.width * s.width, 0, s.width * sizeof(double))
                slot = adjoints + <int64_t> s.output_adjoints[k] * s.places
                memcpy(slot, s.seeds + k * s.rows + block * s.block, rows * sizeof(double))
                if s.places > 1:
                    pad(slot, rows, 0.0)
        s.kernels.backward(
            &s.backward.code, slots, adjoints, s.width, rows, s.numbers, fresh, s.gradients + chunk * s.uses)
        keep_row_gradients(s, adjoints, block, rows)
        fresh = False
        block += 1


# --- numbers that are the same for all rows ---

cdef void compute_uniforms(RunState *s) noexcept nogil:
    """Compute uniforms from parameters and shared numbers; then list all by use.

    As for rows, no operation raises: where Python would, the result is infinite or NaN, as in C.
    """
    cdef const Scalar *it
    cdef double *u = s.uniform
    cdef int32_t k
    for k in range(s.scalar_count):
        it = s.scalars + k
        if rules.has_two_operands(it.op):
            u[it.out] = rules.value_of_two(it.op, u[it.a], u[it.b])
        else:
            u[it.out] = rules.value(it.op, u[it.a])
    for k in range(s.stretch_count):
        if not s.is_direct or not s.stretches[k].alone:
            memcpy(s.numbers + s.stretches[k].use, u + s.stretches[k].uniform, s.stretches[k].count * sizeof(double))


cdef void push_uniforms(RunState *s, const double *by_use, double *gradients, double *grads) noexcept nogil:
    """Add up the gradients of each use of a uniform, and go on to what it was computed from.

    Stretches that are alone are added to `grads`, the parameters' own, unless that is NULL.
    """
    cdef const Scalar *it
    cdef const Stretch *stretch
    cdef double *u = s.uniform
    cdef double g, x, y
    cdef int32_t k
    for k in range(s.cleared_count):
        memset(gradients + s.cleared[k].uniform, 0, s.cleared[k].count * sizeof(double))
    for k in range(s.stretch_count):
        stretch = s.stretches + k
        if stretch.alone and grads != NULL:
            add_row(grads + stretch.uniform, by_use + stretch.use, stretch.count)
        elif stretch.again:
            add_row(gradients + stretch.uniform, by_use + stretch.use, stretch.count)
        else:
            memcpy(gradients + stretch.uniform, by_use + stretch.use, stretch.count * sizeof(double))
    for k in range(s.scalar_count - 1, -1, -1):
        it = s.backward.scalars + k
        g = gradients[it.out]
        x, y = u[it.a], u[it.b]
        if it.wants_a and rules.has_two_operands(it.op):
            gradients[it.a] += rules.pullback_a(it.op, x, y, g)
        elif it.wants_a:
            gradients[it.a] += rules.slope(it.op, x, u[it.out]) * g
        if it.wants_b:
            gradients[it.b] += rules.pullback_b(it.op, x, y, u[it.out], g)


cdef void forward_pass(RunState *s) noexcept nogil:
    """Compute all values of all rows; `stopped` is set if Ctrl-C was pressed before that. Python's lock is not held."""
    s.stopped, s.holds_lock, s.looked = 0, 0, now()
    compute_uniforms(s)
    in_parallel(forward_chunk, s, s.chunks, s.threads)


# --- the backward pass ---

cdef bint choose_backward(RunState *s) noexcept nogil:
    """Choose what a backward pass runs: it starts from the outputs whose sums take part in this sweep.

    False if there is no memory.
    """
    s.backward = s.whole
    if s.asked_count < s.differentiable:
        if memcmp(s.part.asked, s.asked, s.outputs) and not follow(s.part, s.asked):
            return False
        s.backward = s.part
        clear_idle(s)
    return True


cdef void clear_idle(RunState *s) noexcept nogil:
    """Set gradients to 0 for uses that the backward pass gives nothing."""
    cdef const int32_t *idle = s.backward.idle
    cdef int64_t chunk
    cdef int32_t k
    for chunk in range(s.chunks):
        for k in range(s.backward.idle_count):
            memset(s.gradients + chunk * s.uses + idle[2 * k], 0, idle[2 * k + 1] * sizeof(double))


cdef bint find_seeds(RunState *s, int64_t sweep) noexcept nogil:
    """Whether sums have left any in this sweep. If they were put aside, they are put back.

    Seeds of sweeps that have raised are freed on the way.
    """
    cdef Seeds **place = &s.aside
    cdef Seeds *found
    if s.seeded == sweep:
        return True
    while place[0] != NULL:
        found = place[0]
        if found.sweep == sweep:
            exchange(s, found)
        if found.sweep == NO_SWEEP or not goes_on(found.sweep):
            place[0] = found.next
            free(found)
        else:
            place = &found.next
    return s.seeded == sweep


cdef void exchange(RunState *s, Seeds *other) noexcept nogil:
    cdef int64_t k
    for k in range(s.outputs * s.rows):
        s.seeds[k], other.numbers[k] = other.numbers[k], s.seeds[k]
    for k in range(s.outputs):
        s.asked[k], other.asked[k] = other.asked[k], s.asked[k]
    s.asked_count, other.asked_count = other.asked_count, s.asked_count
    s.seeded, other.sweep = other.sweep, s.seeded


cdef bint put_aside(RunState *s) noexcept nogil:
    """Keep the seeds if their sweep will go on; if it has raised, nobody needs them. False if there is no memory."""
    cdef size_t numbers = s.outputs * s.rows * sizeof(double)
    cdef Seeds *kept
    if s.seeded != NO_SWEEP and goes_on(s.seeded):
        kept = <Seeds *> malloc(sizeof(Seeds) + numbers + s.outputs)
        if kept == NULL:
            return False
        kept.numbers = <double *> (kept + 1)
        kept.asked = <uint8_t *> kept.numbers + numbers
        kept.sweep, kept.asked_count, kept.next = s.seeded, s.asked_count, s.aside
        memcpy(kept.numbers, s.seeds, numbers)
        memcpy(kept.asked, s.asked, s.outputs)
        s.aside = kept
    s.seeded = NO_SWEEP
    return True


cdef Pushed push_run(
    Native *native, double *grads, const Edge *edges, int32_t count, double grad, int64_t sweep
) noexcept nogil:
    """The rule of a Run's node: from the seeds that sums have left to the parameters' gradients."""
    cdef RunState *s = <RunState *> native
    cdef double *total = s.gradients
    cdef double *uniforms = s.gradients + s.chunks * s.uses
    cdef int64_t chunk
    cdef int32_t left = s.parameters
    cdef int32_t neighbours, k
    if s.seeds == NULL or not s.rows or not find_seeds(s, sweep):   # no sum took part in this sweep, or no row
        return PUSHED
    if not s.asked_count:       # seeds were opened for a run that is linked to this one, and has left none
        s.seeded = NO_SWEEP
        return PUSHED
    if not open_links(s, sweep) or not choose_backward(s):
        return PUSH_OUT_OF_MEMORY
    s.stopped, s.holds_lock, s.looked = 0, 1, now()
    in_parallel(backward_chunk, s, s.chunks, s.threads)
    if s.stopped:
        return PUSH_INTERRUPTED
    for chunk in range(1, s.chunks):
        add_row(total, s.gradients + chunk * s.uses, s.uses)
    if s.is_direct and edges[1].b - edges[1].a + 1 == left:     # they follow one another still
        push_uniforms(s, total, uniforms, grads + edges[1].a)
        for k in range(s.other_count):
            add_row(grads + edges[1].a + s.others[k].uniform, uniforms + s.others[k].uniform, s.others[k].count)
        left = 0
    else:
        push_uniforms(s, total, uniforms, NULL)
    while left > 0:         # edges after these are those of links
        edges += 1
        neighbours = edges.b - edges.a + 1
        add_row(grads + edges.a, uniforms, neighbours)
        uniforms += neighbours
        left -= neighbours
    push_links(s)
    s.seeded = NO_SWEEP
    return PUSHED
