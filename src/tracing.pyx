"""Tracing: a function is run once, and what it leaves on the tape is not to be decided by numbers.

Knows the tape and Value. Knows nothing of programs, or of what becomes of a trace.

Design
------
While a function is traced, its ops go to the ordinary tape, pinned. Numbers that stand for arguments' are NaN: no op
on one raises, and nothing that was computed from one can be mistaken for a result. Reading data of such a node is an
error, as what Python decides by it would be frozen.
"""

import linecache
import sys

from libc.math cimport NAN
from libc.stdint cimport int32_t

from micrograd_c cimport rules
from micrograd_c.engine cimport Value
from micrograd_c.engine import call_on_read
from micrograd_c.tape cimport DETACHED, NO_TRACE, Node, pin, tape, unpin

__all__ = ["TraceError", "argument", "begin", "check_read", "end", "is_tracing", "watch"]


class TraceError(TypeError):
    """A function given to vmap asks for a number that depends on its arguments, which a trace does not have."""


cdef set arguments = None         # indexes of the leaves that stand for numbers of arguments
cdef bytearray dependent = None   # for each node of the trace: does it depend on one of those?


def is_tracing():
    """True while a function is being traced."""
    return tape.traced != NO_TRACE


def begin():
    """Start a trace: from here on reading data of what depends on an argument is a TraceError."""
    global arguments, dependent
    pin(&tape)
    arguments = set()
    dependent = bytearray()
    tape.traced = tape.top


def end():
    """End it; indexes are free to change again."""
    global arguments, dependent
    tape.traced = NO_TRACE
    arguments = dependent = None
    unpin(&tape)


def argument():
    """A leaf that stands for a number of an argument."""
    cdef Value value = Value(NAN)
    arguments.add(value.index)
    return value


def depends_on_argument(Value value):
    """Was it computed from an argument's numbers?"""
    cdef int32_t i
    cdef Node *node
    cdef int32_t start = tape.traced
    for i in range(start + <int32_t> len(dependent), tape.top):
        node = tape.nodes + i
        # under no_grad operands are lost; what is no number came from an argument
        dependent.append(
            i in arguments or node.flags & DETACHED and node.data != node.data
            or any([k >= start and dependent[k - start] for k in operands_of(i)])
        )
    return value.index >= start and dependent[value.index - start]


cdef list operands_of(int32_t index):
    cdef Node *node = tape.nodes + index
    cdef int32_t k
    if node.op >= rules.CUSTOM:
        return [j for k in range(node.a, node.a + node.b) for j in (tape.edges[k].a, tape.edges[k].b)]
    return [node.a, node.b]


def check_read(Value value, what):
    """Raise TraceError if the Value depends on an argument."""
    if depends_on_argument(value):
        frame = sys._getframe()
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        raise TraceError(
            f"{what} at {frame.f_code.co_filename}:{frame.f_lineno}{': ' + line if line else ''}\n"
            "The Value depends on an argument, and vmap runs the function once for all calls and rows: there is no "
            "number yet. "
            "Use where(cond, a, b), maximum, minimum or stop_gradient of micrograd_c, or compute it outside"
        )


call_on_read(check_read)


def watch(bint on):
    """Have data reported that is read of any node made from now on, as in a trace, but with numbers."""
    tape.traced = tape.top if on else NO_TRACE
