"""Adjoint slots of a program, and who gives to which. Part of mapped/lowering.pyx, see its design."""

from libc.stdint cimport int32_t

from micrograd_c._core.mapped.analysis cimport NONE, VARYING, Dot, LoopStep, Step, Traced
from micrograd_c._core.mapped.loop_lowering cimport end_of
from micrograd_c._core.mapped.lowering cimport Compiler, numbers
from micrograd_c._core.mapped.program cimport (
    A_UNIFORM, B_UNIFORM, DO_TAKE, Instruction, Layer, Loop, Products, Program,
)
from micrograd_c._core.mapped.rolling cimport Rolled


cdef enum:
    MOST_TOGETHER = 16      # layers in a group: more would hardly be faster, and keep more adjoints


cdef struct AdjointSlots:
    int32_t *unused         # those that are free
    int32_t unused_count
    int32_t count


cdef inline int give_adjoints(Compiler self) except -1:
    """Give adjoint slots, from the last step up: a node's adjoint lives from its last user to the node itself."""
    cdef Program program = self.program
    cdef AdjointSlots slots = AdjointSlots(<int32_t *> self.room(self.count, sizeof(int32_t)), 0, 0)
    cdef dict members = {}      # by first uses: the steps of layers that are in groups
    cdef Step *step
    cdef int32_t k, j, number
    cdef bint reached
    for number in self.outputs:
        if self.nodes[number].differentiable:
            self.nodes[number].adjoint = slots.count
            slots.count += 1
    program.differentiable = slots.count
    program.output_adjoints = numbers([self.nodes[<int32_t> k].adjoint for k in self.outputs])
    if self.has_placed:
        program.input_places = numbers([self.nodes[<int32_t> k].slot for k in self.inputs])
    program.output_slots = numbers([self.nodes[<int32_t> k].slot for k in self.outputs])
    for k in range(self.step_count - 1, -1, -1):
        step = self.steps + k
        reached = False
        for j in range(step.outs, step.outs + step.out_count):
            reached |= self.nodes[self.outs[j]].adjoint != NONE
        if not reached:
            continue
        program.instructions[k].adjoint = self.nodes[self.outs[step.outs]].adjoint
        if step.loop != NONE:
            give_to_loop(self, step, &slots)
            give_back(self, step, &slots)
            continue
        if step.products != NONE:
            give_to_factors(self, step, program.instructions + k, &slots)
        elif step.layer == NONE:
            give_to_operands(self, step, program.instructions + k, &slots)
        else:
            give_to_inputs(self, step, program.layers + step.layer, &slots)
        if step.layer != NONE and self.layer_counts[step.use] > 1 and program.layers[step.layer].wants_weights:
            join_group(self, step, members.setdefault(step.use, []), &slots)
        else:
            give_back(self, step, &slots)
    program.adjoints = slots.count
    if self.linked or self.steady is not None:
        program.input_adjoints = numbers([self.nodes[<int32_t> k].adjoint for k in self.inputs])
    return 0


cdef inline int join_group(Compiler self, Step *step, list members, AdjointSlots *slots) except -1:
    """Put a layer into the last group of its weights, whose layers keep their adjoints until all are there."""
    cdef int32_t place = <int32_t> len(members)
    cdef int32_t group = place // MOST_TOGETHER
    cdef int32_t member
    self.program.layers[step.layer].group = 1 + group
    members.append(<int32_t> (step - self.steps))
    if (place + 1) % MOST_TOGETHER == 0 or place + 1 == self.layer_counts[step.use]:
        for member in members[group * MOST_TOGETHER:]:
            give_back(self, self.steps + member, slots)
    return 0


cdef inline void give_back(Compiler self, Step *step, AdjointSlots *slots) noexcept:
    cdef Traced *node
    cdef int32_t j
    for j in range(step.outs, step.outs + step.out_count):
        node = self.nodes + self.outs[j]
        if node.adjoint >= self.carried:    # else it is an output of a layer without a gradient, or is carried on
            slots.unused[slots.unused_count] = node.adjoint
            slots.unused_count += 1


