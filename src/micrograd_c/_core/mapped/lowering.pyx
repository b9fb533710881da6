"""The compiler of vmap: from an Analysis of a trace to a Program.

Knows the kernels' instructions, and what an Analysis has found. Knows nothing of the tape, of rows, of memory for them,
or of what arguments look like.

Design
------
A slot is given back after the last step that reads it, unless the backward pass reads it too; adjoint slots likewise,
from the last step up. Layers of the same weights keep the adjoints of their outputs until the last of them has its own:
the weights' gradients are summed over all of them in registers, and written once.

All arrays belong to the Compiler, which is an Analysis, except those of the Program, which are made last.
"""

from libc.stdint cimport int32_t
from libc.string cimport memcpy

from micrograd_c._core.mapped.adjoint_slots cimport give_adjoints
from micrograd_c._core.mapped.analysis cimport NONE, UNIFORM, VARYING, Analysis, Dot, Step, Traced
from micrograd_c._core.mapped.loop_lowering cimport (
    compile_step, give_slots_to_loop, keep_for_loop, put_carried_last, size_of_loop, write_loop,
)
from micrograd_c._core.mapped.program cimport (
    A_UNIFORM, B_UNIFORM, DO_LAYER, DO_LOOP, DO_MOVE, DO_PRODUCTS, DO_TAKE, Backward, Code, Instruction, Layer, Loop,
    Products, Program, Scalar, Take, allocate, start_backward,
)
cimport micrograd_c._core.ops.rules as rules

__all__ = ["compile"]


cdef enum:
    MOST_PACKED = 50_000    # steps of a trace that is kept for packing
    SAVED_BYTES = 1 << 26


def compile(list outputs, list inputs, list shared, list given, list linked=None, size_t saved_bytes=SAVED_BYTES):
    """The Program that computes the outputs, Values of the trace, from a row's inputs and numbers that all rows share.

    Inputs, shared numbers, and shared Values that a call gives are told by the indexes of what stands for them; inputs
    that are linked, to which gradients go, by their places in the list. Loops keep all numbers of their steps if these
    are no more than `saved_bytes`. Raises Untraceable for a node with a Python function.
    """
    cdef Compiler compiler = Compiler(outputs, inputs, shared, given, linked, None, saved_bytes)
    cdef Program program = program_of(compiler)
    if compiler.step_count <= MOST_PACKED and not linked and not compiler.loops:
        program.source = compiler
    return program


cdef Program program_of(Compiler compiler):
    cdef Program program = Program()
    compiler.program = program
    compiler.program.values, compiler.program.varying = compiler.parameters, compiler.varying
    compiler.give_slots()
    compiler.write_uniforms(compiler.program)
    compiler.write_instructions()
    give_adjoints(compiler)
    start_backward(program)
    compiler.program = None
    return program


