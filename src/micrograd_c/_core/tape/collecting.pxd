"""Giving nodes back when the tape is full, and renumbering those that stay: part of tape/arena.pyx, see its design."""

from libc.stdint cimport int32_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport (
    FIRST, HOOK, LIVE, NO_DOT, Edge, Node, Tape, drop_states, is_consecutive, is_nary, move_handle, product_count,
)
from micrograd_c._core.tape.changes cimport drop_changes_of_dead, drop_outdated_changes, renumber_changes, slide_changes
from micrograd_c._core.tape.interrupts cimport PATIENCE, is_interrupted


cdef inline bint collect_nodes(Tape *t, int32_t old) noexcept:
    """Slide the nodes that live handles reach to the bottom, in their order, and renumber them.

    Survivors that were below `old` are below base then. They should have lived for a while: base does not come down
    when they die, and garbage below it waits for the next collection.

    If Ctrl-C was pressed, nothing is done and False returned: a collection takes long, and the tape can grow instead.
    """
    if not mark_reachable(t):
        return False
    drop_dead_states(t)
    drop_changes_of_dead(t)
    slide_marked(t, old)
    t.aged = t.top
    t.unchanged = min(t.unchanged, t.top)
    t.old_deaths = 0
    t.dropped = 0
    return True


cdef inline bint mark_reachable(Tape *t) noexcept:
    """False, and no mark left, if interrupted."""
    cdef Node *nodes = t.nodes
    cdef Node *node
    cdef int32_t i, k
    for i in range(t.top - 1, 0, -1):
        node = nodes + i
        if i % PATIENCE == 0 and is_interrupted():
            for k in range(1, t.top):
                nodes[k].flags &= ~LIVE
            return False
        if t.handles[i] != NULL:
            node.flags |= LIVE
        elif not node.flags & LIVE:
            continue
        if is_nary(node):
            for k in range(node.a, node.a + node.b):
                nodes[t.edges[k].a].flags |= LIVE
                nodes[t.edges[k].b].flags |= LIVE
            if is_consecutive(node):
                mark_following(nodes, t.edges + node.a)
        else:
            # a missing operand is node 0, which is never moved
            nodes[node.a].flags |= LIVE
            nodes[node.b].flags |= LIVE
    return True


cdef inline void mark_following(Node *nodes, const Edge *dot) noexcept:
    """The operands of a consecutive dot after the first ones."""
    cdef int32_t k
    for k in range(1, product_count(dot)):
        nodes[dot[FIRST].a + k].flags |= LIVE
        nodes[dot[FIRST].b + k].flags |= LIVE


cdef inline void drop_dead_states(Tape *t) noexcept:
    cdef int32_t i
    if t.state_count:
        for i in range(1, t.top):
            if not t.nodes[i].flags & LIVE:
                drop_states(t, i, i + 1)


cdef inline void slide_marked(Tape *t, int32_t old) noexcept:
    cdef Node *nodes = t.nodes
    cdef Node *node
    cdef Node *place
    cdef int32_t i, k, forward, start
    cdef int32_t former_top = t.top
    cdef int32_t to = 1
    cdef int32_t edge_to = 0
    t.hooks = 0
    t.young = 0
    t.highest = 0
    t.first_dot = NO_DOT
    for i in range(1, t.top):
        if i == old:
            set_base(t, to, edge_to)
        node = nodes + i
        node.forward = to
        if not node.flags & LIVE:
            continue
        node.flags &= ~LIVE
        t.hooks += (node.flags & HOOK) != 0
        if t.handles[i] != NULL:
            t.young += 1
            t.highest = to
        if is_nary(node):
            start = node.a
            node.a = edge_to
            for k in range(node.b):
                t.edges[edge_to].term = t.edges[start + k].term
                t.edges[edge_to].a = nodes[t.edges[start + k].a].forward
                t.edges[edge_to].b = nodes[t.edges[start + k].b].forward
                edge_to += 1
            if node.op == rules.DOT:
                t.first_dot = min(t.first_dot, to)
        else:
            node.a = nodes[node.a].forward
            node.b = nodes[node.b].forward
        if i != to:
            place = nodes + to
            forward = place.forward         # belongs to the place, not to the node: operands are looked up by it
            place[0] = node[0]
            place.forward = forward
            move_handle(t, i, to)
        to += 1
    if old >= t.top:
        set_base(t, to, edge_to)
    t.top = to
    t.edge_top = edge_to
    renumber_changes(t, former_top)


