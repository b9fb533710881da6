"""The C face of Value, for modules that record many nodes in one call."""

from cpython.ref cimport PyObject
from libc.stdint cimport int32_t, uint8_t

from micrograd_c._core.tape.arena cimport adopt, tape


cdef class Value:
    cdef int32_t index          # the node; 0 until __init__ has run
    cdef uint8_t plain          # 1: initialised, of a plain class, extra None, attributes plain data, not tracked
    cdef uint8_t has_state      # 1: it has Python state that cannot go with its node: results hold the Value
    cdef uint8_t of_trace       # 1: it had a node until a trace of vmap ended
    cdef object extra           # None; a tuple of handles kept alive; or Extra
    cdef PyObject *attributes   # the instance's __dict__, NULL until the first attribute
    cdef object __weakref__


cdef class Extra:
    cdef object backward        # the function assigned to _backward, or None
    cdef object op              # the name assigned to _op, or None
    cdef object prev            # the set handed out as _prev, or None
    cdef object keep            # handles that must live as long as this one, see `hold`; a tuple, or None


cdef Value new_value()
cdef Value new_instance(object kind)
cdef bint is_watched(Value value) noexcept
cdef bint properties_are_ours() except -1
cpdef bint operators_are_ours() noexcept
cpdef bint compositions_are_ours() noexcept


cdef inline void bind(Value handle, int32_t index) noexcept:
    """Make what `new_value` returned the handle of a node that has none."""
    handle.index = index
    handle.plain = 1
    adopt(&tape, index, <void *> handle)
