"""The steps of a trace, what each writes and reads, and its uses of uniforms. Part of mapped/analysis.pyx."""

from libc.stdint cimport int32_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.mapped.analysis cimport NONE, VARYING, Analysis, Dot, LoopStep, Step, Traced
from micrograd_c._core.mapped.program cimport DO_LOOP, DO_MOVE, DO_TAKE, LOOP_END
from micrograd_c._core.mapped.trace_reading cimport new_node


cdef inline int list_steps(Analysis self) except -1:
    """List all that varies, in the tape's order; dots over the same x with the same activation are one step.

    That is where the first of them is. So what varies and they start from must be known there.
    """
    cdef Traced *nodes = self.nodes
    cdef int32_t k, j
    cdef Dot *dot = NULL
    cdef dict groups = {}       # the layer, and the node where it is computed
    cdef list layer
    order = []      # nodes and layers
    self.layers = []
    for k in range(self.count):
        if nodes[k].dot != NONE and not self.dots[nodes[k].dot].varies:
            dot = self.dots + nodes[k].dot
            starts = nodes[dot.start].kind == VARYING
            key = (starts, nodes[nodes[k].activation].op if nodes[k].activation != NONE else <int> DO_MOVE,
                   *[self.terms[j].x for j in range(dot.terms, dot.terms + dot.count)])
            layer, place = groups.get(key, (None, 0))
            if layer is None or starts and dot.start >= place:
                layer = []
                groups[key] = (layer, k)
                order.append(layer)
                self.layers.append(layer)
            layer.append(nodes[k].dot)
        elif nodes[k].kind == VARYING and nodes[k].op != rules.LEAF and nodes[k].op != LOOP_END and (
                not nodes[k].part or nodes[k].dot != NONE):
            order.append(k)
    move_outputs(self, order)
    self.steps = <Step *> self.room(len(order), sizeof(Step))
    self.outs = <int32_t *> self.room(self.count, sizeof(int32_t))
    self.reads = <int32_t *> self.room(3 * self.count + self.entry_count, sizeof(int32_t))
    list_reads(self, order)
    return 0


cdef inline int move_outputs(Analysis self, list order) except -1:
    """Give a node and a step of its own to each output that no step writes, or that is an output already."""
    cdef bint is_step = self.steady is not None     # whose outputs lie where it wants them
    seen = set()
    for place, k in enumerate(self.outputs):
        if is_step and self.nodes[<int32_t> k].op == LOOP_END or self.nodes[<int32_t> k].kind != VARYING or (
                self.nodes[<int32_t> k].op == rules.LEAF) or k in seen:
            new_node(self, self.count, 0.0, DO_MOVE, k, NONE)
            self.nodes[self.count].kind = VARYING
            self.nodes[self.count].differentiable = self.nodes[<int32_t> k].differentiable
            order.append(self.count)
            self.outputs[place] = self.count
            self.count += 1
        seen.add(k)
    return 0


cdef inline int list_reads(Analysis self, list order) except -1:
    """List the nodes that each step writes and reads."""
    cdef Traced *node
    cdef Dot *dot = NULL
    cdef Step *step = self.steps
    cdef int32_t layer = 0
    cdef int32_t outs = 0
    cdef int32_t k
    for entry in order:
        step[0] = Step(
            layer=NONE, products=NONE, loop=NONE, outs=outs, out_count=0, reads=self.read_count, read_count=0,
            start_count=0, use=0, biases=0)
        if type(entry) is list:
            step.layer = layer
            layer += 1
            for number in <list> entry:
                dot = self.dots + <int32_t> number
                node = self.nodes + dot.sum
                self.outs[outs] = dot.sum if node.activation == NONE else node.activation
                outs += 1
            for k in range(dot.terms, dot.terms + dot.count):
                add_read(self, self.terms[k].x)
            if self.nodes[dot.start].kind == VARYING:
                step.start_count = <int32_t> len(entry)
                for number in <list> entry:
                    add_read(self, self.dots[<int32_t> number].start)
        else:
            node = self.nodes + <int32_t> entry
            if node.op == DO_LOOP:
                step.loop = entry
                for number in (<LoopStep> self.loops[entry]).ends:
                    if number != NONE:
                        self.outs[outs] = number
                        outs += 1
                for k in range(node.entries, node.entries + node.entry_count):
                    add_read(self, self.entries[k])
                step.out_count, step.read_count = outs - step.outs, self.read_count - step.reads
                step += 1
                continue
            self.outs[outs] = entry
            outs += 1
            if node.dot == NONE:
                add_read(self, node.a)
                add_read(self, node.b)
            else:
                step.products = node.dot
                dot = self.dots + node.dot
                for k in range(dot.terms, dot.terms + dot.count):
                    add_read(self, self.terms[k].w)
                    add_read(self, self.terms[k].x)
                add_read(self, dot.start)
        step.out_count, step.read_count = outs - step.outs, self.read_count - step.reads
        step += 1
    self.step_count = <int32_t> len(order)
    return 0


