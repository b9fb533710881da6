"""Dots: a whole neuron's sum of products, and its activation, in one node. Part of tape/arena.pyx, see its design.

A dot stands for the nodes that micrograd would have recorded, and nobody must be able to tell the difference. Its node
is the last of them. What the others would hold is known as long as at most one sweep has passed: their data follow from
the products, which are kept at recording, and their adjoints from the sum's. Before anything else happens to them, or
anybody looks at them, `expand_all` puts them in place.
"""

from libc.math cimport NAN
from libc.stdint cimport int32_t, uint8_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport (
    ADJOINT, ADJOINT_FLOAT, BIAS, CONSECUTIVE, FINITE, GRAD_FLOAT, LEAF_NODE, MARK, PRODUCT, SWEPT, Edge, Node, Tape,
    float_data, is_nary, move_handle, new_flags, write,
)


# --- sweeping ---

cdef inline int pull_dot(Node *nodes, Edge *edges, Node *node, bint unchanged) noexcept nogil:
    """Push a dot's adjoint to b, all w and all x; return how many became marked. For its first sweep only.

    The order is that of the nodes it stands for: the last product first, b before the first product. An adjoint of 0,
    as of a neuron that relu turned off, adds nothing to theirs: 0 times a finite number is 0 or -0, and adding that
    changes nothing but a -0. By `unchanged` the caller says that data is as it was and no adjoint is -0.
    """
    cdef Edge *edge = edges + node.a
    cdef Edge *last = edge + node.b - 1
    cdef Edge *first = edge + PRODUCT
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
    edge[ADJOINT].term = adjoint
    node.dot |= SWEPT | grad_float
    if adjoint == 0.0 and node.dot & FINITE and unchanged:
        if node.dot & CONSECUTIVE:
            reached = flags_of_consecutive(nodes + last.a, nodes + last.b, node.b - PRODUCT)
    elif node.dot & CONSECUTIVE:
        reached = pull_consecutive(nodes + last.a, nodes + last.b, node.b - PRODUCT - 1, adjoint)
        b.grad += adjoint
        reached &= pull_consecutive(nodes + first.a, nodes + first.b, 1, adjoint)
    else:
        reached = pull_scattered(nodes, last, first, adjoint)
        b.grad += adjoint
        reached &= pull_scattered(nodes, first, first - 1, adjoint)
    marked = reach(b, grad_float)
    if not grad_float or reached & (MARK | GRAD_FLOAT) != MARK | GRAD_FLOAT:
        while first <= last:
            marked += reach(nodes + first.a, grad_float | float_data(nodes + first.b))
            marked += reach(nodes + first.b, grad_float | float_data(nodes + first.a))
            first += 1
    return marked


cdef inline int reach(Node *to, uint8_t grad_float) noexcept nogil:
    """Do to the flags what adding to an adjoint does. True if newly marked."""
    cdef uint8_t flags = to.flags
    to.flags = flags | grad_float | MARK
    return not flags & (MARK | LEAF_NODE)


# These add to adjoints and leave flags alone. They return the flags that all operands have in common: nearly always all
# have been reached before.

cdef inline uint8_t pull_scattered(Node *nodes, Edge *edge, Edge *end, double adjoint) noexcept nogil:
    """For the products from `edge` down, above `end`."""
    cdef uint8_t flags = MARK | GRAD_FLOAT
    while edge > end:
        pull_term(nodes + edge.a, nodes + edge.b, adjoint)
        flags &= nodes[edge.a].flags & nodes[edge.b].flags
        edge -= 1
    return flags


cdef inline uint8_t pull_consecutive(Node *w, Node *x, int32_t count, double adjoint) noexcept nogil:
    """For `count` products, whose operands are those from w and x down."""
    cdef uint8_t flags = MARK | GRAD_FLOAT
    cdef Node *end = w - count
    while w > end:
        pull_term(w, x, adjoint)
        flags &= w.flags & x.flags
        w -= 1
        x -= 1
    return flags


cdef inline uint8_t flags_of_consecutive(Node *w, Node *x, int32_t count) noexcept nogil:
    cdef uint8_t flags = MARK | GRAD_FLOAT
    cdef Node *end = w - count
    while w > end:
        flags &= w.flags & x.flags
        w -= 1
        x -= 1
    return flags


cdef inline void pull_term(Node *w, Node *x, double adjoint) noexcept nogil:
    cdef double w_data = w.data
    cdef double x_data = x.data
    w.grad += x_data * adjoint
    x.grad += w_data * adjoint


# --- expanding ---

cdef inline int32_t expanded_size(Node *dot) noexcept nogil:
    """How many nodes a dot stands for: a product and a sum for each w, and the activation."""
    return 2 * (dot.b - PRODUCT) + (dot.activation != rules.ADD)


cdef inline Py_ssize_t count_hidden(Tape *t) noexcept nogil:
    """How many more nodes there are when all dots are expanded."""
    cdef Py_ssize_t count = 0
    cdef int32_t i
    for i in range(t.first_dot, t.top):
        if t.nodes[i].op == rules.DOT:
            count += expanded_size(t.nodes + i) - 1
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
    cdef int32_t i
    for i in range(t.top - 1, first - 1, -1):
        node = t.nodes[i]
        move_handle(t, i, node.forward)
        if node.op == rules.DOT:
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
            up += expanded_size(node) - 1
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
    cdef Node *nodes = t.nodes
    cdef Edge *edge = t.edges + dot.a
    cdef double running = edge[BIAS].term
    cdef double adjoint = edge[ADJOINT].term if dot.dot & SWEPT else 0.0
    cdef uint8_t flags = new_flags(t, dot.dot & ADJOINT_FLOAT)
    cdef int32_t total = moved(t, first, edge[BIAS].a)
    cdef int32_t place = dot.forward - expanded_size(&dot) + 1
    cdef int32_t k
    for k in range(PRODUCT, dot.b):
        running += edge[k].term
        write_hidden(
            nodes + place, rules.MUL, moved(t, first, edge[k].a), moved(t, first, edge[k].b), edge[k].term, adjoint,
            flags,
        )
        write_hidden(nodes + place + 1, rules.ADD, total, place, running, adjoint, flags)
        total = place + 1
        place += 2
    if dot.activation != rules.ADD:
        write_hidden(nodes + place, dot.activation, total, 0, 0.0, 0.0, new_flags(t, 0))
    nodes[dot.forward].data = dot.data
    nodes[dot.forward].grad = dot.grad
    nodes[dot.forward].flags = dot.flags


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
