"""Whose operator an operator is, where Python code may have a say: part of value/value.pyx.

Subclasses of Value and classes of others may have operators of their own, and anybody may replace Value's. `a - b`
and `a / b` are micrograd's compositions: they are recorded in one go only while what they are composed of is ours.
"""

from micrograd_c._core.ops.numbers cimport is_builtin_number
from micrograd_c._core.value.plain_classes cimport is_plain_class
from micrograd_c._core.value.value cimport Value, operators_are_ours

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        pass
    bint PyType_IsSubtype(PyTypeObject *type, PyTypeObject *other)


cdef inline bint composable(object left, object right) noexcept:
    """Whether an operator that micrograd composes of others can be recorded in one go."""
    return not is_of_subclass(left) and not is_of_subclass(right) and operators_are_ours()


cdef inline bint reflected(object left, object right, str name) except -1:
    """Whether it is the right operand that was asked, and Python code may have a say.

    `__radd__` is then `self + other`, as in micrograd. Both have the same slot: of two Values it is the right one that
    was asked if Python would ask it first.
    """
    if type(left) is not Value and (is_builtin_number(left) or not isinstance(left, Value)):
        return not composable(left, right)
    cdef type ours = type(right)
    cdef type other = type(left)
    return (
        ours is not other and is_of_subclass(right) and PyType_IsSubtype(<PyTypeObject *> ours, <PyTypeObject *> other)
        and getattr(ours, name) is not getattr(other, name)
    )


cdef inline bint is_of_subclass(object operand) noexcept:
    """Whether an operand is of a subclass that may have a say."""
    return (
        type(operand) is not Value and not is_builtin_number(operand) and isinstance(operand, Value)
        and not is_plain_class(type(operand))
    )
