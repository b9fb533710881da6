"""backward() by data as it was when each node was computed: for classes that keep derivatives as numbers.

    out = x * y         # keeps y's data and x's, as the derivatives with respect to x and y
    x.data -= 0.1
    out.backward()      # gives y the gradient that x's data was, and not what it is

Value computes derivatives during the sweep. So what data was is kept here as it is assigned to, while a graph that was
computed before may still be swept. Knows Value and the tape.

Design
------
Assignments without an op between them are one Epoch. It has a marker, a Value that was made first: all nodes below the
marker are older than the epoch, all above younger, however nodes are moved, as they keep their order. What data was,
and whose, is in one array for all epochs, which owns references to the Values.

A sweep that does not come below the newest marker, but for leaves, is an ordinary one. Another one goes node by node,
and takes an epoch's assignments back before it looks at what is older. All epochs are dropped when nothing that is
older than the newest was computed and is needed, as it is at most calls of backward(): a training step's graph is gone
by the next.
"""

from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport calloc, free, realloc

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport (
    DATA_INT, HOOK, LEAF_NODE, Operands, Span, Spans, pin, record_leaf, reserve, spans_of, tape, unpin,
)
from micrograd_c._core.tape.sweeping cimport local_step
from micrograd_c._core.value.local_gradients cimport local_grads_of_node
from micrograd_c._core.value.operands cimport mark_operands, run_hook, sweep_by_steps, sweep_from
from micrograd_c._core.value.observers cimport watch_data
from micrograd_c._core.value.value cimport Value, bind, new_value

cdef enum:
    FEW = 65536     # entries for which nobody looks whether they are needed

cdef struct Entry:
    PyObject *value         # owned
    double data             # what it was
    uint8_t is_int

cdef struct Rewind:         # how far data has gone back with a sweep
    Py_ssize_t epoch        # from this one on, and
    Py_ssize_t first        # from this entry on, assignments are taken back


cdef class Epoch:
    cdef Value marker
    cdef Py_ssize_t first       # of its entries; the next epoch's begin at its end

cdef list epochs = []       # oldest first
cdef Value newest = None    # the last one's marker
cdef Entry *entries = NULL
cdef Py_ssize_t count = 0
cdef Py_ssize_t capacity = 0
cdef int sweeps = 0         # that take data back are under way: entries must stay where they are
cdef Py_ssize_t limit = 0   # so many entries are kept before somebody looks whether they are needed


def keep_old_data(bint on):
    """From here on, or no longer."""
    if on:
        watch_data(note_assignment, remembered_local_grads)
    else:
        watch_data(NULL, NULL)
    forget()


def epochs_kept():
    """How many there are. For tests."""
    return len(epochs)


cdef int forget() except -1:
    global newest, entries, count, capacity, limit
    cdef Entry *old = entries
    cdef Py_ssize_t old_count = count
    cdef Py_ssize_t k
    if sweeps:
        return 0
    newest, entries, count, capacity, limit = None, NULL, 0, 0, FEW
    epochs.clear()
    for k in range(old_count):
        Py_DECREF(<object> old[k].value)        # which may run any code
    free(old)
    return 0


cdef int note_assignment(object one) except -1:
    """Data of a Value is about to be assigned to."""
    global count
    cdef Value value = <Value> one
    if tape.tracer or (value.index == tape.top - 1 and tape.flags[value.index] & LEAF_NODE):
        return 0            # nothing was computed from it
    if newest is None or newest.index != tape.top - 1:
        begin_epoch()
    elif entries[count - 1].value == <PyObject *> value:    # assigned to again, and nothing was computed meanwhile
        return 0
    if count == capacity:
        make_room()
    Py_INCREF(value)
    entries[count] = Entry(<PyObject *> value, tape.data[value.index], tape.flags[value.index] & DATA_INT)
    count += 1
    return 0


cdef int begin_epoch() except -1:
    global newest, limit
    cdef Epoch epoch
    cdef Value marker
    if count > limit:
        drop_if_void()
        limit = max(<Py_ssize_t> FEW, 2 * count)
    if count == capacity:
        make_room()         # before there is an epoch without entries
    epoch = Epoch.__new__(Epoch)
    marker = new_value()
    reserve(&tape, 1)
    bind(marker, record_leaf(&tape, 0.0, 0))
    epoch.marker, epoch.first = marker, count
    epochs.append(epoch)
    newest = marker
    return 0


cdef int make_room() except -1:
    global entries, capacity
    cdef Py_ssize_t wanted = max(<Py_ssize_t> 1024, 2 * capacity)
    cdef Entry *more = <Entry *> realloc(entries, wanted * sizeof(Entry))
    if more == NULL:
        raise MemoryError("no memory for what data was before it was assigned to")
    entries, capacity = more, wanted
    return 0


cdef bint drop_if_void() except -1:
    """Drop all epochs if nothing that was computed before the newest is needed. True if there are none any more."""
    if newest is not None and (sweeps or is_needed(newest.index)):
        return False
    forget()
    return True


