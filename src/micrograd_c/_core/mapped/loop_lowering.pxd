"""Loops: how a step becomes a program of its own, and an instruction that runs it. Part of mapped/lowering.pyx.

What is carried is first in a step's slots, then what it gets, and what is the same for all steps. What a step carries
on is last: if each step has slots of its own, these are the next one's first.
"""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.mapped.analysis cimport NONE, UNIFORM, VARYING, LoopStep, Step, Traced, is_steady
from micrograd_c._core.mapped.lowering cimport Compiler, program_of
from micrograd_c._core.mapped.program cimport NO_PLACE, Loop, Program, allocate
from micrograd_c._core.mapped.rolling cimport Rolled, has_one_row, write_out


cdef enum:
    ROWS = 64               # of a block, at least
    MOST_SLOTS = 1 << 30
    MOST_BESIDE = 3         # slots of a step for each that it gives, or copies cost less


cdef inline int compile_step(Compiler self, int32_t k) except -1:
    """Compile a step, and say of what the loop leaves what it is, and whether each step has slots of its own.

    It has if the backward pass needs them, or most of them are given, and if these are not too many.

    Whether gradients go through what is carried, and whether it differs from row to row, may follow from what a step
    makes of it: so this begins with what is carried to the first step, and goes on until nothing changes.
    """
    cdef LoopStep loop = self.loops[k]
    cdef Rolled rolled = loop.rolled
    cdef Traced *nodes = self.nodes
    cdef const int32_t *entries = self.entries + nodes[k].entries
    cdef int32_t starts_and_gets = rolled.carried + rolled.steps * rolled.got
    cdef int32_t j, t, n
    cdef Compiler step
    linked = [nodes[entries[j]].differentiable for j in range(rolled.carried)]
    steady = [is_steady(nodes + entries[j]) for j in range(rolled.carried)]
    for j in range(rolled.got):
        places = [entries[rolled.carried + t * rolled.got + j] for t in range(rolled.steps)]
        linked.append(any([nodes[<int32_t> node].differentiable for node in places]))
        steady.append(any([is_steady(nodes + <int32_t> node) for node in places]))
    loop.same, inputs, shared, given = [], list(rolled.leaves), [], []
    for n, j in enumerate(rolled.same):
        node = entries[starts_and_gets + n]
        if nodes[<int32_t> node].kind == VARYING:
            loop.same.append(node)
            inputs.append(j)
            linked.append(nodes[<int32_t> node].differentiable)
            steady.append(nodes[<int32_t> node].steady)
        else:
            (given if nodes[<int32_t> node].differentiable else shared).append(j)
    loop.given = sorted({
        (j - rolled.carried) // rolled.steps for j in range(rolled.carried, <int32_t> len(loop.ends))
        if loop.ends[j] != NONE})
    outs = rolled.outs[:rolled.carried] + [rolled.outs[rolled.carried + <int32_t> n] for n in loop.given]
    while True:
        step = Compiler(outs, inputs, shared, given, [n for n, one in enumerate(linked) if one], list(steady),
                        self.saved_bytes, rolled.carried)
        before = linked[:rolled.carried], steady[:rolled.carried]
        for j in range(rolled.carried):
            linked[j] = linked[j] or step.nodes[<int32_t> step.outputs[j]].differentiable
            steady[j] = steady[j] or step.nodes[<int32_t> step.outputs[j]].steady
        if before == (linked[:rolled.carried], steady[:rolled.carried]):
            break
    if step.is_inexact and not has_one_row():
        write_out()
    loop.compiler, loop.program = step, program_of(step)
    loop.uniforms = [NONE] * step.uniform_count
    places = dict(zip(rolled.same, range(starts_and_gets, nodes[k].entry_count)))
    for indexes, here in ((shared, step.shared), ([given[n] for n in step.used_given], step.given)):
        for n, j in enumerate(indexes):
            loop.uniforms[step.nodes[<int32_t> here[n]].uniform] = nodes[entries[<int32_t> places[j]]].uniform
    for j in range(step.count):
        if step.nodes[j].uniform != NONE and loop.uniforms[step.nodes[j].uniform] == NONE:
            n = self.constant(step.nodes[j].data)
            self.other_constants[n] = step.nodes[j].data
            loop.uniforms[step.nodes[j].uniform] = n
    for uniform, number in step.other_constants.items():
        n = self.constant(number)
        self.other_constants[n] = number
        loop.uniforms[uniform] = n
    nodes[k].kind = VARYING
    for j, end in enumerate(loop.ends):
        if end != NONE:
            n = j
            if j >= rolled.carried:
                n = rolled.carried + <int32_t> loop.given.index((j - rolled.carried) // rolled.steps)
            nodes[<int32_t> end].kind = VARYING
            nodes[<int32_t> end].differentiable = step.nodes[<int32_t> step.outputs[n]].differentiable
            nodes[<int32_t> end].steady = step.nodes[<int32_t> step.outputs[n]].steady
            nodes[k].differentiable |= nodes[<int32_t> end].differentiable
            if self.steady is None and nodes[<int32_t> end].steady and not has_one_row():   # then it is computed once
                write_out()
    j = loop.program.slots - rolled.carried
    if <size_t> rolled.steps * j * ROWS * sizeof(double) <= self.saved_bytes and (
            nodes[k].differentiable or j <= MOST_BESIDE * <int32_t> len(loop.given)):
        loop.stride = j
    return 0


cdef inline void keep_for_loop(Compiler self, int32_t k) except *:
    """Mark what a backward pass that computes steps again reads."""
    cdef LoopStep loop = self.loops[k]
    cdef Traced *node = self.nodes + k
    cdef int32_t j
    if node.differentiable and not loop.stride:
        for j in range(node.entries + loop.rolled.carried, node.entries + node.entry_count):
            self.nodes[self.entries[j]].kept = 1


cdef inline int32_t put_carried_last(Compiler self, int32_t carried) except -1:
    """Renumber slots, so that those of the first outputs are the last."""
    cdef int32_t *to = <int32_t *> self.room(self.slot_count, sizeof(int32_t))     # 1 + the new number
    cdef int32_t others = 0
    cdef int32_t k
    for k in range(carried):
        to[self.nodes[<int32_t> self.outputs[k]].slot] = self.slot_count - carried + k + 1
    for k in range(self.slot_count):
        if not to[k]:
            others += 1
            to[k] = others
    for k in range(self.count):
        if self.nodes[k].slot != NONE:
            self.nodes[k].slot = to[self.nodes[k].slot] - 1
    for loop in self.loops.values():
        (<LoopStep> loop).first = to[(<LoopStep> loop).first] - 1
        if (<LoopStep> loop).kept != NONE:
            (<LoopStep> loop).kept = to[(<LoopStep> loop).kept] - 1
    return 0


cdef inline int place_inputs(Compiler self, int32_t k) except -1:
    """Have inputs where the steps of a loop read them, each in one place."""
    cdef LoopStep loop = self.loops[k]
    cdef const int32_t *gets = self.entries + self.nodes[k].entries + loop.rolled.carried
    cdef int32_t inputs = <int32_t> len(self.inputs)
    cdef int32_t j
    cdef Traced *node
    for j in range(loop.rolled.steps * loop.rolled.got):
        node = self.nodes + gets[j]
        if node.kind == VARYING and node.op == rules.LEAF and node.slot < inputs:
            node.slot = loop.first + j // loop.rolled.got * loop.stride + loop.rolled.carried + j % loop.rolled.got
            self.has_placed = True
    return 0


cdef inline int give_slots_to_loop(Compiler self, int32_t k) except -1:
    """If steps share their slots, and there is a backward pass, what was carried to each is kept."""
    cdef LoopStep loop = self.loops[k]
    cdef Rolled rolled = loop.rolled
    cdef Program program = loop.program
    cdef int32_t n, t
    cdef int64_t size
    loop.first, loop.kept = self.slot_count, NONE
    if loop.stride:
        size = <int64_t> rolled.steps * loop.stride + rolled.carried
    else:
        size = program.slots
        if self.nodes[k].differentiable:
            loop.kept = self.slot_count + program.slots
            size += rolled.steps * <int64_t> rolled.carried
    if self.slot_count + size + len(loop.ends) > MOST_SLOTS:
        raise MemoryError(f"no memory for a loop of {rolled.steps} steps in a function given to vmap or jit")
    self.slot_count += <int32_t> size
    if loop.stride and self.steady is None:
        place_inputs(self, k)
    for n, end in enumerate(loop.ends):
        if end == NONE:
            continue
        if not loop.stride:
            self.nodes[<int32_t> end].slot = self.slot_count
            self.slot_count += 1
        elif n < rolled.carried:
            self.nodes[<int32_t> end].slot = loop.first + rolled.steps * loop.stride + n
        else:
            t = (n - rolled.carried) % rolled.steps
            self.nodes[<int32_t> end].slot = loop.first + t * loop.stride + program.output_slots[
                rolled.carried + <int32_t> loop.given.index((n - rolled.carried) // rolled.steps)]
        self.nodes[<int32_t> end].kept = 1
    return 0


cdef inline int32_t end_of(LoopStep loop, int32_t step, int32_t which):
    """The node of what a step gives, or, for step -1, of what is carried at last."""
    if step < 0:
        return loop.ends[which]
    return loop.ends[loop.rolled.carried + <int32_t> loop.given[which] * loop.rolled.steps + step]


cdef inline size_t size_of_loop(LoopStep loop) except? 0:
    """How many numbers the lists of a Loop have."""
    cdef size_t reads = loop.rolled.carried + <size_t> loop.rolled.steps * loop.rolled.got + len(loop.same)
    cdef size_t leaves = loop.rolled.carried + <size_t> loop.rolled.steps * len(loop.given)
    return 2 * reads + 2 * leaves + 2 * (loop.rolled.carried + len(loop.given)) + loop.program.inputs


cdef inline int32_t *write_loop(Compiler self, Step *step, int32_t number, int32_t *place) except NULL:
    """Write a loop, and its lists to `place`. Returns where the next lists may go."""
    cdef LoopStep loop = self.loops[step.loop]
    cdef Rolled rolled = loop.rolled
    cdef Loop *it = self.program.loops + number
    cdef int32_t given = <int32_t> len(loop.given)
    cdef int32_t same = <int32_t> len(loop.same)
    cdef int32_t use = loop.first_use + loop.program.uses
    cdef int32_t reads = rolled.carried + rolled.steps * rolled.got
    cdef int32_t ends = rolled.carried + rolled.steps * given
    cdef const int32_t *entries = self.entries + self.nodes[step.loop].entries
    cdef int32_t j, node
    loop.number = number
    self.program.steps[number] = loop.program.backward
    self.program.bodies.append(loop.program)
    it.steps, it.carried, it.got, it.same, it.given = rolled.steps, rolled.carried, rolled.got, same, given
    it.first, it.stride, it.kept = loop.first, loop.stride, loop.kept
    it.first_use, it.uses, it.code = loop.first_use, loop.program.uses, &loop.program.code
    it.starts, it.gets, it.sames = place, place + rolled.carried, place + reads
    for j in range(reads):
        if self.nodes[entries[j]].kind == VARYING:
            place[j] = self.nodes[entries[j]].slot
        else:
            place[j] = ~use
            use += 1
    for j in range(same):
        place[reads + j] = self.nodes[<int32_t> loop.same[j]].slot
    place += reads + same
    it.adjoint_starts, it.adjoint_gets, it.adjoint_sames = place, place + rolled.carried, place + reads
    for j in range(reads + same):
        place[j] = NO_PLACE
    place += reads + same
    it.ends, it.adjoint_ends = place, place + ends
    for j in range(ends):
        node = end_of(loop, -1, j) if j < rolled.carried else end_of(
            loop, (j - rolled.carried) // given, (j - rolled.carried) % given)
        place[j] = NONE if node == NONE else self.nodes[node].slot
        place[ends + j] = NONE
    place += 2 * ends
    it.outs, it.adjoint_outs = loop.program.output_slots, loop.program.output_adjoints
    it.adjoint_ins = loop.program.input_adjoints
    return place