cdef inline void give_to_operands(Compiler self, Step *step, Instruction *it, AdjointSlots *slots) noexcept:
    cdef Traced *node = self.nodes + self.outs[step.outs]
    if node.op == DO_TAKE:
        return
    it.adjoint_a = adjoint_of_operand(self, node.a, it.flags & A_UNIFORM, it.a, slots)
    it.adjoint_b = adjoint_of_operand(self, node.b, it.flags & B_UNIFORM, it.b, slots)


cdef inline void give_to_factors(Compiler self, Step *step, Instruction *it, AdjointSlots *slots) noexcept:
    cdef Products *products = self.program.products + it.a
    cdef Dot *dot = self.dots + step.products
    cdef int32_t k
    it.adjoint_b = adjoint_of_operand(self, dot.start, it.flags & B_UNIFORM, it.b, slots)
    for k in range(dot.count):
        (<int32_t *> products.adjoint_a)[k] = adjoint_of_operand(self, self.terms[dot.terms + k].w, False, 0, slots)
        (<int32_t *> products.adjoint_b)[k] = adjoint_of_operand(self, self.terms[dot.terms + k].x, False, 0, slots)


cdef inline int32_t adjoint_of_operand(
    Compiler self, int32_t k, bint uniform, int32_t use, AdjointSlots *slots
) noexcept:
    if k == NONE or not self.nodes[k].differentiable:
        return NONE
    return use if uniform else adjoint_of(self, k, slots)


cdef inline void give_to_inputs(Compiler self, Step *step, Layer *layer, AdjointSlots *slots) noexcept:
    cdef int32_t *adjoint_in = <int32_t *> layer.adjoint_in     # and of starts, which follow in both lists
    cdef int32_t *adjoint_out = <int32_t *> layer.adjoint_out
    cdef int32_t j
    for j in range(step.out_count):
        adjoint_out[j] = self.nodes[self.outs[step.outs + j]].adjoint
    for j in range(step.read_count):
        if self.nodes[self.reads[step.reads + j]].differentiable:
            adjoint_in[j] = adjoint_of(self, self.reads[step.reads + j], slots)


cdef inline int32_t adjoint_of(Compiler self, int32_t k, AdjointSlots *slots) noexcept:
    """A node's adjoint slot. It gets one now if it has none."""
    cdef Traced *node = self.nodes + k
    if node.adjoint == NONE and slots.unused_count:
        slots.unused_count -= 1
        node.adjoint = slots.unused[slots.unused_count]
    elif node.adjoint == NONE:
        node.adjoint = slots.count
        slots.count += 1
    return node.adjoint


cdef inline int give_to_loop(Compiler self, Step *step, AdjointSlots *slots) except -1:
    """Give adjoint slots to what a loop reads, and to its steps."""
    cdef LoopStep loop = self.loops[step.loop]
    cdef Rolled rolled = loop.rolled
    cdef Loop *it = self.program.loops + loop.number
    cdef const int32_t *entries = self.entries + self.nodes[step.loop].entries
    cdef int32_t reads = rolled.carried + rolled.steps * rolled.got
    cdef int32_t ends = rolled.carried + rolled.steps * it.given
    cdef int32_t j, n, node
    for j in range(ends):
        node = end_of(loop, -1, j) if j < rolled.carried else end_of(
            loop, (j - rolled.carried) // it.given, (j - rolled.carried) % it.given)
        (<int32_t *> it.adjoint_ends)[j] = NONE if node == NONE else self.nodes[node].adjoint
    for j in range(reads + it.same):
        node = entries[j] if j < reads else <int32_t> loop.same[j - reads]
        n = j if j < rolled.carried else rolled.carried + (j - rolled.carried) % rolled.got if j < reads else (
            rolled.carried + rolled.got + j - reads)
        if not self.nodes[node].differentiable or it.adjoint_ins[n] < 0:
            continue
        if self.nodes[node].kind == VARYING:
            (<int32_t *> it.adjoint_starts)[j] = adjoint_of(self, node, slots)
        else:
            (<int32_t *> it.adjoint_starts)[j] = it.starts[j]
    it.inner = slots.count
    slots.count += loop.program.adjoints
    return 0
