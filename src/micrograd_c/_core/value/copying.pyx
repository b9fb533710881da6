"""Whole graphs copied, counted and put in order; leaves pickled. Knows Value, its state and the tape."""

import copy
import copyreg

from cpython.ref cimport PyObject
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport (
    DATA_INT, GRAD_FLOAT, HOOK, LEAF_NODE, Node, abandon, arrays_of, node_at, pin, put_node, reserve_nary, tape, unpin,
    want_states,
)
from micrograd_c._core.value.lifetime cimport (
    check_initialised, describe, gain_state, has_plain_attributes, held_by, hold, hold_all, is_only_a_number, op_left,
    track,
)
from micrograd_c._core.value.local_gradients cimport write_local_grads
from micrograd_c._core.value.local_step cimport FormerStep
from micrograd_c._core.value.observers cimport remembered
from micrograd_c._core.value.operands cimport handle_of, mark_reachable, op_name
from micrograd_c._core.value.reading cimport note_read
from micrograd_c._core.value.value cimport Extra, Value, bind, new_value

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject *o)
    void PyObject_GC_UnTrack(object one)
    object PyObject_GenericGetDict(object one, void *context)


def shallow_copy(Value value not None):
    """copy.copy: a new node with the same operands, numbers, attributes and functions."""
    cdef Value fresh
    check_initialised(value)
    note_read(value, "it is copied")
    if reduces_itself(type(value)):
        return rebuild(value, lambda part: part)
    pin(&tape)
    try:
        fresh = record_copy(value, handles_of_operands(value))
    finally:
        unpin(&tape)
    copy_state(fresh, value, lambda state: state)
    return fresh


def deep_copy(Value root not None, dict memo not None):
    """copy.deepcopy: the graph below root once more, node by node, however deep.

    As with any deepcopy, functions stay the same objects: a custom `_backward` in the copy is the original's closure.
    """
    cdef list originals
    cdef list new = []
    cdef Value original
    check_initialised(root)
    note_read(root, "it is copied")
    pin(&tape)
    try:
        originals = reachable(root)
        memo.setdefault(id(memo), []).append(originals)     # deepcopy's own way to keep what it has seen alive
        for original in originals:
            if id(original) in memo:
                continue
            if reduces_itself(type(original)):
                memo[id(original)] = rebuild(original, lambda part: copy.deepcopy(part, memo))
            else:
                operands = [memo[id(operand)] for operand in handles_of_operands(original)]
                memo[id(original)] = record_copy(original, operands)
                new.append(original)
        for original in new:
            copy_state(memo[id(original)], original, lambda state: copy.deepcopy(state, memo))
    finally:
        unpin(&tape)
    return memo[id(root)]


def dressed(Value bare not None, Value model not None):
    """A Value with the class and the attributes of the model, for the node of a bare one, which loses it."""
    cls = type(model)
    cdef Value fresh = new_value() if cls is Value else Value.__new__(cls)      # not its own, which may want arguments
    cdef int32_t before = fresh.index       # __new__ of a subclass may have called __init__
    fresh.index, fresh.plain = bare.index, 1
    tape.handles[fresh.index] = <void *> fresh
    bare.index = 0
    tape.moves += 1
    if before:
        abandon(&tape, before)
    fresh.has_state = 1
    track(fresh)
    hold_all(fresh, held_by(bare))
    copy_attributes(fresh, model, lambda state: state)
    return fresh


def is_bare(Value value not None):
    """Whether there is nothing more to a Value than its class and its number."""
    return value.attributes == NULL and (type(value) is Value or not has_slots(type(value)))


def are_bare(values):
    """Whether all in a list or tuple are Values of no subclass, with data and without attributes."""
    if not values:
        return False
    for value in values:
        if not is_only_a_number(value):
            return False
    return True


cdef bint has_slots(type cls) except -1:
    return any([vars(one).get("__slots__") for one in cls.__mro__ if one is not Value and issubclass(one, Value)])


def in_its_place(Value stand_in not None, Value value not None):
    """A bare Value that stands for another one, with its class and attributes: functions find what they look for."""
    if type(value) is Value and value.attributes == NULL:
        return stand_in
    return dressed(stand_in, value)


