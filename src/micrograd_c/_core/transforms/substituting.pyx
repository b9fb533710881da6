"""Nodes of a trace recorded once more, with others in the place of some: steps of loops, and what was made of them.

Knows the tape, loops of a trace, and recorded arithmetic.
"""

from libc.stdint cimport int32_t
from libc.stdlib cimport free

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.mapped.rolling cimport (
    Rolled, copy_of_loop, end_of_loop, is_loop, is_loop_end, loop_of_end, number_of_end, operands_of, rolled_at,
    write_out,
)
from micrograd_c._core.mapped.taking cimport is_take, node_of_take
from micrograd_c._core.tape.arena cimport Operands, PyThread_get_thread_ident, tape
from micrograd_c._core.transforms.recorder cimport (
    NOTHING, NUMBER, Recorder, Term, node_of, number_term, record_op, start,
)
from micrograd_c._core.value.operands cimport handle_of
from micrograd_c._core.value.tracing cimport is_constant_at
from micrograd_c._core.value.value cimport Value

__all__ = ["end_at", "parts_of", "substituted", "used", "with_out"]


def parts_of(int32_t loop, Value above not None):
    """How many steps there are, what is carried to the first one, what each gets, what is the same for all, and, of the
    step that was recorded, leaves, what is the same, by index, and what it carries on and gives."""
    cdef Rolled rolled = rolled_at(loop)
    cdef int32_t first = tape.operands[loop].a + 1
    cdef int32_t count = tape.operands[loop].b - 1
    cdef int32_t k
    values = [handle_of(tape.edges[first + k].a, above) for k in range(count)]
    ends = rolled.carried + rolled.steps * rolled.got
    gets = [values[k:k + rolled.got] for k in range(rolled.carried, ends, rolled.got)] if rolled.got else [
        [] for _ in range(rolled.steps)]
    return (rolled.steps, values[:rolled.carried], gets, values[ends:], list(rolled.leaves), list(rolled.same),
            list(rolled.outs))


def with_out(int32_t loop, Value out not None):
    """Which of what a step gives is that, from here on."""
    cdef Rolled rolled = rolled_at(loop)
    cdef int32_t k
    for k in range(rolled.carried, <int32_t> len(rolled.outs)):
        if (<Value> rolled.outs[k]).index == out.index:
            return k - rolled.carried
    rolled.outs.append(out)
    rolled.given += 1
    return rolled.given - 1


def end_at(int32_t loop, int32_t which, int32_t step, Value above not None):
    """What a step gives."""
    cdef Rolled rolled = rolled_at(loop)
    return handle_of(end_of_loop(loop, rolled.carried + which * rolled.steps + step), above)


cdef list reached(list values, int32_t low):
    """The nodes from `low` on that values were computed from, in order."""
    cdef set found = set()
    cdef list waiting = [(<Value> value).index for value in values if isinstance(value, Value)]
    cdef int32_t i
    while waiting:
        i = waiting.pop()
        if i >= low and i not in found:
            found.add(i)
            waiting += operands_of(i)
    return sorted(found)


def used(list values not None, leaves not None):
    """Which of the leaves, told by index, any of the values was computed from."""
    return set(reached(values, min(leaves))).intersection(leaves) if leaves else set()


def substituted(list values not None, dict others not None, Value above not None, dict dear=None):
    """The values as computed from others, which are told by the index of what is in their place; numbers as floats.

    `dear` gets, by the index of each copy of a node that is dear to compute, the node as it was.
    """
    cdef Recorder recorder
    cdef dict new = {}      # by index: a Term, as a pair
    cdef int32_t i
    cdef Term term
    cdef list found = []
    start(&recorder, 64, tape.tracer != 0 and tape.tracer == PyThread_get_thread_ident())
    try:
        for index, other in others.items():
            if isinstance(other, Value):
                new[index] = ((<Value> other).index, 0.0)
            else:
                new[index] = (<int32_t> NUMBER, <double> other)
        for i in reached(values, min(others)) if others else []:
            if i not in new and any([k in new for k in operands_of(i)]):
                term = copied(&recorder, i, new)
                if term.node == NOTHING:        # what a pick of a number has not chosen
                    term = number_term(-0.0)
                new[i] = (term.node, term.number)
                if dear is not None and term.node != NUMBER and is_dear(tape.op[i]):
                    dear[term.node] = handle_of(i, above)
        for value in values:
            if not isinstance(value, Value) or (<Value> value).index not in new:
                found.append(value)
                continue
            node, number = new[(<Value> value).index]
            found.append(number if node == <int32_t> NUMBER else handle_of(<int32_t> node, above))
    finally:
        free(recorder.known)
    return found


cdef bint is_dear(int op) noexcept:
    return rules.is_function(op) or op == rules.POWER or op == rules.POW or op == rules.ATAN2


cdef Term term_of(int32_t index, dict new) except *:
    pair = new.get(index)
    if pair is not None:
        return Term(pair[0], pair[1])
    if is_constant_at(index):
        return number_term(tape.data[index])
    return Term(index, 0.0)


cdef Term copied(Recorder *r, int32_t i, dict new) except *:
    cdef Operands operands = tape.operands[i]
    cdef int op = tape.op[i]
    cdef Term a, b
    cdef Term out = Term(0, 0.0)
    cdef int32_t k
    if is_loop_end(i):
        return Term(end_of_loop(<int32_t> new[loop_of_end(i)][0], number_of_end(i)), 0.0)
    if is_loop(i) or is_take(i):
        nodes = []
        for k in range(operands.a, operands.a + operands.b):
            a = term_of(tape.edges[k].a, new)
            nodes.append(node_of(r, a) if tape.edges[k].a else 0)
        return Term(copy_of_loop(i, nodes) if is_loop(i) else node_of_take(nodes), 0.0)
    if rules.has_edges(op):
        write_out()
    a = term_of(operands.a, new)
    b = number_term(tape.data[operands.b]) if op == rules.POWER else (
        term_of(operands.b, new) if rules.has_two_operands(op) else a)
    if op == rules.STOP and a.node == NUMBER:
        return a
    record_op(r, op, a, b, &out)
    return out
