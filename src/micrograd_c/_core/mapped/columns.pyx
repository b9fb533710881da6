"""Columns: the numbers that a batch's rows are made of, read in place.

Knows buffers. Knows nothing of Values, of programs, or of what the numbers are for.

Design
------
Nothing is copied. A Buffer holds an argument's memory for as long as it lives; Columns hold Buffers, and point into
their memory. A Layout remembers what the arguments of a function looked like. It opens buffers that look the same,
without making an object for any, and whoever had it open them closes them.
"""

import sys

cimport cython
from cpython.buffer cimport (
    PyBUF_FORMAT, PyBUF_ND, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_CheckBuffer, PyObject_GetBuffer,
)
from libc.stdlib cimport free, malloc
from libc.string cimport memset, strchr

__all__ = ["Buffer", "Columns", "Layout", "TooLarge", "check_size", "empty"]

cdef bint LITTLE = sys.byteorder == "little"


class TooLarge(ValueError):
    """More axes, or more numbers per row, than vmap takes."""


def check_size(shape):
    """How many numbers that shape has. Raises TooLarge for more than a function could be given as Values."""
    numbers = lists = 1
    for length in shape:
        numbers *= length
        lists *= max(length, 1)     # nested lists may be many even if there are no numbers in them
    if len(shape) > MOST_AXES:
        raise TooLarge(f"{len(shape)} axes; {MOST_AXES} is the most")
    if lists > MOST_NUMBERS:
        raise TooLarge(f"numbers of shape {shape}, each of which would be a Value; {MOST_NUMBERS} is the most")
    return numbers


@cython.no_gc_clear    # which would lose the buffer without closing it: its owner could never be resized
# Python's collector would clear a memoryview before the Buffer that looks into it. Without the collector's help, what a
# Buffer holds counts as in use until the Buffer dies.
@cython.no_gc
cdef class Buffer:
    """A buffer of numbers, of which an axis may be rows: that comes first here.

    Raises TooLarge, IndexError for an axis that is not there, and whatever an object raises that has no such buffer.
    """

    def __cinit__(self, source, int rows=0):
        cdef Py_ssize_t stride
        cdef Py_ssize_t strides[MOST_AXES]
        cdef int count, axis, k
        PyObject_GetBuffer(source, &self.view, PyBUF_FORMAT | PyBUF_ND | PyBUF_STRIDES)
        self.open = True
        if not is_plain(&self.view):
            raise BufferError("a buffer that is not made of one piece of memory")
        count = self.view.ndim
        if count > MOST_AXES:
            raise TooLarge(f"{count} axes; {MOST_AXES} is the most")
        if not -count <= rows < max(count, 1):
            raise IndexError(f"axis {rows} of {count} axes")
        if rows < 0:
            rows += count
        stride = self.view.itemsize
        for axis in range(count - 1, -1, -1):       # ctypes gives no strides
            strides[axis] = stride if self.view.strides == NULL else self.view.strides[axis]
            stride *= self.view.shape[axis]
        for k in range(count):
            axis = rows if k == 0 else k - 1 if k <= rows else k
            self.lengths[k], self.strides[k] = self.view.shape[axis], strides[axis]
        self.start = <const char *> self.view.buf
        self.shape = tuple([self.lengths[k] for k in range(count)])
        self.kind = kind_of(&self.view)
        self.columns = check_size(self.shape[1:])

    def __dealloc__(self):
        if self.open:
            PyBuffer_Release(&self.view)

    def __reduce__(self):
        raise TypeError("cannot copy or pickle a Buffer, which looks into memory of others: copy that")

    @property
    def format(self):
        """The format, as in struct."""
        return (<bytes> self.view.format).decode() if self.view.format != NULL else "B"

    @property
    def readable(self):
        """False for numbers of a format that vmap does not take."""
        return self.kind != 0

    def flat(self):
        """All numbers as floats, in order."""
        cdef Py_ssize_t i, k, offset
        cdef list result = []
        cdef Py_ssize_t rows = self.lengths[0] if self.view.ndim else 1
        cdef Py_ssize_t stride = self.strides[0] if self.view.ndim else 0
        self.check_kind()
        for i in range(rows):
            for k in range(self.columns):
                offset = offset_in_row(k, self.view.ndim, self.lengths, self.strides)
                result.append(number_at(self.start + i * stride + offset, self.kind))
        return result

    cdef int check_kind(self) except -1:
        if not self.kind:
            raise TypeError(f"numbers of format {self.format!r} cannot be read")
        return 0