cdef inline void set_base(Tape *t, int32_t base, int32_t edge_base) noexcept nogil:
    """Put all nodes that were counted so far below base."""
    t.base = base
    t.edge_base = edge_base
    t.hooks_base = t.hooks
    t.young = 0
    t.highest = base - 1
    t.passed = 0


cdef inline bint drop_lowest(Tape *t, Py_ssize_t nodes, Py_ssize_t edges) noexcept:
    """Drop the nodes from base on that nothing above them refers to, if that leaves a third of the tape free.

    All nodes above those are taken to be alive, so no marks are needed: one look down at operands, one pass up.
    """
    cdef int32_t low = lowest_in_use(t)
    cdef int32_t edge_low = t.edge_top
    cdef int32_t i
    for i in range(low, t.top):
        if is_nary(t.nodes + i):
            edge_low = t.nodes[i].a
            break
    if t.top - (low - t.base) + nodes > t.capacity - t.capacity // 3:
        return False
    if t.edge_top - (edge_low - t.edge_base) + edges > t.edge_capacity - t.edge_capacity // 3:
        return False
    if t.hooks > t.hooks_base:
        for i in range(t.base, low):
            t.hooks -= (t.nodes[i].flags & HOOK) != 0
    drop_states(t, t.base, low)
    slide_down(t, low, edge_low)
    return True


cdef inline int32_t lowest_in_use(Tape *t) noexcept nogil:
    """At or above base: no node from base on that is below it can be reached from a live handle."""
    cdef Node *node
    cdef int32_t low = t.base
    cdef int32_t i, k
    while low < t.top and t.handles[low] == NULL:
        low += 1
    i = t.top - 1
    while i >= low > t.base:
        node = t.nodes + i
        if is_nary(node):
            for k in range(node.a, node.a + node.b):
                if t.base <= t.edges[k].a < low:
                    low = t.edges[k].a
                if t.base <= t.edges[k].b < low:
                    low = t.edges[k].b
            if is_consecutive(node) and reaches_base(t, t.edges + node.a):
                low = t.base
        else:
            if t.base <= node.a < low:
                low = node.a
            if t.base <= node.b < low:
                low = node.b
        i -= 1
    return low


cdef inline bint reaches_base(Tape *t, const Edge *dot) noexcept nogil:
    """Whether operands of a consecutive dot begin below base and end above."""
    cdef int32_t count = product_count(dot)
    return (
        dot[FIRST].a < t.base < dot[FIRST].a + count or dot[FIRST].b < t.base < dot[FIRST].b + count
    )


cdef inline void slide_down(Tape *t, int32_t low, int32_t edge_low) noexcept:
    """Move the nodes from low on, and their operands from edge_low on, down to base and edge_base."""
    cdef int32_t down = low - t.base
    cdef int32_t edges_down = edge_low - t.edge_base
    cdef Node *node
    cdef Edge *edge
    cdef int32_t i, k
    slide_changes(t, low)
    for k in range(edge_low, t.edge_top):
        edge = t.edges + k - edges_down
        edge[0] = t.edges[k]
        edge.a -= down if edge.a >= low else 0
        edge.b -= down if edge.b >= low else 0
    for i in range(low, t.top):
        node = t.nodes + i - down
        node[0] = t.nodes[i]
        if is_nary(node):
            node.a -= edges_down
        else:
            node.a -= down if node.a >= low else 0
            node.b -= down if node.b >= low else 0
        if down:
            move_handle(t, i, i - down)
    t.top -= down
    t.highest = max(t.base - 1, t.highest - down)
    t.edge_top -= edges_down
    if t.base <= t.first_dot != NO_DOT:
        t.first_dot = max(t.base, t.first_dot - down)
    t.aged = max(t.base, t.aged - down)
    t.unchanged = max(min(t.unchanged, t.base), t.unchanged - down)
    t.dropped += down
    drop_outdated_changes(t)
