"""First derivatives of a graph as numbers, by the compiled sweep, which leaves no trace in any `grad`.

Knows the tape, its sweep, and Value. Knows nothing of functions that are differentiated.

Design
------
A sweep adds to `grad` of all that it comes to. So what it could come to outside, and what is not 0 inside, is put aside
before; what does not lead to an input is made a leaf for the time being, where the sweep ends; and all is put back
after, whatever was raised. Inside are the nodes from the lowest input up to the root. A pass over them costs a small
part of the sweep.

Indexes must stay what they are. Most sweeps are short, and expand no dots, as their gradients are floats and their dots
were never swept; nothing in them can raise, and no Python code runs. Otherwise the tape is pinned, which puts nodes in
the place of dots first. If any node that leads to an input has a function of a user's, all that can be reached is put
aside, as such functions add to whatever they like, and the sweep takes a step for each node inside that an input
reaches. So it does for an adopted class that keeps derivatives as numbers. A handler of Ctrl-C, which may do anything,
finds all gradients back in their places.
"""

from libc.math cimport fabs, floor
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport calloc, free

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.ops.memory cimport new_array, resized_array
from micrograd_c._core.tape.arena cimport (
    GRAD_FLOAT, HOOK, LEAF_NODE, MARK, NUMBERS, SWEPT, Operands, Span, Spans, pin, product_count, spans_of, tape,
    unpin,
)
from micrograd_c._core.tape.missing_gradients cimport is_minus_zero
from micrograd_c._core.tape.interrupts cimport PATIENCE
cimport micrograd_c._core.tape.sweeping as sweeping
from micrograd_c._core.tape.sweeping cimport Aside, sweep
from micrograd_c._core.value.lifetime cimport check_initialised
from micrograd_c._core.value.observers cimport remembered
from micrograd_c._core.value.operands cimport mark_operands, step_of_node, sweep_pinned
from micrograd_c._core.value.replacing cimport former_of
from micrograd_c._core.value.value cimport Value

__all__ = ["numbers"]


cdef enum Mark:
    LEADS = 1       # it is an input, or an input reaches it
    REACHED = 2     # an input reaches it by an operand
    STOPPED = 4     # it was made a leaf


cdef struct Saved:
    int32_t index
    uint8_t flags
    double grad


