"""Packing: a Program for few rows, in whose lanes are equal steps of one row instead of one step of many rows.

Knows what the compiler of vmap has found, and the kernels' instructions. Knows nothing of the tape or of rows.

Design
------
A sequence does the same at each of its places, and a head of attention the same as the next head: with one row, those
are what lanes can be filled with. Steps that do the same with other numbers make up packs of up to MOST_LANES. Their
results are the lanes of one slot. Where a pack's operands are the lanes of a slot, in order, it reads that slot; else a
gather puts them into one. A place is slot * MOST_LANES + lane; inputs are at places from 0 on. Which steps go together,
and in what order, is found by a Grouping.

A slot has one pack's results, and as many lanes as this has steps: what is in the others is never used. Nor may a part
of a pack be left out of a backward pass, so there must be but one output that gradients come from.

The Packer owns Python lists, and makes the Program's arrays at the end.
"""

from libc.stdint cimport int32_t

from micrograd_c._core.mapped.analysis cimport NONE, VARYING, Step, Traced
from micrograd_c._core.mapped.grouping cimport Grouping, has_side_by_side
from micrograd_c._core.mapped.lowering cimport Compiler
from micrograd_c._core.mapped.program cimport (
    A_UNIFORM, B_UNIFORM, DO_GATHER, DO_LAYER, DO_PRODUCTS, DO_TAKE, MOST_LANES, Code, Gather, Instruction,
    Layer, Products, Program, Take, allocate, start_backward,
)
cimport micrograd_c._core.ops.rules as rules

cdef enum:
    ALIGNED = 3         # steps that read all lanes of a slot make up a pack of their own from that many on

# what one vector costs, in additions; measured, roughly
cdef double DISPATCH = 3.0
cdef double FUNCTION = 8.0
cdef double GATHER = 8.0


cdef Program pack(Program program, int lanes, bint always):
    """The Program for few rows that does the same, for kernels of so many lanes; None if there cannot be one, or, but
    for `always`, if it is not worth looking for.

    With more than its `most_rows`, which may be 0, the other one is faster.
    """
    cdef Packer packer
    cdef int most_rows = 0
    if program.source is None or program.differentiable > 1 or not (always or has_side_by_side(program.source)):
        return None
    packer = Packer()
    packer.begin(program.source, lanes)
    for steps in packer.grouping.groups:
        packer.write_packs(steps)
    if packer.cost:
        most_rows = <int> (packer.alone / packer.cost)
    return packer.program(program, most_rows)


