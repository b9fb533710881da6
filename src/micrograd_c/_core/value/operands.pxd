"""The graph as Python sees it: a node's operands as Values, its op's name, and a sweep that calls Python functions."""

from cpython.ref cimport PyObject
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.ops.numbers cimport Number, as_python
from micrograd_c._core.tape.arena cimport (
    DATA_INT, HOOK, Node, Operands, Spans, Sweep, look_for_functions, node_at, pin, record, release, spans_of, tape,
    unpin,
)
from micrograd_c._core.tape.missing_gradients cimport give_grad
from micrograd_c._core.tape.interrupts cimport PATIENCE
from micrograd_c._core.tape.sweeping cimport handle_signals, local_step, resume, suspend, sweep
from micrograd_c._core.value.lifetime cimport class_left, held_by, hold_all, op_left, rare, take_up_state
from micrograd_c._core.value.observers cimport set_of
from micrograd_c._core.value.value cimport Extra, Value, bind, new_instance, new_value

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject *o)


cdef inline int32_t record_custom(tuple children, Number number) except -1:
    """Record a node with any number of operands, whose rule the user brings. The caller has reserved room for it."""
    cdef Value child
    cdef int32_t count = <int32_t> len(children)
    cdef int32_t index = record(&tape, rules.CUSTOM, tape.edge_top, count, number.value, number.is_int)
    if tape.op[index] == rules.CUSTOM:    # and not detached by no_grad
        for child in children:
            tape.edges[tape.edge_top].a = child.index
            tape.edges[tape.edge_top].b = 0
            tape.edge_top += 1
    return index


cdef inline Value handle_of(int32_t index, Value above):
    """The Value of a node that `above` was computed from: the one there is, or a new one. Wants the tape pinned.

    A new one holds all that `above` does, since part of that may be below it.
    """
    cdef Value value
    cdef Extra extra
    cdef tuple held = held_by(above)
    cdef void *handle
    cdef PyObject *kind
    while True:
        kind = class_left(index)
        extra = Extra.__new__(Extra) if op_left(index) != NULL else None
        value = new_value() if kind == NULL else new_instance(<object> kind)
        # that may have run code that made a handle for the same node, or let one die
        handle = tape.handles[index]
        if handle != NULL:
            if Py_REFCNT(<PyObject *> handle) > 0:
                return <Value> handle
            # its destructor is running and got here through a finalizer: it has given up the node
            (<Value> handle).index = 0
            release(&tape, index)
        if kind == class_left(index) and (extra is None) == (op_left(index) == NULL):
            break
    bind(value, index)
    take_up_state(value, extra)
    if held is not None:
        hold_all(value, held)
    return value


cdef inline int append_handles(list found, int32_t index, int32_t k, Value value) except -1:
    """Those of all operands that the k-th edge of the tape, one of a node's, names."""
    cdef Spans spans = spans_of(&tape, index, k)
    cdef int32_t i
    for i in range(spans.a.first, spans.a.end):
        if i:
            found.append(handle_of(i, value))
    for i in range(spans.b.first, spans.b.end):
        if i:
            found.append(handle_of(i, value))
    return 0


cdef inline set operands(Value value):
    """The set for `_prev`. It is kept, unless empty, so that the Values in it keep their identity."""
    cdef Node node
    cdef int32_t index, k
    cdef list found = []
    cdef set result
    pin(&tape)
    try:
        index = value.index
        node = node_at(&tape, index)    # a copy: making handles may run code that replaces these very operands
        if rules.has_edges(node.op):
            for k in range(node.a, node.a + node.b):
                append_handles(found, index, k, value)
        elif node.op != rules.LEAF:
            found.append(handle_of(node.a, value))
            if rules.shows_second_operand(node.op):
                found.append(handle_of(node.b, value))
        result = set_of(found)
        if result and value.index == index:
            rare(value).prev = result
    finally:
        unpin(&tape)
    return result


cdef inline str op_name(int32_t index):
    cdef int32_t exponent
    if tape.op[index] == rules.POWER:
        exponent = tape.operands[index].b
        return f"**{as_python(tape.data[exponent], tape.flags[exponent] & DATA_INT)}"
    return rules.text(tape.activation[index] if tape.op[index] == rules.DOT else tape.op[index])