cdef class Region:
    """The nodes that sweeps go through, and what is put aside meanwhile."""
    cdef int32_t low, high      # the lowest input, and the highest root
    cdef uint8_t *marks
    cdef Saved *saved
    cdef Py_ssize_t count, room
    cdef bint calls             # a user's function is on the way
    cdef bint by_steps          # so, or the class keeps derivatives as numbers
    cdef Saved *inside          # while a handler runs, what the sweep has come to
    cdef bint is_back           # all is in its place again: a handler runs, or has raised

    cdef void span(self, list roots, list inputs) noexcept:
        """Find where the region begins and ends. Values' indexes may be others after a pin."""
        cdef Value value
        self.low, self.high = tape.top, 0
        for value in inputs:
            self.low = min(self.low, value.index)
        for value in roots:
            self.high = max(self.high, value.index)

    def __dealloc__(self):
        free(self.marks)
        free(self.saved)
        free(self.inside)

    cdef object no_memory(self):
        return MemoryError("no memory to put gradients aside while others are computed")

    cdef int save(self, int32_t index) except -1:
        cdef Saved *larger
        if self.count == self.room:
            larger = <Saved *> resized_array(self.saved, 2 * <size_t> self.room + 64, sizeof(Saved))
            if larger == NULL:
                raise self.no_memory()
            self.saved, self.room = larger, 2 * self.room + 64
        self.saved[self.count] = Saved(index, tape.flags[index], tape.grad[index])
        self.count += 1
        return 0

    cdef inline int look_at(self, int32_t index, bint *leads) except -1:
        """At an operand."""
        if index >= self.low:
            leads[0] |= self.marks[index - self.low] & LEADS
        elif index:
            self.save(index)
        return 0

    cdef inline int look_at_span(self, Span span, bint *leads) except -1:
        cdef int32_t i
        for i in range(span.first, span.end):
            self.look_at(i, leads)
        return 0

    cdef int look_at_operands(self, int32_t index, bint *leads) except -1:
        cdef Operands operands = tape.operands[index]
        cdef int op = tape.op[index]
        cdef Spans spans
        cdef int32_t k
        if rules.has_edges(op):
            for k in range(operands.a, operands.a + operands.b):
                spans = spans_of(&tape, index, k)
                self.look_at_span(spans.a, leads)
                if not (op == rules.DOT and tape.dot[index] & NUMBERS):     # no sweep adds to these
                    self.look_at_span(spans.b, leads)
        elif op != rules.LEAF:
            self.look_at(operands.a, leads)
            self.look_at(operands.b, leads)
            if op == rules.STOP:
                leads[0] = False
        return 0

    cdef int put_aside(self, const int32_t *inputs, Py_ssize_t width) except -1:
        """Find what leads to inputs, and save all that a sweep could change. Changes nothing."""
        cdef Py_ssize_t k
        cdef int32_t i
        cdef bint leads
        self.marks = <uint8_t *> calloc(max(0, self.high - self.low) + 1, 1)
        if self.marks == NULL:
            raise self.no_memory()
        for k in range(width):
            if inputs[k] <= self.high:
                self.marks[inputs[k] - self.low] = LEADS
        for i in range(self.low, self.high + 1):
            leads = False
            if has_gradient(i):
                self.save(i)
            self.look_at_operands(i, &leads)
            if tape.flags[i] & HOOK:
                self.look_at_operands(former_of(i), &leads)
            if leads:
                self.marks[i - self.low] |= LEADS | REACHED
                self.calls |= (tape.flags[i] & HOOK) != 0
        return 0

    cdef int put_all_aside(self) except -1:
        """Save all that can be reached, since functions go on wherever they like."""
        cdef int32_t i
        cdef uint8_t *reached = <uint8_t *> calloc(self.high + 1, 1)
        if reached == NULL:
            raise self.no_memory()
        try:
            for i in range(self.low, self.high + 1):
                reached[i] = 1
            for i in range(self.high, 0, -1):
                if reached[i]:
                    mark_operands(i, reached)
                    self.save(i)
        finally:
            free(reached)
        return 0

    cdef void begin(self) noexcept:
        """Make leaves of what no input reaches. Nothing can be raised from here to `end`."""
        cdef Py_ssize_t k
        cdef int32_t i
        for k in range(self.count):
            if not self.by_steps and self.saved[k].index < self.low:
                tape.flags[self.saved[k].index] |= LEAF_NODE
            tape.grad[self.saved[k].index] = 0.0
        for i in range(self.low, self.high + 1):
            if not self.by_steps and not self.marks[i - self.low] & REACHED and not tape.flags[i] & LEAF_NODE:
                tape.flags[i] |= LEAF_NODE
                self.marks[i - self.low] |= STOPPED
        self.is_back = False

    cdef void clear(self) noexcept:
        """Have no gradient inside."""
        cdef int32_t i
        for i in range(self.low, self.high + 1):
            tape.grad[i] = 0.0
            tape.flags[i] &= ~(GRAD_FLOAT | MARK)
            if tape.op[i] == rules.DOT:
                tape.dot[i] &= ~(SWEPT | GRAD_FLOAT)

    cdef void end(self) noexcept:
        """Put all back. What functions of users have done to nodes besides, such as assigning data, stays."""
        cdef uint8_t ours = GRAD_FLOAT if self.by_steps else GRAD_FLOAT | LEAF_NODE | MARK
        cdef int32_t i
        cdef Py_ssize_t k
        if self.is_back:
            return
        self.is_back = True
        self.clear()
        for i in range(self.low, self.high + 1):
            if self.marks[i - self.low] & STOPPED:
                tape.flags[i] &= ~LEAF_NODE
                self.marks[i - self.low] &= ~STOPPED
        for k in range(self.count - 1, -1, -1):
            i = self.saved[k].index
            tape.grad[i] = self.saved[k].grad
            tape.flags[i] = tape.flags[i] & ~ours | self.saved[k].flags & ours

    cdef int put_back(self) except -1:
        """`end`, for the time being."""
        cdef int32_t i
        if self.inside == NULL:
            self.inside = <Saved *> new_array(self.high - self.low + 1, sizeof(Saved))
            if self.inside == NULL:
                raise self.no_memory()
        for i in range(self.low, self.high + 1):
            self.inside[i - self.low] = Saved(i, tape.flags[i] & GRAD_FLOAT, tape.grad[i])
        self.end()
        return 0

    cdef int go_on(self) except -1:
        """Put aside what is there now, and begin where the sweep was."""
        cdef Saved *inside
        cdef int32_t i
        cdef Py_ssize_t k
        for k in range(self.count):
            i = self.saved[k].index
            self.saved[k].flags, self.saved[k].grad = tape.flags[i], tape.grad[i]
        for i in range(self.low, self.high + 1):
            if has_gradient(i):
                self.save(i)        # some for the second time, with the same
        self.begin()
        self.clear()
        for i in range(self.low, self.high + 1):
            inside = self.inside + i - self.low
            tape.grad[i] = inside.grad
            tape.flags[i] |= inside.flags
        return 0


cdef int put_back(void *region) except -1:
    return (<Region> region).put_back()


cdef int go_on(void *region) except -1:
    return (<Region> region).go_on()


