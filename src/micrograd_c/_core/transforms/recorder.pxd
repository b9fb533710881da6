"""Recording derivatives: arithmetic that leaves nodes on the tape only where it must. Part of derivatives.pyx.

A Term is a node, a number, or nothing at all. Numbers are computed; what is multiplied by 1 stays what it is, and by
nothing is nothing, so that structural zeros leave no nodes. What was recorded before, by the same Recorder, is not
recorded again. Values are C's: what Python would raise for is infinite or NaN here.
"""

from libc.math cimport NAN
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport LEAF_NODE, NUMBER_BASE, Tape, record, reserve, tape

cdef enum:
    NOTHING = -1        # in Term.node: a structural zero
    NUMBER = 0          # in Term.node: only the number counts


cdef struct Term:
    int32_t node
    double number


cdef struct Known:      # a node that was recorded, by what it is computed from
    int32_t op
    int32_t a           # of a leaf: the bits of its number are in a and b
    int32_t b
    int32_t node        # 0 for an empty place


cdef struct Recorder:
    Known *known        # a hash table
    int32_t room        # its places, a power of 2
    int32_t count
    bint tracing        # numbers may be NaN that stand for those of rows


cdef enum StepKind:
    DO_NUMBER
    DO_ADD
    DO_MULTIPLY
    DO_POWER
    DO_FUNCTION
    DO_TWO


cdef struct RuleStep:
    int kind
    int op              # of the table, for functions and ops of two
    int a               # registers
    int b
    double number


cdef struct Rule:
    RuleStep *steps
    int count
    int result          # a register; NOTHING for a structural zero


cdef enum:
    MOST_STEPS = 40     # of a rule
    OPERANDS = 4        # the first registers: x, y, z, g


cdef inline int start(Recorder *r, int32_t expected, bint tracing) except -1:
    r.room, r.count, r.tracing = 256, 0, tracing
    while r.room < expected and r.room < 1 << 16:
        r.room *= 2
    r.known = <Known *> calloc(r.room, sizeof(Known))
    if r.known == NULL:
        raise MemoryError("no memory for recording derivatives")
    return 0


