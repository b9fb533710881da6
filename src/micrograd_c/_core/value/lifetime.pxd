"""What a few Values carry besides a node, and what becomes of it when they die.

Plain data (attributes that are text, numbers, None or bools, the name assigned to `_op`, a plain subclass) cannot be
part of a cycle: it is left with the node, and the node's next handle takes it up.

A Value with anything else (a function, Values, containers, a class with a finalizer, a `__dict__` handed out) must live
as long as a live Value can reach its node. So the result of every op on one holds it: `hold` puts it into the result's
`extra`, and hands on what the operand itself was holding. For state that comes after such ops were recorded, `anchor`
catches up.
"""

from cpython.dict cimport PyDict_Next
from cpython.ref cimport Py_INCREF, Py_XDECREF, PyObject
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport calloc, free

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.ops.numbers cimport Number, as_python, read_number
from micrograd_c._core.tape.arena cimport (
    DETACHED, ODD, Operands, Span, Spans, State, has_state, spans_of, tape,
)
from micrograd_c._core.value.plain_classes cimport can_be_left, is_plain_class, is_plain_data
from micrograd_c._core.value.value cimport Extra, Value, is_watched

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject *o)
    bint PyObject_GC_IsTracked(object o)
    void PyObject_GC_Track(object o)

cdef enum:
    FLAT = 8        # more held Values than this are nested, so that the cost of an op stays constant


cdef inline str describe(object given):
    """An object as an error message shows it: short, with its type."""
    text = repr(given)
    return f"{text if len(text) <= 60 else text[:57] + '...'} of type {full_name(type(given))}"


cdef inline str full_name(type kind):
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


cdef inline int refuse_foreign_value(object given) except -1:
    """Raise TypeError for the Value of another library: a result of both would lose half of its graph."""
    cdef Number number
    if not hasattr(given, "grad") or not hasattr(given, "backward") or isinstance(given, Value):
        return 0
    data = getattr(given, "data", None)
    if isinstance(data, Value) or take_number(data, &number):
        raise TypeError(
            f"{full_name(Value)} and {full_name(type(given))} cannot be mixed in one operation: "
            "make all Values of one class, by importing it from one place"
        )
    return 0


cdef inline int check_initialised(Value value) except -1:
    if not value.index:
        raise uninitialised(value)
    return 0


cdef inline int check_children(tuple children) except -1:
    for child in children:
        if not isinstance(child, Value):
            raise TypeError(f"the children of a Value must be Values, not {describe(child)}")
        check_initialised(child)
    return 0


cdef inline object uninitialised(Value value):
    if value.of_trace:
        from micrograd_c._core.value.tracing import TraceError      # not at the top: tracing is built on Value
        return TraceError(
            "this Value was made in a function given to vmap or jit while that was traced. It stood for a number of "
            "each row or call, and is none itself now that the trace is over: return it from the function, which gives "
            "these numbers. A Value that is to be kept must be made outside"
        )
    name = type(value).__name__
    return AttributeError(f"this {name} has no data yet: {name}.__init__ must call super().__init__(data) first")


cdef inline bint take_number(object source, Number *number) except -1:
    """Like read_number; a Value, though it has a float(), is no number."""
    return not isinstance(source, Value) and read_number(source, number)


cdef inline object as_plain_number(object source):
    """A number of any library as a Python float or int; anything else as it is."""
    cdef Number number
    return as_python(number.value, number.is_int) if take_number(source, &number) else source


cdef inline void track(Value value) noexcept:
    """The Value refers to something, or may: it is no longer plain, and Python's collector must know of it."""
    value.plain = 0
    if value.index:
        tape.flags[value.index] |= ODD
    if not PyObject_GC_IsTracked(value):
        PyObject_GC_Track(value)


cdef inline Extra rare(Value value):
    """The Value's Extra, made if need be."""
    cdef Extra extra
    if not isinstance(value.extra, Extra):
        extra = Extra.__new__(Extra)    # may run any code
        if not isinstance(value.extra, Extra):
            extra.keep = value.extra
            value.extra = extra
            track(value)
            if is_watched(value):
                gain_state(value)
    return <Extra> value.extra


# --- plain data, which goes with the node ---

cdef inline bint is_only_a_number(object one) noexcept:
    """Whether it is a Value with data, of no subclass and without attributes."""
    return type(one) is Value and (<Value> one).index and (<Value> one).attributes == NULL


cdef inline bint has_plain_attributes(Value value) noexcept:
    """Whether attributes are nothing but plain data, under names that are just text."""
    cdef PyObject *name
    cdef PyObject *member
    cdef Py_ssize_t place = 0
    while value.attributes != NULL and PyDict_Next(<object> value.attributes, &place, &name, &member):
        if type(<object> name) is not str or not is_plain_data(<object> member):
            return False
    return True


cdef inline void leave_state(Value value) noexcept:
    """A Value dies, and its node may stay: leave the state with it. Room was made when the Value got its state."""
    cdef State state = State(NULL, NULL, NULL)
    cdef type kind = type(value)
    if value.attributes != NULL and has_plain_attributes(value):
        state.attributes = value.attributes
        value.attributes = NULL
    if kind is not Value and can_be_left(kind):
        Py_INCREF(kind)
        state.type = <PyObject *> kind
    if isinstance(value.extra, Extra) and type((<Extra> value.extra).op) is str:
        Py_INCREF((<Extra> value.extra).op)
        state.op = <PyObject *> (<Extra> value.extra).op
    if has_state(&state):
        tape.states[value.index] = state
        tape.state_count += 1


cdef inline PyObject *class_left(int32_t index) noexcept:
    """The subclass of Value that a node's handle had, or NULL."""
    return tape.states[index].type if tape.state_count else NULL


