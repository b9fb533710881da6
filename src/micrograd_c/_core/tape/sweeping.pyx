"""Sweeps: adjoints go from a root down the tape to the leaves.

Knows the tape, the rules of ops, and dots. Knows nothing of Python functions that replace rules: see operands.pxd.

Design
------
Index order is topological order, so a sweep is one pass down. It marks the operands that it pushes to, and is done when
no marked node is left; it owns nothing but those marks, which are gone whenever other code may run.

A sweep checks for Ctrl-C now and then, like anything that takes long. It then puts its marks aside, so that anything
may happen, has the signal handled, and goes on if that does not raise. Sweeps that wait while other code runs are
linked from the tape (`suspended`): a mapped run asks whether the sweep that left seeds in it will go on.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport (
    GRAD_FLOAT, LEAF_NODE, MARK, NUMBERS, NUMBER_BASE, PUSHED, PUSH_INTERRUPTED, SWEPT, Arrays, Edge, Node,
    Operands, Pushed, Span, Sweep, Tape, arrays_of, check, float_data, is_pending, native_of, node_at, pin,
    product_count, put_node, raise_no_room, spans_of, tape, try_expand, unpin,
)
from micrograd_c._core.tape.missing_gradients cimport give_grad, has_no_grad
from micrograd_c._core.tape.dots cimport count_hidden, pull_dot
from micrograd_c._core.tape.interrupts cimport PATIENCE, is_interrupted
from micrograd_c._core.tape.rows cimport set_bits

cdef extern from "Python.h":
    int PyErr_CheckSignals() except -1
    unsigned long PyThread_get_thread_ident() noexcept nogil

aside = NULL

cdef enum:              # what `pull` returns besides how many became marked
    SLOPE_RAISES = -1
    INTERRUPTED = -2
    OUT_OF_MEMORY = -3


cdef inline bint give(Arrays at, int32_t to, double amount, uint8_t grad_float, uint8_t mark) noexcept nogil:
    """Add to an adjoint. If grad_float is GRAD_FLOAT, the amount is a float, and so is the adjoint from then on.

    True if newly marked.
    """
    if not grad_float:
        amount += 0.0       # an int has no -0
    at.grad[to] += amount
    return reach(at, to, grad_float | mark)


cdef inline bint reach(Arrays at, int32_t to, uint8_t mark) noexcept nogil:
    """`give` without an amount: a user's function adds to the adjoint, or nobody does."""
    cdef uint8_t flags = at.flags[to]
    at.flags[to] = flags | mark
    return not flags & (MARK | LEAF_NODE)


cdef inline int reach_span(Arrays at, Span span, uint8_t mark) noexcept nogil:
    return <int> set_bits(at.flags + span.first, mark, MARK | LEAF_NODE, span.end - span.first)


cdef inline int pull_sum(
    Arrays at, Operands operands, double grad, uint8_t grad_float, uint8_t mark
) noexcept nogil:
    cdef int marked = give(at, operands.a, grad, grad_float, mark)
    return marked + give(at, operands.b, grad, grad_float, mark)


cdef inline int pull_product(
    Arrays at, Operands operands, double grad, uint8_t grad_float, uint8_t mark
) noexcept nogil:
    cdef double x = at.data[operands.a]
    cdef double y = at.data[operands.b]
    cdef int marked = give(at, operands.a, y * grad, grad_float | float_data(at.flags[operands.b]), mark)
    return marked + give(at, operands.b, x * grad, grad_float | float_data(at.flags[operands.a]), mark)


cdef int pull_edges(Tape *t, int32_t index, uint8_t mark, int64_t sweep) noexcept nogil:
    """`pull` for a node that is no dot, and whose operands are in edges."""
    cdef Arrays at = arrays_of(t)
    cdef Edge *edges = t.edges + t.operands[index].a
    cdef int32_t count = t.operands[index].b
    cdef double grad = t.grad[index]
    cdef uint8_t grad_float = t.flags[index] & GRAD_FLOAT
    cdef Span span
    cdef int32_t k, i
    cdef int marked = 0
    cdef Pushed pushed
    if t.op[index] == rules.LOCAL:
        for k in range(count):
            marked += give(
                at, edges[k].a, edges[k].term * grad, grad_float if edges[k].b else <uint8_t> GRAD_FLOAT, mark)
    elif t.op[index] == rules.CUSTOM:
        for k in range(count):
            give_grad(t, edges[k].a)
            marked += reach(at, edges[k].a, mark)
    elif t.op[index] == rules.NATIVE:
        for k in range(count):
            span = spans_of(t, index, t.operands[index].a + k).a
            for i in range(span.first, span.end if t.minus_zeros else span.first):
                give_grad(t, i)
            marked += reach_span(at, span, GRAD_FLOAT | mark)       # the rule gives the rest
        pushed = native_of(edges).push(native_of(edges), t.grad, edges, count, grad, sweep)
        if pushed != PUSHED:
            return INTERRUPTED if pushed == PUSH_INTERRUPTED else OUT_OF_MEMORY
    return marked


