"""Ops of users' that are a number, operands, and the derivative with respect to each: part of value/value.pyx.

`Value(data, children, local_grads)` records a LOCAL node, whose step of a sweep is `child.grad += local * out.grad` for
each child, in C. `_children` and `_local_grads` show any node so, whatever op made it.
"""

from libc.stdint cimport int32_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.ops.numbers cimport Number, as_python, is_builtin_number, read_exact_number
from micrograd_c._core.tape.arena cimport DETACHED, GRAD_FLOAT, HOOK, Node, node_at, pin, record, tape, unpin
from micrograd_c._core.tape.sweeping cimport local_gradients
from micrograd_c._core.value.lifetime cimport check_initialised, describe, take_number
from micrograd_c._core.value.observers cimport remembered
from micrograd_c._core.value.operands cimport append_handles, handle_of, operands
from micrograd_c._core.value.reading cimport note_read
from micrograd_c._core.value.value cimport Extra, Value


# --- what the constructor is given ---

cdef inline tuple children_given(object second, object children):
    """The children as a tuple: from the second argument, or from `children=`."""
    if children is None:
        return () if type(second) is tuple and not second else tuple(second)
    if type(second) is not tuple or second:
        raise TypeError("children are given twice: as the second argument and as children=")
    return tuple(children)


cdef inline bint are_local_grads(object third) except -1:
    """Whether the third argument is no name of an op: one that is a number lacks a comma, and is refused later."""
    cdef Number number
    if type(third) is tuple:    # nearly always
        return True
    return not isinstance(third, str) and (
        hasattr(third, "__iter__") or isinstance(third, Value) or take_number(third, &number))


cdef inline bint are_builtin_numbers(tuple given) except -1:
    """Whether all are Python's own floats and ints."""
    cdef Number number
    for one in given:
        if not is_builtin_number(one):
            return False
        read_exact_number(one, &number)     # raises for an int that is too large for a float
    return True


cdef inline tuple numbers_of(object local_grads):
    """Local gradients as Python floats and ints."""
    cdef Number number
    cdef list found = []
    if type(local_grads) is tuple and are_builtin_numbers(<tuple> local_grads):
        return <tuple> local_grads
    if isinstance(local_grads, (str, bytes, set, frozenset, dict)) or not hasattr(local_grads, "__iter__"):
        hint = f": write ({local_grads!r},)" if isinstance(local_grads, (int, float)) else ""
        raise TypeError(f"local_grads must be a sequence of numbers, one per child, not {describe(local_grads)}{hint}")
    for local_grad in local_grads:
        if not take_number(local_grad, &number):
            hint = ": give its data" if isinstance(local_grad, Value) else ""
            raise TypeError(f"a local gradient must be a number, not {describe(local_grad)}{hint}")
        found.append(as_python(number.value, number.is_int))
    return tuple(found)


cdef inline int check_count(tuple local_grads, Py_ssize_t count) except -1:
    if len(local_grads) != count:
        raise ValueError(f"there must be one local gradient per child, not {len(local_grads)} for {count}")
    return 0


cdef inline int check_order(object children) except -1:
    if isinstance(children, (set, frozenset)) and len(children) > 1:
        raise TypeError("children must be a sequence where there are local_grads: a set has no order")
    return 0


cdef inline int32_t record_local(tuple children, tuple local_grads, Number number) noexcept:
    """Record a node with its local gradients. The caller has reserved room for it and its edges."""
    cdef Value child
    cdef int32_t count = <int32_t> len(children)
    cdef int32_t first = tape.edge_top
    cdef int32_t index = record(&tape, rules.LOCAL, first, count, number.value, number.is_int)
    if tape.op[index] == rules.LOCAL:     # and not detached by no_grad
        for child in children:
            tape.edges[tape.edge_top].a = child.index
            tape.edge_top += 1
        write_local_grads(first, local_grads)
    return index


