"""Derivatives of a graph, recorded: ways from inputs to roots are gone backward or forward, and leave nodes.

Knows the tape, Value and the table of ops. Knows nothing of functions that are differentiated, or of their arguments.

Design
------
Each node's rule is the table's column `recorded`, read into steps (recorded_rules.pyx) that a Recorder follows. One
rule serves both ways, since an operand's share is linear in g: backward g is the node's adjoint, forward it is the
operand's tangent. So derivatives are nodes as any others, to be swept, drawn, compiled by vmap, and differentiated
again. All ways of one call share one Recorder: a slope that several of them need is one node.

The tape is pinned meanwhile, which also puts nodes in the place of dots. Loops go over indexes, which are in
topological order; nothing is recursive. Arrays of a byte, and a Term, for each node between the lowest input and the
highest root are owned by a Walk.
"""

cimport cython
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport calloc, free, malloc

cimport micrograd_c._core.ops.rules as rules
cimport micrograd_c._core.tape.operators as operators
from micrograd_c._core.mapped.rolling cimport is_loop, is_loop_end
from micrograd_c._core.mapped.taking cimport is_take
from micrograd_c._core.ops.numbers cimport Number
from micrograd_c._core.tape.arena cimport (
    DATA_INT, HOOK, NUMBER_BASE, Node, PyThread_get_thread_ident, Span, Spans, node_at, pin, reserve, spans_of,
    tape, unpin,
)
from micrograd_c._core.tape.interrupts cimport PATIENCE
from micrograd_c._core.transforms.loop_ways cimport loop_backward, loop_upward
from micrograd_c._core.transforms.plain_share cimport plain_share
from micrograd_c._core.transforms.recorded_rules cimport has_first, has_second, of_first, of_second
from micrograd_c._core.transforms.recorder cimport (
    NOTHING, NUMBER, Term, add, multiply, number_term, run_rule, start,
)
from micrograd_c._core.transforms.take_rule cimport take_share
from micrograd_c._core.transforms.unrecordable cimport refuse
from micrograd_c._core.value.lifetime cimport check_initialised, hold, hold_all
from micrograd_c._core.value.observers cimport remembered
from micrograd_c._core.value.operands cimport handle_of
from micrograd_c._core.value.replacing cimport former_of
from micrograd_c._core.value.value cimport Value, bind, new_value

cdef extern from "Python.h":
    int PyErr_CheckSignals() except -1

__all__ = ["forward", "reverse"]


# --- ways through the graph ---

cdef enum Mark:
    LEADS = 1       # an input reaches it
    WANTED = 2      # and it reaches a root
    INPUT = 4


