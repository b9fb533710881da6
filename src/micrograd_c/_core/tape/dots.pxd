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
    Edge, Node, Tape, float_data, is_nary, move_handle, new_flags, operand_w, operand_x, product_count, write,
)
from micrograd_c._core.tape.changes cimport forward_changes, repeat_changes, take_back_changes


# --- sweeping ---

cdef inline int pull_dot(Node *nodes, Edge *edges, Node *node, bint unchanged) noexcept nogil:
    """Push a dot's adjoint to b, all w and all x; return how many became marked. For its first sweep only.

    The order is that of the nodes it stands for: the last product first, b before the first product. An adjoint of 0,
    as of a neuron that relu turned off, adds nothing to theirs: 0 times a finite number is 0 or -0, and adding that
    changes nothing but a -0. By `unchanged` the caller says that data is as it was and no adjoint is -0.
    """
    cdef Edge *edge = edges + node.a
    cdef int32_t count = product_count(edge)
    cdef Node *b = nodes + edge[BIAS].a
    cdef uint8_t grad_float = node.flags & GRAD_FLOAT
    cdef uint8_t reached = 0
    cdef double adjoint = node.grad
    cdef int marked
    if node.activation == rules.RELU:   # by far the commonest; the compiler knows the rules of a constant op
        adjoint *= rules.slope(rules.RELU, NAN, node.data)
        if not rules.gradient_keeps_int(rules.RELU):
            grad_float = GRAD_FLOAT
    elif node.activation != rules.ADD:
        adjoint *= rules.slope_of_other(node.activation, NAN, node.data)    # no activation's slope needs x
        if not rules.gradient_keeps_int(node.activation):
            grad_float = GRAD_FLOAT
    adjoint += 0.0      # -0.0 added to an adjoint is 0.0
    edge[FIRST].term = adjoint
    node.dot |= SWEPT | grad_float
    if node.dot & CONSECUTIVE:
        reached = pull_consecutive(
            nodes + edge[FIRST].a, nodes + edge[FIRST].b, count, b, adjoint, node.dot & NUMBERS,
            adjoint == 0.0 and node.dot & FINITE and unchanged)
    elif not (adjoint == 0.0 and node.dot & FINITE and unchanged):
        reached = pull_scattered(nodes, edge, b, adjoint, node.dot & NUMBERS)
    marked = reach(b, grad_float)
    if not grad_float or reached & (MARK | GRAD_FLOAT) != MARK | GRAD_FLOAT:
        marked += reach_operands(nodes, node, edge, grad_float)
    return marked


cdef inline int reach_operands(Node *nodes, Node *dot, Edge *edge, uint8_t grad_float) noexcept nogil:
    """What adding to the operands' adjoints does to their flags. Returns how many became marked."""
    cdef int marked = 0
    cdef int32_t k
    cdef Node *w
    cdef Node *x
    for k in range(product_count(edge)):
        w = nodes + operand_w(dot, edge, k)
        x = nodes + operand_x(dot, edge, k)
        marked += reach(w, grad_float | float_data(x))
        if not dot.dot & NUMBERS:
            marked += reach(x, grad_float | float_data(w))
    return marked


cdef inline int reach(Node *to, uint8_t grad_float) noexcept nogil:
    """Do to the flags what adding to an adjoint does. True if newly marked."""
    cdef uint8_t flags = to.flags
    to.flags = flags | grad_float | MARK
    return not flags & (MARK | LEAF_NODE)


# These add to adjoints and leave flags alone. They return the flags that all operands have in common: nearly always all
# have been reached before.

cdef inline uint8_t pull_scattered(Node *nodes, Edge *edge, Node *b, double adjoint, bint numbers) noexcept nogil:
    cdef uint8_t unseen = MARK | GRAD_FLOAT if numbers else 0      # nobody asks for the flags of numbers' leaves
    cdef uint8_t flags = MARK | GRAD_FLOAT
    cdef int32_t k
    cdef Node *w
    cdef Node *x
    for k in range(product_count(edge) - 1, -1, -1):
        if k == 0:
            b.grad += adjoint
        w = nodes + edge[PRODUCT + k].a
        x = nodes + edge[PRODUCT + k].b
        flags &= w.flags & (x.flags | unseen)
        pull_term(w, x, adjoint, numbers)
    return flags


cdef inline uint8_t pull_consecutive(
    Node *w, Node *x, int32_t count, Node *b, double adjoint, bint numbers, bint nothing
) noexcept nogil:
    """`nothing` says that nothing would change."""
    cdef uint8_t unseen = MARK | GRAD_FLOAT if numbers else 0
    cdef uint8_t flags = MARK | GRAD_FLOAT
    cdef int32_t k
    if nothing:
        for k in range(count):
            flags &= w[k].flags & (x[k].flags | unseen)
        return flags
    if numbers:
        for k in range(count - 1, 0, -1):
            flags &= w[k].flags
            pull_term(w + k, x + k, adjoint, True)
    else:
        for k in range(count - 1, 0, -1):
            flags &= w[k].flags & x[k].flags
            pull_term(w + k, x + k, adjoint, False)
    b.grad += adjoint
    pull_term(w, x, adjoint, numbers)
    return flags & w.flags & (x.flags | unseen)


