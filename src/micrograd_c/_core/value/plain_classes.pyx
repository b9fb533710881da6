"""Subclasses of Value: which of them change nothing about ops, or about what is kept alive.

Knows classes. Knows nothing of the tape.

Design
------
A class is plain if it replaces none of Value's operators, functions and numbers, has no finalizer and no slots, and if
nothing in it could lead to a Value. Nothing can if its module knows it by its name, as it is kept then anyway, or if it
holds functions and plain data only. Results need not hold instances of such a class, and shortcuts may treat them as
Values: what they have besides a number goes with their node.

What was found is remembered for a few classes, by address and version; nothing is owned. Looking makes no object that
Python's collector counts, so it runs no Python code and may be done between reading indexes and recording.
"""

from cpython.dict cimport PyDict_GetItem, PyDict_Next
from cpython.ref cimport PyObject
from libc.stdint cimport uintptr_t

from micrograd_c._core.tape.arena cimport tape
from micrograd_c._core.value.type_version cimport version_of

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        Py_ssize_t tp_basicsize
        PyObject *tp_dict
        PyObject *tp_mro
        void *tp_finalize
        void *tp_del
    bint PyFunction_Check(object one)
    PyObject *PyFunction_GetClosure(object function)
    PyObject *PyCell_GET(object cell)
    PyObject *PyImport_GetModuleDict()
    PyObject *PyModule_GetDict(object module)
    bint PyModule_CheckExact(object one)
    bint PyTuple_Check(object one)
    Py_ssize_t PyTuple_GET_SIZE(object one)
    PyObject *PyTuple_GET_ITEM(object one, Py_ssize_t k)

cdef enum:
    REMEMBERED = 16

cdef struct Finding:
    PyObject *kind
    unsigned int version
    bint is_plain

cdef Finding findings[REMEMBERED]
cdef type value_class = None
cdef frozenset decisive = frozenset()   # names in Value that a plain class does not replace
cdef type property_type = property
cdef type static_type = staticmethod
cdef type class_method_type = classmethod

# what a class may replace without having a say in what ops do
HARMLESS = frozenset([
    "__init__", "__doc__", "__module__", "__repr__", "__hash__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__",
    "__ge__", "__float__", "__bool__", "__copy__", "__deepcopy__", "__reduce__", "__setstate__", "backward",
])


cdef int look_at_value(type value) except -1:
    """Look at the class Value, once it is complete."""
    global value_class, decisive
    value_class = value
    decisive = frozenset([*vars(value), "__getattribute__", "__del__"]) - HARMLESS
    return 0


cdef bint is_plain_class(object kind) noexcept:
    """Whether Value or a subclass of it is plain."""
    cdef Finding *finding
    cdef unsigned int version
    if kind is value_class:
        return True
    finding = &findings[<uintptr_t> <PyObject *> kind // 64 % REMEMBERED]
    version = version_of(kind)
    if finding.kind != <PyObject *> kind or finding.version != version or version == 0:
        finding[0] = Finding(<PyObject *> kind, version, is_found_plain(kind))
        tape.has_subclasses |= finding.is_plain
    return finding.is_plain


cdef bint can_be_left(object kind) noexcept:
    """Whether an instance has no more than a Value has, and no finalizer, so that another one can take its place."""
    cdef PyTypeObject *its = <PyTypeObject *> <PyObject *> kind
    return (
        its.tp_basicsize == (<PyTypeObject *> <PyObject *> value_class).tp_basicsize
        and its.tp_finalize == NULL and its.tp_del == NULL
    )


cdef bint is_found_plain(object kind) noexcept:
    cdef PyTypeObject *its = <PyTypeObject *> <PyObject *> kind
    cdef PyObject *one
    cdef Py_ssize_t k
    cdef bint known
    if type(kind) is not type or not can_be_left(kind):
        return False
    known = is_known_by_name(kind)
    for k in range(PyTuple_GET_SIZE(<object> its.tp_mro)):
        one = PyTuple_GET_ITEM(<object> its.tp_mro, k)
        if one == <PyObject *> value_class or one == <PyObject *> object:
            continue
        if type(<object> one) is not type or not holds_nothing(<PyTypeObject *> one, kind, known):
            return False
    return True


cdef bint holds_nothing(PyTypeObject *one, object kind, bint known) noexcept:
    """Whether a class holds nothing decisive and, unless known by name, nothing that could lead to a Value."""
    cdef PyObject *name
    cdef PyObject *member
    cdef Py_ssize_t place = 0
    if one.tp_dict == NULL:
        return False
    while PyDict_Next(<object> one.tp_dict, &place, &name, &member):
        if type(<object> name) is not str or <object> name in decisive:
            return False
        if not known and not leads_nowhere(<object> member, kind):
            return False
    return True


cdef bint leads_nowhere(object member, object kind) noexcept:
    if is_plain_data(member) or member is kind:
        return True
    if PyFunction_Check(member):
        return closes_over_nothing(member, kind)
    if type(member) is tuple:       # as __slots__ and __match_args__ are
        for k in range(PyTuple_GET_SIZE(member)):
            if not is_plain_data(<object> PyTuple_GET_ITEM(member, k)):
                return False
        return True
    if type(member) is property_type:
        return leads_nowhere(member.fget, kind) and leads_nowhere(member.fset, kind) and leads_nowhere(
            member.fdel, kind)
    if type(member) is static_type or type(member) is class_method_type:
        return leads_nowhere(member.__func__, kind)
    return False


cdef bint closes_over_nothing(object function, object kind) noexcept:
    """Whether it closes over nothing but plain data and its class, as methods with `super()` do."""
    cdef PyObject *closure = PyFunction_GetClosure(function)
    cdef PyObject *content
    cdef Py_ssize_t k
    if closure == NULL or not PyTuple_Check(<object> closure):
        return True
    for k in range(PyTuple_GET_SIZE(<object> closure)):
        content = PyCell_GET(<object> PyTuple_GET_ITEM(<object> closure, k))
        if content != NULL and content != <PyObject *> kind and not is_plain_data(<object> content):
            return False
    return True


cdef bint is_known_by_name(object kind) noexcept:
    """Whether its module has it under its own name."""
    cdef PyTypeObject *its = <PyTypeObject *> <PyObject *> kind
    cdef PyObject *name
    cdef PyObject *module
    if its.tp_dict == NULL:
        return False
    name = PyDict_GetItem(<object> its.tp_dict, "__module__")
    if name == NULL or type(<object> name) is not str:
        return False
    module = PyDict_GetItem(<object> PyImport_GetModuleDict(), <object> name)
    if module == NULL or not PyModule_CheckExact(<object> module):
        return False
    return PyDict_GetItem(<object> PyModule_GetDict(<object> module), kind.__qualname__) == <PyObject *> kind