cdef class Packer:
    cdef Compiler source
    cdef int kernel_lanes
    cdef Grouping grouping
    cdef list reads         # the Grouping's
    cdef list reached
    cdef list place         # by node; NONE until it is computed
    cdef list slot_lanes    # by slot: how many are in use; 0 for those of inputs
    cdef list used          # by use: the uniform
    cdef dict uses          # by the source's first use: ours
    cdef dict gathered      # by what is gathered: the slot
    cdef list instructions, layers, products, gathers, takes
    # of the packs of one row, and of steps without packing, one vector each
    cdef double cost, alone

    def __reduce__(self):
        raise TypeError("cannot copy or pickle a Packer, which is of one trace of vmap")

    cdef int begin(self, Compiler source, int lanes) except -1:
        cdef int32_t count = source.count
        cdef int32_t k
        self.source, self.kernel_lanes, self.grouping = source, lanes, Grouping()
        self.grouping.begin(source)
        self.reads, self.reached = self.grouping.reads, self.grouping.reached
        self.place = [NONE] * count
        for k, number in enumerate(source.inputs):
            self.place[number] = k
        self.slot_lanes = [0] * ((len(source.inputs) + MOST_LANES - 1) // MOST_LANES)
        self.used, self.uses, self.gathered = [], {}, {}
        self.instructions, self.layers, self.products, self.gathers, self.takes = [], [], [], [], []
        return 0

    # --- packs ---

    cdef int write_packs(self, list steps) except -1:
        """Share out steps of one kind to packs: those that read all lanes of a slot first, and others as they come.

        Layers and sums of products read many slots. If those of all their packs can be gathered into fewer, they are,
        and whatever reads the same numbers later finds them there.
        """
        cdef list aligned = []
        cdef list found
        cdef list rest
        cdef Step *step = self.source.steps + <int32_t> steps[0]
        cdef int32_t k
        cdef int most = 0
        for k in range(min(2, step.read_count)):
            found = self.aligned_by(steps, k)
            if sum([len(pack) for pack in found]) > most:
                most = sum([len(pack) for pack in found])
                aligned = found
        if (step.layer != NONE or step.products != NONE) and (
                len(aligned) + packs_for(len(steps) - most) > packs_for(len(steps))):
            aligned = []
        for members in aligned:
            self.write_pack(members)
        taken = {k for members in aligned for k in members}
        rest = [k for k in steps if k not in taken]
        if step.read_count:
            rest = [k for _, k in sorted([(self.place[self.reads[k][0]], k) for k in rest])]
        for k in range(0, len(rest), MOST_LANES):
            self.write_pack(rest[k:k + MOST_LANES])
        return 0

    cdef list aligned_by(self, list steps, int32_t operand):
        """Packs of steps whose operand, the first one or another, is each lane of one slot."""
        cdef dict by_slot = {}
        cdef int32_t place
        for step in steps:
            place = self.place[self.reads[step][operand]]
            by_slot.setdefault(place // MOST_LANES, {}).setdefault(place % MOST_LANES, step)
        return [
            [lanes[lane] for lane in sorted(lanes)]
            for slot, lanes in by_slot.items()
            if len(lanes) == self.slot_lanes[slot] and (len(lanes) >= ALIGNED or len(lanes) == len(steps))
        ]

    # --- instructions ---

    cdef int write_pack(self, list members) except -1:
        """Write the instruction of a pack, and gathers that it needs."""
        cdef Step *step = self.source.steps + <int32_t> members[0]
        cdef int32_t lanes = <int32_t> len(members)
        cdef int vectors = (lanes + self.kernel_lanes - 1) // self.kernel_lanes
        cdef list reads = [self.reads[member] for member in members]
        cdef int32_t j
        operands = [self.operand_slot([nodes[j] for nodes in reads]) for j in range(step.read_count)]
        cdef double cost = step_cost(self.source, step)
        self.alone += lanes * (DISPATCH + cost)
        if step.layer != NONE:
            self.write_layer(members, operands)
        elif step.products != NONE:
            self.write_products(members, operands)
        elif self.source.nodes[self.source.outs[step.outs]].op == DO_TAKE:
            self.write_take(members, operands)
        else:
            self.write_op(members, operands)
        self.cost += DISPATCH + vectors * cost
        return 0

    cdef int32_t operand_slot(self, list nodes) except -1:
        """The slot that has these nodes' numbers in its lanes; it may have to be gathered."""
        cdef list places = [self.place[node] for node in nodes]
        cdef int32_t lanes = <int32_t> len(places)
        cdef int32_t slot = places[0] // MOST_LANES
        cdef int32_t first = slot * MOST_LANES
        if self.slot_lanes[slot] == lanes and places == list(range(first, first + lanes)):
            return slot
        slot = self.gather(tuple(places), False, self.reached[nodes[0]])
        if lanes > max([self.slot_lanes[place // MOST_LANES] for place in places]):
            for lane, node in enumerate(nodes):     # where more of them are together from now on
                self.place[node] = slot * MOST_LANES + lane
        return slot

    cdef int32_t gather(self, tuple sources, bint uniform, bint wanted) except -1:
        """The slot of a gather of places, or of uniforms."""
        cdef int32_t lanes = <int32_t> len(sources)
        found = self.gathered.get((uniform, sources))
        if found is not None:
            return found
        slot = self.gathered[uniform, sources] = self.new_slot(lanes)
        if uniform:
            self.used.extend(sources)
            sources = tuple(range(len(self.used) - lanes, len(self.used)))
        to = sorted({place // MOST_LANES for place in sources}) if wanted and not uniform else []
        self.instructions.append((<int> DO_GATHER, slot, len(self.gathers), 0, slot if wanted else NONE, NONE, NONE,
                                  <int> A_UNIFORM if uniform else 0, lanes))
        self.gathers.append((sources, to))
        self.cost += DISPATCH + GATHER * (2 if wanted else 1)
        return slot

    cdef int32_t new_slot(self, int32_t lanes) except -1:
        self.slot_lanes.append(lanes)
        return <int32_t> len(self.slot_lanes) - 1

    cdef int32_t result(self, list members, int32_t which) except -1:
        """A slot for the members' results, which have one or more each."""
        cdef int32_t slot = self.new_slot(<int32_t> len(members))
        cdef int32_t lane
        for lane, member in enumerate(members):
            self.place[self.source.outs[self.source.steps[<int32_t> member].outs + which]] = slot * MOST_LANES + lane
        return slot

    cdef int write_op(self, list members, list operands) except -1:
        cdef Traced *nodes = self.source.nodes
        cdef Traced *node = nodes + self.source.outs[self.source.steps[<int32_t> members[0]].outs]
        cdef int32_t out
        rest = iter(operands)
        a, adjoint_a, flags_a = self.operand(members, 0, rest, A_UNIFORM)
        b, adjoint_b, flags_b = self.operand(members, 1, rest, B_UNIFORM)
        wanted = self.reached[self.source.outs[self.source.steps[<int32_t> members[0]].outs]]
        out = self.result(members, 0)
        self.instructions.append((node.op, out, a, b, out if wanted else NONE, adjoint_a if wanted else NONE,
                                  adjoint_b if wanted else NONE, flags_a | flags_b, len(members)))
        return 0

    cdef int write_take(self, list members, list operands) except -1:
        cdef Step *step = self.source.steps + <int32_t> members[0]
        cdef Traced *node = self.source.nodes + self.source.outs[step.outs]
        wanted = self.reached[self.source.outs[step.outs]]
        index, _, flags = self.operand(members, 0, iter(operands), A_UNIFORM)
        first = self.copied_uses(step.use, node.entry_count)
        out = self.result(members, 0)
        self.instructions.append((<int> DO_TAKE, out, index, len(self.takes), out if wanted else NONE, NONE, NONE,
                                  flags, len(members)))
        self.takes.append((first, node.entry_count))
        return 0

    cdef tuple operand(self, list members, int which, object rest, int flag):
        """An operand, where its adjoint goes, and its flag: a slot, or a use of a uniform that all members have.

        `which` says whether it is the first or the second operand, or, 2, what a sum of products starts from.
        """
        cdef list numbers = [self.operand_node(member, which) for member in members]
        cdef int32_t first = numbers[0]
        cdef Traced *nodes = self.source.nodes
        cdef int32_t k
        if first == NONE:
            return 0, NONE, 0
        wanted = nodes[first].differentiable
        if nodes[first].kind == VARYING:
            slot = next(rest)
            return slot, slot if self.reached[first] else NONE, 0
        uniforms = tuple([nodes[<int32_t> k].uniform for k in numbers])
        if len(set(uniforms)) > 1:
            slot = self.gather(uniforms, True, wanted)
            return slot, slot if wanted else NONE, 0
        self.used.append(uniforms[0])
        return len(self.used) - 1, len(self.used) - 1 if wanted else NONE, flag

    cdef int32_t operand_node(self, int32_t member, int which) except? -2:
        cdef Step *step = self.source.steps + member
        cdef Traced *node = self.source.nodes + self.source.outs[step.outs]
        if which == 2:
            return self.source.dots[step.products].start
        return node.a if which == 0 else node.b

    cdef int write_products(self, list members, list operands) except -1:
        cdef Step *step = self.source.steps + <int32_t> members[0]
        cdef int32_t count = self.source.dots[step.products].count
        cdef int32_t out
        nodes = self.reads[members[0]]
        wanted = self.reached[self.source.outs[step.outs]]
        start, adjoint, flags = self.operand(members, 2, iter(operands[2 * count:]), B_UNIFORM)
        adjoints = [slot if wanted and self.reached[node] else NONE for slot, node in zip(operands, nodes)]
        out = self.result(members, 0)
        self.instructions.append((<int> DO_PRODUCTS, out, len(self.products), start, out if wanted else NONE, NONE,
                                  adjoint if wanted else NONE, flags, len(members)))
        self.products.append([operands[0:2 * count:2], operands[1:2 * count:2], adjoints[0:2 * count:2],
                              adjoints[1:2 * count:2]])
        return 0

    cdef int write_layer(self, list members, list operands) except -1:
        cdef Compiler source = self.source
        cdef Step *step = source.steps + <int32_t> members[0]
        cdef int32_t inputs = step.read_count - step.start_count
        cdef int32_t weights, biases, j
        cdef list starts = operands[inputs:]
        cdef list adjoint_starts = [slot if self.reached[node] else NONE
                                    for slot, node in zip(starts, self.reads[members[0]][inputs:])]
        weights = self.copied_uses(step.use, step.out_count * inputs)
        biases = 0
        if not step.start_count:
            if len({source.steps[<int32_t> j].biases for j in members}) == 1:
                biases = self.copied_uses(step.biases, step.out_count)
            else:
                starts, adjoint_starts = self.gathered_biases(members)
        outs = [self.result(members, j) for j in range(step.out_count)]
        wanted = [self.reached[source.outs[step.outs + j]] for j in range(step.out_count)]
        adjoints = [out if reached else NONE for out, reached in zip(outs, wanted)]
        adjoint_in = [slot if self.reached[node] else NONE for slot, node in zip(operands, self.reads[members[0]])]
        self.instructions.append((<int> DO_LAYER, 0, len(self.layers), 0, adjoints[0], NONE, NONE, 0, len(members)))
        self.layers.append((
            source.activation_of(step), weights, biases, source.wants_weights(step.layer),
            source.wants_biases(step.layer) and not starts, len(members),
            operands[:inputs], starts, outs, adjoint_in[:inputs], adjoint_starts, adjoints,
        ))
        return 0

    cdef tuple gathered_biases(self, list members):
        """Slots of the biases of a layer's outputs, where each member has its own, and their adjoints."""
        cdef Compiler source = self.source
        cdef int32_t number, j, member
        starts, adjoints = [], []
        for j in range(source.steps[<int32_t> members[0]].out_count):
            nodes = []
            for member in members:
                number = (<list> source.layers[source.steps[member].layer])[j]
                nodes.append(source.dots[number].start)
            wanted = bool([1 for number in nodes if source.nodes[number].differentiable])
            slot = self.gather(tuple([source.nodes[<int32_t> number].uniform for number in nodes]), True, wanted)
            starts.append(slot)
            adjoints.append(slot if wanted else NONE)
        return starts, adjoints

    cdef int32_t copied_uses(self, int32_t first, int32_t count) except -1:
        """The first of our uses for some of the source's."""
        cdef int32_t k
        if (first, count) not in self.uses:
            self.uses[first, count] = len(self.used)
            self.used.extend([self.source.used[k] for k in range(first, first + count)])
        return self.uses[first, count]

    # --- the Program ---

    cdef Program program(self, Program unpacked, int most_rows):
        cdef Compiler source = self.source
        cdef Program program = Program()
        cdef int32_t k
        program.packed, program.most_rows, program.values = True, most_rows, source.parameters
        program.plain = unpacked
        program.inputs, program.outputs = <int> len(source.inputs), <int> len(source.outputs)
        program.slots = program.adjoints = <int> len(self.slot_lanes)
        program.differentiable = unpacked.differentiable
        source.write_uniforms(program)
        program.uses = <int> len(self.used)
        program.used = numbers(self.used)
        program.output_slots = numbers([self.place[k] for k in source.outputs])
        program.output_adjoints = numbers([self.place[k] if self.reached[k] else NONE for k in source.outputs])
        self.write_code(program)
        start_backward(program)
        return program

    cdef int write_code(self, Program program) except -1:
        """Write the arrays of instructions, and of what these refer to."""
        cdef int32_t *place
        cdef int32_t k, j
        cdef Layer *layer
        cdef Products *products
        cdef Gather *gather
        size = sum([sum(map(len, lists[6:])) for lists in self.layers])
        size += sum([sum(map(len, lists)) for lists in self.products]) + sum([len(to) for _, to in self.gathers])
        program.numbers = place = <int32_t *> allocate(size, sizeof(int32_t))
        program.instructions = <Instruction *> allocate(len(self.instructions), sizeof(Instruction))
        program.layers = <Layer *> allocate(len(self.layers), sizeof(Layer))
        program.products = <Products *> allocate(len(self.products), sizeof(Products))
        program.gathers = <Gather *> allocate(len(self.gathers), sizeof(Gather))
        program.takes = <Take *> allocate(len(self.takes), sizeof(Take))
        program.code = Code(program.instructions, program.layers, program.products, program.gathers, program.takes,
                            NULL, <int32_t> len(self.instructions))
        for k, it in enumerate(self.instructions):
            op, out, a, b, adjoint, adjoint_a, adjoint_b, flags, lanes = it
            program.instructions[k] = Instruction(op, out, a, b, adjoint, adjoint_a, adjoint_b, flags, lanes)
        for k, it in enumerate(self.layers):
            layer = program.layers + k
            (layer.activation, layer.weights, layer.biases, layer.wants_weights, layer.wants_biases, layer.lanes,
             ins, starts, outs, adjoint_in, adjoint_starts, adjoint_out) = it
            layer.inputs, layer.outputs, layer.group = <int32_t> len(ins), <int32_t> len(outs), 1
            layer.in_ = listed(ins, &place)
            layer.starts = listed(starts, &place) if starts else NULL
            layer.out = listed(outs, &place)
            layer.adjoint_in = listed(adjoint_in, &place)
            layer.adjoint_starts = listed(adjoint_starts, &place)
            layer.adjoint_out = listed(adjoint_out, &place)
        for k, it in enumerate(self.products):
            products = program.products + k
            products.count = <int32_t> len(it[0])
            products.a, products.b = listed(it[0], &place), listed(it[1], &place)
            products.adjoint_a, products.adjoint_b = listed(it[2], &place), listed(it[3], &place)
        for k, (sources, to) in enumerate(self.gathers):
            gather = program.gathers + k
            for j in range(MOST_LANES):
                gather.from_[j] = sources[min(j, <int32_t> len(sources) - 1)]
            gather.count = <int32_t> len(to)
            gather.to = listed(to, &place)
        for k, (first, count) in enumerate(self.takes):
            program.takes[k] = Take(first, count, 0)
        return 0


cdef int packs_for(Py_ssize_t steps) noexcept:
    """How many packs there are, at least."""
    return <int> ((steps + MOST_LANES - 1) // MOST_LANES)


cdef double step_cost(Compiler source, Step *step) noexcept:
    """What a step costs for one vector of rows, forward and backward."""
    if step.layer != NONE:
        return 1.0 + 1.5 * step.out_count * (step.read_count - step.start_count)
    if step.products != NONE:
        return 1.0 + 3.0 * source.dots[step.products].count
    return FUNCTION if rules.is_function(source.nodes[source.outs[step.outs]].op) else 3.0


cdef int32_t *numbers(list values) except NULL:
    cdef int32_t *place = <int32_t *> allocate(len(values), sizeof(int32_t))
    return listed(values, &place)


cdef int32_t *listed(list values, int32_t **place) except NULL:
    """Write values from a place on, which moves on. Returns where they are."""
    cdef int32_t *first = place[0]
    cdef int32_t k
    for k, value in enumerate(values):
        first[k] = value
    place[0] += len(values)
    return first
