"""no_grad blocks: which of them are open where the code runs.

Knows contexts, threads and frames. Knows nothing of the tape but the counter that it is given.

Design
------
A Block is owned by whoever opened it. It belongs to the context (contextvars) in which it was opened, hence to a thread
or an asyncio task, and to what is started from there while it is open; or, if a generator opened it, to that generator
while it runs. A context's blocks are linked from the innermost outwards. A closed block says so itself, since it may be
closed in another context than the one it was opened in, and since contexts are copied. So it stays the context's
innermost until the next one is opened: to take it away may fail for lack of memory, and in CPython 3.11 crashes then.

`paused_here` is called when an op is recorded: it runs neither Python code nor Python's collector.
"""

import sys
from contextvars import ContextVar

from cpython.ref cimport PyObject, Py_DECREF
from libc.stdint cimport int32_t, int64_t

cdef extern from "Python.h":
    int CO_GENERATOR, CO_ASYNC_GENERATOR
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
        int collects = PyGC_Disable();      /* a frame's object is made when somebody wants it */
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

cdef extern from *:
    """
    /* Up to CPython 3.11 a collection in the middle of this crashes if its finalizers open or close blocks. */
    static int micrograd_c_set(PyObject *variable, PyObject *value) {
        PyObject *token;
    #if PY_VERSION_HEX >= 0x030A0000
        int collects = PyGC_Disable();
    #endif
        token = PyContextVar_Set(variable, value);
    #if PY_VERSION_HEX >= 0x030A0000
        if (collects) PyGC_Enable();
    #endif
        Py_XDECREF(token);
        return token ? 0 : -1;
    }
    """
    int set_variable "micrograd_c_set"(object variable, object value) except -1

cdef int32_t *open_blocks = NULL    # how many there are in all contexts
cdef PyObject *newest = NULL        # the last in the list of all open blocks
cdef object innermost = ContextVar("micrograd_c.no_grad", default=None)
cdef list of_generators = []        # open blocks that belong to a generator
cdef int64_t opened = 0             # how many blocks were ever opened
cdef int64_t ignored = 0            # how many of those, the first ones, do not count in the thread that ignores them
cdef unsigned long ignoring = 0


cdef class Block:
    """One `with no_grad()`, from its beginning to its end. `frame` is that of the generator it belongs to, or None.

    Or, if it `records`, what suspends those around it, see `recording`.
    """
    cdef Block outer
    cdef PyObject *newer        # in the list of all that are open, borrowed
    cdef PyObject *older
    cdef object frame
    cdef int64_t number
    cdef readonly unsigned long thread
    cdef readonly bint is_open
    cdef bint records

    def __init__(self, frame):
        global opened
        if self.is_open:
            raise RuntimeError("this block is open already")
        self.frame = frame
        self.thread = PyThread_get_thread_ident()
        if frame is None:
            self.outer = open_ones(innermost.get())
            set_variable(innermost, self)
        else:
            of_generators.append(self)
        opened += 1
        self.number = opened
        self.is_open = True
        open_blocks[0] += 1
        self.link()

    def close(self):
        """End it, wherever this is called."""
        if not self.is_open:
            return
        self.is_open = False
        open_blocks[0] -= 1
        self.unlink()
        if self.frame is not None:
            self.frame = None
            of_generators.remove(self)

    def __dealloc__(self):
        if self.is_open:        # its context is gone
            open_blocks[0] -= 1
            self.unlink()

    cdef void link(self) noexcept:
        global newest
        self.older, self.newer = newest, NULL
        if newest != NULL:
            (<Block> newest).newer = <PyObject *> self
        newest = <PyObject *> self

    cdef void unlink(self) noexcept:
        global newest
        if self.newer != NULL:
            (<Block> self.newer).older = self.older
        else:
            newest = self.older
        if self.older != NULL:
            (<Block> self.older).newer = self.newer


cdef class Blocks:
    """The blocks that one no_grad has opened. Ctrl-C cannot come between a block's ends and the code around it."""
    cdef list blocks

    def __cinit__(self, *arguments, **keywords):
        self.blocks = []

    def __enter__(self):
        frame = generator_of(sys._getframe())
        cdef Block block = Block.__new__(Block)
        self.blocks.append(block)       # before it is open, as there may be no memory for it
        try:
            block.__init__(frame)
        except BaseException:
            self.blocks.remove(block)
            raise
        return self

    def __exit__(self, *exception):
        cdef unsigned long thread = PyThread_get_thread_ident()
        cdef Py_ssize_t k
        cdef Block block
        if not self.blocks:
            raise RuntimeError("this no_grad is not entered: write `with no_grad():`")
        # the innermost one of this thread, or of another one if a generator has come from there
        for k in range(len(self.blocks) - 1, -1, -1):
            if (<Block> self.blocks[k]).thread == thread:
                break
        else:
            k = len(self.blocks) - 1
        block = <Block> self.blocks[k]
        del self.blocks[k]
        block.close()


cdef Block open_ones(Block block):
    """The innermost open block of a chain."""
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
            if block.is_open and block.records:
                counted_from = max(counted_from, block.number)
                break
            if block.is_open and block.number > counted_from:
                return True
            block = block.outer
    for other in of_generators:
        block = other
        if block.number > counted_from and is_running(block.frame):
            return True
    return False


cdef void ignore_blocks(bint on) noexcept:
    """Let this thread record, whatever blocks are open now, until this is turned off. For one thread at a time."""
    global ignored, ignoring
    ignored = opened if on else 0
    ignoring = PyThread_get_thread_ident() if on else 0


cdef void count_blocks(int32_t *counter) noexcept:
    global open_blocks
    open_blocks = counter


cdef int forget_other_threads() except -1:
    """After a fork: forget the blocks of threads that are gone, which nobody will close, but not those around us."""
    cdef unsigned long thread = PyThread_get_thread_ident()
    cdef set within = set()
    cdef Block block = open_ones(innermost.get())
    cdef Block other
    cdef PyObject *older
    cdef PyObject *place = newest
    while block is not None:
        within.add(block)
        block = open_ones(block.outer)
    while place != NULL:
        other = <Block> place
        older = other.older
        if other.frame is None and other.thread != thread and other not in within:
            other.is_open = False
            open_blocks[0] -= 1
            other.unlink()
        place = older
    return 0


def recording(action):
    """action() with no regard to the no_grad blocks that are open now; those that it opens itself count."""
    if not open_blocks[0] or not paused_here():
        return action()
    cdef Block block = Block.__new__(Block)
    try:
        block.records = True
        block.__init__(None)
        return action()
    finally:
        block.close()


def is_paused():
    """Whether a no_grad block is open where the code runs."""
    return open_blocks[0] > 0 and paused_here()


# --- who opens a block ---

cdef int GENERATORS = CO_GENERATOR | CO_ASYNC_GENERATOR


def generator_of(frame):
    """The frame of the generator that opens a block in `frame`, or None if no generator does."""
    frame = below_contextlib(frame)
    while frame is not None and frame.f_code.co_flags & GENERATORS:
        manager = frame.f_back
        if not is_of_contextlib(manager):
            return frame
        frame = below_contextlib(manager)   # whoever enters the context that the generator manages
    return None


def below_contextlib(frame):
    while is_of_contextlib(frame):
        frame = frame.f_back
    return frame


def is_of_contextlib(frame):
    return frame is not None and frame.f_globals.get("__name__") == "contextlib"
