"""take: a row of a table, by a number that a trace does not know yet.

Knows Value and the tape. Knows nothing of what becomes of a trace.

Design
------
Where the index is known, the row is simply there. In a trace, where it depends on an argument, each number of the row
is a NATIVE node: its first edge holds TAKE, a rule that is never called, as no sweep runs over a trace, and the index;
the others the table's column.
"""

import operator

from libc.math cimport NAN
from libc.stdint cimport int32_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport Edge, Native, native_of, reserve_nary, tape
from micrograd_c._core.tape.natives cimport push_nothing, record_native
from micrograd_c._core.value.lifetime cimport as_plain_number, check_initialised, describe
from micrograd_c._core.value.tracing import is_tracing
from micrograd_c._core.value.tracing cimport depends_on_argument, is_constant_at
from micrograd_c._core.value.value cimport Value, bind, new_value

__all__ = ["take"]

cdef Native TAKE


def take(table, index):
    """Row `index` of a table: `table[index]`, also where the index is a number of a row that vmap or jit runs over.

    The table is a list of Values or numbers, or of nested lists of these, all alike, such as an embedding for each
    token; the index is a whole number, also as a Value, that counts from the end if it is negative. Gradients go to the
    Values of that row. No gradient goes to the index.

    Where it can be told, an index that is not whole is a TypeError, and one that is too large an IndexError. In what
    vmap and jit run, numbers of such a row are nan, and get no gradient.

    >>> from micrograd_c import vmap
    >>> from micrograd_c.engine import Value
    >>> table = [Value(10.0), Value(20.0), Value(30.0)]
    >>> vmap(lambda k: take(table, k))([2, 0, -1]).tolist()
    [30.0, 10.0, 30.0]
    """
    if isinstance(index, Value):
        check_initialised(<Value> index)
        if is_known_later(<Value> index):
            rows = table.tolist() if hasattr(table, "tolist") else list(table)
            if not rows:
                raise IndexError("take from an empty table")
            return column(rows, <Value> index, 0)
        index = tape.data[(<Value> index).index]      # which does not count as if a user's code had read it
    return table[whole(index)]


cdef bint is_known_later(Value index) except -1:
    """Whether it may be another number in another run: unless it was made in the trace, of nothing."""
    if depends_on_argument(index):
        return True
    return is_tracing() and not is_constant_at(index.index)


cdef object whole(index):
    """An index of a list."""
    if isinstance(index, float):
        if not index.is_integer():
            raise TypeError(f"an index must be a whole number, not {index!r}")
        return int(index)
    try:
        return int(operator.index(index))       # which may be a bool
    except TypeError:
        raise TypeError(f"an index must be a whole number or a Value, not {describe(index)}") from None


cdef object column(list rows, Value index, int depth):
    """Values like a row; those of its lists one by one."""
    cdef list values = []
    first = rows[0]
    if isinstance(first, (list, tuple)):
        if depth == 64 or not all([isinstance(row, (list, tuple)) and len(row) == len(first) for row in rows]):
            raise ValueError("rows of a table must be alike: numbers, or lists of the same lengths")
        return [column(list(part), index, depth + 1) for part in zip(*rows)]
    for row in rows:
        if isinstance(row, Value):
            check_initialised(<Value> row)
            values.append(row)
        elif isinstance(row, (list, tuple)):
            raise ValueError("rows of a table must be alike: numbers, or lists of the same lengths")
        else:
            values.append(Value(as_plain_number(row)))
    return record_take(values, index)


cdef Value record_take(list values, Value index):
    cdef Value made = new_value()
    cdef Value value
    bind(made, node_of_take([index.index, *[value.index for value in values]]))
    return made


cdef int32_t node_of_take(list nodes) except -1:
    """The node for an index and a table's column."""
    cdef int32_t count = <int32_t> len(nodes)
    cdef int32_t k
    reserve_nary(&tape, 1, count)
    for k in range(count):
        tape.edges[tape.edge_top + k] = Edge(0.0, nodes[k], 0)
    return record_native(&tape, &TAKE, count, NAN)


cdef bint is_take(int32_t index) noexcept:
    return tape.op[index] == rules.NATIVE and native_of(tape.edges + tape.operands[index].a) == &TAKE


TAKE.push = push_nothing