@cython.final
cdef class Walk:
    """The nodes from the lowest input up to the highest root; see derivatives.pxd."""

    def __init__(self, list roots, list inputs, bint plain=False):
        cdef Value value
        if self.recorder.known != NULL:
            raise RuntimeError("a Walk is made once")
        self.roots, self.inputs, self.keep = roots, inputs, [root for root in roots if not (<Value?> root).plain]
        self.handed_out, self.of_runs, self.made, self.plain = set(), {}, [], plain
        self.low, self.high, self.old_top = tape.top, 0, tape.top
        for value in inputs:
            self.low = min(self.low, value.index)
        for value in roots:
            self.high = max(self.high, value.index)
        self.count = max(0, self.high - self.low + 1)
        start(&self.recorder, 4 * self.count, tape.tracer != 0 and tape.tracer == PyThread_get_thread_ident())
        self.marks = <uint8_t *> calloc(self.count or 1, 1)
        self.terms = <Term *> malloc((self.count or 1) * sizeof(Term))
        if self.marks == NULL or self.terms == NULL:
            raise MemoryError(f"no memory for the derivatives of a graph of {self.count} nodes")
        self.mark()

    def __dealloc__(self):
        free(self.recorder.known)
        free(self.marks)
        free(self.terms)

    cdef int mark(self) except -1:
        """Find what is on a way from an input to a root. Refuses what cannot be recorded."""
        cdef Value value
        cdef int32_t i
        for value in self.inputs:
            if value.index <= self.high:
                self.marks[value.index - self.low] = LEADS | INPUT
        for i in range(self.low, self.high + 1):
            if self.is_reached(i):
                self.marks[i - self.low] |= LEADS
        return self.mark_wanted(0)

    cdef int mark_wanted(self, Py_ssize_t first) except -1:
        """Find what roots are computed from, those from a place in their list on."""
        cdef Value value
        cdef Node node
        cdef int32_t i, k
        for i in range(self.count):
            self.marks[i] &= ~WANTED
        for value in self.roots[first:]:
            self.want(value.index)
        for i in range(self.high, self.low - 1, -1):
            if not self.marks[i - self.low] & WANTED:
                continue
            node = node_at(&tape, i)
            if node.op == rules.NATIVE and is_take(i) and not node.flags & HOOK:
                for k in range(node.a + 1, node.a + node.b):
                    self.want(tape.edges[k].a)
                continue
            if is_loop(i) or is_loop_end(i):
                for k in range(node.a, node.a + node.b):
                    self.want(tape.edges[k].a)
                continue
            if node.flags & HOOK or node.op == rules.CUSTOM or node.op == rules.NATIVE:
                if not self.is_reached(i):      # an input
                    continue
                if node.flags & HOOK or node.op == rules.CUSTOM or self.recorder.tracing:
                    refuse(i, <Value> self.roots[0])
                for k in range(node.a, node.a + node.b):
                    self.want_span(spans_of(&tape, i, k).a)
                continue
            if node.op == rules.LOCAL:
                for k in range(node.a, node.a + node.b):
                    self.want(tape.edges[k].a)
            elif node.op != rules.STOP and node.op != rules.LEAF:
                if has_first(node.op):
                    self.want(node.a)
                if has_second(node.op):
                    self.want(node.b)
        return 0

    cdef bint leads(self, int32_t i) noexcept:
        return i >= self.low and self.marks[i - self.low] & LEADS

    cdef bint any_leads(self, Span span) noexcept:
        cdef int32_t i
        for i in range(span.first, span.end):
            if self.leads(i):
                return True
        return False

    cdef void want(self, int32_t i) noexcept:
        if self.leads(i):
            self.marks[i - self.low] |= WANTED

    cdef void want_span(self, Span span) noexcept:
        cdef int32_t i
        for i in range(span.first, span.end):
            self.want(i)

    cdef bint is_reached(self, int32_t i) noexcept:
        """Whether a gradient of node i would go on to an input."""
        cdef Node node = node_at(&tape, i)
        cdef Spans spans
        cdef int32_t k
        if node.flags & HOOK and former_of(i) and self.is_reached(former_of(i)):
            return True
        if rules.has_edges(node.op):
            for k in range(node.a + is_take(i), node.a + node.b):       # none goes on to the index
                spans = spans_of(&tape, i, k)
                if self.any_leads(spans.a) or self.any_leads(spans.b):
                    return True
            return False
        if node.op == rules.LEAF or node.op == rules.STOP:
            return False
        return has_first(node.op) and self.leads(node.a) or has_second(node.op) and self.leads(node.b)

    cdef bint is_on_the_way(self, int32_t i) noexcept:
        return i >= self.low and self.marks[i - self.low] & WANTED

    cdef int clear(self) except -1:
        cdef int32_t k
        for k in range(self.count):
            self.terms[k].node = NOTHING
        self.of_runs.clear()
        return 0

    cdef int give(self, int32_t i, Term term) except -1:
        """Add to a node's term."""
        cdef Term total
        add(&self.recorder, self.terms[i - self.low], term, &total)
        self.terms[i - self.low] = total
        return 0

    cdef int share(self, int32_t i, Node *node, bint of_b, Term g, Term *out) except -1:
        """What the rule of node i makes of g for an operand. Raises where the slope of a power does."""
        cdef Term x = Term(node.a, 0.0)
        cdef Term y = number_term(tape.data[node.b]) if node.op == rules.POWER else Term(node.b, 0.0)
        cdef Term result = Term(NOTHING, 0.0)       # z; of a function it is y
        cdef double amount
        if self.numbers is not None:
            return multiply(&self.recorder, number_term((<tuple> self.numbers)[of_b]), g, out)
        if self.plain and g.node == NUMBER:
            return plain_share(i, node, of_b, g.number, out)
        if rules.is_function(node.op):
            run_rule(&self.recorder, of_first + node.op, x, Term(i, 0.0), result, g, &result)
            multiply(&self.recorder, result, g, out)
            return 0
        if not of_b and (node.op == rules.POWER or node.op == rules.POW):
            if not rules.try_power_pullback(tape.data[node.a], tape.data[node.b], 1.0, &amount):
                rules.raise_power_error(tape.data[node.a], tape.data[node.b] - 1.0)
        if node.op == rules.POW and node.dot & NUMBER_BASE:
            x = number_term(tape.data[node.a])
        run_rule(&self.recorder, &of_second[node.op] if of_b else &of_first[node.op], x, y, Term(i, 0.0), g, out)
        return 0

    cdef int look_at(self, int32_t i, Node *node) except -1:
        """Copy a node, as arrays of the tape move when others are recorded."""
        node[0] = node_at(&tape, i)
        if remembered != NULL:
            self.numbers = remembered(i)
        return 0

    cdef int backward(self, int32_t root) except -1:
        """From the terms of roots, adjoints, down to those of inputs."""
        cdef Node node
        cdef Term g, share
        cdef int32_t i, k
        for i in range(root, self.low - 1, -1):
            if i % PATIENCE == 0:
                PyErr_CheckSignals()
            if not self.is_on_the_way(i):
                continue
            if tape.op[i] == rules.NATIVE and is_loop(i):
                loop_backward(self, i)
                continue
            g = self.terms[i - self.low]
            if g.node == NOTHING and not (self.of_runs and i in self.of_runs):
                continue
            self.look_at(i, &node)
            if node.op == rules.LEAF or node.op == rules.STOP:
                continue
            if node.op == rules.LOCAL:
                for k in range(node.a, node.a + node.b):
                    if self.is_on_the_way(tape.edges[k].a):
                        multiply(&self.recorder, number_term(tape.edges[k].term), g, &share)
                        self.give(tape.edges[k].a, share)
                continue
            if node.op == rules.NATIVE and is_take(i):
                for k in range(node.a + 1, node.a + node.b):
                    if self.is_on_the_way(tape.edges[k].a):
                        take_share(&self.recorder, i, k, g, &share)
                        self.give(tape.edges[k].a, share)
                continue
            if node.op == rules.NATIVE:
                if not is_loop_end(i):
                    rules_of_runs().go_down(self, i)
                continue
            if rules.has_edges(node.op):        # an input that is an op of a user's
                continue
            if self.is_on_the_way(node.a):
                self.share(i, &node, False, g, &share)
                self.give(node.a, share)
            if has_second(node.op) and self.is_on_the_way(node.b):
                self.share(i, &node, True, g, &share)
                self.give(node.b, share)
        return 0

    cdef int upward(self) except -1:
        """From the terms of inputs, tangents, up to those of roots."""
        cdef Node node
        cdef Term share
        cdef int32_t i, k
        for i in range(self.low, self.high + 1):
            if i % PATIENCE == 0:
                PyErr_CheckSignals()
            if not self.is_on_the_way(i) or self.marks[i - self.low] & INPUT:
                continue
            self.look_at(i, &node)
            if node.op == rules.LOCAL:
                for k in range(node.a, node.a + node.b):
                    if self.has_tangent(tape.edges[k].a):
                        multiply(&self.recorder, number_term(tape.edges[k].term),
                                 self.terms[tape.edges[k].a - self.low], &share)
                        self.give(i, share)
                continue
            if node.op == rules.NATIVE and is_take(i):
                for k in range(node.a + 1, node.a + node.b):
                    if self.has_tangent(tape.edges[k].a):
                        take_share(&self.recorder, i, k, self.terms[tape.edges[k].a - self.low], &share)
                        self.give(i, share)
                continue
            if node.op == rules.NATIVE:
                if is_loop(i):
                    loop_upward(self, i)
                elif not is_loop_end(i):
                    rules_of_runs().go_up(self, i)
                continue
            if has_first(node.op) and self.has_tangent(node.a):
                self.share(i, &node, False, self.terms[node.a - self.low], &share)
                self.give(i, share)
            if has_second(node.op) and self.has_tangent(node.b):
                self.share(i, &node, True, self.terms[node.b - self.low], &share)
                self.give(i, share)
        return 0

    cdef bint has_tangent(self, int32_t i) noexcept:
        return self.is_on_the_way(i) and self.terms[i - self.low].node != NOTHING

    cdef int seed(self, list values, list pairs) except -1:
        """Set the terms of some of the values: pairs of a place in the list, and a number or Value."""
        cdef int32_t i
        self.clear()
        for place, amount in pairs:
            i = (<Value> values[place]).index
            if not self.low <= i <= self.high:
                continue
            if isinstance(amount, Value):
                check_initialised(<Value> amount)
                if self.plain:
                    self.give(i, number_term(tape.data[(<Value> amount).index]))
                    continue
                self.give(i, Term((<Value> amount).index, 0.0))
                if not (<Value> amount).plain:
                    self.keep.append(amount)
            elif amount != 0.0:
                self.give(i, number_term(amount))
        return 0

    cdef object value_of(self, Term term):
        """A term as a Value or a float."""
        return term.number if term.node == NUMBER else handle_of(term.node, <Value> self.roots[0])

    cdef Term term_of(self, object found) except *:
        if found is None:
            return Term(NOTHING, 0.0)
        return Term((<Value> found).index, 0.0) if isinstance(found, Value) else number_term(found)

    cdef list terms_of(self, list values):
        """As pairs."""
        cdef list found = []
        cdef Value value
        cdef Term term
        for value in values:
            term = Term(NOTHING, 0.0)
            if self.low <= value.index <= self.high:
                term = self.terms[value.index - self.low]
            found.append((term.node, term.number))
        return found

    cdef int bundle(self) except -1:
        """Make one Value of all that results must hold, as there may be as many results."""
        cdef Value keeper
        if len(self.keep) + len(self.made) > 1:
            keeper = Value(0.0)
            if self.made:
                hold_all(keeper, tuple(self.made))
            for kept in self.keep:
                hold(keeper, <Value> kept)
            self.keep = [keeper]
        elif self.made:
            self.keep = self.made
        return 0

    cdef object result(self, Term term):
        """A term as a Value, a float, or None for a structural zero. A Value has a node that no other has."""
        cdef Value out
        if term.node == NOTHING:
            return None
        if term.node == NUMBER or self.plain:
            return term.number if term.node == NUMBER else tape.data[term.node]
        out = new_value()
        if term.node < self.old_top or term.node in self.handed_out or tape.handles[term.node] != NULL:
            reserve(&tape, operators.ROOM)
            bind(out, operators.multiply_number(&tape, term.node, Number(1.0, DATA_INT)))
        else:
            self.handed_out.add(term.node)
            bind(out, term.node)
        for kept in self.keep:
            hold(out, <Value> kept)
        return out


