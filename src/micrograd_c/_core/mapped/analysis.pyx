"""Analysis: what a traced function computes, as steps over all rows at once.

Knows the tape, and copies what it needs from it. Knows nothing of where numbers will be.

Design
------
A node below the trace is a parameter, and so is one that stands for a shared Value. One of the trace that has local
gradients is read as ops that do the same to rows: its number GIVEN, and the sum of its operands times their local
gradients, through which gradients go. Nodes that depend on no row are uniform: computed once per run. Chains
b + w0*x0 + w1*x1 + ... with uniform w and b are dots, and all dots over the same x with the same activation are a
layer. What no output needs is never looked at, and of equal nodes the first one only (see value_numbers.pxd).

Several stages go over an array of the nodes that outputs need: parameters first, then the trace's nodes in the tape's
order, which is topological. Where an output needs a slot of its own, a node that moves it there is added at the end.
The Analysis owns this array and all others for as long as it lives.
"""

from libc.stdint cimport int32_t
from libc.stdlib cimport calloc, free

from micrograd_c._core.mapped.program cimport DO_LOOP, DO_TAKE, LOOP_END
from micrograd_c._core.mapped.rolling cimport is_loop, is_loop_end, is_of_a_step, write_out
from micrograd_c._core.mapped.step_listing cimport list_steps, list_uses
from micrograd_c._core.mapped.sums cimport find_dots
from micrograd_c._core.mapped.taking cimport is_take
from micrograd_c._core.mapped.trace_reading cimport read_tape
cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport HOOK, Operands, tape
from micrograd_c._core.value.lifetime cimport check_initialised, describe
from micrograd_c._core.value.operands cimport op_name
from micrograd_c._core.value.tracing import TraceError, is_tracing
from micrograd_c._core.value.tracing cimport is_lost, was_assigned
from micrograd_c._core.value.value cimport Value

__all__ = ["Untraceable"]


class Untraceable(Exception):
    """The graph has a node whose rule is a Python function."""


cdef class LoopStep:
    """See mapped/analysis.pxd."""

    def __reduce__(self):
        raise TypeError("cannot copy or pickle a LoopStep, which is of one trace of vmap")


