"""Programs: what a traced function is compiled to, instructions for lanes and lists of numbers beside them.

Knows the kernels' instructions. Knows nothing of the tape, or of who makes a Program or runs it.

Design
------
A Program owns its arrays, which never change, and the workspace that a run has left for the next one.

A backward pass runs only those instructions that a gradient comes to, as a sweep visits only those nodes that its root
can reach. A Backward lists them for one choice of outputs; it is filled in the middle of a sweep, without Python and
without asking for memory. The Program has the one for all outputs, and may have one that a run has left.
"""

from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from micrograd_c._core.mapped.following cimport add_gather, add_products, add_stretch, give, stretch
from micrograd_c._core.mapped.loop_parts cimport NO_MEMORY, follow_loop, free_loop_rooms, make_loop_rooms
from micrograd_c._core.mapped.stretches cimport find_stretches
cimport micrograd_c._core.ops.rules as rules

__all__ = ["Program"]


cdef class Program:
    """See mapped/program.pxd."""

    def __cinit__(self):
        self.values, self.used_given, self.bodies, self.derived, self.moves = [], [], [], {}, -1

    def __dealloc__(self):
        # one by one: a loop over them would make Python objects, and there may be no memory for those
        PyMem_Free(self.instructions)
        PyMem_Free(self.layers)
        PyMem_Free(self.products)
        PyMem_Free(self.gathers)
        PyMem_Free(self.takes)
        PyMem_Free(self.loops)
        PyMem_Free(self.steps)
        PyMem_Free(self.numbers)
        PyMem_Free(self.scalars)
        PyMem_Free(self.constants)
        PyMem_Free(self.used)
        PyMem_Free(self.stretches)
        PyMem_Free(self.cleared)
        PyMem_Free(self.others)
        PyMem_Free(self.input_places)
        PyMem_Free(self.output_slots)
        PyMem_Free(self.output_adjoints)
        PyMem_Free(self.input_adjoints)
        PyMem_Free(self.spans)
        free_backward(self.backward)
        free_backward(self.spare_backward)
        free(self.spare)

    def __reduce__(self):
        raise TypeError("cannot copy or pickle a Program of vmap: call vmap(function) where it is wanted")

    @property
    def uniform_count(self):
        """How many Values it reads the data of: its parameters, and those of a call's that it uses."""
        return len(self.values) + len(self.used_given)

    @property
    def parameters(self):
        """A list of the Values whose data is read at each call."""
        return list(self.values)

    def describe(self):
        """Its instructions, one per line, for tests and the curious."""
        lines = []
        for k in range(self.code.count):
            it = self.instructions[k]
            if it.op == DO_LAYER:
                layer = self.layers[it.a]
                lines.append(f"layer {layer.outputs} x {layer.inputs}")
            elif it.op == DO_PRODUCTS:
                lines.append(f"products {self.products[it.a].count}")
            elif it.op == DO_GATHER:
                lines.append(f"gather {it.out}")
            elif it.op == DO_LOOP:
                lines.append(f"loop {self.loops[it.a].steps}")
                lines += ["  " + line for line in (<Program> self.bodies[it.a]).describe()]
            elif it.op == DO_TAKE:
                lines.append(f"take {self.takes[it.b].count}")
            else:
                lines.append(f"{'move' if it.op == DO_MOVE else rules.text(it.op)} {it.out}")
        return lines


cdef void *allocate(size_t count, size_t size) except NULL:
    cdef void *memory = PyMem_Calloc(count or 1, size)
    if memory == NULL:
        raise no_memory()
    return memory


# --- backward ---

cdef Backward *new_backward(Program program) except NULL:
    """One that starts from no outputs yet: `follow` is to be called next."""
    cdef Backward plan      # without room
    cdef Backward *b
    memset(&plan, 0, sizeof(plan))
    plan.sizes = sizes_of(&program.code)
    plan.whole, plan.all_scalars, plan.used = &program.code, program.scalars, program.used
    plan.output_adjoints, plan.outputs, plan.adjoints = program.output_adjoints, program.outputs, program.adjoints
    plan.input_adjoints, plan.inputs, plan.steps = program.input_adjoints, program.inputs, program.steps
    plan.places = MOST_LANES if program.packed else 1
    plan.uses, plan.uniforms, plan.scalar_count = program.uses, program.uniforms, program.scalar_count
    b = room_like(&plan)
    if b == NULL:
        raise no_memory()
    return b


