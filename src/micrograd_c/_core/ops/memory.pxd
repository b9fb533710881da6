"""C memory for arrays, whose size in bytes must not wrap around, as it could where addresses have 32 bits."""

from libc.stdint cimport SIZE_MAX
from libc.stdlib cimport malloc, realloc


cdef inline void *new_array(size_t count, size_t size) noexcept nogil:
    """For so many of that size, at least one; NULL if there is no memory."""
    return malloc((count or 1) * size) if count <= SIZE_MAX // size else NULL


cdef inline void *resized_array(void *array, size_t count, size_t size) noexcept nogil:
    """The same, with what the array holds. It stays as it was if there is no memory."""
    return realloc(array, (count or 1) * size) if count <= SIZE_MAX // size else NULL
