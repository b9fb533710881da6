"""Loops that stay loops in a trace: a step is recorded once, however many there are.

Knows Value, the tape and tracing. Knows nothing of what becomes of a trace, or of what functions look like.

Design
------
A step is recorded once, with leaves for what it reads: what is carried, and what it gets. What it uses besides, and
what it computes from that alone, are nodes like any others, and the same for all steps. The loop is a NATIVE node
over what is carried to the first step, over what each step gets, and over what is the same: the term of its first
edge points to LOOP, a rule that is never called, and that of the second is the number of a Rolled, which knows the
step. What the loop leaves are NATIVE nodes over the loop, each with its number: what is carried at last, and then
what each step gives.

A trace has a list of its loops. What finds one that cannot stay a loop raises WrittenOut: then the function is traced
once more, and there is no such list. So does a leaf of a step that turns up elsewhere, as one that was kept in a list
does.
"""

from cpython.ref cimport PyObject
from libc.math cimport NAN
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport calloc, free

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.mapped.taking cimport is_take
from micrograd_c._core.tape.arena cimport (
    DATA_INT, Edge, Native, Operands, Spans, native_of, reserve_nary, spans_of, tape,
)
from micrograd_c._core.tape.natives cimport push_nothing, record_native
from micrograd_c._core.value.lifetime cimport check_initialised
from micrograd_c._core.value.tracing cimport is_constant_at
from micrograd_c._core.value.value cimport Value, bind, new_value

from micrograd_c._core.value import tracing

__all__ = ["WrittenOut", "are_plain", "index_of", "is_kept", "is_rolling", "leaf", "least", "record_loop",
           "top", "trace"]

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject *o)

cdef dict NOTHING_BOUND = {}
cdef Native LOOP
cdef Native LOOP_END
cdef list loops = None      # of the trace: a Rolled each; None where all are written out
cdef set leaves = None      # of their steps
cdef Py_ssize_t least_nodes = 0

cdef enum:
    MOST_EDGES = 1 << 28


class WrittenOut(BaseException):    # not for functions to catch
    """A loop of the trace has to be written out."""


def trace(action, Py_ssize_t least=0):
    """tracing.trace(action), with loops that stay loops. Where one cannot, once more without.

    Loops of less than so many nodes are written out. Is that not 0, there is but one row: then what is the same for all
    rows may be computed as rows are.
    """
    try:
        return tracing.trace(lambda: with_loops(action, least))
    except WrittenOut:
        pass
    return tracing.trace(action)


cdef object with_loops(action, Py_ssize_t least):
    global loops, leaves, least_nodes
    loops, leaves, least_nodes = [], set(), least
    try:
        return action()
    finally:
        loops = leaves = None


def is_rolling():
    """Whether a loop may stay one here."""
    return loops is not None and tracing.is_tracing()


cdef bint has_one_row() noexcept:
    return least_nodes > 0


def least():
    """How many nodes there must be for a loop to stay one."""
    return least_nodes


cdef int write_out() except -1:
    raise WrittenOut("a loop has to be written out")


# --- recording ---

def are_plain(list values not None):
    """Whether all are Values that are nothing but numbers, and no ints."""
    cdef Value value
    for one in values:
        if type(one) is not Value:
            return False
        value = one
        check_initialised(value)
        if not value.plain or value.attributes != NULL or tape.flags[value.index] & DATA_INT:
            return False
    return True


def top():
    """Where the next node will be."""
    return tape.top


def leaf():
    """What stands for a number that each step has its own of."""
    cdef Value value = tracing.argument([])
    leaves.add(value.index)
    return value


def index_of(Value value not None):
    """Of its node."""
    return value.index


