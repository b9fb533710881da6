"""The C face of the tape: node layout, recording, and giving back.

Knows nothing of Python objects except the handle pointers it must renumber. See arena.pyx for the design.
"""

from cpython.ref cimport PyObject
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memcpy

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.ops.numbers cimport fits_int
from micrograd_c._core.tape.pausing cimport paused_here

cdef extern from "Python.h":
    unsigned long PyThread_get_thread_ident() noexcept nogil


cdef enum Flag:
    DATA_INT = 1    # Python would hold an int in data
    GRAD_FLOAT = 2  # Python would hold a float in grad; must be DATA_INT << 1, see `float_data`
    MARK = 4        # a sweep has yet to come to this node; means nothing on a leaf
    LEAF_NODE = 8   # a sweep has nothing to do here
    HOOK = 16       # a Python function replaces the rule of this node
    LIVE = 32       # the collector has reached this node
    DETACHED = 64   # recorded under no_grad: a leaf, whatever it was computed from
    ODD = 128       # its handle is not plain, or an earlier one was not


cdef struct Operands:
    int32_t a           # first operand; for an n-ary node, where its edges start
    int32_t b           # second operand, 0 if there is none; for an n-ary node, how many edges it has


cdef struct Node:       # a copy of all that the tape's arrays have of one: see `node_at`
    double data         # primal
    double grad         # adjoint
    int32_t a, b        # see Operands
    uint8_t op          # one of rules
    uint8_t flags       # Flag bits
    uint8_t activation  # for a dot: the op applied to its sum, or ADD for none
    uint8_t dot         # DotState bits for a dot, PowState bits for a POW, DetachedState bits for a DETACHED node


cdef struct State:         # what a dead handle has left for its node's next one; plain data, see lifetime.pxd
    PyObject *type          # a subclass of Value, or NULL for Value itself
    PyObject *attributes    # its dict, or NULL
    PyObject *op            # the name assigned to _op, or NULL


cdef struct Edge:
    double term         # for a dot: see BIAS, FIRST, PRODUCT; for a LOCAL node: a local gradient; else unused
    int32_t a           # an operand, or 0
    int32_t b           # another one, or 0; see `spans_of`; of a LOCAL node: a where Python would hold an int in `term`


cdef struct Span:       # nodes that follow one another
    int32_t first
    int32_t end         # the one after the last


cdef struct Spans:
    Span a
    Span b


cdef enum Pushed:           # what the rule of a NATIVE node returns
    PUSHED = 0
    PUSH_INTERRUPTED = 1    # nothing was done: Ctrl-C was pressed
    PUSH_OUT_OF_MEMORY = 2  # nothing was done


cdef struct Native:
    # The rule of a NATIVE node. The term of the node's first edge holds a pointer to this, or to a struct that begins
    # with it. The rule adds to the adjoints of the operands, which are marked already, and runs no Python code. The
    # owner keeps it alive as long as the node can be reached.
    Pushed (*push)(
        Native *self, double *grads, const Edge *edges, int32_t count, double grad, int64_t sweep
    ) noexcept nogil


cdef enum DotState:
    CONSECUTIVE = 1     # the nodes of all w follow one another, and so do those of all x: there is no edge per product
    ADJOINT_FLOAT = 2   # the sum's adjoint was a float in the only sweep so far; must equal GRAD_FLOAT
    SWEPT = 4           # a sweep has passed
    FINITE = 8          # b, all w and all x were finite when it was recorded
    NUMBERS = 16        # all x are numbers: leaves that nobody sees, one for all dots of a call


cdef enum PowState:
    NUMBER_BASE = 1     # the base is a number, not a Value: nobody needs its gradient


cdef enum DetachedState:
    IN_TRACE = 1        # recorded by the thread that is tracing


cdef enum:
    HABITS = 1 << 30    # in Tape.paused, which is asked of each node anyway


cdef enum:
    NO_DOT = 0x7fffffff
    NO_TRACE = 0x7fffffff


cdef enum:              # what the edges of a dot hold
    BIAS = 0            # a: b, term: how many products there are
    FIRST = 1           # a: the first w, b: the first x, term: the sum's adjoint in the only sweep so far
    PRODUCT = 2         # from here on, unless CONSECUTIVE, a: w, b: x, term: unused


