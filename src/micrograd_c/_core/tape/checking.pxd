"""What must be true of the tape whenever none of its functions is running: part of tape/arena.pyx, see its design.

In a build with MICROGRAD_C_BUILD=checked the tape checks itself, and ends the process if it finds a fault.
"""

from libc.stdint cimport int32_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport (
    BIAS, CONSECUTIVE, DETACHED, FIRST, HOOK, LEAF_NODE, LIVE, NO_DOT, NUMBERS, PRODUCT, Edge, Node, Tape,
    has_state, is_pending, node_at, operand_w, operand_x, product_count,
)
from micrograd_c._core.tape.missing_gradients cimport has_no_grad

cdef extern from *:
    """
    #if defined(MICROGRAD_C_CHECKED)
    #define MICROGRAD_C_IS_CHECKED 1
    #else
    #define MICROGRAD_C_IS_CHECKED 0
    #endif
    """
    const bint IS_CHECKED "MICROGRAD_C_IS_CHECKED"


cdef inline const char *find_fault(Tape *t, bint in_sweep, int32_t *place) noexcept:
    """The first thing that is wrong, and at which node; NULL if all is right. In a sweep marks may be set."""
    cdef const char *fault
    cdef int32_t i
    cdef int32_t edges_before = 0
    cdef int32_t young = 0, hooks = 0, hooks_base = 0, states = 0
    cdef int32_t highest = 0        # the highest node with a handle
    cdef int32_t first_dot = NO_DOT
    place[0] = 0
    if not 1 <= t.base <= t.top <= t.capacity: return "base, top and capacity are not in order"
    if not t.base <= t.aged <= t.top: return "aged is not between base and top"
    if not 0 <= t.edge_base <= t.edge_top <= t.edge_capacity: return "edge_base and edge_top are not in order"
    if not 0 <= t.unchanged <= t.top: return "unchanged is above top"
    if t.pins < 0 or t.paused < 0: return "pins or open no_grad blocks are below 0"
    for i in range(1, t.top):
        place[0] = i
        fault = fault_of_node(t, i, in_sweep)
        if fault != NULL: return fault
        if rules.has_edges(t.op[i]):
            fault = fault_of_edges(t, i, edges_before)
            if fault != NULL: return fault
            edges_before = t.operands[i].a + t.operands[i].b
            if t.operands[i].b and (i < t.base) != (edges_before <= t.edge_base):
                return "edges are on the other side of edge_base"
        if t.op[i] == rules.DOT: first_dot = min(first_dot, i)
        if t.flags[i] & HOOK:
            hooks += 1
            hooks_base += i < t.base
        if t.handles[i] != NULL:
            young += i >= t.base
            highest = i
        if t.states != NULL and has_state(t.states + i):
            states += 1
            if t.handles[i] != NULL: return "a node has a handle and the state of a dead one"
    place[0] = t.top
    for i in range(t.top, min(t.capacity, t.top + 64)):
        if t.handles[i] != NULL: return "there is a handle above top"
        if t.states != NULL and has_state(t.states + i): return "there is a state above top"
    if edges_before != t.edge_top: return "edge_top is not where the last node's edges end"
    if not t.base - 1 <= t.highest < t.top: return "highest is not between base and top"
    if young != t.young: return "the count of young handles is wrong"
    if highest >= t.base and highest > t.highest: return "a live handle is above highest"
    if t.pins == 0 and t.young and t.handles[t.highest] == NULL: return "highest has no handle"
    if hooks != t.hooks: return "the count of hooked nodes is wrong"
    if hooks_base != t.hooks_base: return "the count of hooked nodes below base is wrong"
    if states != t.state_count: return "the count of states is wrong"
    if first_dot < t.first_dot: return "a dot is below first_dot"
    if t.pins and first_dot != NO_DOT: return "there is a dot while nodes are pinned"
    return fault_of_changes(t, first_dot)