cdef inline void give_grads(int32_t index) noexcept:
    """Give gradients to the operands of a node, as its function will add to them."""
    cdef Operands operands = tape.operands[index]
    cdef Spans spans
    cdef int32_t k, i
    if rules.has_edges(tape.op[index]):
        for k in range(operands.a, operands.a + operands.b):
            spans = spans_of(&tape, index, k)
            for i in range(spans.a.first, spans.a.end):
                give_grad(&tape, i)
            for i in range(spans.b.first, spans.b.end):
                give_grad(&tape, i)
    else:
        give_grad(&tape, operands.a)
        give_grad(&tape, operands.b)


cdef inline int run_hook(int32_t index) except -1:
    """Call the function assigned to a node's `_backward`. It may do anything but renumber nodes."""
    cdef void *handle = tape.handles[index]
    if tape.minus_zeros:
        give_grads(index)
    if handle != NULL and Py_REFCNT(<PyObject *> handle) > 0:
        value = <Value> handle
        if isinstance(value.extra, Extra) and (<Extra> value.extra).backward is not None:
            (<Extra> value.extra).backward()
    return 0


cdef inline void mark_operands(int32_t index, uint8_t *marked) noexcept:
    """Mark what a node was computed from, and node 0 where it lacks an operand."""
    cdef Operands operands = tape.operands[index]
    cdef Spans spans
    cdef int32_t k
    if rules.has_edges(tape.op[index]):
        for k in range(operands.a, operands.a + operands.b):
            spans = spans_of(&tape, index, k)
            memset(marked + spans.a.first, 1, spans.a.end - spans.a.first)
            memset(marked + spans.b.first, 1, spans.b.end - spans.b.first)
    else:
        marked[operands.a] = marked[operands.b] = 1


cdef inline uint8_t *mark_reachable(int32_t root) except NULL:
    """For each node up to root, whether root was computed from it, or is it. The caller frees the array."""
    cdef int32_t i
    cdef uint8_t *reached = <uint8_t *> calloc(root + 1, 1)
    if reached == NULL:
        raise MemoryError("no memory to walk over a graph")
    reached[root] = 1
    for i in range(root, 0, -1):
        if reached[i]:
            mark_operands(i, reached)
    return reached


# what is done for a node in the sweep of that number; it may run any code
ctypedef int (*Step)(int32_t index, int64_t number, void *context) except -1


cdef inline int sweep_from(Value root) except -1:
    """What backward() does once the root's gradient is set."""
    if tape.hooks:
        look_for_functions(&tape)       # some may be gone
        if tape.hooks:
            return sweep_by_steps(root, step_of_node, NULL)
    return sweep(&tape, root.index)


cdef inline int step_of_node(int32_t index, int64_t number, void *context) except -1:
    """Call the node's Python function; if it has none, follow the rule of its op."""
    return run_hook(index) if tape.flags[index] & HOOK else local_step(&tape, index, number)


cdef inline int sweep_by_steps(Value root, Step step, void *context) except -1:
    """`sweep` for a tape on which any node may have a Python function for its rule: a step for each node reached."""
    pin(&tape)          # which may renumber
    try:
        sweep_pinned(root.index, step, context)
    finally:
        unpin(&tape)
    return 0


cdef inline int sweep_pinned(int32_t root, Step step, void *context) except -1:
    """The same from a node on. Wants the tape pinned.

    It has marks of its own, since a step may call backward() itself, or let another thread do so.
    """
    cdef int32_t i
    cdef uint8_t *marked = <uint8_t *> calloc(root + 1, 1)
    cdef int64_t this
    cdef Sweep suspended
    if marked == NULL:
        raise MemoryError("no memory for the marks of backward()")
    tape.sweeps += 1
    this = tape.sweeps
    suspend(&tape, &suspended, this, True)
    try:
        marked[root] = 1
        for i in range(root, 0, -1):
            if i % PATIENCE == 0:
                handle_signals()
            if not marked[i]:
                continue
            step(i, this, context)
            if tape.op[i] != rules.STOP:
                mark_operands(i, marked)
    finally:
        resume(&tape, &suspended)
        free(marked)
    return 0
