"""Reductions: one number made of many of a run, such as their sum, as a Value on the tape.

Knows runs and the tape. Knows nothing of what a batch looks like.

Design
------
A reduction is a NATIVE node over the run's node, and that of the weights' run if those are another's numbers. The edge
points to the C struct in a Reduction, which the node's Value holds. A sweep comes to all reductions before it comes to
the run; each adds to the run's seeds, the adjoints of the outputs: to each number's the node's own, times that number's
weight. So whatever is to be reduced says what its weights are, which are its slopes.
"""

from cpython.ref cimport PyObject
from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free

from micrograd_c._core.mapped.executor cimport new_doubles
from micrograd_c._core.mapped.seeding cimport Part, open_seeds, seeds_of
from micrograd_c._core.tape.arena cimport (
    PUSH_OUT_OF_MEMORY, PUSHED, Edge, Native, Pushed, record_leaf, reserve, reserve_nary, tape,
)
from micrograd_c._core.tape.natives cimport record_native
from micrograd_c._core.tape.pausing cimport paused_here
from micrograd_c._core.tape.rows cimport add_multiples
from micrograd_c._core.value.lifetime cimport hold_all
from micrograd_c._core.value.value cimport Value, bind, new_value

__all__ = ["Reduction"]


cdef Pushed push_reduction(
    Native *native, double *grads, const Edge *edges, int32_t count, double grad, int64_t sweep
) noexcept nogil:
    """The rule of a reduction: adds its share to the run's seeds, and to those of the weights."""
    cdef ReductionState *sum = <ReductionState *> native
    cdef double share = sum.scale * grad
    if sum.part.run != NULL and not open_seeds(sum.part.run, sweep):
        return PUSH_OUT_OF_MEMORY
    if sum.of_weights.run != NULL and not open_seeds(sum.of_weights.run, sweep):
        return PUSH_OUT_OF_MEMORY
    if sum.part.run != NULL:
        add_share(seeds_of(&sum.part), share, sum.weights, sum.part.count)
    if sum.of_weights.run != NULL:
        add_share(seeds_of(&sum.of_weights), share, sum.numbers, sum.part.count)
    return PUSHED


cdef inline void add_share(double *seeds, double share, const double *weights, int64_t count) noexcept nogil:
    cdef int64_t r
    if weights == NULL:
        for r in range(count):
            seeds[r] += share
    else:
        add_multiples(seeds, weights, share, count)


cdef class Reduction:
    """What a reduction's node points to."""

    def __dealloc__(self):
        free(self.state.weights)

    def __reduce__(self):
        raise TypeError("cannot copy or pickle a Reduction of vmap: it is part of a sum's Value")

    cdef double *new_weights(self) except NULL:
        """Room for them, which is to be filled."""
        self.state.weights = new_doubles(self.state.part.count)
        return self.state.weights

    cdef Value as_value(self, double number):
        """The Value of that number, over the nodes of the runs; a leaf if there are none, or under no_grad."""
        cdef Value value = new_value()
        cdef Value first
        cdef Value other = None
        cdef Edge *edge
        if self.node is None and self.weights_node is None or tape.paused and paused_here():
            reserve(&tape, 1)
            bind(value, record_leaf(&tape, number, 0))
            return value
        if self.node is None:
            self.state.part.run = NULL
        else:
            self.run.want_gradients()
        if self.weights_node is None:
            self.state.of_weights.run = NULL
        else:
            self.weights_run.want_gradients()
        first = self.weights_node if self.node is None else self.node
        if self.node is not None and self.weights_node is not None and self.weights_node is not self.node:
            other = self.weights_node
        reserve_nary(&tape, 1, 2)
        edge = tape.edges + tape.edge_top
        edge[0] = Edge(0.0, first.index, 0)
        if other is not None:
            edge[1] = Edge(0.0, other.index, 0)
        bind(value, record_native(&tape, &self.state.native, 1 + (other is not None), number))
        hold_all(value, (self, first) if other is None else (self, first, other))
        return value


cdef Reduction new_reduction(const double *numbers, Part part, double scale):
    """A reduction that is to be told more about: where gradients go, and what weights there are."""
    cdef Reduction reduction = Reduction.__new__(Reduction)
    reduction.state.native.push, reduction.state.owner = push_reduction, <PyObject *> reduction
    reduction.state.numbers, reduction.state.part, reduction.state.scale = numbers, part, scale
    return reduction


# --- what is computed, and its slopes ---

cdef double weighted_sum(const double *numbers, int64_t count, const double *weights, double start) noexcept:
    cdef double total = start
    cdef int64_t r
    if weights == NULL:
        for r in range(count):
            total += numbers[r]
    else:
        for r in range(count):
            total += weights[r] * numbers[r]
    return total


cdef double extreme(const double *numbers, int64_t count, bint largest, double *weights) noexcept:
    """The smallest or the largest, or nan if there is one. Those that are equal to it have equal weights."""
    cdef double best = numbers[0]
    cdef double x
    cdef int64_t equal = 0
    cdef int64_t r
    for r in range(1, count):
        x = numbers[r]
        if (x > best if largest else x < best) or x != x:
            best = x
        if best != best:
            break
    for r in range(count):
        weights[r] = numbers[r] == best or (numbers[r] != numbers[r] and best != best)
        equal += weights[r] != 0.0
    for r in range(count):
        weights[r] /= equal
    return best


cdef double deviation(const double *numbers, int64_t count, double ddof, double *weights) noexcept:
    """The standard deviation. Weights are nan if it is 0, as it has no slope there."""
    cdef double mean = weighted_sum(numbers, count, NULL, 0.0) / count
    cdef double squares = 0.0
    cdef double found
    cdef int64_t r
    for r in range(count):
        weights[r] = numbers[r] - mean
        squares += weights[r] * weights[r]
    found = sqrt(squares / (count - ddof))
    for r in range(count):
        weights[r] /= (count - ddof) * found
    return found