def is_kept(int32_t first, list step_leaves not None, list outs not None):
    """Whether somebody has kept a Value of a step, which was recorded from node `first` on.

    Expected is that these lists have them, and what a step gave has its outs once more; and loops have those of theirs.
    """
    cdef dict expected = {}
    cdef int32_t i
    cdef void *handle
    cdef Value value
    for value in step_leaves:
        expected[value.index] = expected.get(value.index, 0) + 1
    for value in outs:
        expected[value.index] = expected.get(value.index, 0) + 2
    for rolled in loops:
        for value in (<Rolled> rolled).outs:
            expected[value.index] = expected.get(value.index, 0) + 1
    value = None
    for i in range(first, tape.top):
        handle = tape.handles[i]
        if handle != NULL and Py_REFCNT(<PyObject *> handle) > <Py_ssize_t> expected.get(i, 0):
            return True
    return False


def record_loop(
    list starts not None, list gets not None, list step_leaves not None, list outs not None, int32_t first,
    dict bound not None=NOTHING_BOUND,
):
    """The loop whose step was recorded from node `first` on: what is carried at last, and a list of what steps give.

    All are Values, but for `gets`, lists of Values that each step gets. `bound` has Values in the place of nodes that
    are the same for all steps, by index. None if it cannot stay a loop.
    """
    cdef Rolled rolled = Rolled.__new__(Rolled)
    cdef int32_t k, j, node, count
    cdef int64_t edges
    cdef Edge *edge
    cdef Value value
    rolled.steps, rolled.carried = <int32_t> len(gets), <int32_t> len(starts)
    rolled.got, rolled.given = <int32_t> (len(step_leaves) - len(starts)), <int32_t> (len(outs) - len(starts))
    rolled.ends = {}
    rolled.leaves, rolled.outs = [(<Value> one).index for one in step_leaves], outs
    rolled.same = same_for_all(first, rolled.leaves, outs)
    if rolled.same is None:
        return None
    edges = <int64_t> rolled.steps * (rolled.got + rolled.given) + rolled.carried + len(rolled.same)
    if edges > MOST_EDGES:
        raise MemoryError(f"no memory for a loop of {rolled.steps} steps")
    count = 1 + rolled.carried + rolled.steps * rolled.got + <int32_t> len(rolled.same)
    reserve_nary(&tape, 1, count)
    edge = tape.edges + tape.edge_top
    edge[0] = Edge(0.0, 0, 0)
    for one in (starts, *gets):
        for value in <list> one:
            edge += 1
            edge[0] = Edge(0.0, value.index, 0)
    for k in rolled.same:
        edge += 1
        edge[0] = Edge(0.0, (<Value> bound[k]).index if k in bound else k, 0)
    node = node_of_loop(rolled, count)
    ends = [record_end(node, k) for k in range(rolled.carried)]
    return ends, [
        [record_end(node, rolled.carried + j * rolled.steps + k) for j in range(rolled.given)]
        for k in range(rolled.steps)]


cdef class Rolled:
    """See mapped/rolling.pxd."""

    def __reduce__(self):
        raise TypeError("cannot copy or pickle a Rolled, which is of one trace of vmap")


cdef Value record_end(int32_t loop, int32_t number):
    cdef Value made = new_value()
    bind(made, end_of_loop(loop, number))
    return made


cdef int32_t end_of_loop(int32_t loop, int32_t number) except -1:
    """The node of what a loop leaves, by its number."""
    cdef dict ends = rolled_at(loop).ends
    if number in ends:
        return ends[number]
    reserve_nary(&tape, 1, 2)
    tape.edges[tape.edge_top] = Edge(0.0, loop, 0)
    tape.edges[tape.edge_top + 1] = Edge(number, 0, 0)
    ends[number] = record_native(&tape, &LOOP_END, 2, NAN)
    return ends[number]