cdef struct Change:         # data that was assigned to while there were dots, which do not keep what they multiplied
    double data             # what it was
    int32_t index           # the node's; void if not below `top`
    int32_t top             # the tape's top then: dots from there on were recorded later
    int32_t forward         # only while nodes are moved: where the node will be
    int32_t taken_back      # only while nodes are moved: 1 if the node's data is what it was


cdef struct Sweep:          # one that is suspended while other code runs, perhaps other sweeps; on its C stack
    int64_t number          # see Tape.sweeps
    unsigned long thread    # the one it runs in
    int32_t calls_steps     # 1: functions that it calls take steps of this sweep when they call `_backward()` by hand
    Sweep *next


cdef struct Arrays:         # a copy of where they are: writing a byte through the Tape has it read anew
    double *data
    double *grad
    Operands *operands
    uint8_t *op
    uint8_t *flags
    uint8_t *activation
    uint8_t *dot
    Edge *edges


cdef struct Tape:
    # one entry per node; node 0 is that of handles that were never initialised
    double *data            # primals
    double *grad            # adjoints
    Operands *operands
    uint8_t *op             # one of rules
    uint8_t *flags          # Flag bits
    uint8_t *activation     # see Node, as for the next
    uint8_t *dot
    int32_t *forward        # only while nodes are moved: new index of the node that was at this place
    void **handles          # per node its handle, borrowed, or NULL; NULL from top on
    State *states           # per node without a handle its state, owned; empty from top on; NULL until one may be left
    int32_t state_count     # nodes with a state
    Edge *edges             # operands of n-ary nodes, in node order
    int32_t top             # nodes in use
    int32_t capacity        # nodes there is room for
    int32_t base            # nodes below have survived two collections
    int32_t aged            # nodes below have survived one
    int32_t edge_top        # edges in use
    int32_t edge_capacity   # edges there is room for
    int32_t edge_base       # edges of nodes below base
    int32_t young           # live handles at or above base
    int32_t highest         # no young handle is above this node; while pins is 0 it has one itself, if there is any
    int64_t passed          # nodes dropped from above young handles since base was set
    int32_t old_deaths      # handles below base that died since the last collection
    int64_t dropped         # nodes dropped by resets since the last collection
    int32_t filled          # 1: the tape has been full since the last reset
    int32_t has_shrunk      # 1: a large tape has given memory back before
    int32_t first_dot       # no dot is below this node; may be too low
    int32_t unchanged       # no data has been assigned to since the nodes from here on were recorded
    Change *changes         # in the order of assignments, so of `top`; empty if there are no dots
    Py_ssize_t change_count
    Py_ssize_t change_room
    Py_ssize_t change_limit  # so many are kept before somebody looks which are needed
    int32_t minus_zeros     # 1: somebody has assigned -0.0 or None to a grad
    int32_t hooks           # nodes with HOOK
    int32_t hooks_base      # nodes with HOOK below base
    int64_t sweeps          # how many have begun
    int64_t moves           # how often Values that live on may have got another node, or their nodes other numbers
    Sweep *suspended        # sweeps that wait while other code may be running
    int32_t traced          # reading data of nodes from here on may be an error: a function is being traced
    unsigned long tracer    # the thread that traces it; 0 if there is no trace
    int32_t pins            # while above 0 no node moves or is dropped: somebody holds indexes across Python code
    int32_t paused          # no_grad blocks open in all contexts; and HABITS, if new nodes are not as usual
    uint8_t cleared         # these flags of a new node are cleared; 0 but for HABITS
    uint8_t fresh           # and these are set
    uint8_t has_subclasses  # 1: Values of plain subclasses have been seen
    uint8_t float_slopes    # 1: a gradient that goes through a relu is a float whatever it was
    Py_ssize_t index_offset  # bytes from a handle to its index


cdef Tape tape

