"""Dots: a whole neuron's sum of products, and its activation, in one node. Part of tape/arena.pyx, see its design.

A dot stands for the nodes that micrograd would have recorded, and nobody must be able to tell the difference. Its node
is the last of them. What the others would hold is known as long as at most one sweep has passed: their data follow from
the operands', as it was when the dot was recorded (changes.pxd), and their adjoints from the sum's. Before anything
else happens to them, or anybody looks at them, `expand_all` puts them in place.

The dots of a call that was given numbers share one leaf per number, which no sweep adds to. Where micrograd would have
recorded a leaf for each product, so does `expand_all`, with the gradient that it would have.
"""

from libc.math cimport NAN
from libc.stdint cimport int32_t, uint8_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport (
    ADJOINT_FLOAT, BIAS, CONSECUTIVE, DATA_INT, FINITE, FIRST, GRAD_FLOAT, LEAF_NODE, MARK, NUMBERS, PRODUCT, SWEPT,
    Arrays, Edge, Node, Operands, Tape, arrays_of, float_data, move_handle, new_flags, node_at, operand_w,
    operand_x, product_count, put_node, write,
)
from micrograd_c._core.tape.changes cimport forward_changes, repeat_changes, take_back_changes
from micrograd_c._core.tape.rows cimport add_multiples, bits_of_all, set_bits


# --- sweeping ---

cdef inline int pull_dot(Arrays at, int32_t index, bint unchanged) noexcept nogil:
    """Push a dot's adjoint to b, all w and all x; return how many became marked. For its first sweep only.

    The order is that of the nodes it stands for: the last product first, b before the first product. An adjoint of 0,
    as of a neuron that relu turned off, adds nothing to theirs: 0 times a finite number is 0 or -0, and adding that
    changes nothing but a -0. By `unchanged` the caller says that data is as it was and no adjoint is -0.
    """
    cdef Edge *edge = at.edges + at.operands[index].a
    cdef int op = at.activation[index]
    cdef uint8_t state = at.dot[index]
    cdef uint8_t grad_float = at.flags[index] & GRAD_FLOAT
    cdef uint8_t reached
    cdef double adjoint = at.grad[index]
    cdef bint nothing
    cdef int marked
    if op == rules.RELU:    # by far the commonest; the compiler knows the rules of a constant op
        adjoint *= rules.slope(rules.RELU, NAN, at.data[index])
        if not rules.gradient_keeps_int(rules.RELU):
            grad_float = GRAD_FLOAT
    elif op != rules.ADD:
        adjoint *= rules.slope_of_other(op, NAN, at.data[index])    # no activation's slope needs x
        if not rules.gradient_keeps_int(op):
            grad_float = GRAD_FLOAT
    adjoint += 0.0      # -0.0 added to an adjoint is 0.0
    edge[FIRST].term = adjoint
    at.dot[index] = state | SWEPT | grad_float
    nothing = adjoint == 0.0 and state & FINITE and unchanged
    if state & CONSECUTIVE:
        reached = common_flags(at, edge, state)
        if not nothing:
            pull_consecutive(at, edge, adjoint, state & NUMBERS)
    else:
        reached = 0 if nothing else pull_scattered(at, edge, adjoint, state & NUMBERS)
    marked = reach(at.flags + edge[BIAS].a, grad_float)
    if not grad_float or reached & (MARK | GRAD_FLOAT) != MARK | GRAD_FLOAT:
        marked += reach_operands(at.flags, state, edge, grad_float)
    return marked


cdef inline int reach_operands(uint8_t *flags, uint8_t state, Edge *edge, uint8_t grad_float) noexcept nogil:
    """What adding to the operands' adjoints does to their flags. Returns how many became marked."""
    cdef int marked = 0
    cdef int32_t k
    cdef uint8_t *w
    cdef uint8_t *x
    if state & CONSECUTIVE and grad_float:
        marked = reach_row(flags + edge[FIRST].a, product_count(edge))
        return marked if state & NUMBERS else marked + reach_row(flags + edge[FIRST].b, product_count(edge))
    for k in range(product_count(edge)):
        w = flags + operand_w(state, edge, k)
        x = flags + operand_x(state, edge, k)
        marked += reach(w, grad_float | float_data(x[0]))
        if not state & NUMBERS:
            marked += reach(x, grad_float | float_data(w[0]))
    return marked


cdef inline int reach(uint8_t *to, uint8_t grad_float) noexcept nogil:
    """Do to a node's flags what adding to its adjoint does. True if newly marked."""
    cdef uint8_t flags = to[0]
    to[0] = flags | grad_float | MARK
    return not flags & (MARK | LEAF_NODE)


