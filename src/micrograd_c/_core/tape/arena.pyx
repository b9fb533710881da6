"""The tape: one arena of nodes, recorded in order, swept backwards, slid together when full.

Knows nothing of Python objects except the handle pointers it must renumber.

Design
------
Owned here: three malloc'ed arrays of the one `tape` (nodes, handles, edges), for the life of the process. Handles are
borrowed: a handle clears its slot when it dies (`release`), so the tape never holds a reference.

A node is recorded after its operands and nothing ever changes that order, so index order is topological order: a sweep
goes down from its root, and a collection needs one pass down to mark and one pass up to slide.

A node is alive while a live handle can reach it. Nothing is counted per node. Nodes come back in three ways. When the
last handle at or above `base` dies, top drops to base (`reset`). When the tape is full and nothing alive reaches into
the nodes right above base, all others slide down by that much (`drop_lowest`): so it is in a loop that builds a graph
while its variable still holds the one before. Else all survivors slide down, and those that did so before are below
base from then on (`collect_nodes`). Slots of `handles` from top on are NULL at all times: nodes recorded
without a handle never touch theirs.

Raw pointers into the arrays die at every call that may reserve or run Python. Indexes die at `reserve` only, and live
through it while `pins` is above 0: then the arrays may grow, but nothing is renumbered or dropped.

A handle that dies may leave its type, attributes and op's name with its node, for the next handle of that node: plain
data only, so giving it back runs no Python code. The tape owns these `states`, and gives them back with the nodes.

What runs for long looks for Ctrl-C now and then. A sweep is left in a state in which anything may happen, has the
signal handled, and goes on if that does not raise. A collection gives up before anything has moved, and lets the tape
grow.
"""

import os

from cpython.ref cimport Py_XDECREF
from libc.limits cimport INT_MAX
from libc.math cimport NAN
from libc.stdint cimport int64_t
from libc.stdio cimport fprintf, stderr
from libc.stdlib cimport abort, calloc, free, malloc, realloc
from libc.string cimport memcpy

cimport micrograd_c._core.ops.rules as rules
cimport micrograd_c._core.tape.pausing as pausing
from micrograd_c._core.tape.checking cimport IS_CHECKED, find_fault
from micrograd_c._core.tape.collecting cimport collect_nodes, drop_lowest
from micrograd_c._core.tape.dots cimport count_hidden, expand_all, pull_dot
from micrograd_c._core.tape.interrupts cimport PATIENCE, is_interrupted

cdef extern from "Python.h":
    int PyErr_CheckSignals() except -1

cdef extern from *:
    """
    #if defined(_MSC_VER)
    static __declspec(thread) int micrograd_c_pins;
    #else
    static __thread int micrograd_c_pins;
    #endif
    """
    int pins_here "micrograd_c_pins"     # of this thread

cdef enum:              # what `pull` returns besides how many became marked
    SLOPE_RAISES = -1
    INTERRUPTED = -2
    OUT_OF_MEMORY = -3

cdef enum:
    SMALLEST = 16384        # nodes: 640 KiB with their handles, which stays in a second-level cache
    LARGE = 1 << 20         # nodes: a tape above this gives memory back as soon as it is found to be free


# --- room ---

cdef bint try_resize(Tape *t, Py_ssize_t capacity) noexcept:
    """Make room for exactly so many nodes, at least top. False, and the tape as it was, if there is no memory."""
    cdef void **handles
    cdef State *states = NULL
    cdef Node *nodes = NULL
    if capacity > INT_MAX // 2:
        return False
    handles = <void **> calloc(capacity, sizeof(void *))
    if t.states != NULL:
        states = <State *> calloc(capacity, sizeof(State))
    if handles != NULL and (states == NULL) == (t.states == NULL):
        nodes = <Node *> realloc(t.nodes, capacity * sizeof(Node))
    if nodes == NULL:
        free(handles)
        free(states)
        return False
    if t.states != NULL:
        if t.state_count:
            memcpy(states, t.states, t.top * sizeof(State))
        free(t.states)
        t.states = states
    if t.handles != NULL:
        memcpy(handles, t.handles, t.top * sizeof(void *))
        free(t.handles)
    t.handles = handles
    t.nodes = nodes
    t.capacity = capacity
    return True


cdef int resize(Tape *t, Py_ssize_t capacity) except -1:
    """The same, but raises."""
    if not try_resize(t, capacity):
        raise_no_room(capacity)
    return 0


