"""Tracing: a function is run once, and what it leaves on the tape is not to be decided by numbers.

Knows the tape and Value. Knows nothing of programs, or of what becomes of a trace.

Design
------
While a function is traced, its ops go to the ordinary tape, pinned. Numbers that stand for arguments' are NaN: no op
on one raises, and nothing that was computed from one can be mistaken for a result. Reading data of such a node is an
error, as what Python decides by it would be frozen.

There is one trace at a time, of one thread; others, and finalizers, may go on with Values of their own meanwhile. A
mark a node is owned here while it lasts, brought up to date when somebody asks. That runs no Python code, and neither
do the first and the last steps of a trace: an interrupt comes before, within or after it.
"""

import linecache
import os
import sys

from libc.math cimport NAN
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free, realloc

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport (
    DETACHED, IN_TRACE, NO_TRACE, Node, PyThread_get_thread_ident, pin, release, tape, unpin,
)
from micrograd_c._core.tape.pausing cimport ignore_blocks
from micrograd_c._core.value.lifetime cimport check_initialised
from micrograd_c._core.value.value import call_in_traces
from micrograd_c._core.value.value cimport Value

__all__ = ["TraceError", "argument", "is_tracing", "trace", "watch"]


class TraceError(TypeError):
    """A function given to vmap asks for a number that depends on its arguments, which a trace does not have."""

    __module__ = "micrograd_c"      # where people find it


cdef enum Mark:
    DEPENDENT = 1       # on a number of an argument
    ASSIGNED = 2        # its data was assigned to

COMPREHENSIONS = {"<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"}

cdef uint8_t *marks = NULL      # of nodes from tape.traced on
cdef int32_t marked = 0         # so many of them are known
cdef int32_t room = 0
cdef unsigned long watcher = 0          # the thread that `watch` runs in, or 0
cdef set readers = None                 # code of that thread that has read data, meanwhile
cdef set makers = None                  # code that has made Values with children


def is_tracing():
    """True while a function is being traced in this thread."""
    return tape.tracer != 0 and tape.tracer == PyThread_get_thread_ident()


def trace(action):
    """action(), as a trace: in it, reading data of what depends on an argument is a TraceError."""
    if tape.traced != NO_TRACE:
        raise TraceError("vmap inside a function given to vmap: write the inner one as a loop")
    pin(&tape)
    ignore_blocks(True)     # a trace records, whoever calls
    tape.traced = tape.top
    tape.tracer = PyThread_get_thread_ident()
    try:
        return action()
    finally:
        empty_handles()
        end_trace()
        unpin(&tape)


cdef void end_trace() noexcept:
    global marks, marked, room
    tape.traced = NO_TRACE
    tape.tracer = 0
    free(marks)
    marks, marked, room = NULL, 0, 0
    ignore_blocks(False)


cdef void empty_handles() noexcept:
    """Values that depend on an argument and outlive the trace have no data from here on, see value/lifetime.pxd."""
    cdef int32_t i
    cdef void *handle       # not counted as a reference: it may be dying
    try:
        mark_all()
    except MemoryError:
        pass        # nothing but those that are known
    for i in range(tape.traced, min(tape.top, tape.traced + marked)):
        handle = tape.handles[i]
        if handle != NULL and is_dependent(i):
            (<Value> handle).index = 0
            (<Value> handle).plain = 0
            (<Value> handle).of_trace = 1
            release(&tape, i)


def forget_other_threads():
    """After a fork: a trace of another thread will not go on."""
    global watcher
    if tape.traced != NO_TRACE and PyThread_get_thread_ident() not in (tape.tracer, watcher):
        watcher = 0
        end_trace()


def argument(list indexes not None):
    """A leaf that stands for a number of an argument. Its index is appended to the list."""
    if not is_tracing():
        raise RuntimeError("there is no trace that could have an argument")
    cdef Value value = Value(NAN)
    mark_all()
    marks[value.index - tape.traced] = DEPENDENT
    indexes.append(value.index)
    return value