cdef Sizes sizes_of(const Code *code) noexcept nogil:
    cdef Sizes sizes
    cdef const Layer *layer
    cdef int32_t k
    memset(&sizes, 0, sizeof(sizes))
    sizes.instructions = code.count
    for k in range(code.count):
        if code.instructions[k].op == DO_LAYER:
            layer = code.layers + code.instructions[k].a
            sizes.stretches += layer.outputs
            sizes.inputs += layer.inputs
            sizes.outputs += layer.outputs
            sizes.widest = max(sizes.widest, <size_t> layer.inputs)
        elif code.instructions[k].op == DO_PRODUCTS:
            sizes.products += 1
            sizes.factors += 2 * code.products[code.instructions[k].a].count
        elif code.instructions[k].op == DO_GATHER:
            sizes.gathers += 1
            sizes.gathered += code.gathers[code.instructions[k].a].count
        elif code.instructions[k].op == DO_TAKE:
            sizes.takes += 1
        elif code.instructions[k].op == DO_LOOP:
            sizes.loops += 1
    return sizes


cdef Backward *room_like(const Backward *like) noexcept nogil:
    """Another one of the same Program, from no outputs yet; NULL if there is no memory."""
    cdef const Sizes *sizes = &like.sizes
    cdef Backward *b = <Backward *> calloc(1, sizeof(Backward))
    cdef bint is_whole
    if b == NULL:
        return NULL
    b.sizes = sizes[0]
    b.whole, b.all_scalars, b.used = like.whole, like.all_scalars, like.used
    b.output_adjoints, b.outputs, b.adjoints = like.output_adjoints, like.outputs, like.adjoints
    b.input_adjoints, b.inputs, b.steps = like.input_adjoints, like.inputs, like.steps
    b.places, b.uses, b.uniforms, b.scalar_count = like.places, like.uses, like.uniforms, like.scalar_count
    b.room = sizes.instructions + sizes.stretches
    b.instructions = <Instruction *> calloc(b.room + 1, sizeof(Instruction))
    b.layers = <Layer *> calloc(sizes.stretches + 1, sizeof(Layer))
    b.first_in = <int32_t *> calloc(sizes.inputs + sizes.widest + 1, sizeof(int32_t))
    b.first_starts = <int32_t *> calloc(sizes.outputs + 1, sizeof(int32_t))
    b.products = <Products *> calloc(sizes.products + 1, sizeof(Products))
    b.first_factors = <int32_t *> calloc(sizes.factors + 1, sizeof(int32_t))
    b.gathers = <Gather *> calloc(sizes.gathers + 1, sizeof(Gather))
    b.first_gathered = <int32_t *> calloc(sizes.gathered + 1, sizeof(int32_t))
    b.takes = <Take *> calloc(sizes.takes + 1, sizeof(Take))
    b.scalars = <Scalar *> calloc(b.scalar_count + 1, sizeof(Scalar))
    b.idle = <int32_t *> calloc(b.uses + 1, sizeof(int32_t))
    b.latest = <Layer **> calloc(b.uses + 1, sizeof(Layer *))
    b.asked = <uint8_t *> calloc(
        <size_t> b.outputs + b.adjoints + b.uses + b.uniforms + 1, sizeof(uint8_t)
    )
    is_whole = not (
        b.instructions == NULL or b.layers == NULL or b.first_in == NULL or b.first_starts == NULL
        or b.products == NULL or b.first_factors == NULL or b.gathers == NULL or b.first_gathered == NULL
        or b.takes == NULL or b.scalars == NULL or b.idle == NULL or b.latest == NULL or b.asked == NULL)
    if not is_whole or not make_loop_rooms(b):
        free_backward(b)
        return NULL
    b.not_first = b.first_in + sizes.inputs
    b.given = b.asked + b.outputs
    b.busy = b.given + b.adjoints
    b.reached = b.busy + b.uses
    return b


cdef int start_backward(Program program) except -1:
    """Make a Program's own Backward, from all outputs, once its code is written."""
    cdef uint8_t *all_outputs = <uint8_t *> allocate(program.outputs, sizeof(uint8_t))
    try:
        memset(all_outputs, 1, program.outputs)
        program.backward = new_backward(program)
        program.work = work_of(&program.code)
        find_stretches(program)
        if not follow(program.backward, all_outputs):
            raise no_memory()
    finally:
        PyMem_Free(all_outputs)
    return 0


cdef int64_t work_of(const Code *code) noexcept nogil:
    cdef const Instruction *it
    cdef int64_t work = 0
    cdef int32_t k
    for k in range(code.count):
        it = code.instructions + k
        if it.op == DO_LAYER:
            work += <int64_t> code.layers[it.a].inputs * code.layers[it.a].outputs
        elif it.op == DO_LOOP:
            work += code.loops[it.a].steps * work_of(code.loops[it.a].code)
        else:
            work += 3 * code.products[it.a].count if it.op == DO_PRODUCTS else 5
    return work


cdef void free_backward(Backward *b) noexcept nogil:
    if b != NULL:
        free_loop_rooms(b)
        free(b.instructions)
        free(b.layers)
        free(b.first_in)
        free(b.first_starts)
        free(b.products)
        free(b.first_factors)
        free(b.gathers)
        free(b.first_gathered)
        free(b.takes)
        free(b.scalars)
        free(b.idle)
        free(b.latest)
        free(b.asked)
        free(b)


