"""The C face of packing.pyx."""

from micrograd_c._core.mapped.program cimport Program

cdef Program pack(Program program, int lanes, bint always)