cdef int raise_no_room(Py_ssize_t capacity) except -1:
    if capacity > INT_MAX // 2:
        raise MemoryError(f"the tape cannot hold {capacity} nodes; its limit is {INT_MAX // 2}")
    raise MemoryError(f"no memory for a tape of {capacity} nodes")


cdef int resize_edges(Tape *t, Py_ssize_t capacity) except -1:
    cdef Edge *edges = NULL
    if capacity <= INT_MAX // 2:
        edges = <Edge *> realloc(t.edges, capacity * sizeof(Edge))
    if edges == NULL:
        raise MemoryError(f"no memory for the operands of nodes that have many: {capacity} in all")
    t.edges = edges
    t.edge_capacity = capacity
    return 0


cdef int make_room(Tape *t, Py_ssize_t nodes, Py_ssize_t edges) except -1:
    """Collect, unless somebody holds indexes, and grow if that did not free enough.

    Room for at least twice the survivors: a collection then pays for itself with as many new nodes as it visits.
    """
    cdef Py_ssize_t wanted, wanted_edges
    if t.pins == 0:
        t.filled = 1
        if not drop_lowest(t, nodes, edges) and collect_nodes(t, t.aged):
            t.dropped = t.base      # what was recorded to get here pays for one more look, see `reset`
    wanted = max(<Py_ssize_t> SMALLEST, 3 * <Py_ssize_t> t.top, t.top + nodes)
    if t.top + nodes > t.capacity or (t.pins == 0 and not wanted // 2 < t.capacity < 3 * wanted):
        resize(t, wanted)
    wanted_edges = max(<Py_ssize_t> SMALLEST, 3 * <Py_ssize_t> t.edge_top, t.edge_top + edges)
    if t.edge_top + edges > t.edge_capacity or t.edge_capacity > 3 * wanted_edges:
        resize_edges(t, wanted_edges)
    check(t)
    return 0


cdef void reset(Tape *t) noexcept:
    """Drop every node from base on: no live handle can reach one.

    A large tape then looks below base too, if something can have become free there and as much work was done since it
    last looked. Found nearly empty it gives its memory back: the first time at once, then only after a graph that did
    not need it, lest a loop that builds one large graph after the other ask for it again each time.
    """
    cdef bint needed = t.filled or t.top - t.base > t.capacity // 4
    t.filled = 0
    t.edge_top = t.edge_base
    t.hooks = t.hooks_base
    set_top(t, t.base)
    t.highest = t.base - 1
    check(t)
    if t.capacity <= LARGE or t.has_shrunk and needed:
        return
    if t.top < t.capacity // 8 or t.old_deaths and t.dropped > t.base // 4:
        shrink(t)
        t.has_shrunk = 1


cdef inline void set_top(Tape *t, int32_t top) noexcept:
    drop_states(t, top, t.top)
    t.dropped += t.top - top
    t.top = top
    t.aged = min(t.aged, top)
    t.unchanged = min(t.unchanged, top)
    if t.first_dot >= top:
        t.first_dot = NO_DOT


cdef void drop_top(Tape *t) noexcept:
    """Drop every node above the highest live handle: no handle can reach one.

    If that happens again and again above the same young handles, such as a model's parameters, they count as old.
    """
    cdef int32_t top = t.highest + 1
    cdef int32_t i
    while top > t.base and t.handles[top - 1] == NULL:
        top -= 1
    t.highest = top - 1
    if t.hooks > t.hooks_base:
        for i in range(top, t.top):
            t.hooks -= (t.nodes[i].flags & HOOK) != 0
    if t.edge_top > t.edge_base:
        for i in range(top, t.top):
            if is_nary(t.nodes + i):
                t.edge_top = t.nodes[i].a
                break
    t.passed += t.top - top
    set_top(t, top)
    if t.passed > 8 * <int64_t> (top - t.base):
        t.base = top
        t.aged = top
        t.edge_base = t.edge_top
        t.hooks_base = t.hooks
        t.young = 0
        t.passed = 0
    check(t)


cdef int want_states(Tape *t) except -1:
    """Make room for states, so that a handle that dies, which cannot raise, may leave one."""
    if t.states == NULL:
        t.states = <State *> calloc(t.capacity, sizeof(State))
        if t.states == NULL:
            raise MemoryError("no memory for the attributes of Values")
    return 0


cdef void drop_states(Tape *t, int32_t first, int32_t end) noexcept:
    """Give back the states of nodes from first on and below end. They are plain data: no Python code runs."""
    cdef State state
    cdef int32_t i
    for i in range(first, end if t.state_count else first):
        state = t.states[i]
        if has_state(&state):
            t.states[i] = State(NULL, NULL, NULL)
            t.state_count -= 1
            Py_XDECREF(state.attributes)
            Py_XDECREF(state.op)
            Py_XDECREF(state.type)      # not its last reference: a class is part of cycles


cdef void shrink(Tape *t) noexcept:
    """Give memory back. Failing to is no harm: what there is stays in use."""
    try:
        if collect_nodes(t, t.top):
            resize(t, max(<Py_ssize_t> SMALLEST, 2 * <Py_ssize_t> t.top))
            resize_edges(t, max(<Py_ssize_t> SMALLEST, 2 * <Py_ssize_t> t.edge_top))
    except MemoryError:
        pass
    check(t)


cdef bint try_expand(Tape *t) noexcept:
    """Replace all dots by the nodes they stand for. False, and the tape as it was, if there is no memory."""
    cdef Py_ssize_t hidden = count_hidden(t)
    if hidden:
        if t.top + hidden > t.capacity:
            if not try_resize(t, max(t.top + hidden, min(2 * (t.top + hidden), INT_MAX // 2))):
                return False
        expand_all(t, <int32_t> hidden)
    t.first_dot = NO_DOT
    if IS_CHECKED:
        abort_if_faulty(t, True)
    return True


cdef int expand(Tape *t) except -1:
    """The same, but raises."""
    if not try_expand(t):
        raise_no_room(t.top + count_hidden(t))
    return 0


# --- sweeping ---

cdef inline bint give(Node *to, double amount, uint8_t grad_float, uint8_t mark) noexcept nogil:
    """Add to an adjoint, which is a float once an amount was: then grad_float is GRAD_FLOAT. True if newly marked."""
    cdef uint8_t flags = to.flags
    if not grad_float:
        amount += 0.0       # an int has no -0
    to.grad += amount
    to.flags = flags | grad_float | mark
    return not flags & (MARK | LEAF_NODE)


cdef inline bint reach(Node *to, uint8_t mark) noexcept nogil:
    """`give` without an amount: a function of a user's adds to the adjoint, or nobody does."""
    cdef uint8_t flags = to.flags
    to.flags = flags | mark
    return not flags & (MARK | LEAF_NODE)


cdef inline int pull_sum(Node *nodes, Node *node, double grad, uint8_t grad_float, uint8_t mark) noexcept nogil:
    cdef int marked = give(nodes + node.a, grad, grad_float, mark)
    return marked + give(nodes + node.b, grad, grad_float, mark)


cdef inline int pull_product(Node *nodes, Node *node, double grad, uint8_t grad_float, uint8_t mark) noexcept nogil:
    cdef Node *a = nodes + node.a
    cdef Node *b = nodes + node.b
    cdef double x = a.data
    cdef double y = b.data
    cdef int marked = give(a, y * grad, grad_float | float_data(b), mark)
    return marked + give(b, x * grad, grad_float | float_data(a), mark)


cdef int pull_edges(Node *nodes, Edge *edges, Node *node, uint8_t mark, int64_t sweep) noexcept nogil:
    """`pull` of a node whose operands are in these edges, and that is no dot."""
    cdef uint8_t grad_float = node.flags & GRAD_FLOAT
    cdef int32_t k
    cdef int marked = 0
    cdef Pushed pushed
    if node.op == rules.LOCAL:
        for k in range(node.b):
            marked += give(
                nodes + edges[k].a, edges[k].term * node.grad, grad_float if edges[k].b else <uint8_t> GRAD_FLOAT, mark)
    elif node.op == rules.CUSTOM:
        for k in range(node.b):
            marked += reach(nodes + edges[k].a, mark)
    elif node.op == rules.NATIVE:
        for k in range(node.b):
            marked += give(nodes + edges[k].a, 0.0, GRAD_FLOAT, mark)      # the rule gives the rest
            marked += give(nodes + edges[k].b, 0.0, GRAD_FLOAT, mark)
        pushed = native_of(edges).push(native_of(edges), nodes, edges, node.b, node.grad, sweep)
        if pushed != PUSHED:
            return INTERRUPTED if pushed == PUSH_INTERRUPTED else OUT_OF_MEMORY
    return marked


cdef int pull(Node *nodes, Edge *edges, Node *node, uint8_t mark, int64_t sweep) noexcept nogil:
    """Push one node's adjoint to its operands by its rule, setting `mark` on them; returns how many became marked.

    SLOPE_RAISES, and nothing done: see raise_slope_error. INTERRUPTED, by Ctrl-C, or OUT_OF_MEMORY, and nothing done
    but marking.
    """
    cdef Node *a = nodes + node.a
    cdef Node *b = nodes + node.b
    cdef double grad = node.grad
    cdef double x, y, share
    cdef uint8_t grad_float = node.flags & GRAD_FLOAT
    cdef int marked = 0
    if node.op == rules.LEAF or node.op == rules.STOP:
        return 0
    elif node.op == rules.ADD:
        return pull_sum(nodes, node, grad, grad_float, mark)
    elif node.op == rules.MUL:
        return pull_product(nodes, node, grad, grad_float, mark)
    elif rules.has_edges(node.op):
        return pull_edges(nodes, edges + node.a, node, mark, sweep)
    x = a.data
    y = b.data
    if rules.is_choice(node.op):
        marked = give(a, rules.pullback_a(node.op, x, y, grad), GRAD_FLOAT, mark)
        return marked + give(b, rules.pullback_b(node.op, x, y, node.data, grad), GRAD_FLOAT, mark)
    if node.op == rules.POWER:
        if y < 1.0:
            grad_float = GRAD_FLOAT
        if not rules.try_power_pullback(x, y, grad, &share):
            return SLOPE_RAISES
        return give(a, share, grad_float | float_data(a) | float_data(b), mark)
    elif node.op == rules.POW:
        if rules.try_power_pullback(x, y, grad, &share):
            marked = give(a, share, GRAD_FLOAT, mark)
        elif not node.dot & NUMBER_BASE:
            return SLOPE_RAISES
        return marked + give(b, rules.pullback_b(node.op, x, y, node.data, grad), GRAD_FLOAT, mark)
    if tape.float_slopes or not rules.gradient_keeps_int(node.op):
        grad_float = GRAD_FLOAT
    return give(a, rules.slope(node.op, x, node.data) * grad, grad_float, mark)


cdef int raise_slope_error(Tape *t, int32_t index) except -1:
    """What Python says to the slope of this power."""
    cdef double x = t.nodes[t.nodes[index].a].data
    cdef double y = t.nodes[t.nodes[index].b].data
    rules.raise_power_error(x, y - 1.0)


cdef inline bint take(Node *node) noexcept nogil:
    """Unmark a node; True if it was marked."""
    cdef bint pending = is_pending(node)
    node.flags &= ~MARK
    return pending


cdef int sweep(Tape *t, int32_t root) except -1:
    """Push adjoints from root down to the leaves. The caller has set the root's. Runs no user code.

    Does not follow HOOK. Raises ZeroDivisionError or OverflowError where a power's slope does, MemoryError if dots
    cannot be expanded, and what the handler of Ctrl-C does; what was pushed until then stays pushed.

    Sums and products of floats are nearly all there is, and most products were recorded right before the sum they go
    into. Such a product is complete as soon as that sum is done, and is done at once: no marking, and its adjoint need
    not go through memory.
    """
    cdef Node *nodes = t.nodes
    cdef Edge *edges = t.edges
    cdef Node *node = nodes + root
    cdef Node *product
    cdef Node *pause = nodes + max(0, root - PATIENCE)      # where to look for Ctrl-C
    cdef double grad
    cdef int marked
    cdef int64_t products = 0       # of dots, since the last look
    cdef int64_t this
    cdef int32_t pending = not node.flags & LEAF_NODE
    node.flags |= MARK
    t.sweeps += 1
    this = t.sweeps     # a handler of Ctrl-C may begin others
    while pending:
        if node < pause:
            if is_interrupted():
                pending = let_handler_run(t, <int32_t> (node - nodes), pending, this)
                nodes, edges = t.nodes, t.edges
                node = nodes + t.top - 1
            pause = nodes + max(<int64_t> 0, node - nodes - PATIENCE)
            products = 0
        if take(node):
            pending -= 1
            grad = node.grad
            if (node.op == rules.MUL or node.op == rules.ADD) and node.flags & GRAD_FLOAT:
                if node.op == rules.MUL:
                    pending += pull_product(nodes, node, grad, GRAD_FLOAT, MARK)
                else:
                    product = node - 1
                    if nodes + node.b == product and product.op == rules.MUL:
                        pending += give(nodes + node.a, grad, GRAD_FLOAT, MARK)
                        pending -= take(product)
                        product.flags |= GRAD_FLOAT
                        product.grad += grad
                        pending += pull_product(nodes, product, product.grad, GRAD_FLOAT, MARK)
                        node = product
                    else:
                        pending += pull_sum(nodes, node, grad, GRAD_FLOAT, MARK)
            elif node.op == rules.DOT and not node.dot & SWEPT:
                products += node.b
                if products > PATIENCE:
                    pause = node
                pending += pull_dot(nodes, edges, node, node - nodes >= t.unchanged and not t.minus_zeros)
            elif node.op == rules.DOT:
                # what it stands for has adjoints of its own by now
                node.flags |= MARK
                pending += 1
                if not try_expand(t):
                    unmark(t, <int32_t> (node - nodes))
                    raise_no_room(t.top + count_hidden(t))
                nodes = t.nodes
                node = nodes + t.top
                pause = nodes
            else:
                marked = pull(nodes, edges, node, MARK, this)
                if marked == SLOPE_RAISES:
                    unmark(t, <int32_t> (node - nodes))
                    raise_slope_error(t, <int32_t> (node - nodes))
                elif marked == OUT_OF_MEMORY:
                    unmark(t, <int32_t> (node - nodes))
                    raise_no_seeds()
                elif marked == INTERRUPTED:
                    node.flags |= MARK
                    pending = let_handler_run(t, <int32_t> (node - nodes), -1, this)
                    nodes, edges = t.nodes, t.edges
                    node = nodes + t.top
                    pause = nodes
                else:
                    pending += marked
        node -= 1
    check(t)
    return 0


cdef int raise_no_seeds() except -1:
    raise MemoryError("no memory for what backward() through a mapped run keeps while another one goes through it")


cdef int32_t let_handler_run(Tape *t, int32_t index, int32_t pending, int64_t number) except -1:
    """Have Ctrl-C handled in the middle of a sweep that is about to look at index. Raises what the handler does.

    Else the sweep may go on from the top: how many nodes are marked is returned; below 0, `pending` is not known.
    Meanwhile anything may happen, other sweeps included, but that nodes are renumbered.
    """
    cdef int32_t *marked = NULL
    cdef int32_t first = index if t.first_dot >= t.top else -1      # to look for marks at, and down
    cdef int32_t found = 0
    cdef bint expanded = try_expand(t)
    cdef int32_t i, k
    cdef Sweep this
    if first < 0:
        first = t.top - 1
    if pending < 0:
        pending = 0
        for i in range(first, 0, -1):
            pending += is_pending(t.nodes + i)
    if expanded:
        marked = <int32_t *> malloc((pending or 1) * sizeof(int32_t))
    i = first
    while found < pending and i > 0:
        if is_pending(t.nodes + i):
            t.nodes[i].flags &= ~MARK
            if marked != NULL:
                marked[found] = i
            found += 1
        i -= 1
    if marked == NULL:
        raise MemoryError("no memory to stop backward() for Ctrl-C")
    pin(t)
    suspend(t, &this, number)
    try:
        PyErr_CheckSignals()
        for k in range(found):
            t.nodes[marked[k]].flags |= MARK
    finally:
        free(marked)
        resume(t, &this)
        unpin(t)
    return found


cdef void unmark(Tape *t, int32_t index) noexcept nogil:
    """Give up a sweep that has come down to index. Before raising, which may run Python's collector and so any code."""
    cdef int32_t i
    for i in range(index, 0, -1):
        t.nodes[i].flags &= ~MARK


cdef int local_step(Tape *t, int32_t index, int64_t sweep) except -1:
    """One node's share of a sweep: micrograd's `_backward()`. Marks nothing. Wants all dots expanded."""
    cdef int status = pull(t.nodes, t.edges, t.nodes + index, 0, sweep)
    if status == SLOPE_RAISES:
        raise_slope_error(t, index)
    if status == OUT_OF_MEMORY:
        raise_no_seeds()
    while status == INTERRUPTED:
        pin(t)
        try:
            PyErr_CheckSignals()
            status = pull(t.nodes, t.edges, t.nodes + index, 0, sweep)
        finally:
            unpin(t)
    return 0


cdef int local_gradients(Tape *t, int32_t index, Node *operands) except -1:
    """What the rule of a node of one or two operands gives to each for an adjoint of 1: their copies' adjoints."""
    cdef Node copies[4]     # the rule looks operands up among them
    cdef int32_t k
    copies[1], copies[2], copies[3] = t.nodes[t.nodes[index].a], t.nodes[t.nodes[index].b], t.nodes[index]
    for k in range(1, 4):
        copies[k].grad = 0.0
        copies[k].flags &= ~GRAD_FLOAT
    copies[3].a, copies[3].b, copies[3].grad = 1, 2, 1.0
    if pull(copies, NULL, copies + 3, 0, 0) == SLOPE_RAISES:
        raise_slope_error(t, index)
    operands[0], operands[1] = copies[1], copies[2]
    return 0


# --- sweeps that are suspended ---

cdef void suspend(Tape *t, Sweep *sweep, int64_t number) noexcept:
    """Other code may run from here to `resume`."""
    sweep[0] = Sweep(number, PyThread_get_thread_ident(), t.suspended)
    t.suspended = sweep


cdef void resume(Tape *t, Sweep *sweep) noexcept:
    cdef Sweep **place = &t.suspended
    while place[0] != sweep:        # threads may have suspended others since
        place = &place[0].next
    place[0] = sweep.next


cdef bint goes_on(int64_t number) noexcept nogil:
    """Whether a sweep that is not the one that runs now will go on. Steps done by hand, number 0, always may."""
    cdef Sweep *sweep = tape.suspended
    while sweep != NULL and sweep.number != number:
        sweep = sweep.next
    return sweep != NULL or number == 0


# --- processes ---

cdef void count_pins(int change) noexcept:
    global pins_here
    pins_here += change


def forget_other_threads():
    """After a fork: indexes that other threads held, and blocks that they had open, are of no concern any more."""
    cdef Sweep **place = &tape.suspended
    while place[0] != NULL:
        if place[0].thread == PyThread_get_thread_ident():
            place = &place[0].next
        else:
            place[0] = place[0].next
    tape.pins = pins_here
    if pins_here == 0:
        tape.hooked_sweep = 0
    pausing.forget_other_threads()
    tidy(&tape)


# --- checking ---

cdef int64_t credit = 0     # nodes that may be looked at, as so much was done


cdef void check(Tape *t) noexcept:
    """In a checked build, look at all nodes; if they are many not each time, lest small steps take for ever."""
    global credit
    if IS_CHECKED:
        credit += 4096
        if credit >= t.top:
            credit = 0
            abort_if_faulty(t, False)


cdef void abort_if_faulty(Tape *t, bint in_sweep) noexcept:
    cdef int32_t place
    cdef const char *fault = find_fault(t, in_sweep, &place)
    if fault != NULL:
        fprintf(stderr, "micrograd_c: the tape is broken at node %d of %d: %s\n", place, t.top - 1, fault)
        abort()


# --- for tests, benchmarks and the curious ---

def stats():
    """The tape's size in nodes, and in bytes of memory in use and reserved; how many nodes have functions of users.

    >>> sorted(stats())
    ['base', 'bytes_reserved', 'bytes_used', 'capacity', 'edges', 'functions', 'nodes', 'young_handles']
    """
    cdef Py_ssize_t per_node = sizeof(Node) + sizeof(void *)
    return {
        "nodes": tape.top - 1,
        "base": tape.base - 1,
        "edges": tape.edge_top,
        "functions": tape.hooks,
        "young_handles": tape.young,
        "capacity": tape.capacity,
        "bytes_used": tape.top * per_node + tape.edge_top * sizeof(Edge),
        "bytes_reserved": tape.capacity * per_node + tape.edge_capacity * sizeof(Edge),
    }


def collect():
    """Drop all nodes that no live Value reaches, give spare memory back, and return how many nodes are left.

    Never needed: the tape does this itself when it is full.
    """
    if tape.pins == 0:
        shrink(&tape)
    return tape.top - 1


def verify():
    """Raise AssertionError if the tape is not as it must be. For tests: looks at all nodes."""
    cdef int32_t place
    cdef const char *fault = find_fault(&tape, False, &place)
    if fault != NULL:
        raise AssertionError(f"the tape is broken at node {place} of {tape.top - 1}: {(<bytes> fault).decode()}")


tape.index_offset = 0
resize(&tape, SMALLEST)
resize_edges(&tape, SMALLEST)
tape.top = 1
tape.base = 1
tape.aged = 1
tape.first_dot = NO_DOT
tape.traced = NO_TRACE
pausing.count_blocks(&tape.paused)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_other_threads)
tape.nodes[0] = Node(data=NAN, grad=0.0, a=0, b=0, forward=0, op=rules.LEAF, flags=LEAF_NODE, activation=0, dot=0)