def reduce_leaf(Value value not None):
    """pickle: type, data, grad and attributes of a leaf. Raises TypeError for a Value that was computed."""
    check_initialised(value)
    if tape.op[value.index] != rules.LEAF or tape.flags[value.index] & HOOK:
        raise TypeError(
            f"cannot pickle a Value computed by {value._op or 'a function'!r}: only leaves can be pickled, "
            "such as parameters and inputs; pickle those, or the Value's data"
        )
    if hands_out_state(type(value)):
        state = value.__getstate__()
    else:
        attributes, slots = state_of(value)
        state = (attributes, slots) if slots else attributes
    return restore_leaf, (type(value), value.data, value.grad, value._op), state


def restore_leaf(cls, data, grad, op):
    """What a pickled leaf becomes. Does not call the __init__ of a subclass."""
    cdef Value value = cls.__new__(cls)
    Value.__init__(value, data, (), op)
    value.grad = grad
    return value


def count_ops(Value root not None):
    """How many Values each op has, among root and all below it: a dict by `_op`; those without one are under ''.

    Makes no Values, unlike a walk over `_prev`: a graph of millions of nodes costs one pass.
    """
    cdef dict counts = {}
    cdef int32_t i
    cdef void *handle
    cdef uint8_t *reached
    check_initialised(root)
    pin(&tape)          # an _op may be a property of a subclass
    try:
        reached = mark_reachable(root.index)
        try:
            for i in range(root.index, 0, -1):
                if not reached[i]:
                    continue
                if tape.op[i] == rules.POWER:
                    reached[tape.operands[i].b] = 0    # the exponent, which _prev does not show
                handle = tape.handles[i]
                if op_left(i) != NULL:
                    op = <object> op_left(i)
                elif handle == NULL or Py_REFCNT(<PyObject *> handle) == 0 or (<Value> handle).plain and (
                        type(<object> handle) is Value):
                    op = op_name(i)
                else:
                    op = (<Value> handle)._op
                counts[op] = counts.get(op, 0) + 1
        finally:
            free(reached)
    finally:
        unpin(&tape)
    return counts


def in_order(values):
    """A list of the Values in the order in which they were recorded: operands before what was computed from them.

    Raises TypeError for anything but Values.
    """
    cdef list places = []
    pin(&tape)          # filling the list may run Python's collector and so any code
    try:
        for value in values:
            if not isinstance(value, Value):
                raise TypeError(f"only Values have an order, not {describe(value)}")
            check_initialised(value)
            places.append(((<Value> value).index, value))
        places.sort()
        return [value for _, value in places]
    finally:
        unpin(&tape)


cdef list reachable(Value root):
    """Values for all nodes that root was computed from, operands first, root last. Wants the tape pinned."""
    cdef int32_t i
    cdef list result = []
    cdef uint8_t *reached = mark_reachable(root.index)
    try:
        for i in range(1, root.index + 1):
            if reached[i]:
                result.append(handle_of(i, root))
    finally:
        free(reached)
    return result


cdef list handles_of_operands(Value value):
    """A node's operands as Values, in order; for a power, also its hidden exponent."""
    cdef Node node = node_at(&tape, value.index)
    if node.op == rules.NATIVE:
        raise TypeError(
            f"a graph that goes through {value._op!r} cannot be copied: copy the model, and call vmap again"
        )
    if node.op == rules.CUSTOM or node.op == rules.LOCAL:
        return [handle_of(tape.edges[k].a, value) for k in range(node.a, node.a + node.b)]
    return [handle_of(operand, value) for operand in (node.a, node.b) if operand]


cdef Value record_copy(Value original, list operands):
    """A Value of the same type whose node is a copy, with other operands. Wants the tape pinned."""
    cls = type(original)
    cdef Value fresh = new_value() if cls is Value else cls.__new__(cls)
    cdef Value operand
    cdef int32_t before
    cdef tuple local_grads = remembered(original.index) if remembered != NULL else None
    if local_grads is not None:
        operands = operands[:len(local_grads)]      # without a power's hidden exponent
    reserve_nary(&tape, 1, len(operands))
    before = fresh.index        # __new__ of a subclass may have called __init__
    bind(fresh, record_node_again(original.index, operands, local_grads))
    if before:
        abandon(&tape, before)
    if original.has_state:      # copied later, when all nodes are there; what is computed from fresh must hold it
        fresh.has_state = 1
        track(fresh)
    elif fresh.extra is None and has_plain_attributes(fresh):
        PyObject_GC_UnTrack(fresh)
    for operand in operands:
        hold(fresh, operand)
    if local_grads is not None:
        fresh._op = original._op
    return fresh


