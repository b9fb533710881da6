"""Giving nodes back when the tape is full, and renumbering those that stay: part of tape/arena.pyx, see its design."""

from libc.stdint cimport int32_t, uint8_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport (
    HOOK, LIVE, NO_DOT, Edge, Operands, Span, Spans, Tape, arrays_of, drop_states, move_handle, node_at, put_node,
    spans_of,
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
    cdef uint8_t *flags = t.flags
    cdef Operands operands
    cdef Spans spans
    cdef int32_t i, k
    for i in range(t.top - 1, 0, -1):
        if i % PATIENCE == 0 and is_interrupted():
            for k in range(1, t.top):
                flags[k] &= ~LIVE
            return False
        if t.handles[i] != NULL:
            flags[i] |= LIVE
        elif not flags[i] & LIVE:
            continue
        operands = t.operands[i]
        if rules.has_edges(t.op[i]):
            for k in range(operands.a, operands.a + operands.b):
                spans = spans_of(t, i, k)
                mark_span(flags, spans.a)
                mark_span(flags, spans.b)
        else:
            # a missing operand is node 0, which is never moved
            flags[operands.a] |= LIVE
            flags[operands.b] |= LIVE
    return True


cdef inline void mark_span(uint8_t *flags, Span span) noexcept:
    cdef int32_t i
    for i in range(span.first, span.end):
        flags[i] |= LIVE


cdef inline void drop_dead_states(Tape *t) noexcept:
    cdef int32_t i
    if t.state_count:
        for i in range(1, t.top):
            if not t.flags[i] & LIVE:
                drop_states(t, i, i + 1)


cdef inline void slide_marked(Tape *t, int32_t old) noexcept:
    cdef int32_t *forward = t.forward       # belongs to a place, not to the node there: operands are looked up by it
    cdef Operands *operands
    cdef int32_t i, k, start
    cdef int32_t former_top = t.top
    cdef int32_t to = 1
    cdef int32_t edge_to = 0
    t.moves += 1
    t.hooks = 0
    t.young = 0
    t.highest = 0
    t.first_dot = NO_DOT
    for i in range(1, t.top):
        if i == old:
            set_base(t, to, edge_to)
        forward[i] = to
        if not t.flags[i] & LIVE:
            continue
        t.flags[i] &= ~LIVE
        t.hooks += (t.flags[i] & HOOK) != 0
        if t.handles[i] != NULL:
            t.young += 1
            t.highest = to
        operands = t.operands + i
        if rules.has_edges(t.op[i]):
            start = operands.a
            operands.a = edge_to
            for k in range(start, start + operands.b):
                t.edges[edge_to] = Edge(t.edges[k].term, forward[t.edges[k].a], forward[t.edges[k].b])
                edge_to += 1
            if t.op[i] == rules.DOT:
                t.first_dot = min(t.first_dot, to)
        else:
            operands[0] = Operands(forward[operands.a], forward[operands.b])
        if i != to:
            put_node(arrays_of(t), to, node_at(t, i))
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
        if rules.has_edges(t.op[i]):
            edge_low = t.operands[i].a
            break
    if t.top - (low - t.base) + nodes > t.capacity - t.capacity // 3:
        return False
    if t.edge_top - (edge_low - t.edge_base) + edges > t.edge_capacity - t.edge_capacity // 3:
        return False
    if t.hooks > t.hooks_base:
        for i in range(t.base, low):
            t.hooks -= (t.flags[i] & HOOK) != 0
    drop_states(t, t.base, low)
    slide_down(t, low, edge_low)
    return True


cdef inline int32_t lowest_in_use(Tape *t) noexcept nogil:
    """At or above base: no node from base on that is below it can be reached from a live handle."""
    cdef Operands operands
    cdef Spans spans
    cdef int32_t low = t.base
    cdef int32_t i, k
    while low < t.top and t.handles[low] == NULL:
        low += 1
    i = t.top - 1
    while i >= low > t.base:
        operands = t.operands[i]
        if rules.has_edges(t.op[i]):
            for k in range(operands.a, operands.a + operands.b):
                spans = spans_of(t, i, k)
                low = lower(t, low, spans.a)
                low = lower(t, low, spans.b)
        else:
            low = lower(t, low, Span(operands.a, operands.a + 1))
            low = lower(t, low, Span(operands.b, operands.b + 1))
        i -= 1
    return low


cdef inline int32_t lower(Tape *t, int32_t low, Span span) noexcept nogil:
    """The lowest node from base on of these, if it is below low; else low."""
    return min(low, max(span.first, t.base)) if span.end > t.base else low


cdef inline void slide_down(Tape *t, int32_t low, int32_t edge_low) noexcept:
    """Move the nodes from low on, and their operands from edge_low on, down to base and edge_base."""
    cdef int32_t down = low - t.base
    cdef int32_t edges_down = edge_low - t.edge_base
    cdef Operands *operands
    cdef Edge *edge
    cdef int32_t i, k
    t.moves += 1
    slide_changes(t, low)
    for k in range(edge_low, t.edge_top):
        edge = t.edges + k - edges_down
        edge[0] = t.edges[k]
        edge.a -= down if edge.a >= low else 0
        edge.b -= down if edge.b >= low else 0
    for i in range(low, t.top):
        put_node(arrays_of(t), i - down, node_at(t, i))
        operands = t.operands + i - down
        if rules.has_edges(t.op[i - down]):
            operands.a -= edges_down
        else:
            operands.a -= down if operands.a >= low else 0
            operands.b -= down if operands.b >= low else 0
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