cdef inline int reach_row(uint8_t *to, int32_t count) noexcept nogil:
    """The same for neighbours, to whose adjoints floats are added."""
    return <int> set_bits(to, GRAD_FLOAT | MARK, MARK | LEAF_NODE, count)


cdef inline uint8_t common_flags(Arrays at, const Edge *edge, uint8_t state) noexcept nogil:
    """The flags that all operands of a consecutive dot have: nearly always all have been reached before.

    Nobody asks for the flags of numbers' leaves.
    """
    cdef int32_t count = product_count(edge)
    cdef uint8_t common = bits_of_all(at.flags + edge[FIRST].a, count)
    return common if state & NUMBERS else common & bits_of_all(at.flags + edge[FIRST].b, count)


# These add to adjoints and leave flags alone.

cdef inline uint8_t pull_scattered(Arrays at, const Edge *edge, double adjoint, bint numbers) noexcept nogil:
    """Returns the flags that all operands have."""
    cdef uint8_t unseen = MARK | GRAD_FLOAT if numbers else 0
    cdef uint8_t common = MARK | GRAD_FLOAT
    cdef double w_data
    cdef int32_t w, x, k
    for k in range(product_count(edge) - 1, -1, -1):
        if k == 0:
            at.grad[edge[BIAS].a] += adjoint
        w, x = edge[PRODUCT + k].a, edge[PRODUCT + k].b
        common &= at.flags[w] & (at.flags[x] | unseen)
        w_data = at.data[w]
        at.grad[w] += at.data[x] * adjoint
        if not numbers:
            at.grad[x] += w_data * adjoint
    return common


cdef inline void pull_consecutive(Arrays at, const Edge *edge, double adjoint, bint numbers) noexcept nogil:
    """In vectors, unless a node's places are not right after each other: then the order of additions matters."""
    cdef int32_t count = product_count(edge)
    cdef int32_t w = edge[FIRST].a
    cdef int32_t x = edge[FIRST].b
    cdef int32_t bias = edge[BIAS].a
    cdef int32_t k
    if w != x and w < x + count and x < w + count or w <= bias < w + count or x <= bias < x + count:
        for k in range(count - 1, -1, -1):
            if k == 0:
                at.grad[bias] += adjoint
            at.grad[w + k] += at.data[x + k] * adjoint
            if not numbers:
                at.grad[x + k] += at.data[w + k] * adjoint
        return
    add_multiples(at.grad + w, at.data + x, adjoint, count)
    at.grad[bias] += adjoint
    if not numbers:
        add_multiples(at.grad + x, at.data + w, adjoint, count)


# --- expanding ---

cdef inline int32_t expanded_size(const Tape *t, int32_t dot) noexcept nogil:
    """How many nodes a dot stands for: a product and a sum for each w, and the activation; and leaves for numbers."""
    cdef int32_t each = 3 if t.dot[dot] & NUMBERS else 2
    return each * product_count(t.edges + t.operands[dot].a) + (t.activation[dot] != rules.ADD)


cdef inline Py_ssize_t count_hidden(Tape *t) noexcept nogil:
    """How many more nodes there are when all dots are expanded."""
    cdef Py_ssize_t count = 0
    cdef int32_t i
    for i in range(t.first_dot, t.top):
        if t.op[i] == rules.DOT:
            count += expanded_size(t, i) - 1
    return count


cdef inline void expand_all(Tape *t, int32_t hidden) noexcept nogil:
    """Put the nodes that dots stand for in their places. There is room: they are `hidden` more than now.

    Nodes only move up, so the highest moves first; operands are looked up in the `forward` of places below.
    """
    cdef Node node
    cdef int32_t first = t.first_dot
    cdef int32_t edge_low = set_forwards(t, first)
    cdef int32_t base = place_after(t, first, t.base)
    cdef int32_t aged = place_after(t, first, t.aged)
    cdef int32_t highest = moved(t, first, t.highest)
    cdef Py_ssize_t taken_back = t.change_count
    cdef int32_t i, to
    t.moves += 1
    forward_changes(t, first)
    for i in range(t.top - 1, first - 1, -1):
        node = node_at(t, i)
        to = t.forward[i]
        move_handle(t, i, to)
        if node.op == rules.DOT:
            taken_back = take_back_changes(t, taken_back, i)
            write_expanded(t, first, to - expanded_size(t, i) + 1, node)
            # the last of them is the dot's own
            t.data[to], t.grad[to], t.flags[to] = node.data, node.grad, node.flags
            continue
        if not rules.has_edges(node.op):
            node.a = moved(t, first, node.a)
            node.b = moved(t, first, node.b)
        put_node(arrays_of(t), to, node)
    t.base = base
    t.aged = aged
    t.highest = highest
    t.top += hidden
    repeat_changes(t, taken_back)
    drop_dot_edges(t, first, edge_low)


