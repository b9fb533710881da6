"""Analysis: what a traced function computes, as steps over all rows at once.

Knows the tape, and copies what it needs from it. Knows nothing of where numbers will be.

Design
------
A node below the trace is a parameter, and so is one that stands for a shared Value. One of the trace that has local
gradients is read as ops that do the same to rows: its number GIVEN, and the sum of its operands times their local
gradients, through which gradients go. Nodes that depend on no row are uniform: computed once per run. Chains
b + w0*x0 + w1*x1 + ... with uniform w and b are dots, and all dots over the same x with the same activation are a
layer. What no output needs is never looked at, and of equal nodes the
first one only (see value_numbers.pxd).

Several stages go over an array of the nodes that outputs need: parameters first, then the trace's nodes in the tape's
order, which is topological. Where an output needs a slot of its own, a node that moves it there is added at the end.
The Analysis owns this array and all others for as long as it lives.
"""

from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from micrograd_c._core.mapped.needed cimport need_all, need_operands, size_as_read, size_with_edges, table_size
from micrograd_c._core.mapped.program cimport DO_LOOP, DO_MOVE, DO_TAKE, LOOP_END
from micrograd_c._core.mapped.rolling cimport (
    is_loop, is_loop_end, is_of_a_step, loop_of_end, number_of_end, rolled_at, write_out,
)
from micrograd_c._core.mapped.sums cimport find_dots
from micrograd_c._core.mapped.taking cimport is_take
from micrograd_c._core.mapped.value_numbers cimport number_values
cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport HOOK, Operands, tape
from micrograd_c._core.value.lifetime cimport check_initialised, describe
from micrograd_c._core.value.operands cimport handle_of, op_name
from micrograd_c._core.value.tracing import TraceError, is_tracing
from micrograd_c._core.value.tracing cimport is_lost, was_assigned
from micrograd_c._core.value.value cimport Value

__all__ = ["Untraceable"]


class Untraceable(Exception):
    """The graph has a node whose rule is a Python function."""


cdef class LoopStep:
    """See mapped/analysis.pxd."""

    def __reduce__(self):
        raise TypeError("cannot copy or pickle a LoopStep, which is of one trace of vmap")


