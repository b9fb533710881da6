"""Ctrl-C, seen from C code that runs for long and cannot have a signal handler, which is Python code, run in it."""

cdef extern from "Python.h":
    int PyOS_InterruptOccurred() noexcept nogil
    void PyErr_SetInterrupt() noexcept nogil


cdef enum:
    PATIENCE = 1 << 20      # nodes, or products of dots, between two looks: some 10 ms


cdef inline bint is_interrupted() noexcept nogil:
    """Whether Ctrl-C was pressed and is not handled yet, in the thread that handles it. It stays to be handled.

    Wants Python's lock.
    """
    if PyOS_InterruptOccurred():    # which takes it away
        PyErr_SetInterrupt()
        return True
    return False