cdef object rules_of_runs():
    """Which are built on all this."""
    from micrograd_c._core.transforms import run_rules
    return run_rules


# --- what others call ---

def reverse(list roots not None, list ways not None, list inputs not None):
    """For each of `ways` the derivative with respect to each input, recorded: a Value, a float, or None where it is 0.

    A way is what the roots are multiplied by: pairs of a place in `roots`, and a number or a Value.
    """
    return recorded(roots, ways, inputs, False, False, False)


def forward(list roots not None, list ways not None, list inputs not None, bint is_symmetric=False, bint plain=False):
    """For each of `ways` what the roots change by, as `reverse` has it. A way is what inputs change by: such pairs.

    If the matrix of them is symmetric, a half is computed. If `plain`, only numbers are wanted.
    """
    cdef Py_ssize_t k, j
    cdef list results = recorded(roots, ways, inputs, True, is_symmetric, plain)
    if is_symmetric:
        for k in range(len(ways)):
            for j in range(k):
                results[k][j] = results[j][k]
    return results


cdef list recorded(list roots, list ways, list inputs, bint is_upward, bint is_symmetric, bint plain):
    """A list for each way. If they are symmetric, what is before a way's own place in its list may be wrong."""
    cdef Walk walk
    cdef Py_ssize_t k
    cdef list results = []
    cdef list terms = []
    check_all(roots, inputs)
    pin(&tape)
    try:
        walk = Walk(roots, inputs, plain)
        for k, pairs in enumerate(ways):
            if is_symmetric:
                walk.mark_wanted(k)
            walk.seed(inputs if is_upward else roots, pairs)
            if is_upward:
                walk.upward()
            else:
                walk.backward(walk.high)
            terms.append(walk.terms_of(roots if is_upward else inputs))
        walk.bundle()
        for row in terms:
            results.append([walk.result(Term(node, number)) for node, number in row])
    finally:
        unpin(&tape)
    return results


cdef int check_all(list roots, list inputs) except -1:
    for value in roots:
        check_initialised(<Value?> value)
    for value in inputs:
        check_initialised(<Value?> value)
    return 0
