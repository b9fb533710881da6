"""Ctrl-C, seen from C code that runs for long. No signal handler can run in the middle of it: that is Python code."""

cdef extern from "Python.h":
    int PyOS_InterruptOccurred() noexcept nogil
    void PyErr_SetInterrupt() noexcept nogil


cdef enum:
    PATIENCE = 1 << 20      # nodes, or products of dots, between two looks: some 10 ms


cdef inline bint is_interrupted() noexcept nogil:
    """Whether Ctrl-C was pressed and is not handled yet; it still has to be. False in threads that do not handle it.

    Needs Python's lock.
    """
    if PyOS_InterruptOccurred():    # which forgets it
        PyErr_SetInterrupt()
        return True
    return False