cdef int32_t copy_of_loop(int32_t index, list nodes) except -1:
    """The same loop over other nodes, one for each edge."""
    cdef Rolled rolled = rolled_at(index)
    cdef Rolled twin = Rolled.__new__(Rolled)
    cdef int32_t count = <int32_t> len(nodes)
    cdef int32_t k
    twin.steps, twin.carried, twin.got, twin.given = rolled.steps, rolled.carried, rolled.got, rolled.given
    twin.leaves, twin.outs, twin.same, twin.ends = rolled.leaves, list(rolled.outs), rolled.same, {}
    reserve_nary(&tape, 1, count)
    for k in range(count):
        tape.edges[tape.edge_top + k] = Edge(0.0, nodes[k], 0)
    return node_of_loop(twin, count)


cdef int32_t node_of_loop(Rolled rolled, int32_t count) except -1:
    """The node, whose edges are written."""
    tape.edges[tape.edge_top + 1].term = len(loops)
    loops.append(rolled)
    return record_native(&tape, &LOOP, count, NAN)


cdef list same_for_all(int32_t first, list step_leaves, list outs):
    """What a step uses that none of its leaves leads to, but for constants; None if a step has a table of its own."""
    cdef int32_t count = tape.top - first
    cdef uint8_t *leads = <uint8_t *> calloc(2 * <size_t> count + 1, 1)     # a leaf leads to it
    cdef uint8_t *needed = leads + count
    cdef int32_t i, k
    cdef set found = set()
    cdef Value out
    if leads == NULL:
        raise MemoryError("no memory for a loop in a function that is traced")
    try:
        for k in step_leaves:
            leads[k - first] = 2
        for i in range(first, tape.top):
            if not leads[i - first]:
                for k in operands_of(i):
                    leads[i - first] |= k >= first and leads[k - first] != 0
        for out in outs:
            if out.index >= first and leads[out.index - first]:
                needed[out.index - first] = 1
            elif not is_constant_at(out.index):
                found.add(out.index)
        for i in range(tape.top - 1, first - 1, -1):
            if not needed[i - first] or leads[i - first] == 2:
                continue
            if tape.op[i] == rules.LOCAL:       # a part of which may be the same for all steps
                return None
            for place, k in enumerate(operands_of(i)):
                if k >= first and leads[k - first]:
                    needed[k - first] = 1
                    if place and is_take(i):
                        return None
                elif k and not is_constant_at(k):
                    found.add(k)
        return sorted(found)
    finally:
        free(leads)


cdef list operands_of(int32_t index):
    cdef Operands operands = tape.operands[index]
    cdef Spans spans
    cdef int32_t k
    cdef list found = []
    if not rules.has_edges(tape.op[index]):
        return [operands.a, operands.b]
    for k in range(operands.a, operands.a + operands.b):
        spans = spans_of(&tape, index, k)
        found += range(spans.a.first, spans.a.end)
        found += range(spans.b.first, spans.b.end)
    return found


# --- what a trace has ---

cdef bint is_loop(int32_t index) noexcept:
    return tape.op[index] == rules.NATIVE and native_of(tape.edges + tape.operands[index].a) == &LOOP


cdef bint is_loop_end(int32_t index) noexcept:
    return tape.op[index] == rules.NATIVE and native_of(tape.edges + tape.operands[index].a) == &LOOP_END


cdef Rolled rolled_at(int32_t index):
    """Of a node of a loop."""
    return loops[<Py_ssize_t> tape.edges[tape.operands[index].a + 1].term]


cdef dict ends_of(int32_t index):
    """Of a loop's node, by number: the indexes of what it leaves."""
    return rolled_at(index).ends


cdef int32_t loop_of_end(int32_t index) noexcept:
    return tape.edges[tape.operands[index].a].a


cdef int32_t number_of_end(int32_t index) noexcept:
    return <int32_t> tape.edges[tape.operands[index].a + 1].term


cdef bint is_of_a_step(int32_t index) except -1:
    """Whether it stands for a number that each step of a loop has its own of."""
    return leaves is not None and tape.op[index] == rules.LEAF and index in leaves


LOOP.push = LOOP_END.push = push_nothing