cdef bint is_plain(const Py_buffer *view) noexcept:
    """False if a view has pointers to pieces of memory, or no shape, though neither was asked for."""
    return view.suboffsets == NULL and (view.shape != NULL or not view.ndim)


cdef char kind_of(const Py_buffer *view) noexcept:
    """A buffer's format as one of "dfbhiqBHIQ", by size; 0 if it has no numbers, or another byte order."""
    cdef const char *format = view.format
    cdef Py_ssize_t size = view.itemsize
    if format == NULL:
        return c"B"
    while format[0] == c"@" or format[0] == c"=" or format[0] == (c"<" if LITTLE else c">"):
        format += 1
    if format[0] == 0 or format[1] != 0:
        return 0
    if strchr("df", format[0]):
        return c"d" if size == 8 else c"f" if size == 4 else 0
    if strchr("bhilqn", format[0]):
        return c"b" if size == 1 else c"h" if size == 2 else c"i" if size == 4 else c"q" if size == 8 else 0
    if strchr("?BHILQN", format[0]):
        return c"B" if size == 1 else c"H" if size == 2 else c"I" if size == 4 else c"Q" if size == 8 else 0
    return 0


cdef Py_ssize_t offset_in_row(
    Py_ssize_t k, int ndim, const Py_ssize_t *shape, const Py_ssize_t *strides
) noexcept:
    """How many bytes the k-th number of a row is from the row's start."""
    cdef Py_ssize_t offset = 0
    cdef int axis
    for axis in range(ndim - 1, 0, -1):
        offset += k % shape[axis] * strides[axis]
        k //= shape[axis]
    return offset


cdef class Columns:
    """The numbers of all rows, input by input."""

    def __cinit__(self, Py_ssize_t room):
        if 0 <= room <= sys.maxsize // <Py_ssize_t> sizeof(Column):
            self.columns = <Column *> malloc(max(room, 1) * sizeof(Column))
        if self.columns == NULL:
            raise MemoryError(f"no memory for {room} inputs")
        self.room = room
        self.owners = []

    def __dealloc__(self):
        free(self.columns)

    def __reduce__(self):
        raise TypeError("cannot copy or pickle Columns, which look into buffers: copy those")

    def add(self, Buffer buffer not None):
        """Add all columns of an array whose first axis is the rows."""
        cdef Py_ssize_t k, offset
        buffer.check_kind()
        if not buffer.shape:
            raise ValueError("a single number has no rows")
        if self.owners and buffer.shape[0] != self.rows:
            raise ValueError(f"{buffer.shape[0]} rows, but {self.rows} before")
        if self.count + buffer.columns > self.room:
            raise ValueError(f"more columns than the {self.room} that were announced")
        self.rows = buffer.shape[0]
        self.owners.append(buffer)
        for k in range(buffer.columns):
            offset = offset_in_row(k, buffer.view.ndim, buffer.lengths, buffer.strides)
            self.columns[self.count] = Column(buffer.start + offset, buffer.strides[0], buffer.kind)
            self.count += 1

    def add_row(self, Buffer buffer not None):
        """Add all numbers of an array, in order, as one row."""
        cdef Py_ssize_t k, i
        cdef Py_ssize_t first = buffer.shape[0] if buffer.shape else 1
        buffer.check_kind()
        if self.owners and self.rows != 1:
            raise ValueError(f"1 row, but {self.rows} before")
        if first > self.room or self.count + first * buffer.columns > self.room:
            raise ValueError(f"more columns than the {self.room} that were announced")
        self.rows = 1
        self.owners.append(buffer)
        for i in range(first):
            for k in range(buffer.columns):
                self.columns[self.count] = Column(
                    buffer.start + i * buffer.strides[0] + offset_in_row(
                        k, buffer.view.ndim, buffer.lengths, buffer.strides), 0, buffer.kind)
                self.count += 1


