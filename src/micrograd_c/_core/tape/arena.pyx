"""The tape: one arena of nodes, recorded in order, slid together when full.

Knows nothing of Python objects except the handle pointers it must renumber.

Design
------
Owned here: malloc'ed arrays of the one `tape`, for the life of the process. What it knows of a node is spread over
arrays, one for each kind of fact, so that loops over many nodes read what they need and nothing else: a sum of products
reads weights that lie side by side. Handles are borrowed: a handle clears its slot when it dies (`release`), so the
tape never holds a reference.

A node is recorded after its operands and nothing ever changes that order, so index order is topological order: a sweep
goes down from its root, and a collection needs one pass down to mark and one pass up to slide.

A node is alive while a live handle can reach it. Nothing is counted per node. Nodes come back in three ways. When the
last handle at or above `base` dies, top drops to base (`reset`). When the tape is full and nothing alive reaches into
the nodes right above base, all others slide down by that much (`drop_lowest`): this is what happens in a loop that
builds a graph while its variable still holds the previous one. Otherwise all survivors slide down, and those that did
so before are below base from then on (`collect_nodes`). Slots of `handles` from top on are NULL at all times: nodes
recorded without a handle never touch theirs.

Raw pointers into the arrays die at every call that may reserve or run Python. Indexes die only at `reserve`, and
survive even that while `pins` is above 0: then the arrays may grow, but nothing is renumbered or dropped.

A handle that dies may leave its type, attributes and op's name with its node, for the next handle of that node: plain
data only, so freeing it runs no Python code. The tape owns these `states`, and frees them with the nodes.

A collection checks for Ctrl-C now and then. If there was one, it gives up before anything has moved, and the tape grows
instead.
"""

import os

from cpython.ref cimport Py_XDECREF
from libc.limits cimport INT_MAX
from libc.math cimport NAN
from libc.stdint cimport int64_t
from libc.stdio cimport fprintf, stderr
from libc.stdlib cimport abort, calloc, free
from libc.string cimport memcpy

cimport micrograd_c._core.ops.rules as rules
cimport micrograd_c._core.tape.pausing as pausing
from micrograd_c._core.ops.memory cimport resized_array
from micrograd_c._core.tape.changes cimport drop_repeated_changes, lower_changes, try_resize_changes
from micrograd_c._core.tape.checking cimport IS_CHECKED, find_fault
from micrograd_c._core.tape.collecting cimport collect_nodes, drop_lowest
from micrograd_c._core.tape.dots cimport count_hidden, expand_all

cdef extern from "ops/compiler.h":
    """
    static THREAD_LOCAL int micrograd_c_pins;
    """
    int pins_here "micrograd_c_pins"     # of this thread

cdef enum:
    SMALLEST = 16384        # nodes: 640 KiB with their handles, which stays in a second-level cache
    MANY_CHANGES = 1 << 14  # entries of the log, of which nobody looks whether they are needed
    FEW_CHANGES = 1 << 6    # the same in a checked build, so that somebody does
    LARGE = 1 << 20         # nodes: a tape above this gives memory back as soon as it is found to be free


# --- room ---

cdef bint try_resize(Tape *t, Py_ssize_t capacity) noexcept:
    """Make room for exactly `capacity` nodes, at least top. False if there is no memory; the tape is then as it was."""
    cdef void **handles
    cdef State *states = NULL
    if capacity > INT_MAX // 2:
        return False
    handles = <void **> calloc(capacity, sizeof(void *))
    if t.states != NULL:
        states = <State *> calloc(capacity, sizeof(State))
    if handles == NULL or (states == NULL) != (t.states == NULL) or not try_resize_arrays(t, capacity):
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
    t.capacity = capacity
    return True


