"""backward() by data as it was when each node was computed: for classes that keep derivatives as numbers.

    out = x * y         # keeps y's data and x's, as the derivatives with respect to x and y
    x.data -= 0.1
    out.backward()      # gives y the gradient that x's data was, and not what it is

Value computes derivatives during the sweep. So what data was is kept here as it is assigned to, while a graph that was
computed before may still be swept. Knows Value and the tape.

Design
------
Assignments without an op between them are one Epoch, which owns references to the Values assigned to, what their data
was, and a marker: a Value that was made first. All nodes below the marker are older than the epoch, all above younger,
however nodes are moved, as they keep their order.

A sweep that does not come below the newest marker, but for leaves, is an ordinary one. Another one goes node by node, and
takes an epoch's assignments back before it looks at what is older. Epochs are dropped when nothing that is alive and older
than the newest was computed at all; that is looked for each time there are twice as many entries as were left the last time.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport calloc, free

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport (
    DATA_INT, HOOK, LEAF_NODE, Node, Sweep, is_nary, local_step, pin, record_leaf, reserve, resume, suspend, sweep,
    tape, unpin,
)
from micrograd_c._core.value.operands cimport mark_operands, run_hook, sweep_with_hooks
from micrograd_c._core.value.value cimport Value, bind, new_value, watch_data

cdef enum:
    FEW = 16384     # entries for which nothing is looked for


cdef class Epoch:
    cdef Value marker
    cdef list values        # assigned to, in order
    cdef list data          # what it was

cdef list epochs = []       # oldest first
cdef Py_ssize_t entries = 0     # of all of them
cdef Py_ssize_t limit = FEW


def keep_old_data(bint on):
    """From here on, or no longer."""
    if on:
        watch_data(note_assignment)
    else:
        watch_data(NULL)
    forget()


def epochs_kept():
    """How many there are. For tests."""
    return len(epochs)


cdef int forget() except -1:
    global entries
    epochs.clear()
    entries = 0
    return 0


cdef int note_assignment(Value value) except -1:
    """Data of this Value is about to be assigned to."""
    global entries
    cdef Epoch epoch = <Epoch> epochs[len(epochs) - 1] if epochs else None
    if tape.tracer or value.index >= tape.top - 1:      # nothing was computed from the last node
        return 0
    if epoch is None or epoch.marker.index != tape.top - 1:
        if entries > limit:
            drop_if_void()
        epoch = Epoch.__new__(Epoch)
        epoch.values, epoch.data = [], []
        epoch.marker = new_value()
        reserve(&tape, 1)
        bind(epoch.marker, record_leaf(&tape, 0.0, 0))
        epochs.append(epoch)
    elif epoch.values[len(epoch.values) - 1] is value:      # assigned to again, and nothing was computed meanwhile
        return 0
    epoch.values.append(value)
    epoch.data.append(value.data)
    entries += 1
    return 0


cdef int drop_if_void() except -1:
    """Drop all epochs if no node older than the newest is computed and can be reached."""
    global limit
    cdef int32_t newest = (<Epoch> epochs[len(epochs) - 1]).marker.index
    if not is_reached(newest, 0):
        forget()
    limit = max(<Py_ssize_t> FEW, 2 * entries)
    return 0


cdef bint is_reached(int32_t marker, int32_t root) except -1:
    """Whether a node below the marker that was computed can be reached from root; from any live Value if root is 0."""
    cdef int32_t top = root + 1 if root else tape.top
    cdef int32_t i, k
    cdef Node *node
    cdef bint found = False
    cdef uint8_t *marked = <uint8_t *> calloc(top, 1)
    if marked == NULL:
        raise MemoryError("no memory for the marks of backward()")
    if root:
        marked[root] = 1
    for i in range(top - 1, 0, -1):
        node = tape.nodes + i
        if not marked[i] and (root or tape.handles[i] == NULL):
            continue
        if i < marker:
            if not node.flags & LEAF_NODE:
                found = True
                break
        else:
            mark_operands(i, marked)
    free(marked)
    return found


cdef int sweep_by_old_data(Value root) except -1:
    """What Value.backward does once it has set the root's gradient."""
    cdef Epoch newest = <Epoch> epochs[len(epochs) - 1] if epochs else None
    if newest is not None and is_reached(newest.marker.index, root.index):
        return sweep_back(root)
    if tape.hooks:
        return sweep_with_hooks(root)
    return sweep(&tape, root.index)


cdef int sweep_back(Value root) except -1:
    """operands.sweep_with_hooks, and data goes back with it."""
    cdef int32_t i
    cdef uint8_t *marked = NULL
    cdef int64_t outer = tape.hooked_sweep
    cdef int64_t this
    cdef Sweep suspended
    cdef list mine = list(epochs)       # functions of users may assign to data meanwhile
    cdef Py_ssize_t k = len(mine)
    pin(&tape)
    tape.sweeps += 1
    this = tape.hooked_sweep = tape.sweeps
    suspend(&tape, &suspended, this)
    try:
        marked = <uint8_t *> calloc(root.index + 1, 1)
        if marked == NULL:
            raise MemoryError("no memory for the marks of backward()")
        marked[root.index] = 1
        for i in range(root.index, 0, -1):
            while k and (<Epoch> mine[k - 1]).marker.index > i:
                k -= 1
                exchange(<Epoch> mine[k])
            if not marked[i]:
                continue
            if tape.nodes[i].flags & HOOK:
                run_hook(i)
            else:
                local_step(&tape, i, this)
            if tape.nodes[i].op != rules.STOP:
                mark_operands(i, marked)
    finally:
        while k < len(mine):
            exchange(<Epoch> mine[k])
            k += 1
        tape.hooked_sweep = outer
        resume(&tape, &suspended)
        free(marked)
        unpin(&tape)
    return 0


cdef int exchange(Epoch epoch) except -1:
    """Data as it is now with what is kept. Of a Value that was assigned to twice both times, so in the other order."""
    cdef Py_ssize_t k
    cdef Node *node
    cdef object now
    for k in range(len(epoch.values) - 1, -1, -1):
        now = (<Value> epoch.values[k]).data
        put((<Value> epoch.values[k]).index, epoch.data[k])
        epoch.data[k] = now
    epoch.values.reverse()
    epoch.data.reverse()
    return 0


cdef inline void put(int32_t index, object data):
    cdef Node *node = tape.nodes + index
    node.data = data
    node.flags = node.flags & ~DATA_INT | (DATA_INT if type(data) is int else 0)