cdef class Compiler(Analysis):
    """Compiles one trace, or one step of a loop in it, pass by pass."""

    cdef int compile_loop(self, int32_t k) except -1:
        return compile_step(self, k)

    # --- slots ---

    cdef int give_slots(self) except -1:
        cdef int32_t *unused = <int32_t *> self.room(self.count, sizeof(int32_t))
        cdef int32_t unused_count = 0
        cdef int32_t k, j, number
        cdef Step *step
        cdef Traced *node
        for number in self.outputs:
            self.nodes[number].kept = 1
        for number in self.inputs:
            self.nodes[number].kept = 1
            self.nodes[number].slot = self.slot_count
            self.slot_count += 1
        for k in range(self.step_count):
            step = self.steps + k
            self.keep_what_gradients_need(step)
            for j in range(step.reads, step.reads + step.read_count):
                self.nodes[self.reads[j]].last = k
            for j in range(step.outs, step.outs + step.out_count):
                self.nodes[self.outs[j]].last = k
        for k in range(self.step_count):
            step = self.steps + k
            if step.loop != NONE:
                give_slots_to_loop(self, step.loop)
            # before operands' slots are free: a kernel must not read what it has overwritten
            for j in range(step.outs, step.outs + step.out_count if step.loop == NONE else step.outs):
                node = self.nodes + self.outs[j]
                if unused_count:
                    unused_count -= 1
                    node.slot = unused[unused_count]
                else:
                    node.slot = self.slot_count
                    self.slot_count += 1
            for j in range(step.read_count + step.out_count):
                number = self.outs[step.outs + j - step.read_count] if j >= step.read_count else self.reads[
                    step.reads + j]
                node = self.nodes + number
                if node.last == k and not node.kept:
                    unused[unused_count] = node.slot
                    unused_count += 1
                    node.last = NONE    # once
        if self.steady is not None:
            put_carried_last(self, self.carried)
        return 0

    cdef int keep_what_gradients_need(self, Step *step) except -1:
        """Mark nodes whose numbers the backward pass reads."""
        cdef Traced *node = self.nodes + self.outs[step.outs]
        cdef Dot *dot = NULL
        cdef bint reads = False
        cdef bint outs = False
        cdef int32_t j
        if step.loop != NONE:
            keep_for_loop(self, step.loop)
            return 0
        if step.layer != NONE:
            reads = self.wants_weights(step.layer)
            outs = node.op != rules.ADD
        elif step.products != NONE:
            dot = self.dots + step.products
            for j in range(dot.terms, dot.terms + dot.count):
                self.nodes[self.terms[j].w].kept |= node.differentiable and self.nodes[self.terms[j].x].differentiable
                self.nodes[self.terms[j].x].kept |= node.differentiable and self.nodes[self.terms[j].w].differentiable
            return 0
        elif node.op == DO_TAKE:
            self.nodes[node.a].kept |= node.differentiable
            return 0
        elif node.differentiable:
            if self.nodes[node.a].differentiable:
                self.keep(node, rules.slope_reads(node.op))
            if node.b != NONE and self.nodes[node.b].differentiable:
                self.keep(node, rules.second_slope_reads(node.op))
            return 0
        for j in range(step.reads, step.reads + step.read_count - step.start_count):
            self.nodes[self.reads[j]].kept |= reads
        for j in range(step.outs, step.outs + step.out_count):
            self.nodes[self.outs[j]].kept |= outs
        return 0

    cdef void keep(self, Traced *node, int reads) noexcept:
        """Keep what a slope of that node reads."""
        node.kept |= (reads & rules.READS_RESULT) != 0
        if reads & rules.READS_A:
            self.nodes[node.a].kept = 1
        if reads & rules.READS_B:
            self.nodes[node.b].kept = 1

    cdef bint wants_weights(self, int32_t layer) except -1:
        """Whether the gradient of any weight is needed."""
        cdef Dot *dot = NULL
        cdef int32_t j
        for number in <list> self.layers[layer]:
            dot = self.dots + <int32_t> number
            for j in range(dot.terms, dot.terms + dot.count):
                if self.nodes[self.terms[j].w].differentiable:
                    return True
        return False

    cdef bint wants_biases(self, int32_t layer) except -1:
        cdef Traced *start
        for number in <list> self.layers[layer]:
            start = self.nodes + self.dots[<int32_t> number].start
            if start.differentiable and start.kind != VARYING:
                return True
        return False

    cdef int activation_of(self, Step *step) noexcept:
        """A layer's activation, or DO_MOVE."""
        cdef Traced *first = self.nodes + self.outs[step.outs]
        return <int> DO_MOVE if first.dot != NONE else first.op

    # --- the Program ---

    cdef int write_uniforms(self, Program program) except -1:
        """Write what is computed once per run, and from what."""
        cdef Traced *node
        cdef Traced *a
        cdef Traced *b
        cdef int32_t k
        program.shared, program.given, program.used_given = <int> len(self.shared), self.given_count, self.used_given
        program.uniforms = self.uniform_count
        program.constants = <double *> allocate(self.uniform_count, sizeof(double))
        program.scalars = <Scalar *> allocate(self.uniform_count, sizeof(Scalar))
        for k in range(self.count):
            node = self.nodes + k
            if node.uniform == NONE:
                continue
            program.constants[node.uniform] = node.data
            if node.kind == UNIFORM and node.op != rules.LEAF:
                a = self.nodes + node.a
                b = a if node.b == NONE else self.nodes + node.b
                program.scalars[program.scalar_count] = Scalar(
                    op=node.op, out=node.uniform, a=a.uniform, b=b.uniform,
                    wants_a=node.differentiable and a.differentiable,
                    wants_b=node.differentiable and node.b != NONE and b.differentiable,
                )
                program.scalar_count += 1
        for uniform, number in self.other_constants.items():
            program.constants[<int32_t> uniform] = number
        return 0

    cdef int write_instructions(self) except -1:
        """Write all instructions, without adjoints."""
        cdef Program program = self.program
        cdef Traced *node
        cdef Step *step
        cdef Instruction *it
        cdef size_t size = 0
        cdef size_t products = 0
        cdef size_t takes = 0
        cdef size_t loops = 0
        cdef int32_t *place
        cdef int32_t k, use
        for k in range(self.step_count):
            size += 2 * (self.steps[k].read_count + self.steps[k].out_count)
            products += self.steps[k].products != NONE
            loops += self.steps[k].loop != NONE
            if self.steps[k].loop != NONE:
                size += size_of_loop(self.loops[self.steps[k].loop])
            takes += is_take_step(self, self.steps + k)
        program.inputs, program.outputs, program.slots = len(self.inputs), len(self.outputs), self.slot_count
        program.uses = self.use_count
        program.used = copied(self.used, self.use_count)
        program.instructions = <Instruction *> allocate(self.step_count, sizeof(Instruction))
        program.layers = <Layer *> allocate(len(self.layers), sizeof(Layer))
        program.products = <Products *> allocate(products, sizeof(Products))
        program.takes = <Take *> allocate(takes, sizeof(Take))
        program.loops = <Loop *> allocate(loops, sizeof(Loop))
        program.steps = <Backward **> allocate(loops, sizeof(Backward *))
        program.numbers = place = <int32_t *> allocate(size, sizeof(int32_t))
        program.code = Code(
            program.instructions, program.layers, program.products, NULL, program.takes, program.loops,
            self.step_count)
        for k in range(self.step_count):
            step = self.steps + k
            it = program.instructions + k
            it[0] = Instruction(DO_LAYER, 0, step.layer, 0, NONE, NONE, NONE, 0, 0)
            if step.loop != NONE:
                it.op, it.a = DO_LOOP, self.loop_count
                place = write_loop(self, step, self.loop_count, place)
                self.loop_count += 1
            elif step.layer == NONE:
                node = self.nodes + self.outs[step.outs]
                use = step.use
                it.op, it.out = node.op, node.slot
                if step.products != NONE:
                    it.op, it.a = DO_PRODUCTS, self.product_count
                    it.b = self.operand(self.dots[step.products].start, B_UNIFORM, it, &use)
                    place = self.write_products(step, place)
                elif node.op == DO_TAKE:
                    self.write_take(step, it)
                else:
                    it.a = self.operand(node.a, A_UNIFORM, it, &use)
                    it.b = self.operand(node.b, B_UNIFORM, it, &use)
            else:
                place = self.write_layer(step, place)
        return 0

    cdef int32_t operand(self, int32_t k, int flag, Instruction *it, int32_t *use) noexcept:
        """An operand's slot, or its use of a uniform."""
        if k == NONE:
            return 0
        if self.nodes[k].kind == VARYING:
            return self.nodes[k].slot
        it.flags |= flag
        use[0] += 1
        return use[0] - 1

    cdef int32_t *write_layer(self, Step *step, int32_t *place) except NULL:
        """Write a layer, and its lists of slots to `place`. Returns where the next lists may go."""
        cdef Layer *layer = self.program.layers + step.layer
        cdef int32_t j
        cdef int32_t inputs = step.read_count - step.start_count
        layer.inputs, layer.outputs = inputs, step.out_count
        layer.activation = self.activation_of(step)
        layer.weights, layer.biases = step.use, step.biases
        layer.wants_weights = self.wants_weights(step.layer)
        layer.wants_biases = self.wants_biases(step.layer)
        layer.in_, layer.out = place, place + step.read_count
        layer.starts = place + inputs if step.start_count else NULL
        layer.adjoint_in = layer.out + step.out_count
        layer.adjoint_starts = layer.adjoint_in + inputs
        layer.adjoint_out = layer.adjoint_in + step.read_count
        for j in range(step.read_count):
            place[j] = self.nodes[self.reads[step.reads + j]].slot
        for j in range(step.out_count):
            place[step.read_count + j] = self.nodes[self.outs[step.outs + j]].slot
        for j in range(step.read_count + step.out_count, 2 * (step.read_count + step.out_count)):
            place[j] = NONE
        return place + 2 * (step.read_count + step.out_count)

    cdef void write_take(self, Step *step, Instruction *it) noexcept:
        cdef Traced *node = self.nodes + self.outs[step.outs]
        cdef int32_t use = step.biases      # the index's, if it is the same for all rows
        it.a, it.b = self.operand(node.a, A_UNIFORM, it, &use), self.take_count
        self.program.takes[self.take_count] = Take(step.use, node.entry_count, 0)
        self.take_count += 1

    cdef int32_t *write_products(self, Step *step, int32_t *place) except NULL:
        """Write a sum of products that vary, and its lists of slots to `place`. Returns where the next lists may go."""
        cdef Products *products = self.program.products + self.product_count
        cdef Dot *dot = self.dots + step.products
        cdef int32_t k
        products.count = dot.count
        products.a, products.b = place, place + dot.count
        products.adjoint_a, products.adjoint_b = place + 2 * dot.count, place + 3 * dot.count
        for k in range(dot.count):
            place[k] = self.nodes[self.terms[dot.terms + k].w].slot
            place[dot.count + k] = self.nodes[self.terms[dot.terms + k].x].slot
            place[2 * dot.count + k] = place[3 * dot.count + k] = NONE
        self.product_count += 1
        return place + 4 * dot.count


cdef inline bint is_take_step(Compiler compiler, const Step *step) noexcept:
    return step.layer == NONE and step.loop == NONE and compiler.nodes[compiler.outs[step.outs]].op == DO_TAKE


cdef int32_t *numbers(list values) except NULL:
    cdef int32_t *result = <int32_t *> allocate(len(values), sizeof(int32_t))
    for k, value in enumerate(values):
        result[k] = value
    return result


cdef int32_t *copied(const int32_t *values, int32_t count) except NULL:
    cdef int32_t *result = <int32_t *> allocate(count, sizeof(int32_t))
    memcpy(result, values, count * sizeof(int32_t))
    return result