cdef bint try_resize_arrays(Tape *t, Py_ssize_t capacity) noexcept:
    """Those that need not be zero. False if there is no memory for one; others may be larger then than they need be."""
    t.capacity = min(<Py_ssize_t> t.capacity, capacity)     # some may be smaller from here on, if another cannot be
    return (
        try_resize_one(<void **> &t.data, capacity, sizeof(double))
        and try_resize_one(<void **> &t.grad, capacity, sizeof(double))
        and try_resize_one(<void **> &t.operands, capacity, sizeof(Operands))
        and try_resize_one(<void **> &t.op, capacity, sizeof(uint8_t))
        and try_resize_one(<void **> &t.flags, capacity, sizeof(uint8_t))
        and try_resize_one(<void **> &t.activation, capacity, sizeof(uint8_t))
        and try_resize_one(<void **> &t.dot, capacity, sizeof(uint8_t))
        and try_resize_one(<void **> &t.forward, capacity, sizeof(int32_t))
    )


cdef inline bint try_resize_one(void **place, Py_ssize_t count, size_t size) noexcept:
    cdef void *resized = resized_array(place[0], count, size)
    if resized == NULL:
        return False
    place[0] = resized
    return True


cdef int resize(Tape *t, Py_ssize_t capacity) except -1:
    """`try_resize`, but raises."""
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
        edges = <Edge *> resized_array(t.edges, capacity, sizeof(Edge))
    if edges == NULL:
        raise MemoryError(f"no memory for the operands of nodes that have many: {capacity} in all")
    t.edges = edges
    t.edge_capacity = capacity
    return 0


cdef int make_room(Tape *t, Py_ssize_t nodes, Py_ssize_t edges) except -1:
    """Collect, unless somebody holds indexes, and grow if that did not free enough.

    Leaves room for at least twice the survivors: a collection then pays for itself with as many new nodes as it visits.
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


cdef int make_room_for_changes(Tape *t, Py_ssize_t count) except -1:
    """For so many more entries. If there are many, look which are needed first, and which dots are."""
    cdef Py_ssize_t room
    if t.change_count + count > t.change_limit:
        if t.pins == 0 and not drop_lowest(t, 0, 0):
            collect_nodes(t, t.aged)
        drop_repeated_changes(t)
        t.change_limit = max(
            <Py_ssize_t> (FEW_CHANGES if IS_CHECKED else MANY_CHANGES), 2 * t.change_count, t.change_count + t.top // 2
        ) + count
    if t.change_count + count > t.change_room:
        room = min(t.change_limit, max(2 * t.change_room, t.change_count + count))
        if not try_resize_changes(t, room):
            raise MemoryError(f"no memory for what data was before it was assigned to: {room} numbers")
    check(t)
    return 0


cdef void reset(Tape *t) noexcept:
    """Drop every node from base on: no live handle can reach one.

    A large tape then looks below base too, if something may have become free there and enough work was done since it
    last looked. If nearly empty, it gives its memory back: at once the first time, later only after a graph that did
    not need it. Otherwise a loop that builds one large graph after another would ask for it again each time.
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


cdef void look_for_functions(Tape *t) noexcept:
    """Collect if nodes with functions may have become free, and enough work was done since the last collection.

    Where there are such nodes there are no dots, and sweeps go step by step. May renumber.
    """
    if t.pins == 0 and t.old_deaths and t.dropped > t.base // 4:
        collect_nodes(t, t.aged)
        check(t)


cdef inline void set_top(Tape *t, int32_t top) noexcept:
    drop_states(t, top, t.top)
    t.dropped += t.top - top
    t.top = top
    t.aged = min(t.aged, top)
    t.unchanged = min(t.unchanged, top)
    if t.first_dot >= top:
        t.first_dot = NO_DOT
    if t.change_count:
        lower_changes(t, top)


cdef void drop_top(Tape *t) noexcept:
    """Drop every node above the highest live handle: no handle can reach one.

    If that happens again and again above the same young handles, say those of a model's parameters, they count as old.
    """
    cdef int32_t top = t.highest + 1
    cdef int32_t i
    while top > t.base and t.handles[top - 1] == NULL:
        top -= 1
    t.highest = top - 1
    if t.hooks > t.hooks_base:
        for i in range(top, t.top):
            t.hooks -= (t.flags[i] & HOOK) != 0
    if t.edge_top > t.edge_base:
        for i in range(top, t.top):
            if rules.has_edges(t.op[i]):
                t.edge_top = t.operands[i].a
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
    """Make room for states now: a dying handle may leave one, and cannot raise."""
    if t.states == NULL:
        t.states = <State *> calloc(t.capacity, sizeof(State))
        if t.states == NULL:
            raise MemoryError("no memory for the attributes of Values")
    return 0