cdef int make_room(Tape *t, Py_ssize_t nodes, Py_ssize_t edges) except -1
cdef void reset(Tape *t) noexcept
cdef void drop_top(Tape *t) noexcept
cdef void look_for_functions(Tape *t) noexcept
cdef int raise_no_room(Py_ssize_t capacity) except -1
cdef bint try_expand(Tape *t) noexcept
cdef int make_room_for_changes(Tape *t, Py_ssize_t count) except -1
cdef int expand(Tape *t) except -1
cdef int want_states(Tape *t) except -1
cdef void drop_states(Tape *t, int32_t first, int32_t end) noexcept
cdef void check(Tape *t) noexcept
cdef void count_pins(int change) noexcept


cdef inline int reserve(Tape *t, Py_ssize_t nodes) except -1:
    """Make room for more nodes. Only `reserve...` and expand_dots may renumber: read indexes after them."""
    if t.top + nodes > t.capacity:
        make_room(t, nodes, 0)
    return 0


cdef inline int reserve_nary(Tape *t, Py_ssize_t nodes, Py_ssize_t edges) except -1:
    """`reserve` for nodes and edges."""
    if t.top + nodes > t.capacity or t.edge_top + edges > t.edge_capacity:
        make_room(t, nodes, edges)
    return 0


cdef inline Arrays arrays_of(const Tape *t) noexcept nogil:
    return Arrays(t.data, t.grad, t.operands, t.op, t.flags, t.activation, t.dot, t.edges)


cdef inline Node node_at(const Tape *t, int32_t i) noexcept nogil:
    return Node(
        t.data[i], t.grad[i], t.operands[i].a, t.operands[i].b, t.op[i], t.flags[i], t.activation[i], t.dot[i])


cdef inline void put_node(Arrays at, int32_t i, Node node) noexcept nogil:
    at.data[i] = node.data
    at.grad[i] = node.grad
    at.operands[i] = Operands(node.a, node.b)
    at.op[i] = node.op
    at.flags[i] = node.flags
    at.activation[i] = node.activation
    at.dot[i] = node.dot


cdef inline uint8_t float_data(uint8_t flags) noexcept nogil:
    """GRAD_FLOAT if data is a float: then its product with an adjoint is one too."""
    return ~(flags << 1) & GRAD_FLOAT


cdef inline Native *native_of(const Edge *edges) noexcept nogil:
    cdef Native *native
    memcpy(&native, &edges[0].term, sizeof(native))
    return native


cdef inline bint is_pending(uint8_t flags) noexcept nogil:
    """Whether a sweep has yet to come to the node with these flags."""
    return flags & (MARK | LEAF_NODE) == MARK


cdef inline bint has_state(const State *state) noexcept nogil:
    return state.type != NULL or state.attributes != NULL or state.op != NULL


cdef inline void move_handle(Tape *t, int32_t index, int32_t to) noexcept nogil:
    """When the node at index moves, take along its handle, or the state that a dead one has left.

    No other node with a handle or a state is at the new place now.
    """
    cdef void *handle = t.handles[index]
    if handle != NULL:
        t.handles[index] = NULL
        t.handles[to] = handle
        (<int32_t *> (<char *> handle + t.index_offset))[0] = to
    elif to != index and t.state_count and has_state(t.states + index):
        t.states[to] = t.states[index]
        t.states[index] = State(NULL, NULL, NULL)


cdef inline void adopt(Tape *t, int32_t index, void *handle) noexcept:
    t.handles[index] = handle
    t.young += index >= t.base
    t.highest = max(t.highest, index)


cdef inline void release(Tape *t, int32_t index) noexcept:
    """The node's handle is gone. If it was the last young one, drop all from base on; if the highest, what is above."""
    t.handles[index] = NULL
    if index < t.base:
        t.old_deaths += 1
        return
    t.young -= 1
    if t.pins == 0:
        if t.young == 0:
            reset(t)
        elif index == t.highest:
            drop_top(t)


cdef inline void abandon(Tape *t, int32_t index) noexcept:
    """The node's handle lives on, but is that of another node now, or of none."""
    t.moves += 1
    release(t, index)


cdef inline int pin(Tape *t) except -1:
    """Keep indexes valid until `unpin`. No dots meanwhile: whoever looks into a graph must see all its nodes."""
    expand_dots(t)
    t.pins += 1
    count_pins(1)
    return 0


cdef inline void unpin(Tape *t) noexcept:
    t.pins -= 1
    count_pins(-1)
    tidy(t)