cdef class Layout:
    """The shape of a row of each argument. There are at most FEW arguments, and all have rows.

    >>> Layout([(2, 3), ()]).columns
    7
    """

    def __cinit__(self, list shapes not None):
        cdef Py_ssize_t *place
        shapes = [tuple(shape) for shape in shapes]     # a copy, as what is written must be what was counted
        self.count = len(shapes)
        if not 0 < self.count <= FEW:
            raise ValueError(f"{self.count} arguments; a Layout is for 1 to {FEW}")
        self.shapes = place = <Py_ssize_t *> malloc(sum([1 + len(shape) for shape in shapes]) * sizeof(Py_ssize_t))
        if place == NULL:
            raise MemoryError("no memory for the shapes of arguments")
        for shape in shapes:
            self.columns += check_size(shape)
            place[0] = len(shape)
            place += 1
            for length in shape:
                if length < 0:
                    raise ValueError(f"a shape with a negative length, {shape}")
                place[0] = length
                place += 1

    def __dealloc__(self):
        free(self.shapes)

    def __reduce__(self):
        raise TypeError("cannot copy or pickle a Layout of vmap: make another of the same shapes")

    cdef bint open(self, tuple arguments, Py_buffer *views) except -1:
        """Open a view of each argument. False, with none open, if one is not a buffer of numbers of its shape."""
        cdef Py_ssize_t *shape = self.shapes
        cdef Py_ssize_t k
        if len(arguments) != self.count:
            return False
        memset(views, 0, self.count * sizeof(Py_buffer))    # so that those that are never opened may be closed
        try:
            for k in range(self.count):
                if not try_open(arguments[k], views + k) or not fits(views + k, shape) or (
                        views[k].shape[0] != views[0].shape[0]):
                    self.close(views)
                    return False
                shape += 1 + shape[0]
        except BaseException:
            self.close(views)
            raise
        return True

    cdef void close(self, Py_buffer *views) noexcept:
        cdef Py_ssize_t k
        for k in range(self.count):
            PyBuffer_Release(views + k)

    cdef void list_columns(self, Py_buffer *views, Column *columns) noexcept:
        """Write all columns, argument by argument."""
        cdef Py_buffer *view
        cdef Py_ssize_t k, j, numbers, offset
        cdef int axis
        cdef char kind
        for k in range(self.count):
            view = views + k
            kind = kind_of(view)
            numbers = 1
            for axis in range(1, view.ndim):
                numbers *= view.shape[axis]
            for j in range(numbers):
                offset = offset_in_row(j, view.ndim, view.shape, view.strides)
                columns[j] = Column(<const char *> view.buf + offset, view.strides[0], kind)
            columns += numbers


cdef bint fits(const Py_buffer *view, const Py_ssize_t *shape) noexcept:
    """Whether a view has rows of numbers of that shape."""
    cdef int axis
    if view.ndim != shape[0] + 1 or view.strides == NULL or not is_plain(view) or not kind_of(view):
        return False
    for axis in range(1, view.ndim):
        if view.shape[axis] != shape[axis]:
            return False
    return True


cdef bint try_open(object argument, Py_buffer *view) except -1:
    """False for what has no such buffer, whatever it raises: whoever looks more closely will raise it again."""
    cdef bint opened = True
    if not PyObject_CheckBuffer(argument) or isinstance(argument, (bytes, bytearray)):
        return False
    try:
        PyObject_GetBuffer(argument, view, PyBUF_FORMAT | PyBUF_ND | PyBUF_STRIDES)
    except Exception:
        memset(view, 0, sizeof(Py_buffer))      # so that it may be closed, whatever was written to it
        opened = False
    return opened


cdef class Empty:
    """A buffer without numbers, of a shape that memoryview.cast cannot make."""
    cdef Py_ssize_t shape[MOST_AXES]
    cdef Py_ssize_t strides[MOST_AXES]
    cdef int count
    cdef double nothing

    def __reduce__(self):
        raise TypeError("cannot copy or pickle an Empty of vmap: make another of the same shape")

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        if flags & PyBUF_WRITABLE == PyBUF_WRITABLE:
            raise BufferError("there is nothing to be written to")
        buffer.buf, buffer.obj, buffer.len, buffer.itemsize = &self.nothing, self, 0, sizeof(double)
        buffer.readonly, buffer.ndim, buffer.format = 1, self.count, <char *> b"d"
        buffer.shape, buffer.strides, buffer.suboffsets, buffer.internal = self.shape, self.strides, NULL, NULL


def empty(tuple shape):
    """A buffer of floats whose shape has a 0 in it. Raises ValueError for any other shape, and TooLarge."""
    cdef Empty made = Empty.__new__(Empty)
    if len(shape) > MOST_AXES:
        raise TooLarge(f"{len(shape)} axes; {MOST_AXES} is the most")
    check_size(shape[1:])
    if 0 not in shape:
        raise ValueError(f"an array of shape {shape} is not empty")
    for k, length in enumerate(shape):
        made.shape[k] = length
        made.strides[k] = 8
    made.count = <int> len(shape)
    return made