cdef void drop_states(Tape *t, int32_t first, int32_t end) noexcept:
    """Free the states of nodes from first on and below end. They are plain data: no Python code runs."""
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
    """Give memory back. If that fails, no harm is done: what there is stays in use."""
    try:
        if collect_nodes(t, t.top):
            resize(t, max(<Py_ssize_t> SMALLEST, 2 * <Py_ssize_t> t.top))
            resize_edges(t, max(<Py_ssize_t> SMALLEST, 2 * <Py_ssize_t> t.edge_top))
    except MemoryError:
        pass
    check(t)


cdef bint try_expand(Tape *t) noexcept:
    """Replace all dots by the nodes they stand for. False if there is no memory; the tape is then as it was."""
    cdef Py_ssize_t hidden = count_hidden(t)
    if hidden:
        if t.top + hidden > t.capacity:
            # to what is needed now: the next `reserve` finds the tape full, and collects what cannot be collected here
            if not try_resize(t, t.top + hidden):
                return False
        expand_all(t, <int32_t> hidden)
    t.first_dot = NO_DOT
    t.change_count = 0
    if IS_CHECKED:
        abort_if_faulty(t, True)
    return True


cdef int expand(Tape *t) except -1:
    """`try_expand`, but raises, and collects if the tape is full."""
    cdef Py_ssize_t hidden = count_hidden(t)
    if t.top + hidden > t.capacity and t.pins == 0:
        make_room(t, hidden, 0)
    if not try_expand(t):
        raise_no_room(t.top + count_hidden(t))
    return 0


# --- processes ---

cdef void count_pins(int change) noexcept:
    global pins_here
    pins_here += change


def forget_other_threads():
    """After a fork: forget the indexes that other threads held, and the blocks that they had open."""
    cdef Sweep **place = &tape.suspended
    while place[0] != NULL:
        if place[0].thread == PyThread_get_thread_ident():
            place = &place[0].next
        else:
            place[0] = place[0].next
    tape.pins = pins_here
    pausing.forget_other_threads()
    tidy(&tape)


# --- checking ---

cdef int64_t credit = 0     # how many nodes may be looked at; work that is done earns it


cdef void check(Tape *t) noexcept:
    """In a checked build, look at all nodes; not each time if there are many, or small steps would take for ever."""
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
    """The tape's size in nodes, and in bytes of memory in use and reserved; and how many nodes have a user's function.

    >>> sorted(stats())
    ['base', 'bytes_reserved', 'bytes_used', 'capacity', 'edges', 'functions', 'nodes', 'young_handles']
    """
    cdef Py_ssize_t per_node = (
        2 * sizeof(double) + sizeof(Operands) + sizeof(int32_t) + 4 * sizeof(uint8_t) + sizeof(void *))
    return {
        "nodes": tape.top - 1,
        "base": tape.base - 1,
        "edges": tape.edge_top,
        "functions": tape.hooks,
        "young_handles": tape.young,
        "capacity": tape.capacity,
        "bytes_used": tape.top * per_node + tape.edge_top * sizeof(Edge) + tape.change_count * sizeof(Change),
        "bytes_reserved": (
            tape.capacity * per_node + tape.edge_capacity * sizeof(Edge) + tape.change_room * sizeof(Change)),
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
tape.change_limit = FEW_CHANGES if IS_CHECKED else MANY_CHANGES
tape.traced = NO_TRACE
pausing.count_blocks(&tape.paused)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_other_threads)
tape.forward[0] = 0
put_node(arrays_of(&tape), 0, Node(NAN, 0.0, 0, 0, rules.LEAF, LEAF_NODE, 0, 0))
