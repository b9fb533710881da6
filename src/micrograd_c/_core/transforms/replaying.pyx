"""A Program's ops once more, as nodes: what a mapped function computes of one row, to be differentiated.

Knows Programs and the Recorder. Knows nothing of runs, or of what derivatives are for.
"""

from libc.stdint cimport int32_t
from libc.stdlib cimport calloc, free

from micrograd_c._core.mapped.program cimport (
    A_UNIFORM, B_UNIFORM, DO_LAYER, DO_LOOP, DO_MOVE, DO_PRODUCTS, DO_TAKE, Code, Instruction, Layer, Loop, Products,
    Program, Scalar,
)
from micrograd_c._core.mapped.taking cimport record_take
from micrograd_c._core.tape.arena cimport pin, tape, unpin
from micrograd_c._core.transforms.recorder cimport (
    Recorder, Term, add, multiply, node_of, number_term, record_op, start,
)
from micrograd_c._core.value.tracing import is_tracing
from micrograd_c._core.value.value cimport Value, bind, new_value

__all__ = ["replay"]


cdef class Replay:
    """One of a Program, for Values in the place of a row's inputs and of what it reads once a run."""
    cdef Recorder recorder
    cdef Program program
    cdef Term *slots_of_all
    cdef Term *uniforms
    # while a step of a loop is computed, those of its own; else those of the Program
    cdef const Code *code
    cdef Term *slots
    cdef int32_t first_use

    def __dealloc__(self):
        free(self.recorder.known)
        free(self.slots_of_all)
        free(self.uniforms)

    def __reduce__(self):
        raise TypeError("cannot copy or pickle a Replay")

    cdef int begin(self, Program program, list inputs, list uniforms) except -1:
        cdef int32_t k = 0
        cdef Value value
        self.program, self.code = program, &program.code
        start(&self.recorder, 2 * program.code.count, True)
        self.slots = self.slots_of_all = <Term *> calloc(program.slots or 1, sizeof(Term))
        self.uniforms = <Term *> calloc(program.uniforms or 1, sizeof(Term))
        if self.slots == NULL or self.uniforms == NULL:
            raise MemoryError("no memory for the ops of a mapped function")
        for k in range(program.uniforms):
            self.uniforms[k] = number_term(program.constants[k])
        k = 0
        for value in uniforms:
            self.uniforms[k] = Term(value.index, 0.0)
            k += 1
        k = 0
        for value in inputs:
            self.slots[k if program.input_places == NULL else program.input_places[k]] = Term(value.index, 0.0)
            k += 1
        return 0

    cdef Term used(self, int32_t use) noexcept:
        """The number of a use."""
        return self.uniforms[self.program.used[self.first_use + use]]

    cdef Value value_of(self, Term term):
        """A Term as a Value, which its node may have already."""
        cdef Value value
        cdef int32_t index = node_of(&self.recorder, term)
        if tape.handles[index] != NULL:
            return <Value> tape.handles[index]
        value = new_value()
        bind(value, index)
        return value

    cdef int compute_uniforms(self) except -1:
        cdef const Scalar *it
        cdef int32_t k
        for k in range(self.program.scalar_count):
            it = self.program.scalars + k
            record_op(&self.recorder, it.op, self.uniforms[it.a], self.uniforms[it.b], self.uniforms + it.out)
        return 0

    cdef int compute_layer(self, const Layer *layer) except -1:
        cdef Term total, product
        cdef int32_t k, j
        cdef list sums = []
        for k in range(layer.outputs):
            total = self.slots[layer.starts[k]] if layer.starts != NULL else self.used(layer.biases + k)
            for j in range(layer.inputs):
                multiply(&self.recorder, self.used(layer.weights + k * layer.inputs + j), self.slots[layer.in_[j]],
                         &product)
                add(&self.recorder, total, product, &total)
            if layer.activation != DO_MOVE:
                record_op(&self.recorder, layer.activation, total, total, &total)
            sums.append((total.node, total.number))
        for k in range(layer.outputs):      # last, as these may be the slots of inputs
            self.slots[layer.out[k]] = Term(sums[k][0], sums[k][1])
        return 0

    cdef int compute_products(self, const Products *products, Term total, Term *out) except -1:
        cdef Term product
        cdef int32_t k
        for k in range(products.count):
            multiply(&self.recorder, self.slots[products.a[k]], self.slots[products.b[k]], &product)
            add(&self.recorder, total, product, &total)
        out[0] = total
        return 0

    cdef int compute_take(self, const Instruction *it, Term *out) except -1:
        cdef int32_t first = self.code.takes[it.b].first
        cdef int32_t k
        cdef list entries = [self.value_of(self.used(k)) for k in range(first, first + self.code.takes[it.b].count)]
        cdef Value index = self.value_of(self.used(it.a) if it.flags & A_UNIFORM else self.slots[it.a])
        out[0] = Term(record_take(entries, index).index, 0.0)
        return 0

    cdef Term at_place(self, int32_t place) noexcept:
        """What is in a slot, or a use."""
        return self.slots[place] if place >= 0 else self.used(~place)

    cdef int compute_loop(self, const Loop *loop) except -1:
        """All its steps, as kernels/loops.h runs them."""
        cdef const Code *outer = self.code
        cdef Term *slots = self.slots
        cdef Term *here = slots + loop.first
        cdef int32_t outer_use = self.first_use
        cdef int32_t k, t, end
        cdef list carried
        for k in range(loop.carried):
            here[k] = self.at_place(loop.starts[k])
        for t in range(loop.steps):
            for k in range(loop.got):
                here[loop.carried + k] = self.at_place(loop.gets[t * loop.got + k])
            for k in range(loop.same if loop.stride or t == 0 else 0):
                here[loop.carried + loop.got + k] = self.at_place(loop.sames[k])
            self.code, self.slots, self.first_use = loop.code, here, outer_use + loop.first_use
            self.compute_rows()
            self.code, self.slots, self.first_use = outer, slots, outer_use
            if loop.stride:
                here += loop.stride
                continue
            for k in range(loop.given):
                end = loop.ends[loop.carried + t * loop.given + k]
                if end >= 0:
                    slots[end] = here[loop.outs[loop.carried + k]]
            carried = [(here[loop.outs[k]].node, here[loop.outs[k]].number) for k in range(loop.carried)]
            for k in range(loop.carried):
                here[k] = Term(carried[k][0], carried[k][1])
        for k in range(0 if loop.stride else loop.carried):
            if loop.ends[k] >= 0:
                slots[loop.ends[k]] = here[k]
        return 0

    cdef int compute_rows(self) except -1:
        cdef const Instruction *it
        cdef Term a, b
        cdef int32_t k
        for k in range(self.code.count):
            it = self.code.instructions + k
            if it.op == DO_LAYER:
                self.compute_layer(self.code.layers + it.a)
                continue
            if it.op == DO_LOOP:
                self.compute_loop(self.code.loops + it.a)
                continue
            if it.op == DO_TAKE:
                self.compute_take(it, self.slots + it.out)
                continue
            b = self.used(it.b) if it.flags & B_UNIFORM else self.slots[it.b]
            if it.op == DO_PRODUCTS:
                self.compute_products(self.code.products + it.a, b, self.slots + it.out)
                continue
            a = self.used(it.a) if it.flags & A_UNIFORM else self.slots[it.a]
            if it.op == DO_MOVE:
                self.slots[it.out] = a
            else:
                record_op(&self.recorder, it.op, a, b, self.slots + it.out)
        return 0


def replay(Program program not None, list inputs not None, list uniforms not None):
    """The outputs for one row, as Values of the trace that is going on.

    `inputs` has Values for a row's numbers; `uniforms` those for what is the same in all rows: what the Program reads
    the data of, and then its shared numbers.
    """
    cdef Replay replay
    cdef int32_t k
    if not is_tracing():
        raise RuntimeError("there is no trace that could have the ops of a Program")
    if program.packed or len(inputs) != program.inputs or len(uniforms) != program.uniform_count + program.shared:
        raise ValueError("this is not a Program of so many numbers")
    for value in inputs + uniforms:
        if not isinstance(value, Value):
            raise TypeError(f"a Value is wanted, not {value!r}")
    replay = Replay.__new__(Replay)
    pin(&tape)
    try:
        replay.begin(program, inputs, uniforms)
        replay.compute_uniforms()
        replay.compute_rows()
        return [replay.value_of(replay.slots[program.output_slots[k]]) for k in range(program.outputs)]
    finally:
        unpin(&tape)