cdef class Analysis:
    """How the outputs, Values of the trace, are computed from a row's inputs and from numbers that all rows share.

    Inputs, shared numbers, and shared Values that a call gives are told by the indexes of what stands for them. Raises
    Untraceable for a node with a Python function.
    """

    def __init__(
        self, list outputs not None, list inputs not None, list shared not None, list given not None, list linked=None,
        list steady=None, size_t saved_bytes=0, int32_t carried=0,
    ):
        if self.owned_count:
            raise RuntimeError("an Analysis is made once")
        self.linked, self.steady, self.saved_bytes, self.carried = linked or [], steady, saved_bytes, carried
        self.loops, self.constants, self.other_constants = {}, {}, {}
        self.read_tape(outputs, inputs, shared, given)
        self.classify()
        self.varying = [self.nodes[<int32_t> k].kind == VARYING for k in self.outputs]
        find_dots(self)
        self.list_steps()
        self.list_uses()

    def __dealloc__(self):
        cdef int k
        for k in range(self.owned_count):
            free(self.owned[k])

    def __reduce__(self):
        raise TypeError(f"cannot copy or pickle {type(self).__name__}, which is of one trace of vmap")

    cdef void *room(self, size_t count, size_t size) except NULL:
        """Memory full of zeros, for as long as the Analysis lives."""
        cdef void *memory = NULL
        if self.owned_count < MOST_ARRAYS:
            memory = calloc(count or 1, size)
        if memory == NULL:
            raise MemoryError("no memory for compiling a function given to vmap")
        self.owned[self.owned_count] = memory
        self.owned_count += 1
        return memory

    # --- reading the trace ---

    cdef int read_tape(self, list outputs, list inputs, list shared, list given) except -1:
        """Copy what outputs need. Refuses what cannot be compiled."""
        if not is_tracing():
            raise RuntimeError("there is no trace to be compiled")
        cdef tuple values = tuple(outputs)
        cdef list roots = [index_of(value) for value in values]
        cdef list leaves = [*inputs, *shared, *given]
        cdef bint is_step = self.steady is not None     # which reads nothing but its leaves, whatever they are
        cdef int32_t start = 1 if is_step else tape.traced
        cdef int32_t top = tape.top     # from here on no Python code may run until all of the tape is read
        cdef int32_t *number = <int32_t *> self.room(top, sizeof(int32_t))     # 1 + the place in the array, or 0
        cdef int32_t *computed = <int32_t *> self.room(top, sizeof(int32_t))   # the node that is computed in its place
        cdef int32_t size = table_size(top - start)
        cdef int32_t *table = <int32_t *> self.room(size, sizeof(int32_t))
        cdef uint8_t *is_leaf = <uint8_t *> self.room(top, sizeof(uint8_t))
        cdef int32_t i
        cdef Operands operands
        for i in leaves:
            if not start <= i < top or number[i] or not is_step and tape.op[i] != rules.LEAF:
                raise ValueError(f"node {i} does not stand for a number of an argument, or stands for two")
            number[i] = NONE
        for i in range(top):
            computed[i] = i
        need_all(roots, computed, number)
        for i in range(top - 1, start - 1, -1):
            if number[i] > 0:
                refuse(i)
                need_operands(i, computed, number)
        number_values(start, top, number, computed, table, size)
        memset(number, 0, top * sizeof(int32_t))
        for i in leaves:
            number[i] = NONE
        need_all(roots, computed, number)
        for i in range(top - 1, start - 1, -1):
            if number[i] > 0:
                need_operands(i, computed, number)
        number[0] = 0
        for i in range(1, top):
            if number[i]:
                self.count += size_as_read(i) if i >= start and number[i] > 0 else 1
                is_leaf[i] = number[i] == NONE
                number[i] = self.count
                self.parameter_count += i < start
            number[i] = number[computed[i]]
        for i in range(start, top):
            if number[i] and not is_leaf[i] and (is_take(i) or is_loop(i)):
                self.entry_count += tape.operands[i].b - 1
        self.nodes = <Traced *> self.room(self.count + len(roots), sizeof(Traced))
        self.entries = <int32_t *> self.room(self.entry_count, sizeof(int32_t))
        self.entry_count = 0
        for i in range(1, top):
            if number[i] and computed[i] == i:
                operands = tape.operands[i]
                if i < start or is_leaf[i]:
                    self.new_node(number[i] - 1, tape.data[i], rules.LEAF, NONE, NONE)
                elif tape.op[i] == rules.LOCAL:
                    self.new_local(number[i] - 1, i, number)
                elif is_take(i):
                    self.new_take(number[i] - 1, i, number)
                elif is_loop(i):
                    self.new_loop(number[i] - 1, i, number)
                elif is_loop_end(i):
                    self.new_end(number[i] - 1, i, number)
                else:
                    self.new_node(
                        number[i] - 1, tape.data[i], tape.op[i], number[operands.a] - 1, number[operands.b] - 1)
        self.outputs, self.inputs, self.shared, self.given = [
            [number[<int32_t> i] - 1 for i in indexes] for indexes in (roots, inputs, shared, given)
        ]
        for k in self.outputs:
            self.nodes[<int32_t> k].uses += 1
        self.given_count = <int> len(given)
        self.used_given = [k for k in range(self.given_count) if self.nodes[<int32_t> self.given[k]].uses]
        self.given = [self.given[k] for k in self.used_given]
        # last, as it may make Values, and so run any code
        self.parameters = [handle_of(i, <Value> values[0]) for i in range(1, start) if number[i]]
        return 0

    cdef void new_node(self, int32_t k, double data, int op, int32_t a, int32_t b) noexcept:
        self.nodes[k] = Traced(
            data=data, op=op, a=a, b=b, uses=0, uniform=NONE, dot=NONE, activation=NONE, slot=NONE, adjoint=NONE,
            entries=NONE, entry_count=0, last=NONE, kind=0, differentiable=0, part=0, hopeless=0, kept=0,
            steady=0,
        )
        if a != NONE:
            self.nodes[a].uses += 1
        if b != NONE:
            self.nodes[b].uses += 1

    cdef void new_local(self, int32_t k, int32_t index, const int32_t *number) noexcept:
        """The nodes for one with local gradients; k is the last of them."""
        cdef int32_t first = tape.operands[index].a
        cdef int32_t count = tape.operands[index].b
        cdef int32_t place = k - size_with_edges(count) + 1
        cdef int32_t total = NONE
        cdef int32_t j
        for j in range(first, first + count):
            self.new_node(place, tape.edges[j].term, rules.LEAF, NONE, NONE)
            self.new_node(place + 1, 0.0, rules.MUL, number[tape.edges[j].a] - 1, place)
            place += 2
            if total != NONE:
                self.new_node(place, 0.0, rules.ADD, total, place - 1)
                place += 1
            total = place - 1
        self.new_node(place, tape.data[index], rules.LEAF, NONE, NONE)
        self.new_node(k, tape.data[index], rules.GIVEN, place, total)

    cdef void new_take(self, int32_t k, int32_t index, const int32_t *number) noexcept:
        cdef Operands edges = tape.operands[index]
        cdef int32_t first = self.entry_count
        cdef int32_t j
        self.new_node(k, 0.0, DO_TAKE, number[tape.edges[edges.a].a] - 1, NONE)
        for j in range(edges.a + 1, edges.a + edges.b):
            self.add_entry(number[tape.edges[j].a] - 1)
        self.nodes[k].entries, self.nodes[k].entry_count = first, self.entry_count - first

    cdef int new_loop(self, int32_t k, int32_t index, const int32_t *number) except -1:
        cdef Operands edges = tape.operands[index]
        cdef int32_t first = self.entry_count
        cdef LoopStep loop = LoopStep.__new__(LoopStep)
        cdef int32_t j
        loop.rolled = rolled_at(index)
        loop.ends = [NONE] * (loop.rolled.carried + loop.rolled.steps * loop.rolled.given)
        self.loops[k] = loop
        self.new_node(k, 0.0, DO_LOOP, NONE, NONE)
        for j in range(edges.a + 1, edges.a + edges.b):
            self.add_entry(number[tape.edges[j].a] - 1)
        self.nodes[k].entries, self.nodes[k].entry_count = first, self.entry_count - first
        return 0

    cdef int new_end(self, int32_t k, int32_t index, const int32_t *number) except -1:
        cdef int32_t loop = number[loop_of_end(index)] - 1
        self.new_node(k, 0.0, LOOP_END, loop, NONE)
        self.nodes[k].entries = number_of_end(index)
        (<LoopStep> self.loops[loop]).ends[number_of_end(index)] = k
        return 0

    cdef void add_entry(self, int32_t k) noexcept:
        self.entries[self.entry_count] = k
        self.entry_count += 1
        self.nodes[k].uses += 1

    cdef int classify(self) except -1:
        """Tell uniform nodes from varying ones. Constants need no folding: they have been computed already."""
        cdef int32_t k, j
        cdef Traced *node
        for k in range(self.parameter_count):
            self.nodes[k].kind = UNIFORM
            self.nodes[k].differentiable = 1
            self.new_uniform(k)
        for k in self.given:
            self.nodes[k].kind = UNIFORM
            self.nodes[k].differentiable = 1
            self.new_uniform(k)
        for k in self.shared:
            self.nodes[k].kind = UNIFORM
            self.new_uniform(k)
        for k in self.inputs:
            self.nodes[k].kind = VARYING
        for place in self.linked:
            self.nodes[<int32_t> self.inputs[place]].differentiable = 1
        if self.steady is not None:
            for place, k in enumerate(self.inputs):
                self.nodes[k].steady = <bint> self.steady[place]
        for k in range(self.count):
            node = self.nodes + k
            if node.kind:
                continue
            if node.op == rules.LEAF:
                node.kind = CONSTANT
            elif node.op == DO_TAKE:
                node.kind = VARYING     # as each row may have another index, if it is not shared
                for j in range(node.entries, node.entries + node.entry_count):
                    node.differentiable |= self.nodes[self.entries[j]].differentiable
                    if self.nodes[self.entries[j]].kind == VARYING:
                        raise TypeError(
                            "a table to take from must be the same for all rows, and this one depends on a row, or is "
                            "one of numbers that jit was given: give Values. To choose by a number, use sumprod(hot, "
                            "several), with a row of zeros and a one")
                node.steady = self.nodes[node.a].kind != VARYING or self.nodes[node.a].steady
            elif node.op == DO_LOOP:
                self.compile_loop(k)
            elif node.op == LOOP_END:
                pass    # its loop has said what it is
            else:
                node.kind = self.nodes[node.a].kind
                node.differentiable = self.nodes[node.a].differentiable
                if node.b != NONE:
                    node.kind = max(node.kind, self.nodes[node.b].kind)
                    node.differentiable |= self.nodes[node.b].differentiable
                if node.op == rules.STOP or rules.is_comparison(node.op):
                    node.differentiable = 0
                if self.steady is not None and node.kind == VARYING:
                    node.steady = is_steady(self.nodes + node.a) and (
                        node.b == NONE or is_steady(self.nodes + node.b))
                    self.is_inexact |= node.steady and not rows_are_exact(node.op)
            if node.kind == UNIFORM:
                self.new_uniform(k)
            elif node.kind == CONSTANT:     # equal ones are one, so that layers with them can be seen to be the same
                node.uniform = self.constant(node.data)
        return 0

    cdef int32_t constant(self, double number) except -1:
        """The uniform of that number."""
        cdef int32_t uniform = self.constants.setdefault((<char *> &number)[:sizeof(number)], self.uniform_count)
        self.uniform_count += uniform == self.uniform_count
        return uniform

    cdef int compile_loop(self, int32_t k) except -1:
        """Have a program for a step, and say of what the loop leaves what it is."""
        raise NotImplementedError("an Analysis is part of a compiler")

    cdef void new_uniform(self, int32_t k) noexcept:
        self.nodes[k].uniform = self.uniform_count
        self.uniform_count += 1

    # --- steps ---

    cdef int list_steps(self) except -1:
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
        self.move_outputs(order)
        self.steps = <Step *> self.room(len(order), sizeof(Step))
        self.outs = <int32_t *> self.room(self.count, sizeof(int32_t))
        self.reads = <int32_t *> self.room(3 * self.count + self.entry_count, sizeof(int32_t))
        self.list_reads(order)
        return 0

    cdef int move_outputs(self, list order) except -1:
        """Give a node and a step of its own to each output that no step writes, or that is an output already."""
        cdef bint is_step = self.steady is not None     # whose outputs lie where it wants them
        seen = set()
        for place, k in enumerate(self.outputs):
            if is_step and self.nodes[<int32_t> k].op == LOOP_END or self.nodes[<int32_t> k].kind != VARYING or (
                    self.nodes[<int32_t> k].op == rules.LEAF) or k in seen:
                self.new_node(self.count, 0.0, DO_MOVE, k, NONE)
                self.nodes[self.count].kind = VARYING
                self.nodes[self.count].differentiable = self.nodes[<int32_t> k].differentiable
                order.append(self.count)
                self.outputs[place] = self.count
                self.count += 1
            seen.add(k)
        return 0

    cdef int list_reads(self, list order) except -1:
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
                    self.add_read(self.terms[k].x)
                if self.nodes[dot.start].kind == VARYING:
                    step.start_count = <int32_t> len(entry)
                    for number in <list> entry:
                        self.add_read(self.dots[<int32_t> number].start)
            else:
                node = self.nodes + <int32_t> entry
                if node.op == DO_LOOP:
                    step.loop = entry
                    for number in (<LoopStep> self.loops[entry]).ends:
                        if number != NONE:
                            self.outs[outs] = number
                            outs += 1
                    for k in range(node.entries, node.entries + node.entry_count):
                        self.add_read(self.entries[k])
                    step.out_count, step.read_count = outs - step.outs, self.read_count - step.reads
                    step += 1
                    continue
                self.outs[outs] = entry
                outs += 1
                if node.dot == NONE:
                    self.add_read(node.a)
                    self.add_read(node.b)
                else:
                    step.products = node.dot
                    dot = self.dots + node.dot
                    for k in range(dot.terms, dot.terms + dot.count):
                        self.add_read(self.terms[k].w)
                        self.add_read(self.terms[k].x)
                    self.add_read(dot.start)
            step.out_count, step.read_count = outs - step.outs, self.read_count - step.reads
            step += 1
        self.step_count = <int32_t> len(order)
        return 0

    cdef void add_read(self, int32_t k) noexcept:
        if k != NONE and self.nodes[k].kind == VARYING:
            self.reads[self.read_count] = k
            self.read_count += 1

    cdef int list_uses(self) except -1:
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
                self.list_uses_of_loop(step.loop)
                continue
            if step.layer == NONE:
                node = self.nodes + self.outs[step.outs]
                if node.op == DO_TAKE:
                    for j in range(node.entries, node.entries + node.entry_count):
                        self.add_use(self.entries[j])
                    step.use = self.share(weights, step.use, NONE)
                    step.biases = self.use_count
                    self.add_use(node.a)
                elif node.dot == NONE:
                    self.add_use(node.a)
                    self.add_use(node.b)
                else:
                    self.add_use(self.dots[node.dot].start)
                continue
            for number in <list> self.layers[step.layer]:
                dot = self.dots + <int32_t> number
                for j in range(dot.terms, dot.terms + dot.count):
                    self.add_use(self.terms[j].w)
            step.use = self.share(weights, step.use, step.out_count)
            self.layer_counts[step.use] = self.layer_counts.get(step.use, 0) + 1
            step.biases = self.use_count
            for number in <list> self.layers[step.layer]:
                self.add_use(self.dots[<int32_t> number].start)
            step.biases = self.share(biases, step.biases, step.out_count)
        return 0

    cdef int list_uses_of_loop(self, int32_t k) except -1:
        """Those of a step, and then those of what steps read."""
        cdef LoopStep loop = self.loops[k]
        cdef int32_t j
        loop.first_use = self.use_count
        for j in range(loop.program.uses):
            self.used[self.use_count] = loop.uniforms[loop.program.used[j]]
            self.use_count += 1
        for j in range(self.nodes[k].entries, self.nodes[k].entries + self.nodes[k].entry_count):
            if j - self.nodes[k].entries < loop.rolled.carried + loop.rolled.steps * loop.rolled.got:
                self.add_use(self.entries[j])
        return 0

    cdef int32_t share(self, dict known, int32_t first, int32_t outputs) except -1:
        """The first of the uses from `first` on, or of earlier ones of the same uniforms, which take their place."""
        uniforms = (<char *> (self.used + first))[:(self.use_count - first) * sizeof(int32_t)]
        cdef int32_t found = known.setdefault((outputs, uniforms), first)
        if found != first:
            self.use_count = first
        return found

    cdef void add_use(self, int32_t k) noexcept:
        if k != NONE and self.nodes[k].kind != VARYING:
            self.used[self.use_count] = self.nodes[k].uniform
            self.use_count += 1