cdef class Analysis:
    """How the outputs, Values of the trace, are computed from a row's inputs and from numbers that all rows share.

    Inputs, shared numbers, and shared Values that a call gives are told by the indexes of what stands for them. Raises
    Untraceable for a node with a Python function.
    """

    def __init__(
        self, list outputs not None, list inputs not None, list shared not None, list given not None, list linked=None,
        list steady=None, size_t saved_bytes=0, int32_t carried=0,
    ):
        if self.owned_count:
            raise RuntimeError("an Analysis is made once")
        if not is_tracing():
            raise RuntimeError("there is no trace to be compiled")
        self.linked, self.steady, self.saved_bytes, self.carried = linked or [], steady, saved_bytes, carried
        self.loops, self.constants, self.other_constants = {}, {}, {}
        read_tape(self, outputs, inputs, shared, given)
        self.classify()
        self.varying = [self.nodes[<int32_t> k].kind == VARYING for k in self.outputs]
        find_dots(self)
        list_steps(self)
        list_uses(self)

    def __dealloc__(self):
        cdef int k
        for k in range(self.owned_count):
            free(self.owned[k])

    def __reduce__(self):
        raise TypeError(f"cannot copy or pickle {type(self).__name__}, which is of one trace of vmap")

    cdef void *room(self, size_t count, size_t size) except NULL:
        """Memory full of zeros, for as long as the Analysis lives."""
        cdef void *memory = NULL
        if self.owned_count < MOST_ARRAYS:
            memory = calloc(count or 1, size)
        if memory == NULL:
            raise MemoryError("no memory for compiling a function given to vmap")
        self.owned[self.owned_count] = memory
        self.owned_count += 1
        return memory

    cdef int classify(self) except -1:
        """Tell uniform nodes from varying ones. Constants need no folding: they have been computed already."""
        cdef int32_t k, j
        cdef Traced *node
        for k in range(self.parameter_count):
            self.nodes[k].kind = UNIFORM
            self.nodes[k].differentiable = 1
            self.new_uniform(k)
        for k in self.given:
            self.nodes[k].kind = UNIFORM
            self.nodes[k].differentiable = 1
            self.new_uniform(k)
        for k in self.shared:
            self.nodes[k].kind = UNIFORM
            self.new_uniform(k)
        for k in self.inputs:
            self.nodes[k].kind = VARYING
        for place in self.linked:
            self.nodes[<int32_t> self.inputs[place]].differentiable = 1
        if self.steady is not None:
            for place, k in enumerate(self.inputs):
                self.nodes[k].steady = <bint> self.steady[place]
        for k in range(self.count):
            node = self.nodes + k
            if node.kind:
                continue
            if node.op == rules.LEAF:
                node.kind = CONSTANT
            elif node.op == DO_TAKE:
                node.kind = VARYING     # as each row may have another index, if it is not shared
                for j in range(node.entries, node.entries + node.entry_count):
                    node.differentiable |= self.nodes[self.entries[j]].differentiable
                    if self.nodes[self.entries[j]].kind == VARYING:
                        raise TypeError(
                            "a table to take from must be the same for all rows, and this one depends on a row, or is "
                            "one of numbers that jit was given: give Values. To choose by a number, use sumprod(hot, "
                            "several), with a row of zeros and a one")
                node.steady = self.nodes[node.a].kind != VARYING or self.nodes[node.a].steady
            elif node.op == DO_LOOP:
                self.compile_loop(k)
            elif node.op == LOOP_END:
                pass    # its loop has said what it is
            else:
                node.kind = self.nodes[node.a].kind
                node.differentiable = self.nodes[node.a].differentiable
                if node.b != NONE:
                    node.kind = max(node.kind, self.nodes[node.b].kind)
                    node.differentiable |= self.nodes[node.b].differentiable
                if node.op == rules.STOP or rules.is_comparison(node.op):
                    node.differentiable = 0
                if self.steady is not None and node.kind == VARYING:
                    node.steady = is_steady(self.nodes + node.a) and (
                        node.b == NONE or is_steady(self.nodes + node.b))
                    self.is_inexact |= node.steady and not rows_are_exact(node.op)
            if node.kind == UNIFORM:
                self.new_uniform(k)
            elif node.kind == CONSTANT:     # equal ones are one, so that layers with them can be seen to be the same
                node.uniform = self.constant(node.data)
        return 0

    cdef int32_t constant(self, double number) except -1:
        """The uniform of that number."""
        cdef int32_t uniform = self.constants.setdefault((<char *> &number)[:sizeof(number)], self.uniform_count)
        self.uniform_count += uniform == self.uniform_count
        return uniform

    cdef int compile_loop(self, int32_t k) except -1:
        """Have a program for a step, and say of what the loop leaves what it is."""
        raise NotImplementedError("an Analysis is part of a compiler")

    cdef void new_uniform(self, int32_t k) noexcept:
        self.nodes[k].uniform = self.uniform_count
        self.uniform_count += 1


cdef int refuse(int32_t index) except -1:
    """Raise for what cannot be compiled."""
    cdef Operands operands = tape.operands[index]
    cdef int op = tape.op[index]
    if was_assigned(index):
        raise TraceError(
            "data of a Value made in a function given to vmap is assigned to: what used it before and what did after "
            "cannot be told apart. Make a new Value"
        )
    if is_lost(index):
        raise TraceError(
            "no_grad() inside a function given to vmap: nothing is known of how this was computed. "
            "Use stop_gradient(x)"
        )
    if is_take(index) or is_loop(index) or is_loop_end(index):
        return 0
    if is_of_a_step(index):     # it was kept, and is not what each step has its own of
        write_out()
    if rules.has_edges(op) and op != rules.LOCAL or tape.flags[index] & HOOK:
        raise Untraceable(repr(op_name(index) or "a Value with a _backward of its own"))
    if rules.has_one_operand(op) and not operands.a or rules.has_two_operands(op) and not (operands.a and operands.b):
        raise AttributeError(f"an operand of {op_name(index)!r} in a function given to vmap has no data yet: a Value "
                             "whose __init__ was not called")
    return 0


cdef bint is_steady(const Traced *node) noexcept:
    """Whether it is the same for all rows, or, in a step of a loop, may be."""
    return node.kind != VARYING or node.steady


cdef bint rows_are_exact(int op) noexcept:
    """Whether rows have the same bits as what is computed once for all of them."""
    return (
        op == rules.ADD or op == rules.MUL or op == rules.STOP or op == rules.RELU or op == rules.ABS
        or op == rules.GIVEN or rules.is_choice(op) or rules.is_comparison(op))


cdef int32_t index_of(object output) except -1:
    if not isinstance(output, Value):
        raise TypeError(f"an output must be a Value, not {describe(output)}")
    check_initialised(<Value> output)
    return (<Value> output).index