cdef inline PyObject *op_left(int32_t index) noexcept:
    """The name that was assigned to the _op of a node's handle, or NULL."""
    return tape.states[index].op if tape.state_count else NULL


cdef inline void take_up_state(Value value, Extra extra) noexcept:
    """Take up what the node's last handle has left, if any. The extra is a new one if a name was left, else None."""
    cdef State state
    if not tape.state_count or not has_state(tape.states + value.index):
        return
    state = tape.states[value.index]
    tape.states[value.index] = State(NULL, NULL, NULL)
    tape.state_count -= 1
    value.attributes = state.attributes
    Py_XDECREF(state.type)      # not the last reference, as the Value has one
    if state.op != NULL:
        extra.op = <object> state.op
        Py_XDECREF(state.op)
        value.extra = extra
        track(value)


# --- all else, which results hold ---


cdef inline void forget_graph(Value value) noexcept:
    """The Value has been initialised again: what was said about its former node is void."""
    if isinstance(value.extra, Extra):
        (<Extra> value.extra).op = (<Extra> value.extra).backward = (<Extra> value.extra).prev = None


cdef inline int hold(Value out, Value operand) except -1:
    """Keep alive what the operand must not lose: itself if it has state of its own, else only what it holds."""
    if operand.plain:
        return 0
    return hold_all(out, (operand,) if is_held_itself(operand) else held_by(operand))


cdef inline int hold_children(Value out, tuple children) except -1:
    """`hold` for each. If one is to be held itself, all are, by the tuple they came in: there is one object for it."""
    cdef Value child
    cdef bint any_itself = False
    for child in children:
        if not child.plain and is_held_itself(child):
            any_itself = True
    if any_itself:
        return hold_all(out, children if len(children) <= FLAT else (children,))
    for child in children:
        hold(out, child)
    return 0


cdef inline bint is_held_itself(Value operand) except -1:
    """Whether results hold an operand that is not plain itself, and not just what it holds.

    Its Extra may keep the identities in _prev, without any other state. And if Python's collector knows a Value and
    finds it in a cycle, it clears weak references to it before anybody can ask whether a graph reaches it: what was
    computed before there were any must hold it from now on.
    """
    if not operand.has_state and is_watched(operand):
        gain_state(operand)
    return operand.has_state or (isinstance(operand.extra, Extra) and (<Extra> operand.extra).prev is not None)


cdef inline int hold_all(Value out, tuple more) except -1:
    cdef tuple held = held_by(out)
    if more is None or tape.flags[out.index] & DETACHED:      # nothing can be reached from it
        return 0
    if held is None:
        held = more
    elif more is not held and not contains(held, more):
        if len(held) + len(more) <= FLAT:
            held += tuple([one for one in more if not contains(held, one)])
        else:
            held = (held, more)
    if isinstance(out.extra, Extra):
        (<Extra> out.extra).keep = held
    else:
        out.extra = held
        track(out)
    return 0


cdef inline tuple held_by(Value value):
    return (<Extra> value.extra).keep if isinstance(value.extra, Extra) else value.extra


cdef inline bint contains(tuple held, object one):
    """Whether one is among those held. Compares identities: `in` would run a user's __eq__."""
    for other in held:
        if other is one:
            return True
    return False


cdef inline int gain_state(Value value) except -1:
    """From now on what is computed from this Value holds it; and so must what was computed from it already."""
    cdef bint late = not value.has_state and value.index and value.index != tape.top - 1
    value.has_state = 1
    track(value)
    if late:
        anchor(value)
    return 0


cdef inline Py_ssize_t anchor(Value value) except -1:
    """Make the live Values computed from this one hold it. Returns how many there are.

    Python's collector then knows of them, so those with weak references must be held too, see `is_held_itself`.
    """
    cdef list dependents = dependents_of(value)
    cdef Value dependent
    for dependent in dependents:
        hold_all(dependent, (value,))
    for dependent in dependents:
        if is_watched(dependent) and not dependent.has_state:
            dependent.has_state = 1
            for other in dependents_of(dependent):
                hold_all(other, (dependent,))
    return len(dependents)


cdef inline bint any_reached(const uint8_t *reached, int32_t first, Span span) noexcept:
    """Of marks that are counted from node `first` on."""
    cdef int32_t i
    for i in range(max(span.first, first), span.end):
        if reached[i - first]:
            return True
    return False


cdef inline list dependents_of(Value value):
    """The live Values computed from this one. One pass over all that was recorded since."""
    # first, since making a list may run Python's collector and so any code; filling it does not
    cdef list dependents = []
    cdef int32_t first = value.index
    cdef Py_ssize_t count = tape.top - first
    cdef Py_ssize_t i
    cdef int32_t k
    cdef Spans spans
    cdef Operands operands
    cdef void **handles = tape.handles + first      # counted from the Value's own node, like `reached`
    cdef uint8_t *reached
    reached = <uint8_t *> calloc(count, 1)
    if reached == NULL:
        raise MemoryError("no memory to find the Values computed from this one")
    try:
        reached[0] = 1
        for i in range(1, count):
            operands = tape.operands[first + i]
            if rules.has_edges(tape.op[first + i]):
                for k in range(operands.a, operands.a + operands.b):
                    spans = spans_of(&tape, first + <int32_t> i, k)
                    if any_reached(reached, first, spans.a) or any_reached(reached, first, spans.b):
                        reached[i] = 1
            elif operands.a >= first and reached[operands.a - first]:
                reached[i] = 1
            elif operands.b >= first and reached[operands.b - first]:
                reached[i] = 1
            if reached[i] and handles[i] != NULL and Py_REFCNT(<PyObject *> handles[i]) > 0:    # not dying
                dependents.append(<Value> handles[i])
    finally:
        free(reached)
    return dependents