cdef inline const char *fault_of_changes(Tape *t, int32_t first_dot) noexcept:
    cdef int32_t before = 0
    cdef Py_ssize_t k
    if not 0 <= t.change_count <= t.change_room: return "there are more changes than there is room for"
    if t.change_count and first_dot == NO_DOT and t.first_dot == NO_DOT: return "there are changes, and no dots"
    for k in range(t.change_count):
        if not before <= t.changes[k].top <= t.top: return "changes are not in their order"
        if t.changes[k].index < 1: return "a change is of no node"
        before = t.changes[k].top
    return NULL


cdef inline const char *fault_of_node(Tape *t, int32_t i, bint in_sweep) noexcept:
    cdef Node node = node_at(t, i)
    if node.op >= rules.OP_COUNT: return "there is no such op"
    if node.flags & LIVE: return "a mark of the collector is left"
    if has_no_grad(t, i) and not t.minus_zeros: return "a gradient is None, and nobody has assigned that"
    if not in_sweep and is_pending(node.flags): return "a mark of a sweep is left"
    if node.op == rules.LEAF and (node.a or node.b or not node.flags & LEAF_NODE):
        return "a leaf has operands, or is not marked as one"
    if node.flags & DETACHED and node.op != rules.LEAF: return "a node recorded under no_grad is no leaf"
    if rules.has_two_operands(node.op) and not (0 < node.a < i and 0 < node.b < i):
        return "an operand is missing, or not below"
    if rules.has_one_operand(node.op) and (not 0 < node.a < i or node.b):
        return "the operand is not below, or there is a second one"
    if t.handles[i] != NULL and (<int32_t *> (<char *> t.handles[i] + t.index_offset))[0] != i:
        return "a handle has another index than the node that knows it"
    return NULL


cdef inline const char *fault_of_edges(Tape *t, int32_t i, int32_t edges_before) noexcept:
    cdef Node node = node_at(t, i)
    cdef Edge *edge = t.edges + node.a
    cdef int32_t k
    if node.a < edges_before or node.b < 0 or node.a + node.b > t.edge_top: return "edges are not in the order of nodes"
    for k in range(node.b):
        if not (0 <= edge[k].a < i and 0 <= edge[k].b < i): return "an edge's operand is not below"
        if node.op == rules.NATIVE and not is_stretch(t, edge[k]): return "an edge of a run names what may move apart"
        if node.op == rules.CUSTOM and (not edge[k].a or edge[k].b): return "an edge of a custom op has not one operand"
        if node.op == rules.LOCAL and (not edge[k].a or edge[k].b not in (0, edge[k].a)):
            return "an edge with a local gradient has not one operand"
    if node.op != rules.DOT:
        return NULL
    return fault_of_dot(t, i, edge)


cdef inline bint is_stretch(Tape *t, Edge edge) noexcept:
    """Whether nodes from a to b stay neighbours: a dot will have nodes below it when it is replaced."""
    cdef int32_t i
    for i in range(edge.a + 1, edge.b + 1):
        if t.op[i] == rules.DOT:
            return False
    return not edge.b or edge.a and edge.a <= edge.b


cdef inline const char *fault_of_dot(Tape *t, int32_t i, const Edge *edge) noexcept:
    cdef Node node = node_at(t, i)
    cdef int32_t k, w, x
    cdef int32_t count = product_count(edge)
    if node.b != PRODUCT + (0 if node.dot & CONSECUTIVE else count): return "a dot has not as many edges as products"
    if count < 1 or not edge[BIAS].a or edge[BIAS].b or not edge[FIRST].a or not edge[FIRST].b:
        return "a dot's edges are not as they must be"
    if node.activation != rules.ADD and not rules.is_activation(node.activation):
        return "a dot has an unknown activation"
    for k in range(count):
        w, x = operand_w(node.dot, edge, k), operand_x(node.dot, edge, k)
        if not 0 < w < i or not 0 < x < i: return "a dot lacks an operand"
        if node.dot & NUMBERS and t.op[x] != rules.LEAF: return "a dot's number has no leaf"
    return NULL