cdef int refuse(int32_t index) except -1:
    """Raise for what cannot be compiled."""
    cdef Operands operands = tape.operands[index]
    cdef int op = tape.op[index]
    if was_assigned(index):
        raise TraceError(
            "data of a Value made in a function given to vmap is assigned to: what used it before and what did after "
            "cannot be told apart. Make a new Value"
        )
    if is_lost(index):
        raise TraceError(
            "no_grad() inside a function given to vmap: nothing is known of how this was computed. "
            "Use stop_gradient(x)"
        )
    if is_take(index) or is_loop(index) or is_loop_end(index):
        return 0
    if is_of_a_step(index):     # it was kept, and is not what each step has its own of
        write_out()
    if rules.has_edges(op) and op != rules.LOCAL or tape.flags[index] & HOOK:
        raise Untraceable(repr(op_name(index) or "a Value with a _backward of its own"))
    if rules.has_one_operand(op) and not operands.a or rules.has_two_operands(op) and not (operands.a and operands.b):
        raise AttributeError(f"an operand of {op_name(index)!r} in a function given to vmap has no data yet: a Value "
                             "whose __init__ was not called")
    return 0


cdef bint is_steady(const Traced *node) noexcept:
    """Whether it is the same for all rows, or, in a step of a loop, may be."""
    return node.kind != VARYING or node.steady


cdef bint rows_are_exact(int op) noexcept:
    """Whether rows have the same bits as what is computed once for all of them."""
    return (
        op == rules.ADD or op == rules.MUL or op == rules.STOP or op == rules.RELU or op == rules.ABS
        or op == rules.GIVEN or rules.is_choice(op) or rules.is_comparison(op))


cdef int32_t index_of(object output) except -1:
    if not isinstance(output, Value):
        raise TypeError(f"an output must be a Value, not {describe(output)}")
    check_initialised(<Value> output)
    return (<Value> output).index
