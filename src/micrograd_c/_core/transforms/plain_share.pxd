"""An operand's share of an adjoint, or of a tangent, as a number: a sweep's rule. Part of derivatives.pyx."""

from libc.stdint cimport int32_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport Node, tape
from micrograd_c._core.transforms.recorder cimport NOTHING, NUMBER, Term


cdef inline int plain_share(int32_t i, const Node *node, bint of_b, double g, Term *out) except -1:
    """What the rule of node i makes of g. Raises where the slope of a power does."""
    cdef double x = tape.data[node.a]
    cdef double y = tape.data[node.b]
    out.node = NOTHING if node.op == rules.POWER and y == 0.0 else NUMBER
    if rules.is_function(node.op):
        out.number = rules.slope(node.op, x, tape.data[i]) * g
    elif of_b:
        out.number = rules.pullback_b(node.op, x, y, tape.data[i], g)
    elif node.op != rules.POWER and node.op != rules.POW:
        out.number = rules.pullback_a(node.op, x, y, g)
    elif not rules.try_power_pullback(x, y, g, &out.number):
        rules.raise_power_error(x, y - 1.0)
    return 0
