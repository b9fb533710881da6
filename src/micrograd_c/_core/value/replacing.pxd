"""Operands that are assigned, `_prev` and `_children`: part of value/value.pyx.

The Value gets another node, above its new operands. What its op adds to in backward() is not the operands' business in
micrograd, but the closure's, which goes on adding to what the op was computed from: so do we, by the former node. A
class of `_children` and `_local_grads` multiplies, at each, the number by the child that is there now.
"""

from cpython.ref cimport PyObject
from libc.stdint cimport int32_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.ops.numbers cimport Number
from micrograd_c._core.tape.arena cimport (
    DATA_INT, DETACHED, GRAD_FLOAT, HOOK, Node, Operands, Spans, abandon, expand_dots, node_at, reserve_nary,
    spans_of, tape, want_states,
)
from micrograd_c._core.value.lifetime cimport check_children, hold_children, rare
from micrograd_c._core.value.local_gradients cimport children_of, local_grads_kept, record_local
from micrograd_c._core.value.local_step cimport FormerStep
from micrograd_c._core.value.operands cimport operands, record_custom
from micrograd_c._core.value.value cimport Extra, Value, bind, new_value

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject *o)


cdef inline int replace_operands(Value value, tuple children) except -1:
    """Assign to `_prev`. Raises ValueError if something was computed from the Value already, unless they stay."""
    cdef Value former
    check_children(children)
    if are_the_same({id(one) for one in children}, {id(one) for one in operands(value)}):
        return 0
    expand_dots(&tape)
    if not has_rule_of_ours(value.index):
        move_above(value, children, None, None)
        return 0
    former = new_value()
    step = FormerStep(value, former)
    move_above(value, children, None, former)
    if former.index:
        value._backward = step
    return 0


cdef inline int replace_children(Value value, tuple children) except -1:
    """Assign to `_children`. Each has the local gradient of the one in its place; one too many has 0."""
    cdef tuple local_grads
    check_children(children)
    if are_the_same([id(one) for one in children], [id(one) for one in children_of(value)]):
        return 0
    expand_dots(&tape)
    if tape.op[value.index] == rules.NATIVE:
        return replace_operands(value, children)
    if not has_rule_of_ours(value.index):
        move_above(value, children, None, None)
        return 0
    local_grads = local_grads_kept(value)
    move_above(value, children, local_grads[:len(children)] + (0,) * (len(children) - len(local_grads)), None)
    return 0


cdef inline int32_t former_of(int32_t index) noexcept:
    """The node whose operands a node with a function adds to, if they are others than its own; else 0."""
    cdef void *handle = tape.handles[index]
    cdef Extra extra
    if handle == NULL or Py_REFCNT(<PyObject *> handle) == 0 or not isinstance((<Value> handle).extra, Extra):
        return 0
    extra = (<Value> handle).extra
    return (<FormerStep> extra.backward).former.index if type(extra.backward) is FormerStep else 0


cdef inline bint are_the_same(given, there) except -1:
    return bool(there) and given == there


cdef inline bint has_rule_of_ours(int32_t index) noexcept:
    cdef int op = tape.op[index]
    return not (tape.flags[index] & HOOK or op == rules.LEAF or op == rules.CUSTOM or op == rules.STOP)


cdef inline int move_above(Value value, tuple children, tuple local_grads, Value former) except -1:
    """Give the Value a node with these operands, and local gradients if there are any, and all that the old one has.

    `former` becomes the Value of the old one, unless the new one is detached.
    """
    cdef int32_t before, index
    cdef Node old
    cdef Extra extra = rare(value)      # what there may be no memory for comes first
    op = value._op
    expand_dots(&tape)
    check_unused(value.index)
    want_states(&tape)
    hold_children(value, children)
    reserve_nary(&tape, 1, len(children))
    before = value.index
    check_unused(before)                # again, as other code may have run
    old = node_at(&tape, before)
    if local_grads is None:
        bind(value, record_custom(children, Number(old.data, old.flags & DATA_INT)))
    else:
        bind(value, record_local(children, local_grads, Number(old.data, old.flags & DATA_INT)))
    index = value.index
    tape.grad[index] = old.grad
    tape.flags[index] = tape.flags[index] & ~GRAD_FLOAT | old.flags & (GRAD_FLOAT | HOOK)
    tape.hooks += (old.flags & HOOK) != 0
    if former is None or tape.flags[index] & DETACHED:
        abandon(&tape, before)
    else:
        tape.moves += 1
        former.index, former.plain = before, 1
        tape.handles[before] = <void *> former
    extra.prev = None
    value._op = op
    return hold_children(value, children) if old.flags & DETACHED else 0


cdef inline int check_unused(int32_t index) except -1:
    """ValueError if something was computed from the node."""
    cdef Operands pair
    cdef Spans spans
    cdef int32_t i, k
    for i in range(index + 1, tape.top):
        pair = tape.operands[i]
        if rules.has_edges(tape.op[i]):
            for k in range(pair.a, pair.a + pair.b):
                spans = spans_of(&tape, i, k)
                if spans.a.first <= index < spans.a.end or spans.b.first <= index < spans.b.end:
                    raise used_already()
        elif pair.a == index or pair.b == index:
            raise used_already()
    return 0


cdef inline object used_already():
    return ValueError(
        "_prev cannot be changed any more: something was already computed from this Value; "
        "give the children when it is made, Value(data, children, op)"
    )