cdef int step_inside(int32_t index, int64_t number, void *context) except -1:
    """A node's step, if an input reaches it: nobody goes into what is below the inputs or beside them."""
    cdef Region region = <Region> context
    cdef int32_t operands[2]
    cdef int32_t k
    if index < region.low or not region.marks[index - region.low] & REACHED:
        return 0
    numbers = remembered(index) if remembered != NULL else None
    if numbers is None:
        return step_of_node(index, number, NULL)
    operands[0], operands[1] = tape.operands[index].a, tape.operands[index].b
    for k in range(len(<tuple> numbers)):
        tape.grad[operands[k]] += <double> (<tuple> numbers)[k] * tape.grad[index]
        tape.flags[operands[k]] |= GRAD_FLOAT
    return 0


cdef inline bint has_gradient(int32_t index) noexcept:
    """Whether it is anything but the int 0: None, see has_no_grad, is -0.0."""
    return tape.grad[index] != 0.0 or tape.flags[index] & GRAD_FLOAT or is_minus_zero(tape.grad[index])


cdef bint wants_pin(int32_t low, int32_t high) noexcept:
    """Whether other code may run in a sweep of these nodes, or dots would be expanded."""
    cdef Operands operands
    cdef int64_t work = high - low
    cdef int32_t i
    cdef int op
    if remembered != NULL or tape.hooks or work > PATIENCE // 2:
        return True
    for i in range(low, high + 1):
        op, operands = tape.op[i], tape.operands[i]
        if op == rules.NATIVE:
            return True
        if op == rules.DOT:
            if tape.dot[i] & SWEPT or tape.dot[i] & NUMBERS and i < tape.unchanged:
                return True
            work += product_count(tape.edges + operands.a)
        elif (op == rules.POWER or op == rules.POW) and may_raise(tape.data[operands.a], tape.data[operands.b]):
            return True
    return work > PATIENCE // 2


cdef inline bint may_raise(double x, double y) noexcept:
    """Whether the slope of x ** y may, by a quick look. To make an error may run Python's collector, and any code."""
    return not fabs(x) < 1e90 or not fabs(y) <= 3.0 or (y < 1.0 and fabs(x) < 1e-90) or (x < 0.0 and y != floor(y))


def numbers(list roots not None, list inputs not None):
    """For each root the derivatives with respect to the inputs, as a list of floats. All are Values.

    Raises what backward() does.
    """
    cdef Region region = Region.__new__(Region)
    cdef Value value
    cdef double *found
    cdef int32_t *places            # of the roots, then of the inputs: a function may give a Value another node
    cdef Py_ssize_t width = len(inputs)
    cdef Py_ssize_t k, j
    cdef bint pinned
    for value in inputs:
        check_initialised(value)
    for value in roots:
        check_initialised(value)
    found = <double *> calloc(len(roots) or 1, (width or 1) * sizeof(double))
    places = <int32_t *> new_array(<size_t> len(roots) + width, sizeof(int32_t))
    try:
        if found == NULL or places == NULL:
            raise MemoryError(f"no memory for {len(roots)} times {width} derivatives")
        region.span(roots, inputs)      # from here on no Python object is made, unless the tape is pinned
        pinned = wants_pin(region.low, region.high)
        if pinned:
            pin(&tape)
        try:
            region.span(roots, inputs)
            k = 0
            for value in roots:
                places[k] = value.index
                k += 1
            for value in inputs:
                places[k] = value.index
                k += 1
            region.put_aside(places + len(roots), width)
            region.by_steps = region.calls or remembered != NULL
            if region.calls:
                region.count = 0
                region.put_all_aside()
            sweep_all(region, places, len(roots), width, found)
        finally:
            if pinned:
                unpin(&tape)
        return [[found[k * width + j] for j in range(width)] for k in range(len(roots))]
    finally:
        free(found)
        free(places)


cdef int sweep_all(Region region, int32_t *places, Py_ssize_t count, Py_ssize_t width, double *found) except -1:
    cdef Aside this = Aside(put_back, go_on, <void *> region)
    cdef Py_ssize_t k, j
    region.begin()
    try:
        for k in range(count):
            if places[k] < region.low or not region.marks[places[k] - region.low] & LEADS:
                continue
            region.clear()
            tape.grad[places[k]] = 1.0
            tape.flags[places[k]] |= GRAD_FLOAT
            if not region.calls:        # or else other threads may run meanwhile
                sweeping.aside = &this
            if region.by_steps:
                sweep_pinned(places[k], step_inside, <void *> region)
            else:
                sweep(&tape, places[k])
            for j in range(width):
                if places[count + j] <= region.high:
                    found[k * width + j] = tape.grad[places[count + j]]
    finally:
        sweeping.aside = NULL
        region.end()
    return 0