cdef bint is_needed(int32_t marker) noexcept:
    """Whether a node below the marker that was computed has a live Value, or was used for one above, dead or alive."""
    cdef Operands operands
    cdef Spans spans
    cdef int32_t i, k
    for i in range(1, marker):
        if tape.handles[i] != NULL and not tape.flags[i] & LEAF_NODE:
            return True
    for i in range(marker + 1, tape.top):
        operands = tape.operands[i]
        if rules.has_edges(tape.op[i]):
            for k in range(operands.a, operands.a + operands.b):
                spans = spans_of(&tape, i, k)
                if has_computed_below(marker, spans.a) or has_computed_below(marker, spans.b):
                    return True
        elif is_computed_below(marker, operands.a) or is_computed_below(marker, operands.b):
            return True
    return False


cdef inline bint has_computed_below(int32_t marker, Span span) noexcept:
    cdef int32_t i
    for i in range(span.first, span.end):
        if is_computed_below(marker, i):
            return True
    return False


cdef inline bint is_computed_below(int32_t marker, int32_t index) noexcept:
    return index < marker and not tape.flags[index] & LEAF_NODE


cdef bint is_reached(int32_t marker, int32_t root) except -1:
    """Whether a node below the marker that was computed can be reached from root."""
    cdef int32_t i
    cdef bint found = False
    cdef uint8_t *marked = <uint8_t *> calloc(root + 1, 1)
    if marked == NULL:
        raise MemoryError("no memory for the marks of backward()")
    marked[root] = 1
    for i in range(root, 0, -1):
        if marked[i] and not tape.flags[i] & LEAF_NODE:
            if i < marker:
                found = True
                break
            mark_operands(i, marked)
    free(marked)
    return found


cdef int sweep_by_old_data(Value root) except -1:
    """What Value.backward does once it has set the root's gradient."""
    if newest is not None and not drop_if_void() and is_reached(newest.index, root.index):
        return sweep_back(root)
    return sweep_from(root)


cdef int sweep_back(Value root) except -1:
    """A sweep by steps, and data goes back with it. Functions of users find it as it is."""
    global sweeps
    cdef Rewind now = Rewind(len(epochs), count)
    pin(&tape)
    sweeps += 1
    try:
        sweep_by_steps(root, step_back, &now)
    finally:
        do_again(now.first)
        sweeps -= 1
        unpin(&tape)
    return 0


cdef int step_back(int32_t index, int64_t number, void *context) except -1:
    """A node's step, after the assignments that are younger than the node were taken back."""
    cdef Rewind *now = <Rewind *> context
    cdef Py_ssize_t before
    while now.epoch and (<Epoch> epochs[now.epoch - 1]).marker.index > index:
        now.epoch -= 1
        take_back((<Epoch> epochs[now.epoch]).first, now.first)
        now.first = (<Epoch> epochs[now.epoch]).first
    if not tape.flags[index] & HOOK:
        return local_step(&tape, index, number)
    before = now.first
    do_again(before)
    now.first = count
    run_hook(index)
    take_back(before, count)
    now.first = before
    return 0


cdef object remembered_local_grads(int32_t index):
    """A node's local gradients from data as it was when it was computed; None if nothing was assigned to since.

    None as well for ops of users', which keep their own, and runs. Where dots are expanded, indexes change: then the
    caller has pinned the tape.
    """
    cdef Py_ssize_t epoch = len(epochs)
    cdef Py_ssize_t first = count
    global sweeps
    while epoch and (<Epoch> epochs[epoch - 1]).marker.index > index:
        epoch -= 1
        first = (<Epoch> epochs[epoch]).first
    if first == count or index >= tape.traced or tape.flags[index] & HOOK or not has_slopes(tape.op[index]):
        return None
    take_back(first, count)
    sweeps += 1
    try:
        return local_grads_of_node(index)
    finally:
        do_again(first)
        sweeps -= 1


cdef inline bint has_slopes(int op) noexcept:
    return not rules.has_edges(op) and op != rules.LEAF and op != rules.STOP


cdef void take_back(Py_ssize_t first, Py_ssize_t end) noexcept:
    cdef Py_ssize_t place
    for place in range(end - 1, first - 1, -1):
        exchange(place)


cdef void do_again(Py_ssize_t first) noexcept:
    cdef Py_ssize_t place
    for place in range(first, count):
        exchange(place)


cdef inline void exchange(Py_ssize_t place) noexcept:
    """Data as it is with what is kept."""
    cdef Entry *entry = entries + place
    cdef int32_t index = (<Value> entry.value).index
    cdef Entry now = Entry(entry.value, tape.data[index], tape.flags[index] & DATA_INT)
    tape.data[index] = entry.data
    tape.flags[index] = tape.flags[index] & ~DATA_INT | entry.is_int
    entry[0] = now
