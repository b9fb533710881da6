"""What an Analysis reads of a trace: a copy of each node that outputs need. Part of mapped/analysis.pyx."""

from libc.stdint cimport int32_t, uint8_t
from libc.string cimport memset

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.mapped.analysis cimport NONE, Analysis, LoopStep, Traced, index_of, refuse
from micrograd_c._core.mapped.needed cimport need_all, need_operands, size_as_read, size_with_edges, table_size
from micrograd_c._core.mapped.program cimport DO_LOOP, DO_TAKE, LOOP_END
from micrograd_c._core.mapped.rolling cimport is_loop, is_loop_end, loop_of_end, number_of_end, rolled_at
from micrograd_c._core.mapped.taking cimport is_take
from micrograd_c._core.mapped.value_numbers cimport number_values
from micrograd_c._core.tape.arena cimport Operands, tape
from micrograd_c._core.value.operands cimport handle_of
from micrograd_c._core.value.value cimport Value


cdef inline int read_tape(Analysis self, list outputs, list inputs, list shared, list given) except -1:
    """Copy what outputs need. Refuses what cannot be compiled."""
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
                new_node(self, number[i] - 1, tape.data[i], rules.LEAF, NONE, NONE)
            elif tape.op[i] == rules.LOCAL:
                new_local(self, number[i] - 1, i, number)
            elif is_take(i):
                new_take(self, number[i] - 1, i, number)
            elif is_loop(i):
                new_loop(self, number[i] - 1, i, number)
            elif is_loop_end(i):
                new_end(self, number[i] - 1, i, number)
            else:
                new_node(self, number[i] - 1, tape.data[i], tape.op[i], number[operands.a] - 1,
                         number[operands.b] - 1)
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


cdef inline void new_node(Analysis self, int32_t k, double data, int op, int32_t a, int32_t b) noexcept:
    self.nodes[k] = Traced(
        data=data, op=op, a=a, b=b, uses=0, uniform=NONE, dot=NONE, activation=NONE, slot=NONE, adjoint=NONE,
        entries=NONE, entry_count=0, last=NONE, kind=0, differentiable=0, part=0, hopeless=0, kept=0,
        steady=0,
    )
    if a != NONE:
        self.nodes[a].uses += 1
    if b != NONE:
        self.nodes[b].uses += 1


cdef inline void new_local(Analysis self, int32_t k, int32_t index, const int32_t *number) noexcept:
    """The nodes for one with local gradients; k is the last of them."""
    cdef int32_t first = tape.operands[index].a
    cdef int32_t count = tape.operands[index].b
    cdef int32_t place = k - size_with_edges(count) + 1
    cdef int32_t total = NONE
    cdef int32_t j
    for j in range(first, first + count):
        new_node(self, place, tape.edges[j].term, rules.LEAF, NONE, NONE)
        new_node(self, place + 1, 0.0, rules.MUL, number[tape.edges[j].a] - 1, place)
        place += 2
        if total != NONE:
            new_node(self, place, 0.0, rules.ADD, total, place - 1)
            place += 1
        total = place - 1
    new_node(self, place, tape.data[index], rules.LEAF, NONE, NONE)
    new_node(self, k, tape.data[index], rules.GIVEN, place, total)


cdef inline void new_take(Analysis self, int32_t k, int32_t index, const int32_t *number) noexcept:
    cdef Operands edges = tape.operands[index]
    cdef int32_t first = self.entry_count
    cdef int32_t j
    new_node(self, k, 0.0, DO_TAKE, number[tape.edges[edges.a].a] - 1, NONE)
    for j in range(edges.a + 1, edges.a + edges.b):
        add_entry(self, number[tape.edges[j].a] - 1)
    self.nodes[k].entries, self.nodes[k].entry_count = first, self.entry_count - first


cdef inline int new_loop(Analysis self, int32_t k, int32_t index, const int32_t *number) except -1:
    cdef Operands edges = tape.operands[index]
    cdef int32_t first = self.entry_count
    cdef LoopStep loop = LoopStep.__new__(LoopStep)
    cdef int32_t j
    loop.rolled = rolled_at(index)
    loop.ends = [NONE] * (loop.rolled.carried + loop.rolled.steps * loop.rolled.given)
    self.loops[k] = loop
    new_node(self, k, 0.0, DO_LOOP, NONE, NONE)
    for j in range(edges.a + 1, edges.a + edges.b):
        add_entry(self, number[tape.edges[j].a] - 1)
    self.nodes[k].entries, self.nodes[k].entry_count = first, self.entry_count - first
    return 0


cdef inline int new_end(Analysis self, int32_t k, int32_t index, const int32_t *number) except -1:
    cdef int32_t loop = number[loop_of_end(index)] - 1
    new_node(self, k, 0.0, LOOP_END, loop, NONE)
    self.nodes[k].entries = number_of_end(index)
    (<LoopStep> self.loops[loop]).ends[number_of_end(index)] = k
    return 0


cdef inline void add_entry(Analysis self, int32_t k) noexcept:
    self.entries[self.entry_count] = k
    self.entry_count += 1
    self.nodes[k].uses += 1