cdef inline void pull_term(Node *w, Node *x, double adjoint, bint numbers) noexcept nogil:
    cdef double w_data = w.data
    cdef double x_data = x.data
    w.grad += x_data * adjoint
    if not numbers:
        x.grad += w_data * adjoint


# --- expanding ---

cdef inline int32_t expanded_size(const Edge *edges, const Node *dot) noexcept nogil:
    """How many nodes a dot stands for: a product and a sum for each w, and the activation; and leaves for numbers."""
    return (3 if dot.dot & NUMBERS else 2) * product_count(edges + dot.a) + (dot.activation != rules.ADD)


cdef inline Py_ssize_t count_hidden(Tape *t) noexcept nogil:
    """How many more nodes there are when all dots are expanded."""
    cdef Py_ssize_t count = 0
    cdef int32_t i
    for i in range(t.first_dot, t.top):
        if t.nodes[i].op == rules.DOT:
            count += expanded_size(t.edges, t.nodes + i) - 1
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
    cdef int32_t i
    forward_changes(t, first)
    for i in range(t.top - 1, first - 1, -1):
        node = t.nodes[i]
        move_handle(t, i, node.forward)
        if node.op == rules.DOT:
            taken_back = take_back_changes(t, taken_back, i)
            write_expanded(t, first, node)
            continue
        if not rules.has_edges(node.op):
            node.a = moved(t, first, node.a)
            node.b = moved(t, first, node.b)
        t.nodes[node.forward] = node
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
    cdef Node *node
    cdef int32_t up = 0
    cdef int32_t edge_low = t.edge_top
    cdef int32_t i, k
    for i in range(first, t.top):
        node = t.nodes + i
        if is_nary(node):
            edge_low = min(edge_low, node.a)
        if node.op == rules.DOT:
            up += expanded_size(t.edges, node) - 1
        elif is_nary(node):
            for k in range(node.a, node.a + node.b):
                t.edges[k].a = moved(t, first, t.edges[k].a)
                t.edges[k].b = moved(t, first, t.edges[k].b)
        node.forward = i + up
    return edge_low


cdef inline int32_t moved(Tape *t, int32_t first, int32_t index) noexcept nogil:
    return index if index < first else t.nodes[index].forward


cdef inline int32_t place_after(Tape *t, int32_t first, int32_t index) noexcept nogil:
    """Where the nodes from index on will start."""
    return moved(t, first, index - 1) + 1


cdef inline void write_expanded(Tape *t, int32_t first, Node dot) noexcept nogil:
    """The nodes in a dot's place. Data of its operands is what it was when the dot was recorded."""
    cdef Node *nodes = t.nodes
    cdef Edge *edge = t.edges + dot.a
    cdef double running = nodes[edge[BIAS].a].data
    cdef double adjoint = edge[FIRST].term if dot.dot & SWEPT else 0.0
    cdef double w_data, x_data
    cdef uint8_t flags = new_flags(t, dot.dot & ADJOINT_FLOAT)
    cdef int32_t total = moved(t, first, edge[BIAS].a)
    cdef int32_t place = dot.forward - expanded_size(t.edges, &dot) + 1
    cdef int32_t w, x, k
    for k in range(product_count(edge)):
        w = operand_w(&dot, edge, k)
        x = operand_x(&dot, edge, k)
        w_data = nodes[w].data
        x_data = nodes[x].data
        if dot.dot & NUMBERS:
            write_number(t, nodes + place, nodes + x, w_data * adjoint, dot.dot & SWEPT)
            x = place
            place += 1
        else:
            x = moved(t, first, x)
        write_hidden(nodes + place, rules.MUL, moved(t, first, w), x, w_data * x_data, adjoint, flags)
        running += w_data * x_data
        write_hidden(nodes + place + 1, rules.ADD, total, place, running, adjoint, flags)
        total = place + 1
        place += 2
    if dot.activation != rules.ADD:
        write_hidden(nodes + place, dot.activation, total, 0, 0.0, 0.0, new_flags(t, 0))
    nodes[dot.forward].data = dot.data
    nodes[dot.forward].grad = dot.grad
    nodes[dot.forward].flags = dot.flags


cdef inline void write_number(Tape *t, Node *node, const Node *shared, double grad, bint swept) noexcept nogil:
    """The leaf of a number for one product. w was a float in the sweep, so the leaf's gradient is one."""
    cdef double data = shared.data
    write(node, rules.LEAF, 0, 0, data, new_flags(t, shared.flags & DATA_INT | LEAF_NODE))
    if swept:
        node.grad = grad + 0.0
        node.flags |= GRAD_FLOAT


cdef inline void write_hidden(
    Node *node, int op, int32_t a, int32_t b, double data, double adjoint, uint8_t flags
) noexcept nogil:
    write(node, op, a, b, data, 0)
    node.grad = adjoint
    node.flags = flags


cdef inline void drop_dot_edges(Tape *t, int32_t first, int32_t edge_to) noexcept nogil:
    """There are no dots now: slide the edges of other nodes down, to edge_to and after it."""
    cdef Node *node
    cdef int32_t i, k
    for i in range(first, t.top):
        if i == t.base:
            t.edge_base = edge_to
        node = t.nodes + i
        if is_nary(node):
            for k in range(node.b):
                t.edges[edge_to + k] = t.edges[node.a + k]
            node.a = edge_to
            edge_to += node.b
    if t.base >= t.top:
        t.edge_base = edge_to
    t.edge_top = edge_to