cdef int pull(Tape *t, int32_t index, uint8_t mark, int64_t sweep) noexcept nogil:
    """Push one node's adjoint to its operands by its rule, setting `mark` on them; return how many became marked.

    Or return SLOPE_RAISES, with nothing done (see raise_slope_error); INTERRUPTED, by Ctrl-C, or OUT_OF_MEMORY, with
    nothing done but marking.
    """
    cdef Arrays at = arrays_of(t)
    cdef Operands operands = t.operands[index]
    cdef int32_t a = operands.a
    cdef int32_t b = operands.b
    cdef int op = t.op[index]
    cdef double grad = t.grad[index]
    cdef double x, y, share
    cdef uint8_t grad_float = t.flags[index] & GRAD_FLOAT
    cdef int marked = 0
    if op == rules.LEAF or op == rules.STOP:
        return 0
    elif op == rules.ADD:
        return pull_sum(at, operands, grad, grad_float, mark)
    elif op == rules.MUL:
        return pull_product(at, operands, grad, grad_float, mark)
    elif rules.has_edges(op):
        return pull_edges(t, index, mark, sweep)
    x = t.data[a]
    y = t.data[b]
    if op == rules.POWER:
        if y < 1.0:
            grad_float = GRAD_FLOAT
        if not rules.try_power_pullback(x, y, grad, &share):
            return SLOPE_RAISES
        return give(at, a, share, grad_float | float_data(t.flags[a]) | float_data(t.flags[b]), mark)
    elif op == rules.POW:
        if rules.try_power_pullback(x, y, grad, &share):
            marked = give(at, a, share, GRAD_FLOAT, mark)
        elif not t.dot[index] & NUMBER_BASE:
            return SLOPE_RAISES
        return marked + give(at, b, rules.pullback_b(op, x, y, t.data[index], grad), GRAD_FLOAT, mark)
    elif rules.has_two_operands(op):
        marked = give(at, a, rules.pullback_a(op, x, y, grad), GRAD_FLOAT, mark)
        return marked + give(at, b, rules.pullback_b(op, x, y, t.data[index], grad), GRAD_FLOAT, mark)
    if t.float_slopes or not rules.gradient_keeps_int(op):
        grad_float = GRAD_FLOAT
    return give(at, a, rules.slope(op, x, t.data[index]) * grad, grad_float, mark)


cdef int raise_slope_error(Tape *t, int32_t index) except -1:
    """Raise what Python raises for the slope of this power."""
    cdef double x = t.data[t.operands[index].a]
    cdef double y = t.data[t.operands[index].b]
    rules.raise_power_error(x, y - 1.0)


cdef inline bint take(Arrays at, int32_t index) noexcept nogil:
    """Unmark a node; True if it was marked."""
    cdef bint pending = is_pending(at.flags[index])
    at.flags[index] &= ~MARK
    return pending


