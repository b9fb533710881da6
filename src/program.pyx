"""Programs: what a traced function was compiled to, instructions for lanes and lists of numbers beside them.

Knows the kernels' instructions. Knows nothing of the tape, or of who makes a Program or runs it.

Design
------
A Program owns its arrays, which never change, and the workspace that a run has left for the next one.
"""

from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdlib cimport free

__all__ = ["Program"]


cdef class Program:
    """See program.pxd."""

    def __cinit__(self):
        self.parameters = []

    def __dealloc__(self):
        # one by one: a loop over them would make Python objects, and there may be no memory for those
        PyMem_Free(self.instructions)
        PyMem_Free(self.layers)
        PyMem_Free(self.numbers)
        PyMem_Free(self.scalars)
        PyMem_Free(self.constants)
        PyMem_Free(self.used)
        PyMem_Free(self.output_slots)
        PyMem_Free(self.output_adjoints)
        PyMem_Free(self.zeroed)
        PyMem_Free(self.idle)
        free(self.spare)

    def __reduce__(self):
        raise TypeError("cannot copy or pickle a Program of vmap: call vmap(function) where it is wanted")

    def describe(self):
        """Its instructions, a line each, for tests and the curious."""
        lines = []
        for k in range(self.code.count):
            it = self.instructions[k]
            if it.op == DO_LAYER:
                layer = self.layers[it.a]
                lines.append(f"layer {layer.outputs} x {layer.inputs}")
            else:
                lines.append(f"{NAMES[it.op]} {it.out}")
        return lines


NAMES = ["move", "add", "mul", "power", "pow", "max", "min", "pick", "pick not", "relu", "exp", "log", "tanh",
         "sigmoid", "sqrt", "sin", "cos", "abs", "stop", "layer"]


cdef void *allocate(size_t count, size_t size) except NULL:
    cdef void *memory = PyMem_Calloc(count or 1, size)
    if memory == NULL:
        raise MemoryError("no memory for a program of vmap")
    return memory