cdef inline void tidy(Tape *t) noexcept:
    """Drop what could not be dropped while nodes were pinned."""
    if t.pins == 0:
        if t.young == 0:
            reset(t)
        elif t.handles[t.highest] == NULL:
            drop_top(t)


cdef inline uint8_t settle(double *data) noexcept nogil:
    """Make an int result what is stored: no -0, and no int from 2**53 on, where a double may have been rounded."""
    data[0] += 0.0
    return DATA_INT if fits_int(data[0]) else 0


cdef inline int expand_dots(Tape *t) except -1:
    """Replace all dots by the nodes they stand for. Renumbers, unless there are no dots."""
    if t.first_dot < t.top:
        expand(t)
    return 0


cdef inline bint is_consecutive(const Tape *t, int32_t index) noexcept nogil:
    """Whether it is a dot whose edges name but the first of its operands."""
    return t.op[index] == rules.DOT and t.dot[index] & CONSECUTIVE


cdef inline int32_t product_count(const Edge *edges) noexcept nogil:
    """Of a dot with these edges."""
    return <int32_t> edges[BIAS].term


cdef inline Spans spans_of(const Tape *t, int32_t index, int32_t k) noexcept nogil:
    """The operands that one of a node's edges names, the k-th of the tape. Node 0 is none.

    Of a NATIVE node these are all from a to b, or just a if b is 0.
    """
    cdef const Edge *edge = t.edges + k
    cdef int32_t count = 1
    if t.op[index] == rules.NATIVE:
        return Spans(Span(edge.a, max(edge.a, edge.b) + 1), Span(0, 0))
    if is_consecutive(t, index) and k == t.operands[index].a + FIRST:
        count = product_count(t.edges + t.operands[index].a)
    return Spans(Span(edge.a, edge.a + count), Span(edge.b, edge.b + count))


cdef inline int32_t operand_w(uint8_t state, const Edge *edge, int32_t k) noexcept nogil:
    """Of a dot with this state and these edges."""
    return edge[FIRST].a + k if state & CONSECUTIVE else edge[PRODUCT + k].a


cdef inline int32_t operand_x(uint8_t state, const Edge *edge, int32_t k) noexcept nogil:
    return edge[FIRST].b + k if state & CONSECUTIVE else edge[PRODUCT + k].b


cdef inline void lower_top(Tape *t, int32_t top, int32_t edge_top) noexcept:
    """Unrecord the nodes from top on, which have no handles."""
    t.top = top
    t.edge_top = edge_top


# The recording functions need room that was reserved before; each returns the new node's index.

cdef inline void write(
    Arrays at, int32_t index, int op, int32_t a, int32_t b, double data, uint8_t data_int
) noexcept nogil:
    at.data[index] = data
    at.grad[index] = 0.0
    at.operands[index] = Operands(a, b)
    at.op[index] = op
    at.flags[index] = data_int


cdef inline int32_t record(Tape *t, int op, int32_t a, int32_t b, double data, uint8_t data_int) noexcept:
    cdef int32_t index = t.top
    t.top = index + 1
    write(arrays_of(t), index, op, a, b, data, data_int)
    if t.paused:
        adapt(t, index)
    return index


cdef inline void adapt(Tape *t, int32_t index) noexcept:
    """To what is open here, or to the habits of a class that the process has adopted."""
    if t.paused & ~HABITS and paused_here():
        detach(t, index)
    if t.paused & HABITS:
        t.flags[index] = new_flags(t, t.flags[index])


cdef inline uint8_t new_flags(Tape *t, uint8_t flags) noexcept nogil:
    """A new node's, by those habits. For what is written without `record`."""
    return flags & ~t.cleared | t.fresh


cdef inline void detach(Tape *t, int32_t index) noexcept:
    t.dot[index] = IN_TRACE if t.tracer and t.tracer == PyThread_get_thread_ident() else 0
    t.operands[index] = Operands(0, 0)
    t.op[index] = rules.LEAF
    t.flags[index] |= LEAF_NODE | DETACHED


cdef inline int32_t record_leaf(Tape *t, double data, uint8_t data_int) noexcept:
    return record(t, rules.LEAF, 0, 0, data, data_int | LEAF_NODE)
