"""Observers: functions that are called before data of a Value is read or assigned to, or once a Value has children.

Knows the tape, and of Values only which nodes they have. Who observes is in tracing.pyx, and in other rooms.

Design
------
Whoever runs a function once, as vmap does, must know of every number that Python code reads there. Its observers hear
of Values whose nodes are from `tape.traced` on, which is one comparison where nobody traces. The observer of data as it
was hears of all Values, and is a C function.
"""

from micrograd_c._core.tape.arena cimport tape
from micrograd_c._core.tape.changes cimport reserve_changes

cdef object on_read = None
cdef object on_assignment = None
cdef object on_custom = None
before_assignment = NULL
remembered = NULL
sets_in_the_making = 0


def call_in_traces(read, assigned, custom):
    """Have functions called for Values whose nodes are from tape.traced on.

    The first before data is read, with the Value and with what is done; the second before data is assigned to, with the
    Value; the third, without arguments, when a Value was made with children.
    """
    global on_read, on_assignment, on_custom
    on_read, on_assignment, on_custom = read, assigned, custom


cdef int tell_of_read(object value, str what) except -1:
    on_read(value, what)
    return 0


cdef int tell_of_assignment(object value) except -1:
    on_assignment(value)
    return 0


cdef int tell_of_custom() except -1:
    on_custom()
    return 0


cdef set set_of(list values):
    """For `_prev`, which may be looked at in a trace, too."""
    global sets_in_the_making
    sets_in_the_making += 1
    try:
        return set(values)
    finally:
        sets_in_the_making -= 1


cdef void watch_data(DataWatcher watcher, Remembering remembering) noexcept:
    """Have a function called before data of a Value is assigned to, and another one asked for local gradients; or none.
    """
    global before_assignment, remembered
    before_assignment, remembered = watcher, remembering


cdef int announce_assignments(list values) except -1:
    """To be called before data of these Values is assigned to in another way than by `data`. May record a node.

    May renumber. Then `note_change` is to be called for each.
    """
    if before_assignment != NULL:
        for value in values:
            before_assignment(value)
    return reserve_changes(&tape, len(values))
