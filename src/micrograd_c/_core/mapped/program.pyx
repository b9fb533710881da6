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

from micrograd_c._core.mapped.stretches cimport find_stretches
cimport micrograd_c._core.ops.rules as rules

__all__ = ["Program"]


cdef class Program:
    """See mapped/program.pxd."""

    def __cinit__(self):
        self.values, self.used_given, self.derived, self.moves = [], [], {}, -1

    def __dealloc__(self):
        # one by one: a loop over them would make Python objects, and there may be no memory for those
        PyMem_Free(self.instructions)
        PyMem_Free(self.layers)
        PyMem_Free(self.products)
        PyMem_Free(self.gathers)
        PyMem_Free(self.takes)
        PyMem_Free(self.numbers)
        PyMem_Free(self.scalars)
        PyMem_Free(self.constants)
        PyMem_Free(self.used)
        PyMem_Free(self.stretches)
        PyMem_Free(self.cleared)
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
    cdef Backward *b = <Backward *> calloc(1, sizeof(Backward))
    cdef const Layer *layer
    cdef int32_t stretches = 0
    cdef int32_t widest = 0
    cdef size_t inputs = 0
    cdef size_t outputs = 0
    cdef size_t sums = 0        # of products that vary
    cdef size_t factors = 0
    cdef size_t gathers = 0
    cdef size_t gathered = 0    # adjoint slots
    cdef size_t takes = 0
    cdef int32_t k
    if b == NULL:
        raise no_memory()
    for k in range(program.code.count):
        if program.instructions[k].op == DO_LAYER:
            layer = program.layers + program.instructions[k].a
            stretches += layer.outputs
            inputs += layer.inputs
            outputs += layer.outputs
            widest = max(widest, layer.inputs)
        elif program.instructions[k].op == DO_PRODUCTS:
            sums += 1
            factors += 2 * program.products[program.instructions[k].a].count
        elif program.instructions[k].op == DO_GATHER:
            gathers += 1
            gathered += program.gathers[program.instructions[k].a].count
        elif program.instructions[k].op == DO_TAKE:
            takes += 1
    b.whole, b.all_scalars, b.used = &program.code, program.scalars, program.used
    b.output_adjoints, b.outputs, b.adjoints = program.output_adjoints, program.outputs, program.adjoints
    b.places = MOST_LANES if program.packed else 1
    b.uses, b.uniforms, b.scalar_count = program.uses, program.uniforms, program.scalar_count
    b.room = program.code.count + stretches
    b.instructions = <Instruction *> calloc(b.room + 1, sizeof(Instruction))
    b.layers = <Layer *> calloc(stretches + 1, sizeof(Layer))
    b.first_in = <int32_t *> calloc(inputs + widest + 1, sizeof(int32_t))
    b.first_starts = <int32_t *> calloc(outputs + 1, sizeof(int32_t))
    b.products = <Products *> calloc(sums + 1, sizeof(Products))
    b.first_factors = <int32_t *> calloc(factors + 1, sizeof(int32_t))
    b.gathers = <Gather *> calloc(gathers + 1, sizeof(Gather))
    b.first_gathered = <int32_t *> calloc(gathered + 1, sizeof(int32_t))
    b.takes = <Take *> calloc(takes + 1, sizeof(Take))
    b.scalars = <Scalar *> calloc(b.scalar_count + 1, sizeof(Scalar))
    b.idle = <int32_t *> calloc(b.uses + 1, sizeof(int32_t))
    b.latest = <Layer **> calloc(b.uses + 1, sizeof(Layer *))
    b.asked = <uint8_t *> calloc(
        <size_t> b.outputs + b.adjoints + b.uses + b.uniforms + 1, sizeof(uint8_t)
    )
    if (b.instructions == NULL or b.layers == NULL or b.first_in == NULL or b.first_starts == NULL or b.products == NULL
            or b.first_factors == NULL or b.gathers == NULL or b.first_gathered == NULL or b.takes == NULL
            or b.scalars == NULL or b.idle == NULL or b.latest == NULL or b.asked == NULL):
        free_backward(b)
        raise no_memory()
    b.not_first = b.first_in + inputs
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
        follow(program.backward, all_outputs)
    finally:
        PyMem_Free(all_outputs)
    return 0


cdef int64_t work_of(const Code *code) noexcept:
    cdef const Instruction *it
    cdef int64_t work = 0
    cdef int32_t k
    for k in range(code.count):
        it = code.instructions + k
        if it.op == DO_LAYER:
            work += <int64_t> code.layers[it.a].inputs * code.layers[it.a].outputs
        else:
            work += 3 * code.products[it.a].count if it.op == DO_PRODUCTS else 5
    return work


cdef void free_backward(Backward *b) noexcept:
    if b != NULL:
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