cdef inline int32_t set_forwards(Tape *t, int32_t first) noexcept nogil:
    """Note where each node from `first` on will be, and renumber the operands of those with edges, except dots.

    Returns where the edges of these nodes begin.
    """
    cdef Operands operands
    cdef int32_t up = 0
    cdef int32_t edge_low = t.edge_top
    cdef int32_t i, k
    for i in range(first, t.top):
        operands = t.operands[i]
        if rules.has_edges(t.op[i]):
            edge_low = min(edge_low, operands.a)
        if t.op[i] == rules.DOT:
            up += expanded_size(t, i) - 1
        elif rules.has_edges(t.op[i]):
            for k in range(operands.a, operands.a + operands.b):
                t.edges[k].a = moved(t, first, t.edges[k].a)
                t.edges[k].b = moved(t, first, t.edges[k].b)
        t.forward[i] = i + up
    return edge_low


cdef inline int32_t moved(Tape *t, int32_t first, int32_t index) noexcept nogil:
    return index if index < first else t.forward[index]


cdef inline int32_t place_after(Tape *t, int32_t first, int32_t index) noexcept nogil:
    """Where the nodes from index on will start."""
    return moved(t, first, index - 1) + 1


cdef inline void write_expanded(Tape *t, int32_t first, int32_t place, Node dot) noexcept nogil:
    """The nodes in a dot's place. Data of its operands is what it was when the dot was recorded."""
    cdef Arrays at = arrays_of(t)
    cdef Edge *edge = t.edges + dot.a
    cdef double running = t.data[edge[BIAS].a]
    cdef double adjoint = edge[FIRST].term if dot.dot & SWEPT else 0.0
    cdef double w_data, x_data
    cdef uint8_t flags = new_flags(t, dot.dot & ADJOINT_FLOAT)
    cdef int32_t total = moved(t, first, edge[BIAS].a)
    cdef int32_t w, x, k
    for k in range(product_count(edge)):
        w = operand_w(dot.dot, edge, k)
        x = operand_x(dot.dot, edge, k)
        w_data = t.data[w]
        x_data = t.data[x]
        if dot.dot & NUMBERS:
            write_number(t, place, x, w_data * adjoint, dot.dot & SWEPT)
            x = place
            place += 1
        else:
            x = moved(t, first, x)
        write_hidden(at, place, rules.MUL, moved(t, first, w), x, w_data * x_data, adjoint, flags)
        running += w_data * x_data
        write_hidden(at, place + 1, rules.ADD, total, place, running, adjoint, flags)
        total = place + 1
        place += 2
    if dot.activation != rules.ADD:
        write_hidden(at, place, dot.activation, total, 0, 0.0, 0.0, new_flags(t, 0))


cdef inline void write_number(Tape *t, int32_t index, int32_t shared, double grad, bint swept) noexcept nogil:
    """The leaf of a number for one product. w was a float in the sweep, so the leaf's gradient is one."""
    write(arrays_of(t), index, rules.LEAF, 0, 0, t.data[shared], new_flags(t, t.flags[shared] & DATA_INT | LEAF_NODE))
    if swept:
        t.grad[index] = grad + 0.0
        t.flags[index] |= GRAD_FLOAT


cdef inline void write_hidden(
    Arrays at, int32_t index, int op, int32_t a, int32_t b, double data, double adjoint, uint8_t flags
) noexcept nogil:
    write(at, index, op, a, b, data, flags)
    at.grad[index] = adjoint


cdef inline void drop_dot_edges(Tape *t, int32_t first, int32_t edge_to) noexcept nogil:
    """There are no dots now: slide the edges of other nodes down, to edge_to and after it."""
    cdef Operands *operands
    cdef int32_t i, k
    for i in range(first, t.top):
        if i == t.base:
            t.edge_base = edge_to
        if rules.has_edges(t.op[i]):
            operands = t.operands + i
            for k in range(operands.b):
                t.edges[edge_to + k] = t.edges[operands.a + k]
            operands.a = edge_to
            edge_to += operands.b
    if t.base >= t.top:
        t.edge_base = edge_to
    t.edge_top = edge_to
