"""Values of a function's own in the place of its arguments; and lists of numbers and Values, as most arguments are.

What is done to each entry of a list is done in one call. Those functions return None for anything but flat lists of
numbers and bare Values, which is then looked at entry by entry: see structure.py and calling.py.
"""

cimport micrograd_c._core.tape.operators as operators
from micrograd_c._core.ops.numbers cimport Number
from micrograd_c._core.tape.arena cimport DATA_INT
from micrograd_c._core.value.lifetime cimport check_initialised, is_only_a_number
from micrograd_c._core.value.recording cimport with_number
from micrograd_c._core.value.value cimport Value

from micrograd_c._core.value.copying import in_its_place

__all__ = ["alias", "as_floats", "as_inputs", "as_outputs", "leaves_alike", "twin"]


def alias(Value value not None):
    """The Value once more, as another node, computed from it: what is computed from one is not from the other."""
    return in_its_place(computed_from(value), value)


cdef inline Value computed_from(Value value):
    return with_number(value, Number(1.0, DATA_INT), operators.multiply_number)


def twin(Value value not None):
    """Its number once more, as a leaf of its own."""
    check_initialised(value)
    return in_its_place(Value(value.data), value)


# --- lists ---

cdef enum:
    DEEPEST = 8     # lists in lists that are gone into


def as_inputs(list tree not None, bint inside):
    """Values of their own in the place of all entries: leaves, or inside of another transform computed from those."""
    cdef list found = []
    for one in tree:
        if type(one) is not float and not is_only_a_number(one):
            return None
    for one in tree:
        if type(one) is float:
            found.append(Value(one))
        elif inside:
            found.append(computed_from(<Value> one))
        else:
            found.append(Value((<Value> one).data))
    return found


def as_outputs(list tree not None):
    """The Values, if there is nothing else."""
    for one in tree:
        if type(one) is not Value or not (<Value> one).index:
            return None
    return list(tree)


def as_floats(list tree not None):
    """The numbers of floats and Values."""
    cdef list found = []
    for one in tree:
        if type(one) is float:
            found.append(one)
        elif is_only_a_number(one):
            found.append(float((<Value> one).data))
        else:
            return None
    return found


def leaves_alike(tree, like):
    """The leaves of a tree of lists and tuples that has the structure of another one."""
    cdef list found = []
    return found if gather(tree, like, found, 0) else None


cdef bint gather(object tree, object like, list found, int depth) except -1:
    cdef Py_ssize_t k
    if is_leaf(tree):
        found.append(tree)
        return is_leaf(like)
    if type(tree) is tuple and type(like) is tuple:
        tree, like = list(<tuple> tree), list(<tuple> like)
    if type(tree) is not list or type(like) is not list or len(<list> tree) != len(<list> like) or depth > DEEPEST:
        return False
    for k in range(len(<list> tree)):
        if not gather((<list> tree)[k], (<list> like)[k], found, depth + 1):
            return False
    return True


cdef inline bint is_leaf(object one) noexcept:
    return type(one) is float or type(one) is int or type(one) is Value
