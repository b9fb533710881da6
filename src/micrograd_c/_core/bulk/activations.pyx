"""Activations that a neuron may be given by name: those that the table of ops says.

Knows the table of ops, and of Value only whether its methods of these names are as they were.
"""

from cpython.ref cimport PyObject

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.value.type_version cimport is_version, version_of
from micrograd_c._core.value.value cimport Value

cdef extern from "Python.h":
    str PyUnicode_InternFromString(const char *text)
    int PyUnicode_Compare(PyObject *one, PyObject *other) noexcept

# by name, what a neuron's repr() begins with
ACTIVATIONS = {}

RELU = "relu"
cdef list methods = []
cdef PyObject *names[rules.FUNCTION_COUNT]      # as in ACTIVATIONS
cdef int ops[rules.FUNCTION_COUNT]
cdef int count = 0
cdef unsigned int value_version


cdef int find() except -1:
    """Read them from the table of ops."""
    global count
    cdef const rules.FunctionRow *row
    cdef int k
    for k in range(rules.FUNCTION_COUNT):
        row = rules.function_rows + k
        if rules.is_activation(row.op):
            name = PyUnicode_InternFromString(row.name)
            ACTIVATIONS[name] = row.activation.decode()
            methods.append(getattr(Value, name))
            names[count] = <PyObject *> name
            ops[count] = row.op
            count += 1
    return 0


find()


cdef bint activations_are_ours() except -1:
    global value_version
    if is_version(Value, value_version):
        return True
    cdef bint ours = True
    for name, method in zip(ACTIVATIONS, methods):
        ours = ours and getattr(Value, name, None) is method
    value_version = version_of(Value) if ours else 0
    return ours


cdef int other_activation_op(PyObject *activation) noexcept:
    cdef int k
    for k in range(count):   # nearly always these very objects
        if activation == names[k]:
            return ops[k]
    if type(<object> activation) is str:    # after unpickling they are others, with the same text
        for k in range(count):
            if PyUnicode_Compare(activation, names[k]) == 0:
                return ops[k]
    return 0