cdef bint follow(Backward *b, const uint8_t *asked) noexcept nogil:
    """Find what is run if a backward pass starts from some outputs: `asked` has a 1 for each of them, else 0.

    False if there is no memory, which only loops may need.
    """
    cdef Instruction *place = b.instructions + b.room       # the last one is run first
    cdef Layer *layer = b.layers
    cdef int32_t *flags = b.first_in
    cdef int32_t *start_flags = b.first_starts
    cdef Products *products = b.products
    cdef int32_t *factor_flags = b.first_factors
    cdef Gather *gather = b.gathers
    cdef int32_t *gathered_flags = b.first_gathered
    cdef Take *take = b.takes
    cdef int32_t *first_in
    cdef const Layer *whole
    cdef const Instruction *it
    cdef int32_t k, j
    cdef int found
    memcpy(b.asked, asked, b.outputs)
    memset(b.given, 0, b.adjoints)
    memset(b.busy, 0, b.uses)
    memset(b.latest, 0, b.uses * sizeof(Layer *))
    for k in range(b.outputs):
        if asked[k] and b.output_adjoints[k] >= 0:
            b.given[b.output_adjoints[k] // b.places] = 1
    for k in range(b.whole.count - 1, -1, -1):
        it = b.whole.instructions + k
        if it.op == DO_LOOP:
            found = follow_loop(b, it.a)
            if found == NO_MEMORY:
                memset(b.asked, 0xff, b.outputs)       # no choice of outputs: nothing was followed
                return False
            if found:
                place -= 1
                place[0] = it[0]
                place.adjoint = 0
            continue
        if it.op != DO_LAYER:
            if it.adjoint >= 0 and b.given[it.adjoint]:
                b.given[it.adjoint] = 0     # the slot is another node's from here on
                place -= 1
                place[0] = it[0]
                place.flags &= ~(A_FIRST | B_FIRST)
                place.flags |= A_FIRST if give(b, it.adjoint_a, it.flags & A_UNIFORM) else 0
                place.flags |= B_FIRST if give(b, it.adjoint_b, it.flags & B_UNIFORM) else 0
                if it.op == DO_PRODUCTS:
                    products[0] = b.whole.products[it.a]
                    place.a = <int32_t> (products - b.products)
                    add_products(b, products, factor_flags)
                    factor_flags += 2 * products.count
                    products += 1
                elif it.op == DO_GATHER:
                    gather[0] = b.whole.gathers[it.a]
                    place.a = <int32_t> (gather - b.gathers)
                    add_gather(b, it, gather, gathered_flags)
                    gathered_flags += gather.count
                    gather += 1
                elif it.op == DO_TAKE:
                    take[0] = b.whole.takes[it.b]
                    place.b = <int32_t> (take - b.takes)
                    take.adds = b.busy[take.first]
                    memset(b.busy + take.first, 1, take.count)
                    take += 1
            continue
        whole = b.whole.layers + it.a
        first_in = flags
        flags += whole.inputs
        j = 0
        while j < whole.outputs:
            layer.outputs = stretch(b, whole, j)
            if layer.outputs:
                add_stretch(b, whole, j, layer, first_in, start_flags + j)
                first_in = b.not_first
                place -= 1
                place[0] = it[0]
                place.a, place.adjoint = <int32_t> (layer - b.layers), layer.adjoint_out[0]
                j += layer.outputs
                layer += 1
            else:
                j += 1
        start_flags += whole.outputs
        for j in range(whole.outputs):
            if whole.adjoint_out[j] >= 0:
                b.given[whole.adjoint_out[j]] = 0
    b.code = Code(
        place, b.layers, b.products, b.gathers, b.takes, b.loops, <int32_t> (b.instructions + b.room - place))
    find_idle(b)
    find_scalars(b)
    return True


cdef void find_idle(Backward *b) noexcept nogil:
    cdef int32_t k
    b.idle_count = 0
    for k in range(b.uses):
        if not b.busy[k] and (k == 0 or b.busy[k - 1]):
            b.idle[2 * b.idle_count], b.idle[2 * b.idle_count + 1] = k, 1
            b.idle_count += 1
        elif not b.busy[k]:
            b.idle[2 * b.idle_count - 1] += 1


cdef void find_scalars(Backward *b) noexcept nogil:
    cdef Scalar *it
    cdef int32_t k
    memset(b.reached, 0, b.uniforms)
    for k in range(b.uses):
        b.reached[b.used[k]] |= b.busy[k]
    for k in range(b.scalar_count - 1, -1, -1):
        it = b.scalars + k
        it[0] = b.all_scalars[k]
        it.wants_a &= b.reached[it.out]
        it.wants_b &= b.reached[it.out]
        b.reached[it.a] |= it.wants_a
        b.reached[it.b] |= it.wants_b


cdef object no_memory():
    return MemoryError("no memory for a program of vmap")