cdef int sweep(Tape *t, int32_t root) except -1:
    """Push adjoints from root down to the leaves. The caller has set the root's. Runs no user code.

    Does not follow HOOK. Raises ZeroDivisionError or OverflowError where a power's slope does, MemoryError if dots
    cannot be expanded, and what the handler of Ctrl-C does; what was pushed until then stays pushed.

    Sums and products of floats are nearly all there is, and most products were recorded right before the sum they go
    into. Such a product is complete as soon as that sum is done, and is done at once: no marking, and its adjoint need
    not go through memory.
    """
    cdef Arrays at = arrays_of(t)
    cdef Operands operands
    cdef int32_t i = root
    cdef int32_t pause = max(0, root - PATIENCE)    # where to look for Ctrl-C
    cdef double grad
    cdef int marked, op
    cdef int64_t products = 0       # of dots, since the last look
    cdef int64_t this
    cdef int32_t pending = not at.flags[i] & LEAF_NODE
    at.flags[i] |= MARK
    t.sweeps += 1
    this = t.sweeps     # a handler of Ctrl-C may begin others
    while pending:
        if i < pause:
            if is_interrupted():
                pending = let_handler_run(t, i, pending, this)
                at = arrays_of(t)
                i = t.top - 1
            pause = max(0, i - PATIENCE)
            products = 0
        if take(at, i):
            pending -= 1
            grad = at.grad[i]
            op = at.op[i]
            if (op == rules.MUL or op == rules.ADD) and at.flags[i] & GRAD_FLOAT:
                operands = at.operands[i]
                if op == rules.MUL:
                    pending += pull_product(at, operands, grad, GRAD_FLOAT, MARK)
                elif operands.b == i - 1 and at.op[i - 1] == rules.MUL:
                    pending += give(at, operands.a, grad, GRAD_FLOAT, MARK)
                    i -= 1
                    pending -= take(at, i)
                    at.flags[i] |= GRAD_FLOAT
                    at.grad[i] += grad
                    pending += pull_product(at, at.operands[i], at.grad[i], GRAD_FLOAT, MARK)
                else:
                    pending += pull_sum(at, operands, grad, GRAD_FLOAT, MARK)
            elif op == rules.DOT and not (
                    at.dot[i] & SWEPT or at.dot[i] & NUMBERS and i < t.unchanged
                    or t.minus_zeros and not at.flags[i] & GRAD_FLOAT):
                products += product_count(at.edges + at.operands[i].a)
                if products > PATIENCE:
                    pause = i
                pending += pull_dot(at, i, i >= t.unchanged and not t.minus_zeros)
            elif op == rules.DOT:
                # The nodes it stands for have adjoints of their own by now. Or data was assigned to since, and the
                # leaves of numbers get gradients by that. Or a product of two ints, the adjoint and an operand, may be
                # -0.0, which added to a gradient of None would leave it None.
                at.flags[i] |= MARK
                pending += 1
                if not try_expand(t):
                    unmark(t, i)
                    raise_no_room(t.top + count_hidden(t))
                at = arrays_of(t)
                i = t.top
                pause = 0
            else:
                marked = pull(t, i, MARK, this)
                if marked == SLOPE_RAISES:
                    unmark(t, i)
                    raise_slope_error(t, i)
                elif marked == OUT_OF_MEMORY:
                    unmark(t, i)
                    raise_no_seeds()
                elif marked == INTERRUPTED:
                    at.flags[i] |= MARK
                    pending = let_handler_run(t, i, -1, this)
                    at = arrays_of(t)
                    i = t.top
                    pause = 0
                else:
                    pending += marked
        i -= 1
    check(t)
    return 0


cdef int raise_no_seeds() except -1:
    raise MemoryError("no memory for what backward() through a mapped run keeps while another one goes through it")


cdef int32_t let_handler_run(Tape *t, int32_t index, int32_t pending, int64_t number) except -1:
    """Have Ctrl-C handled in the middle of a sweep that is about to look at index. Raises what the handler does.

    Otherwise the sweep may go on, from the top: returns how many nodes are marked. A `pending` below 0 is not known.
    The handler may do anything, begin other sweeps too, but nodes are not renumbered meanwhile.
    """
    cdef int32_t *marked = NULL
    cdef int32_t first = index if t.first_dot >= t.top else -1      # marks are here or below
    cdef int32_t found = 0
    cdef bint expanded = try_expand(t)
    cdef int32_t i, k
    cdef Sweep this
    if first < 0:
        first = t.top - 1
    if pending < 0:
        pending = 0
        for i in range(first, 0, -1):
            pending += is_pending(t.flags[i])
    if expanded:
        marked = <int32_t *> malloc((pending or 1) * sizeof(int32_t))
    i = first
    while found < pending and i > 0:
        if is_pending(t.flags[i]):
            t.flags[i] &= ~MARK
            if marked != NULL:
                marked[found] = i
            found += 1
        i -= 1
    if marked == NULL:
        raise MemoryError("no memory to stop backward() for Ctrl-C")
    pin(t)
    suspend(t, &this, number, False)
    try:
        handle_signals()
        for k in range(found):
            t.flags[marked[k]] |= MARK
    finally:
        free(marked)
        resume(t, &this)
        unpin(t)
    return found