cdef int32_t record_node_again(int32_t index, list operands, tuple local_grads) noexcept:
    """The node with other operands; a LOCAL one if it is given local gradients. There is room for it and its edges."""
    cdef Node node = node_at(&tape, index)
    cdef int32_t edge = node.a
    cdef Value operand
    node.flags &= DATA_INT | GRAD_FLOAT | LEAF_NODE
    if local_grads is not None:
        node.op = rules.LOCAL
    if node.op == rules.CUSTOM or node.op == rules.LOCAL:
        node.a, node.b = tape.edge_top, <int32_t> len(operands)
        for operand in operands:
            tape.edges[tape.edge_top].a = operand.index
            if local_grads is None:
                tape.edges[tape.edge_top].term = tape.edges[edge].term
                tape.edges[tape.edge_top].b = operand.index if tape.edges[edge].b else 0
                edge += 1
            tape.edge_top += 1
        if local_grads is not None:
            write_local_grads(node.a, local_grads)
    else:
        node.a = (<Value> operands[0]).index if len(operands) > 0 else 0
        node.b = (<Value> operands[1]).index if len(operands) > 1 else 0
    put_node(arrays_of(&tape), tape.top, node)
    tape.top += 1
    return tape.top - 1


cdef int copy_state(Value fresh, Value original, copied) except -1:
    """What was assigned to _op and _backward, attributes, and slots of a subclass."""
    cdef Extra extra
    if isinstance(original.extra, Extra):
        extra = original.extra
        if extra.op is not None:
            fresh._op = extra.op
        if type(extra.backward) is FormerStep:      # that of the copy: by its gradient
            fresh._backward = FormerStep(fresh, (<FormerStep> extra.backward).former)
        elif extra.backward is not None:
            fresh._backward = copied(extra.backward)
    return copy_attributes(fresh, original, copied)


cdef int copy_attributes(Value fresh, Value original, copied) except -1:
    """Attributes, and slots of a subclass."""
    if type(original) is Value and original.attributes == NULL:
        return 0
    if hands_out_state(type(original)):
        state = original.__getstate__()
    else:
        attributes, slots = state_of(original)
        state = (attributes, slots) if slots else attributes
    if state is not None:
        fresh.__setstate__(copied(state))
    return 0


# --- subclasses that say how they are copied, by the methods that pickle knows ---

cdef bint reduces_itself(kind) except -1:
    """Whether a subclass has a __reduce__ or __reduce_ex__, or is known to copyreg."""
    return kind is not Value and (
        kind.__reduce__ is not Value.__reduce__ or kind.__reduce_ex__ is not object.__reduce_ex__
        or kind in copyreg.dispatch_table
    )


cdef bint hands_out_state(kind) except -1:
    """Whether a subclass has a __getstate__; from Python 3.11 on object has one."""
    own = getattr(kind, "__getstate__", None)
    return own is not None and own is not getattr(object, "__getstate__", None)


cdef Value rebuild(Value value, copied):
    """A copy made as the subclass's __reduce_ex__ says. `copied` copies what it refers to."""
    reduce = copyreg.dispatch_table.get(type(value))
    parts = reduce(value) if reduce is not None else value.__reduce_ex__(4)
    if isinstance(parts, str):      # the name of a global
        return value
    fresh = parts[0](*[copied(argument) for argument in parts[1]])
    if len(parts) > 2 and parts[2] is not None:
        fresh.__setstate__(copied(parts[2]))
    return fresh


cdef tuple state_of(Value value):
    """(attributes, slots), each a dict or None."""
    slots = None
    if type(value) is not Value:
        slots = {
            name: getattr(value, name) for name in copyreg._slotnames(type(value))
            if hasattr(value, name) and not is_of_node(type(value), name)
        }
    return (dict(<object> value.attributes) if value.attributes != NULL else None), slots or None


cdef bint is_of_node(kind, name) except -1:
    """Whether Value has it itself: the __slots__ of a class in whose place Value is put name what a node holds."""
    return hasattr(Value, name) and getattr(kind, name) is getattr(Value, name)


def set_state(Value value not None, state):
    """Value.__setstate__: what pickle does with a state, which is attributes, or a pair of attributes and slots."""
    attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    if attributes:
        add_attributes(value, attributes)
    for name, member in (slots or {}).items():
        setattr(value, name, member)


cdef int add_attributes(Value value, attributes) except -1:
    """Set attributes without going through a __setattr__ or properties, as unpickling does."""
    want_states(&tape)
    PyObject_GenericGetDict(value, NULL).update(attributes)
    if not value.has_state and not has_plain_attributes(value):
        gain_state(value)
    return 0
