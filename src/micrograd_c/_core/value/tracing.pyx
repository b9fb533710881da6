"""Tracing: a function is run once, and numbers must not decide what it leaves on the tape.

Knows the tape and Value. Knows nothing of programs, or of what becomes of a trace.

Design
------
While a function is traced, its ops go to the ordinary tape, which is pinned. Numbers that stand for an argument's are
NaN: no op on one raises, and nothing computed from one can be mistaken for a result. Reading data of such a node is an
error, as whatever Python decided by it would be frozen.

There is one trace at a time, in one thread; other threads, and finalizers, may go on with Values of their own. While a
trace lasts, one mark per node is owned here, and brought up to date when somebody needs it. That runs no Python code,
and neither do the first and the last steps of a trace: an interrupt comes before, within or after it.
"""

import os
import sys

from libc.math cimport NAN
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free, realloc

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport (
    DETACHED, IN_TRACE, NO_TRACE, Operands, PyThread_get_thread_ident, Span, Spans, abandon, pin, spans_of, tape,
    unpin,
)
from micrograd_c._core.tape.pausing cimport ignore_blocks
from micrograd_c._core.value.lifetime cimport check_initialised
from micrograd_c._core.value.observers import call_in_traces
from micrograd_c._core.value.value cimport Value

__all__ = ["TraceError", "argument", "is_tracing", "trace", "watch"]


class TraceError(TypeError):
    """A function given to vmap reads a number that depends on its arguments, which a trace does not have."""

    __module__ = "micrograd_c"      # where people find it


cdef enum Mark:
    DEPENDENT = 1       # it depends on a number of an argument
    ASSIGNED = 2        # its data was assigned to

COMPREHENSIONS = {"<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"}

cdef uint8_t *marks = NULL      # of nodes from tape.traced on
cdef int32_t marked = 0         # how many of them are known
cdef int32_t room = 0
cdef unsigned long watcher = 0          # the thread that `watch` runs in, or 0
cdef set readers = None                 # code that has read data in that thread since it began
cdef set makers = None                  # code that has made Values with children


def is_tracing():
    """True while a function is being traced in this thread."""
    return tape.tracer != 0 and tape.tracer == PyThread_get_thread_ident()


def trace(action):
    """Run action() as a trace, in which reading data that depends on an argument is a TraceError."""
    if tape.traced != NO_TRACE:
        raise TraceError("vmap inside a function given to vmap: write the inner one as a loop")
    pin(&tape)
    ignore_blocks(True)     # a trace records, even if it is called under no_grad
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
        pass        # then only those that are known
    for i in range(tape.traced, min(tape.top, tape.traced + marked)):
        handle = tape.handles[i]
        if handle != NULL and is_dependent(i):
            (<Value> handle).index = 0
            (<Value> handle).plain = 0
            (<Value> handle).of_trace = 1
            abandon(&tape, i)


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
        marks[marked] = DEPENDENT if depends(tape.traced + marked) else 0
        marked += 1
    return 0


cdef bint depends(int32_t index) noexcept:
    """Whether a node depends on an argument, by what is known about its operands."""
    cdef Operands operands = tape.operands[index]
    cdef Spans spans
    cdef int32_t k
    if is_lost(index):
        return True
    if not rules.has_edges(tape.op[index]):
        return is_dependent(operands.a) or is_dependent(operands.b)
    for k in range(operands.a, operands.a + operands.b):
        spans = spans_of(&tape, index, k)
        if has_dependent(spans.a) or has_dependent(spans.b):
            return True
    return False


cdef bint is_lost(int32_t index) noexcept:
    """Whether no_grad has lost a node's operands in the trace: a NaN recorded under it came from an argument."""
    return tape.flags[index] & DETACHED and tape.dot[index] & IN_TRACE and tape.data[index] != tape.data[index]


cdef inline bint has_dependent(Span span) noexcept:
    cdef int32_t i
    for i in range(span.first, span.end):
        if is_dependent(i):
            return True
    return False


cdef inline bint is_dependent(int32_t index) noexcept:
    return index >= tape.traced and marks[index - tape.traced] & DEPENDENT


cdef bint depends_on_argument(Value value) except -1:
    """Whether a Value's data is not known, as it differs from row to row. False where there is no trace."""
    return depends_on_argument_at(value.index)


cdef bint depends_on_argument_at(int32_t index) except -1:
    """The same of a node."""
    if not tape.tracer or index < tape.traced:
        return False
    mark_all()
    return is_dependent(index)


cdef bint is_constant_at(int32_t index) except -1:
    """Whether a node is a number that was written down in the trace."""
    return index >= tape.traced and tape.op[index] == rules.LEAF and not depends_on_argument_at(index)


def check_read(Value value not None, what):
    """Raise TraceError if the Value depends on an argument. Under `watch`, only note who reads."""
    if watcher:
        note(readers)
        return
    mark_all()
    if is_dependent(value.index):
        import linecache    # loads Python's own tokenizer, which programs without mistakes can do without

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
    """Raise an error that says why, if the Value has no data."""
    check_initialised(value)


def check_assignment(Value value not None):
    """`check_read` for an assignment to data. Values that pass are remembered."""
    if watcher:
        return
    check_read(value, "its .data is assigned to")
    if value.index < tape.traced:
        return
    marks[value.index - tape.traced] |= ASSIGNED


cdef bint was_assigned(int32_t index) noexcept:
    """Whether that node's data was assigned to in the trace, so that its users before and after disagree."""
    return index - tape.traced < marked and marks[index - tape.traced] & ASSIGNED


def note_custom():
    """A Value with children was made."""
    if watcher:
        note(makers)


call_in_traces(check_read, check_assignment, note_custom)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_other_threads)


def watch(action):
    """Run action(), untraced. Returns the code that read data of Values made in it, and the code that made ops there.

    Such ops are the user's own: Values with children. Only code that runs in this thread counts. No Python code runs
    right before the action, or right after it, so Ctrl-C leaves nothing behind.
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
    """Note the code that is running, if it is a user's. A comprehension counts as the function that it is in."""
    if watcher != PyThread_get_thread_ident():
        return 0
    frame = sys._getframe()
    while frame.f_code.co_name in COMPREHENSIONS:
        frame = frame.f_back
    if not frame.f_globals.get("__name__", "").startswith("micrograd_c."):      # softmax reads, and can be traced
        found.add(frame.f_code)
    return 0