cdef int handle_signals() except -1:
    """With all gradients where they belong meanwhile."""
    global aside
    cdef Aside *put_aside = aside
    if put_aside == NULL:
        return PyErr_CheckSignals()
    put_aside.put_back(put_aside.context)
    aside = NULL        # the handler may put others aside
    try:
        PyErr_CheckSignals()
    finally:
        aside = put_aside
    return put_aside.go_on(put_aside.context)


cdef void unmark(Tape *t, int32_t index) noexcept nogil:
    """Give up a sweep that has come down to index. Call it before raising: that may run the collector, so any code."""
    cdef int32_t i
    for i in range(index, 0, -1):
        t.flags[i] &= ~MARK


cdef int local_step(Tape *t, int32_t index, int64_t sweep) except -1:
    """One node's share of a sweep: micrograd's `_backward()`. Marks nothing. Wants all dots expanded."""
    cdef int status
    if has_no_grad(t, index) and not rules.has_no_slope(t.op[index]):
        raise TypeError(
            "_backward() of a Value whose grad is None would multiply by it: set it to a number, or call backward()")
    status = pull(t, index, 0, sweep)
    if status == SLOPE_RAISES:
        raise_slope_error(t, index)
    if status == OUT_OF_MEMORY:
        raise_no_seeds()
    while status == INTERRUPTED:
        pin(t)
        try:
            handle_signals()
            status = pull(t, index, 0, sweep)
        finally:
            unpin(t)
    return 0


cdef int local_gradients(Tape *t, int32_t index, Node *operands) except -1:
    """Write copies of a node's one or two operands, whose adjoints are what its rule gives them for an adjoint of 1."""
    cdef Tape copies        # of no other nodes: the rule looks operands up in it
    cdef double data[4]
    cdef double grad[4]
    cdef Operands pairs[4]
    cdef uint8_t bytes_[4][4]
    cdef Node node
    cdef int32_t k
    memset(&copies, 0, sizeof(copies))
    copies.data, copies.grad, copies.operands = data, grad, pairs
    copies.op, copies.flags, copies.activation, copies.dot = bytes_[0], bytes_[1], bytes_[2], bytes_[3]
    copies.float_slopes = t.float_slopes
    for k in range(1, 4):
        node = node_at(t, index if k == 3 else t.operands[index].a if k == 1 else t.operands[index].b)
        node.flags &= ~GRAD_FLOAT
        node.grad = 1.0 if k == 3 else 0.0
        node.a, node.b = 1, 2
        put_node(arrays_of(&copies), k, node)
    if pull(&copies, 3, 0, 0) == SLOPE_RAISES:
        raise_slope_error(t, index)
    operands[0], operands[1] = node_at(&copies, 1), node_at(&copies, 2)
    return 0


# --- sweeps that are suspended ---

cdef void suspend(Tape *t, Sweep *sweep, int64_t number, bint calls_steps) noexcept:
    """Other code may run from here to `resume`."""
    sweep[0] = Sweep(number, PyThread_get_thread_ident(), calls_steps, t.suspended)
    t.suspended = sweep


cdef void resume(Tape *t, Sweep *sweep) noexcept:
    cdef Sweep **place = &t.suspended
    while place[0] != sweep:        # threads may have suspended others since
        place = &place[0].next
    place[0] = sweep.next


cdef bint goes_on(int64_t number) noexcept nogil:
    """Whether a sweep, not the one that runs now, will go on. Steps done by hand, number 0, always may."""
    cdef Sweep *sweep = tape.suspended
    while sweep != NULL and sweep.number != number:
        sweep = sweep.next
    return sweep != NULL or number == 0


cdef int64_t sweep_of_steps() noexcept:
    """The sweep of this thread that has called the function that is now taking a step by hand; 0 if there is none."""
    cdef Sweep *sweep = tape.suspended
    while sweep != NULL and not (sweep.calls_steps and sweep.thread == PyThread_get_thread_ident()):
        sweep = sweep.next
    return 0 if sweep == NULL else sweep.number