cdef inline void write_local_grads(int32_t edge, tuple local_grads) noexcept:
    """Write local gradients as the terms of edges, from that edge on."""
    cdef Number number = Number(0.0, 0)
    for local_grad in local_grads:
        read_exact_number(local_grad, &number)      # a Python float or int that was read before: nothing can be raised
        tape.edges[edge].term = number.value
        tape.edges[edge].b = tape.edges[edge].a if number.is_int else 0
        edge += 1


# --- any node ---

cdef inline tuple children_of(Value value):
    """The operands in order; one that is used twice is there twice. They are the same Values as in `_prev`."""
    cdef Node node
    cdef int32_t k
    cdef list found
    check_initialised(value)
    if not isinstance(value.extra, Extra) or (<Extra> value.extra).prev is None:
        operands(value)         # keeps them, so that they are the same Values each time
    pin(&tape)
    try:
        node = node_at(&tape, value.index)
        if rules.has_edges(node.op) and node.op != rules.NATIVE:
            found = [handle_of(tape.edges[k].a, value) for k in range(node.a, node.a + node.b)]
        elif rules.has_edges(node.op):
            found = []
            for k in range(node.a, node.a + node.b):
                append_handles(found, value.index, k, value)
        elif node.op == rules.LEAF:
            found = []
        else:
            found = [handle_of(node.a, value)]
            if rules.shows_second_operand(node.op):
                found.append(handle_of(node.b, value))
    finally:
        unpin(&tape)
    return tuple(found)


cdef inline tuple local_grads_of(Value value):
    """The derivatives with respect to `children_of`, computed from data as it is now."""
    cdef Node node
    check_initialised(value)
    if tape.op[value.index] == rules.LEAF:
        return ()
    note_read(value, "its _local_grads are read")
    pin(&tape)
    try:
        node = node_at(&tape, value.index)
        if node.flags & HOOK or node.op == rules.NATIVE:
            raise AttributeError(
                f"the local gradients of this Value are known to its _backward only: {describe(value._backward)}"
                if node.flags & HOOK else "a run of vmap has no local gradients: it is many ops over many rows"
            )
        return local_grads_of_node(value.index)
    finally:
        unpin(&tape)


cdef inline tuple local_grads_of_node(int32_t index):
    """The same of a node that has a rule of ours, and is no run. Wants the tape pinned."""
    cdef Node node = node_at(&tape, index)
    cdef Node given[2]
    cdef int32_t k
    if node.op == rules.LOCAL:
        return tuple([as_python(tape.edges[k].term, tape.edges[k].b != 0) for k in range(node.a, node.a + node.b)])
    if node.op == rules.CUSTOM or node.op == rules.STOP:
        return (0,) * (node.b if node.op == rules.CUSTOM else 1)
    local_gradients(&tape, index, given)
    return tuple([
        as_python(given[k].grad, not given[k].flags & GRAD_FLOAT)
        for k in range(2 if rules.shows_second_operand(node.op) else 1)
    ])


cdef inline tuple local_grads_kept(Value value):
    """As its class has them: computed from data as it was, if that class keeps them as numbers."""
    cdef object found = None
    check_initialised(value)
    if remembered != NULL:
        pin(&tape)
        try:
            found = remembered(value.index)
        finally:
            unpin(&tape)
    return local_grads_of(value) if found is None else found


cdef inline int replace_local_grads(Value value, object local_grads) except -1:
    """Assign to `_local_grads`: of a node that was given children, or was made under no_grad, which has none."""
    cdef Node node
    cdef tuple numbers = numbers_of(local_grads)        # first, as it may run any code
    check_initialised(value)
    node = node_at(&tape, value.index)
    if node.flags & DETACHED:
        return 0
    if node.op != rules.LEAF and node.op != rules.CUSTOM and node.op != rules.LOCAL:
        raise AttributeError(
            f"the local gradients of {value._op!r} follow from its data: those of an op of your own can be assigned, "
            "Value(data, children, local_grads)"
        )
    check_count(numbers, 0 if node.op == rules.LEAF else node.b)
    if node.op == rules.CUSTOM or node.op == rules.LOCAL:
        tape.op[value.index] = rules.LOCAL
        write_local_grads(node.a, numbers)
    return 0