cdef inline void add_read(Analysis self, int32_t k) noexcept:
    if k != NONE and self.nodes[k].kind == VARYING:
        self.reads[self.read_count] = k
        self.read_count += 1


cdef inline int list_uses(Analysis self) except -1:
    """Number the uses of uniforms in the order of the steps: a layer's weights row by row, and then any biases.

    Layers of the same weights, a model's at each place of a sequence, have the same uses; likewise those of the
    same biases.
    """
    cdef Traced *node
    cdef Step *step
    cdef Dot *dot = NULL
    cdef int32_t k, j
    cdef dict weights = {}      # by those of a layer: the first use
    cdef dict biases = {}
    self.layer_counts = {}
    size = 3 * <size_t> self.count + self.entry_count
    for loop in self.loops.values():
        size += (<LoopStep> loop).program.uses
    self.used = <int32_t *> self.room(size, sizeof(int32_t))
    for k in range(self.step_count):
        step = self.steps + k
        step.use = self.use_count
        if step.loop != NONE:
            list_uses_of_loop(self, step.loop)
            continue
        if step.layer == NONE:
            node = self.nodes + self.outs[step.outs]
            if node.op == DO_TAKE:
                for j in range(node.entries, node.entries + node.entry_count):
                    add_use(self, self.entries[j])
                step.use = share(self, weights, step.use, NONE)
                step.biases = self.use_count
                add_use(self, node.a)
            elif node.dot == NONE:
                add_use(self, node.a)
                add_use(self, node.b)
            else:
                add_use(self, self.dots[node.dot].start)
            continue
        for number in <list> self.layers[step.layer]:
            dot = self.dots + <int32_t> number
            for j in range(dot.terms, dot.terms + dot.count):
                add_use(self, self.terms[j].w)
        step.use = share(self, weights, step.use, step.out_count)
        self.layer_counts[step.use] = self.layer_counts.get(step.use, 0) + 1
        step.biases = self.use_count
        for number in <list> self.layers[step.layer]:
            add_use(self, self.dots[<int32_t> number].start)
        step.biases = share(self, biases, step.biases, step.out_count)
    return 0


cdef inline int list_uses_of_loop(Analysis self, int32_t k) except -1:
    """Those of a step, and then those of what steps read."""
    cdef LoopStep loop = self.loops[k]
    cdef int32_t j
    loop.first_use = self.use_count
    for j in range(loop.program.uses):
        self.used[self.use_count] = loop.uniforms[loop.program.used[j]]
        self.use_count += 1
    for j in range(self.nodes[k].entries, self.nodes[k].entries + self.nodes[k].entry_count):
        if j - self.nodes[k].entries < loop.rolled.carried + loop.rolled.steps * loop.rolled.got:
            add_use(self, self.entries[j])
    return 0


cdef inline int32_t share(Analysis self, dict known, int32_t first, int32_t outputs) except -1:
    """The first of the uses from `first` on, or of earlier ones of the same uniforms, which take their place."""
    uniforms = (<char *> (self.used + first))[:(self.use_count - first) * sizeof(int32_t)]
    cdef int32_t found = known.setdefault((outputs, uniforms), first)
    if found != first:
        self.use_count = first
    return found


cdef inline void add_use(Analysis self, int32_t k) noexcept:
    if k != NONE and self.nodes[k].kind != VARYING:
        self.used[self.use_count] = self.nodes[k].uniform
        self.use_count += 1
