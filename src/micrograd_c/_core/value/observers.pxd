"""The C face of observers.pyx. What costs a comparison where nobody observes is here."""

from libc.stdint cimport int32_t

# is given the Value
ctypedef int (*DataWatcher)(object value) except -1

# gives a node's local gradients, where they are made of data that was and not of data as it is; or else None
ctypedef object (*Remembering)(int32_t index)

cdef DataWatcher before_assignment      # or NULL
cdef Remembering remembered             # or NULL
cdef int sets_in_the_making             # in which looking up a Value is no mistake

cdef int tell_of_read(object value, str what) except -1
cdef int tell_of_assignment(object value) except -1
cdef int tell_of_custom() except -1
cdef set set_of(list values)
cdef void watch_data(DataWatcher watcher, Remembering remembering) noexcept
cdef int announce_assignments(list values) except -1