cdef inline Known *place_of(Recorder *r, int32_t op, int32_t a, int32_t b) noexcept:
    """Where such a node is known, or the empty place for it."""
    cdef uint64_t mixed = (<uint64_t> <uint32_t> a * 0x9E3779B97F4A7C15u) ^ (<uint64_t> <uint32_t> b << 20) ^ op
    cdef uint32_t k
    mixed = (mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9u
    k = <uint32_t> (mixed >> 32) & (r.room - 1)
    while r.known[k].node and (r.known[k].op != op or r.known[k].a != a or r.known[k].b != b):
        k = (k + 1) & (r.room - 1)
    return r.known + k


cdef inline int make_larger(Recorder *r) except -1:
    cdef Known *old = r.known
    cdef int32_t old_room = r.room
    cdef int32_t k
    cdef Known *larger = <Known *> calloc(2 * <size_t> r.room, sizeof(Known))
    if larger == NULL:
        raise MemoryError("no memory for recording derivatives")
    r.known, r.room = larger, 2 * r.room
    for k in range(old_room):
        if old[k].node:
            place_of(r, old[k].op, old[k].a, old[k].b)[0] = old[k]
    free(old)
    return 0


cdef inline int32_t new_node(Recorder *r, int op, int32_t a, int32_t b, double data) except -1:
    """The node for an op, recorded unless it is known."""
    cdef Known *place = place_of(r, op, a, b)
    cdef int32_t index
    if place.node:
        return place.node
    reserve(&tape, 1)
    if op == rules.LEAF:
        index = record(&tape, op, 0, 0, data, LEAF_NODE)
    else:
        index = record(&tape, op, a, b, data, 0)
        tape.dot[index] = 0
    place[0] = Known(op, a, b, index)
    r.count += 1
    if 2 * r.count > r.room:
        make_larger(r)
    return index


cdef inline int32_t node_of(Recorder *r, Term a) except -1:
    """A number as a leaf."""
    cdef int32_t halves[2]
    if a.node > 0:
        return a.node
    memcpy(halves, &a.number, sizeof(double))
    return new_node(r, rules.LEAF, halves[0], halves[1], a.number)


cdef inline Term number_term(double number) noexcept:
    return Term(NUMBER, number)


cdef inline int add(Recorder *r, Term a, Term b, Term *out) except -1:
    cdef int32_t i, j
    if a.node == NOTHING or b.node == NOTHING:
        out[0] = b if a.node == NOTHING else a
    elif a.node == NUMBER and b.node == NUMBER:
        out[0] = number_term(a.number + b.number)
    else:
        i, j = node_of(r, a), node_of(r, b)
        out[0] = Term(new_node(r, rules.ADD, i, j, tape.data[i] + tape.data[j]), 0.0)
    return 0


cdef inline int multiply(Recorder *r, Term a, Term b, Term *out) except -1:
    cdef int32_t i, j
    if a.node == NOTHING or b.node == NOTHING:
        out[0] = Term(NOTHING, 0.0)
    elif a.node == NUMBER and b.node == NUMBER:
        out[0] = number_term(a.number * b.number)
    elif a.node == NUMBER and a.number == 1.0 or b.node == NUMBER and b.number == 1.0:
        out[0] = b if a.node == NUMBER else a
    else:
        i, j = node_of(r, a), node_of(r, b)
        out[0] = Term(new_node(r, rules.MUL, i, j, tape.data[i] * tape.data[j]), 0.0)
    return 0


cdef inline int raise_to(Recorder *r, Term a, Term b, Term *out) except -1:
    cdef int32_t i, j, index
    cdef double data
    if b.node == NUMBER and b.number == 0.0:
        out[0] = number_term(1.0)
    elif b.node == NUMBER and b.number == 1.0:
        out[0] = a
    elif a.node == NUMBER and b.node == NUMBER:
        out[0] = number_term(rules.value_of_two(rules.POWER, a.number, b.number))
    else:
        i, j = node_of(r, a), node_of(r, b)
        data = rules.value_of_two(rules.POWER, tape.data[i], tape.data[j])
        index = new_node(r, rules.POWER if b.node == NUMBER else rules.POW, i, j, data)
        if a.node == NUMBER:
            tape.dot[index] = NUMBER_BASE
        out[0] = Term(index, 0.0)
    return 0


cdef inline int apply(Recorder *r, int op, Term a, Term *out) except -1:
    """A function of the table."""
    cdef int32_t i
    if a.node == NUMBER:
        out[0] = number_term(rules.value(op, a.number))
    else:
        i = node_of(r, a)
        out[0] = Term(new_node(r, op, i, 0, rules.value(op, tape.data[i])), 0.0)
    return 0


cdef inline int apply_two(Recorder *r, int op, Term a, Term b, Term *out) except -1:
    """An op of two of the table. A pick of a number, or of nothing, is decided here."""
    cdef int32_t i, j
    cdef double x, y, data
    if rules.is_pick(op) and (a.node <= NUMBER or b.node == NOTHING):
        out[0] = b if (a.node == NUMBER and a.number != 0.0) == (op == rules.PICK) else Term(NOTHING, 0.0)
        return 0
    if a.node == NUMBER and b.node == NUMBER:
        out[0] = number_term(rules.value_of_two(op, a.number, b.number))
        return 0
    i, j = node_of(r, a), node_of(r, b)
    x, y = tape.data[i], tape.data[j]
    data = rules.value_of_two(op, x, y)
    # while a function is traced, nobody knows what is chosen
    if r.tracing and (x != x or rules.is_comparison(op) and y != y):
        data = NAN
    out[0] = Term(new_node(r, op, i, j, data), 0.0)
    return 0


cdef inline int record_op(Recorder *r, int op, Term a, Term b, Term *out) except -1:
    """An op of a graph on other operands; b counts where it has two."""
    cdef int32_t i, j
    if op == rules.ADD:
        return add(r, a, b, out)
    if op == rules.MUL:
        return multiply(r, a, b, out)
    if op == rules.POWER or op == rules.POW:
        return raise_to(r, a, b, out)
    if op == rules.STOP or op == rules.GIVEN:       # which have the number of the first
        i = node_of(r, a)
        j = node_of(r, b) if op == rules.GIVEN else 0
        out[0] = Term(new_node(r, op, i, j, tape.data[i]), 0.0)
        return 0
    return apply_two(r, op, a, b, out) if rules.has_two_operands(op) else apply(r, op, a, out)


cdef inline int run_rule(Recorder *r, const Rule *rule, Term x, Term y, Term z, Term g, Term *out) except -1:
    """The value of a rule of the table."""
    cdef Term registers[MOST_STEPS + OPERANDS]
    cdef const RuleStep *step
    cdef Term *to = registers + OPERANDS
    cdef int k
    registers[0], registers[1], registers[2], registers[3] = x, y, z, g
    if rule.result == NOTHING:
        out[0] = Term(NOTHING, 0.0)
        return 0
    for k in range(rule.count):
        step = rule.steps + k
        if step.kind == DO_NUMBER:
            to[k] = number_term(step.number)
        elif step.kind == DO_ADD:
            add(r, registers[step.a], registers[step.b], to + k)
        elif step.kind == DO_MULTIPLY:
            multiply(r, registers[step.a], registers[step.b], to + k)
        elif step.kind == DO_POWER:
            raise_to(r, registers[step.a], registers[step.b], to + k)
        elif step.kind == DO_FUNCTION:
            apply(r, step.op, registers[step.a], to + k)
        else:
            apply_two(r, step.op, registers[step.a], registers[step.b], to + k)
    out[0] = registers[rule.result]
    return 0
