"""no_grad blocks: which of them are open where the code runs.

Knows contexts, threads and frames. Knows nothing of the tape but the counter that it is given.

Design
------
A Block is owned by who opened it. It belongs to the context (contextvars) in which it was opened, hence to a thread or
an asyncio task, and to what is started from there while it is open; or, if a generator opened it, to that generator
while it runs. A context's blocks are linked from the innermost outwards. A closed one says so itself, as it may be
closed in another context than it was opened in, and as contexts are copied.

`paused_here` is asked when an op is recorded: it runs no Python code, and Python's collector neither.
"""

from contextvars import ContextVar

from cpython.ref cimport PyObject, Py_DECREF
from libc.stdint cimport int32_t, int64_t

cdef extern from "Python.h":
    int PyContextVar_Get(object variable, PyObject *default, PyObject **value)
    void PyErr_Clear()
    unsigned long PyThread_get_thread_ident()

cdef extern from *:
    """
    #include "frameobject.h"    /* PyFrame_GetBack, before CPython 3.11 */
    /* Whether a frame is one of those that run in this thread. */
    static int micrograd_c_is_running(PyObject *wanted) {
        PyFrameObject *frame, *back;
        int found = 0;
    #if PY_VERSION_HEX >= 0x030A0000
        int collects = PyGC_Disable();      /* frames are made when they are asked for */
    #endif
        frame = PyEval_GetFrame();
        Py_XINCREF((PyObject *)frame);
        while (frame) {
            found = found || (PyObject *)frame == wanted;
            back = found ? NULL : PyFrame_GetBack(frame);
            Py_DECREF((PyObject *)frame);
            frame = back;
        }
    #if PY_VERSION_HEX >= 0x030A0000
        if (collects) PyGC_Enable();
    #endif
        return found;
    }
    """
    bint is_running "micrograd_c_is_running"(object frame) noexcept

cdef int32_t *open_blocks = NULL    # how many there are in all contexts
cdef object innermost = ContextVar("micrograd_c.no_grad", default=None)
cdef list of_generators = []        # open blocks that belong to one
cdef int64_t opened = 0             # so many blocks were
cdef int64_t ignored = 0            # the first so many do not count in the thread that ignores them
cdef unsigned long ignoring = 0


cdef class Block:
    """One `with no_grad()`, from its beginning to its end. `frame` is that of the generator it belongs to, or None."""
    cdef Block outer
    cdef object frame
    cdef int64_t number
    cdef readonly unsigned long thread
    cdef readonly bint is_open

    def __init__(self, frame):
        global opened
        if self.is_open:
            raise RuntimeError("this block is open already")
        self.frame = frame
        self.thread = PyThread_get_thread_ident()
        if frame is None:
            self.outer = open_ones(innermost.get())
            innermost.set(self)
        else:
            of_generators.append(self)
        opened += 1
        self.number = opened
        self.is_open = True
        open_blocks[0] += 1

    def close(self):
        """End it, wherever this is called."""
        if not self.is_open:
            return
        self.is_open = False
        open_blocks[0] -= 1
        if self.frame is not None:
            self.frame = None
            of_generators.remove(self)
        elif innermost.get() is self:
            innermost.set(open_ones(self.outer))


cdef Block open_ones(Block block):
    """The innermost that is open, of a chain."""
    while block is not None and not block.is_open:
        block = block.outer
    return block


cdef bint paused_here() noexcept:
    cdef PyObject *found = NULL
    cdef int64_t counted_from = ignored if ignoring == PyThread_get_thread_ident() else 0
    cdef Block block
    if PyContextVar_Get(innermost, NULL, &found) < 0:
        PyErr_Clear()
    if found != NULL:
        block = <object> found
        Py_DECREF(<object> found)
        while block is not None:
            if block.is_open and block.number > counted_from:
                return True
            block = block.outer
    for other in of_generators:
        block = other
        if block.number > counted_from and is_running(block.frame):
            return True
    return False


cdef void ignore_blocks(bint on) noexcept:
    """What this thread records from here on is recorded, whatever blocks are open now. For one thread at a time."""
    global ignored, ignoring
    ignored = opened if on else 0
    ignoring = PyThread_get_thread_ident() if on else 0


cdef void count_blocks(int32_t *counter) noexcept:
    global open_blocks
    open_blocks = counter


cdef int forget_other_threads() except -1:
    """After a fork: nobody will close the blocks of threads that are no more."""
    cdef Block block = open_ones(innermost.get())
    cdef int32_t count = <int32_t> len(of_generators)
    while block is not None:
        count += 1
        block = open_ones(block.outer)
    open_blocks[0] = count
    return 0