cdef int mark_all() except -1:
    """Bring the marks up to date."""
    global marks, marked, room
    cdef int32_t count = tape.top - tape.traced
    cdef uint8_t *larger
    if count > room:
        larger = <uint8_t *> realloc(marks, 2 * count)
        if larger == NULL:
            raise MemoryError("no memory for what is known of a trace")
        marks, room = larger, 2 * count
    while marked < count:
        marks[marked] = DEPENDENT if depends(tape.nodes + tape.traced + marked) else 0
        marked += 1
    return 0


cdef bint depends(Node *node) noexcept:
    """On an argument, by what is known of its operands."""
    cdef int32_t k
    if is_lost(node):
        return True
    if not rules.has_edges(node.op):
        return is_dependent(node.a) or is_dependent(node.b)
    for k in range(node.a, node.a + node.b):
        if is_dependent(tape.edges[k].a) or is_dependent(tape.edges[k].b):
            return True
    return False


cdef bint is_lost(const Node *node) noexcept:
    """Recorded under no_grad, which loses operands, in the trace: what is no number there came from an argument."""
    return node.flags & DETACHED and node.dot & IN_TRACE and node.data != node.data


cdef inline bint is_dependent(int32_t index) noexcept:
    return index >= tape.traced and marks[index - tape.traced] & DEPENDENT


cdef bint depends_on_argument(Value value) except -1:
    """Whether its data is not known, being different for each row. False where there is no trace."""
    if not tape.tracer or value.index < tape.traced:
        return False
    mark_all()
    return is_dependent(value.index)


def check_read(Value value not None, what):
    """Raise TraceError if the Value depends on an argument. If nothing is traced, but watched, note who reads."""
    if watcher:
        note(readers)
        return
    mark_all()
    if is_dependent(value.index):
        frame = sys._getframe()
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        raise TraceError(
            f"{what} at {frame.f_code.co_filename}:{frame.f_lineno}{': ' + line if line else ''}\n"
            "The Value depends on an argument, and vmap runs the function once for all calls and rows: there is no "
            "number yet. "
            "Use where(cond, a, b), maximum, minimum or stop_gradient of micrograd_c, compute it outside, or, to "
            "choose one of several by a label, give the label as a row of zeros with a one: sumprod(row, several)"
        )


def check_usable(Value value not None):
    """Raise what is said of a Value that has no data."""
    check_initialised(value)


def check_assignment(Value value not None):
    """The same, and remember those that do not."""
    if watcher:
        return
    check_read(value, "its .data is assigned to")
    if value.index < tape.traced:
        return
    marks[value.index - tape.traced] |= ASSIGNED


cdef bint was_assigned(int32_t index) noexcept:
    """Whether data of that node of the trace was, so that what used it before and after disagree."""
    return index - tape.traced < marked and marks[index - tape.traced] & ASSIGNED


def note_custom():
    """A Value with children was made."""
    if watcher:
        note(makers)


call_in_traces(check_read, check_assignment, note_custom)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_other_threads)


def watch(action):
    """action(), which is not traced. Returns the code that read data of Values made in it, and that which made Values.

    Those with children, that is: ops of one's own. Only what runs in this thread counts. No Python code runs between
    the beginning and the action, or the action and the end, so Ctrl-C leaves nothing behind.
    """
    global watcher, readers, makers
    if tape.traced != NO_TRACE:
        raise TraceError("vmap inside a function given to vmap: write the inner one as a loop")
    cdef tuple noted = (set(), set())
    pin(&tape)
    readers, makers = noted
    tape.traced = tape.top
    watcher = PyThread_get_thread_ident()
    try:
        action()
    finally:
        watcher = 0
        tape.traced = NO_TRACE
        readers = makers = None
        unpin(&tape)
    return noted


cdef int note(set found) except -1:
    """The code that runs, if it is a user's. A part of a function is the function that it is written in."""
    if watcher != PyThread_get_thread_ident():
        return 0
    frame = sys._getframe()
    while frame.f_code.co_name in COMPREHENSIONS:
        frame = frame.f_back
    if not frame.f_globals.get("__name__", "").startswith("micrograd_c."):      # softmax reads, and can be traced
        found.add(frame.f_code)
    return 0
