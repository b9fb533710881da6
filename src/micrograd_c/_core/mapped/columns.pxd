"""The C face of columns: numbers of rows, wherever they are and whatever their format."""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef enum:
    FEW = 8                 # most arguments that a Layout can open
    MOST_AXES = 64          # of an array, as in NumPy and memoryview
    MOST_NUMBERS = 1 << 24  # that a function is given as Values for one argument


cdef struct Column:
    const char *first       # where the first row's number is
    Py_ssize_t stride       # bytes from one row's number to the next row's
    char kind               # as in struct's formats


cdef class Buffer:
    cdef Py_buffer view
    cdef Py_ssize_t lengths[MOST_AXES]     # of axes, that of rows first
    cdef Py_ssize_t strides[MOST_AXES]
    cdef bint open
    cdef const char *start
    cdef readonly tuple shape
    cdef readonly Py_ssize_t columns    # numbers per row
    cdef char kind

    cdef int check_kind(self) except -1


cdef class Columns:
    cdef Column *columns
    cdef readonly Py_ssize_t count, rows
    cdef Py_ssize_t room
    cdef list owners        # Buffers that the columns are in


cdef class Layout:
    cdef Py_ssize_t *shapes     # for one argument after the other: the number of axes, then their lengths
    cdef Py_ssize_t count       # arguments
    cdef readonly Py_ssize_t columns

    cdef bint open(self, tuple arguments, Py_buffer *views) except -1
    cdef void close(self, Py_buffer *views) noexcept
    cdef void list_columns(self, Py_buffer *views, Column *columns) noexcept


cdef Py_ssize_t offset_in_row(Py_ssize_t k, int ndim, const Py_ssize_t *shape, const Py_ssize_t *strides) noexcept


# Numbers may be at any address, aligned or not. So memcpy reads them, which is one instruction where that is allowed.

ctypedef fused Number:
    double
    float
    int8_t
    int16_t
    int32_t
    int64_t
    uint8_t
    uint16_t
    uint32_t
    uint64_t


cdef inline double load(const char *place, Number number) noexcept nogil:
    """The number there, as a double; `number` only tells its type."""
    memcpy(&number, place, sizeof(Number))
    return <double> number


cdef inline double number_at(const char *place, char kind) noexcept nogil:
    if kind == c"d": return load[double](place, 0)
    elif kind == c"f": return load[float](place, 0)
    elif kind == c"b": return load[int8_t](place, 0)
    elif kind == c"h": return load[int16_t](place, 0)
    elif kind == c"i": return load[int32_t](place, 0)
    elif kind == c"q": return load[int64_t](place, 0)
    elif kind == c"B": return load[uint8_t](place, 0)
    elif kind == c"H": return load[uint16_t](place, 0)
    elif kind == c"I": return load[uint32_t](place, 0)
    else: return load[uint64_t](place, 0)


cdef inline void read_column(const Column *column, int64_t first, int64_t rows, double *to) noexcept nogil:
    """The numbers of `rows` rows, from row `first` on, as doubles."""
    cdef const char *place = column.first + first * column.stride
    cdef Py_ssize_t stride = column.stride
    cdef int64_t r
    if column.kind == c"d":
        for r in range(rows):
            to[r] = load[double](place + r * stride, 0)
    else:
        for r in range(rows):
            to[r] = number_at(place + r * stride, column.kind)