cdef void follow(Backward *b, const uint8_t *asked) noexcept nogil:
    """Find what is run if a backward pass starts from some outputs: `asked` has a 1 for each of them, else 0."""
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
    memcpy(b.asked, asked, b.outputs)
    memset(b.given, 0, b.adjoints)
    memset(b.busy, 0, b.uses)
    memset(b.latest, 0, b.uses * sizeof(Layer *))
    for k in range(b.outputs):
        if asked[k] and b.output_adjoints[k] >= 0:
            b.given[b.output_adjoints[k] // b.places] = 1
    for k in range(b.whole.count - 1, -1, -1):
        it = b.whole.instructions + k
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
    b.code = Code(place, b.layers, b.products, b.gathers, b.takes, <int32_t> (b.instructions + b.room - place))
    find_idle(b)
    find_scalars(b)


cdef inline bint give(Backward *b, int32_t to, bint uniform) noexcept nogil:
    """A gradient goes to an adjoint slot, a use of a uniform, or nobody. True if it is the first that a slot gets."""
    cdef bint first
    if to < 0:
        return False
    if uniform:
        b.busy[to] = 1
        return False
    first = not b.given[to]
    b.given[to] = 1
    return first


cdef int32_t stretch(Backward *b, const Layer *whole, int32_t first) noexcept nogil:
    """How many outputs of the layer, from `first` on and without a gap, a gradient comes to.

    The uses of all of them, or of none, have got something from other layers.
    """
    cdef int32_t end = first
    while (end < whole.outputs and whole.adjoint_out[end] >= 0 and b.given[whole.adjoint_out[end]]
            and are_busy(b, whole, end) == are_busy(b, whole, first)):
        end += 1
    return end - first


cdef inline int are_busy(Backward *b, const Layer *whole, int32_t output) noexcept nogil:
    """Whether an output's weights have got something, and, as another bit, its bias."""
    cdef int found = 0
    if whole.wants_weights:
        found = b.busy[whole.weights + output * whole.inputs]
    if whole.wants_biases:
        found |= b.busy[whole.biases + output] << 1
    return found


cdef void add_stretch(
    Backward *b, const Layer *whole, int32_t first, Layer *layer, int32_t *first_in, int32_t *first_starts
) noexcept nogil:
    """Make a layer of those outputs, `layer.outputs` in number. Its starts get their adjoints before its inputs do."""
    cdef int32_t count = layer.outputs
    cdef int32_t j
    layer[0] = whole[0]
    layer.outputs = count
    layer.weights += first * whole.inputs
    layer.biases += first
    layer.out, layer.adjoint_out, layer.first_in = whole.out + first, whole.adjoint_out + first, first_in
    if whole.wants_weights:
        add_weights(b, whole, layer)
    if whole.wants_biases:
        layer.adds_biases = b.busy[layer.biases]
        memset(b.busy + layer.biases, 1, count)
    if whole.starts != NULL:
        layer.starts, layer.adjoint_starts = whole.starts + first, whole.adjoint_starts + first
        layer.first_starts = first_starts
        for j in range(count):
            first_starts[j] = give(b, layer.adjoint_starts[j], False)
    if first_in != b.not_first:
        for j in range(whole.inputs):
            first_in[j] = give(b, whole.adjoint_in[j], False)


cdef void add_weights(Backward *b, const Layer *whole, Layer *layer) noexcept nogil:
    """Have the weights' gradients of this stretch summed together with those of the same stretch in another layer.

    They are summed when the last one is run. Others add to what is there, for which it must be complete: nobody joins
    any more.
    """
    cdef Layer *other = b.latest[layer.weights]
    cdef int32_t k
    layer.adds_weights, layer.others = b.busy[layer.weights], NULL
    if other != NULL and other.group == layer.group and other.outputs == layer.outputs:
        layer.adds_weights, layer.others = other.adds_weights, other
        other.wants_weights = 0
    elif layer.adds_weights:
        for k in range(whole.outputs):
            b.latest[whole.weights + k * whole.inputs] = NULL
    if layer.group:
        b.latest[layer.weights] = layer
    memset(b.busy + layer.weights, 1, <size_t> layer.outputs * layer.inputs)


cdef void add_products(Backward *b, Products *products, int32_t *first) noexcept nogil:
    cdef int32_t count = products.count
    cdef int32_t k
    products.first_a, products.first_b = first, first + count
    for k in range(count):
        first[k] = give(b, products.adjoint_a[k], False)
        first[count + k] = give(b, products.adjoint_b[k], False)


cdef void add_gather(Backward *b, const Instruction *it, Gather *gather, int32_t *first) noexcept nogil:
    cdef int32_t k
    gather.first = first
    for k in range(gather.count):
        first[k] = give(b, gather.to[k], False)
    if it.flags & A_UNIFORM:
        for k in range(it.lanes):
            b.busy[gather.from_[k]] = 1


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
