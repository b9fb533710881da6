"""The C face of take: how a trace tells it from other nodes."""

from micrograd_c._core.tape.arena cimport Node

cdef bint is_take(const Node *node) noexcept
