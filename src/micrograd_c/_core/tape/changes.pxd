"""What data was before it was assigned to: part of tape/arena.pyx, see its design.

A dot does not keep what it multiplied. As long as its operands' data is as it was, that is all there is to know; if
somebody has assigned to data since, this log tells what it was. It is read when dots are replaced by the nodes they
stand for (dots.pxd), and empty when there are none.

An entry is of use to dots that were recorded before its assignment, those below its `top`. So entries go when there is
no such dot any more, when their node goes, and where an earlier entry of the same node is as good: no dot was recorded
in between.
"""

from libc.stdint cimport int32_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.ops.memory cimport resized_array
from micrograd_c._core.tape.arena cimport LIVE, Change, Tape, make_room_for_changes


cdef inline bint is_void(const Change *change) noexcept nogil:
    """Whether no dot below its top can have the node for an operand."""
    return change.index >= change.top


# --- when nodes go or move ---

cdef inline void lower_changes(Tape *t, int32_t top) noexcept nogil:
    """The nodes from top on are gone."""
    cdef Py_ssize_t k = t.change_count - 1
    if t.first_dot >= top:
        t.change_count = 0
        return
    while k >= 0 and t.changes[k].top > top:
        t.changes[k].top = top      # which makes entries of nodes that are gone void
        k -= 1


cdef inline void drop_changes_of_dead(Tape *t) noexcept nogil:
    """Before the nodes that are not marked go."""
    cdef Py_ssize_t k
    cdef Py_ssize_t kept = 0
    for k in range(t.change_count):
        if not is_void(t.changes + k) and t.flags[t.changes[k].index] & LIVE:
            t.changes[kept] = t.changes[k]
            kept += 1
    t.change_count = kept


cdef inline void renumber_changes(Tape *t, int32_t former_top) noexcept nogil:
    """After nodes have slid: where each is now is in `forward` of its former place, for those that are gone, too."""
    cdef Change *change
    cdef Py_ssize_t k
    for k in range(t.change_count):
        change = t.changes + k
        change.index = t.forward[change.index]
        change.top = t.forward[change.top] if change.top < former_top else t.top
    drop_outdated_changes(t)


cdef inline void slide_changes(Tape *t, int32_t low) noexcept nogil:
    """The nodes from base on and below low are about to go, and those above to move down by as many."""
    cdef Change *change
    cdef Py_ssize_t k
    cdef Py_ssize_t kept = 0
    cdef int32_t down = low - t.base
    for k in range(t.change_count):
        change = t.changes + k
        if is_void(change) or t.base <= change.index < low:
            continue
        change.index -= down if change.index >= low else 0
        if change.top > t.base:
            change.top = max(t.base, change.top - down)
        t.changes[kept] = change[0]
        kept += 1
    t.change_count = kept


cdef inline void drop_outdated_changes(Tape *t) noexcept nogil:
    """Those that are older than all dots."""
    cdef Py_ssize_t first = 0
    cdef Py_ssize_t k
    while first < t.change_count and t.changes[first].top <= t.first_dot:
        first += 1
    if first:
        for k in range(first, t.change_count):
            t.changes[k - first] = t.changes[k]
        t.change_count -= first


# --- when there are many ---

cdef inline void drop_repeated_changes(Tape *t) noexcept nogil:
    """Keep one entry per node and stretch of the tape without a dot."""
    cdef Change *change
    cdef Py_ssize_t k
    cdef Py_ssize_t kept = 0
    cdef int32_t stretch = 0
    cdef int32_t i
    cdef int32_t place = min(t.first_dot, t.top)
    for i in range(1, t.top):
        t.forward[i] = -1         # the stretch of the last entry that was kept
    for k in range(t.change_count):
        change = t.changes + k
        while place < change.top:
            stretch += t.op[place] == rules.DOT
            place += 1
        if not is_void(change) and t.forward[change.index] != stretch:
            t.forward[change.index] = stretch
            t.changes[kept] = change[0]
            kept += 1
    t.change_count = kept


cdef inline bint try_resize_changes(Tape *t, Py_ssize_t room) noexcept nogil:
    cdef Change *changes = <Change *> resized_array(t.changes, room, sizeof(Change))
    if changes == NULL:
        return False
    t.changes = changes
    t.change_room = room
    return True


# --- what data was ---

cdef inline void forward_changes(Tape *t, int32_t first) noexcept nogil:
    """Before nodes from `first` on move to their `forward`."""
    cdef Change *change
    cdef Py_ssize_t k
    for k in range(t.change_count):
        change = t.changes + k
        change.taken_back = 0
        change.forward = change.index
        if not is_void(change) and change.index >= first:
            change.forward = t.forward[change.index]


cdef inline Py_ssize_t take_back_changes(Tape *t, Py_ssize_t first, int32_t dot) noexcept nogil:
    """Of those below the `first` that was taken back, all after this dot was recorded. Returns the new first."""
    cdef Change *change
    while first > 0 and t.changes[first - 1].top > dot:
        first -= 1
        change = t.changes + first
        if change.index < dot:
            exchange(t.data + change.index, change)
            change.taken_back = 1
    return first


cdef inline void repeat_changes(Tape *t, Py_ssize_t first) noexcept nogil:
    """All that were taken back, the nodes having moved."""
    cdef Py_ssize_t k
    for k in range(first, t.change_count):
        if t.changes[k].taken_back:
            exchange(t.data + t.changes[k].forward, t.changes + k)


cdef inline void exchange(double *data, Change *change) noexcept nogil:
    data[0], change.data = change.data, data[0]


# --- before it is assigned to ---

cdef inline bint has_dots(const Tape *t) noexcept nogil:
    """Whether assignments are noted."""
    return t.first_dot < t.top


cdef inline int reserve_changes(Tape *t, Py_ssize_t count) except -1:
    """To be called before data of so many nodes is assigned to, each after a call of `note_change`. May renumber."""
    if has_dots(t) and t.change_count + count > min(t.change_room, t.change_limit):
        make_room_for_changes(t, count)
    t.unchanged = t.top
    return 0


cdef inline void note_change(Tape *t, int32_t index) noexcept:
    """Data of this node will be assigned to right after."""
    cdef Change *last
    if has_dots(t):
        last = t.changes + t.change_count - 1
        if not t.change_count or last.index != index or last.top != t.top:
            t.changes[t.change_count] = Change(t.data[index], index, t.top, 0, 0)
            t.change_count += 1
