"""Grouping: which steps of a trace do the same with other numbers, and in what order groups of them can be done.

Knows what the compiler of vmap has found. Knows nothing of lanes, slots or instructions.

Design
------
As in dynamic batching (Neubig, Goldberg, Dyer 2017, "On-the-fly operation batching in dynamic computation graphs"): of
all kinds of steps that are ready, that of the smallest mean depth is next, with all of its ready steps. Depths are
compared within a phase, which a layer ends: sequences do the same at each place from layer to layer, and chains of
other lengths in between. A step's kind, for this, includes roughly what kinds of steps made its operands.

A Grouping owns Python lists, which never change once it is made. Its Compiler must not change either.
"""

import heapq

from cpython.mem cimport PyMem_Free
from libc.stdint cimport int32_t

from micrograd_c._core.mapped.analysis cimport NONE, VARYING, Step, Traced
from micrograd_c._core.mapped.lowering cimport Compiler
from micrograd_c._core.mapped.program cimport DO_LAYER, DO_PRODUCTS, DO_TAKE, allocate
cimport micrograd_c._core.ops.rules as rules

cdef enum:
    SIDE_BY_SIDE = 2    # so many steps for each of the longest chain are worth looking at
    SHARED = 4          # so many steps with the same uniform operand are a kind of their own
    EACH_ITS_OWN = -2   # in place of a uniform's number in a kind: each step has its own


cdef class Grouping:
    """See mapped/grouping.pxd."""

    def __reduce__(self):
        raise TypeError("cannot copy or pickle a Grouping, which is of one trace of vmap")

    cdef int begin(self, Compiler source) except -1:
        """Find all groups."""
        self.source = source
        self.find_reads()
        self.find_reached()
        self.find_kinds()
        self.find_groups()
        return 0

    # --- kinds of steps ---

    cdef int find_kinds(self) except -1:
        """Find which steps do the same, so that they may be in one pack."""
        cdef Step *steps = self.source.steps
        cdef int32_t k, j
        cdef dict numbers = {}
        cdef list exact
        exact = [self.kind_of(k, True) for k in range(self.source.step_count)]
        counts = {}
        for kind in exact:
            counts[kind] = counts.get(kind, 0) + 1
        self.kinds = []
        for k, kind in enumerate(exact):
            if counts[kind] < SHARED:
                kind = self.kind_of(k, False)
            self.kinds.append(numbers.setdefault(kind, len(numbers)))
        self.contexts = []
        phases = []
        for k in range(self.source.step_count):
            makers = self.makers[k]
            phases.append(max([phases[j] for j in makers if j != NONE], default=0) + (steps[k].layer != NONE))
            self.contexts.append((phases[k], self.kinds[k], frozenset([self.rough_kind(j) for j in makers])))
        return 0

    cdef int find_reads(self) except -1:
        """List what steps read, and who makes that."""
        cdef Step *step
        cdef int32_t k, j
        cdef list maker = [NONE] * self.source.count    # by node
        self.reads, self.makers = [], []
        for k in range(self.source.step_count):
            step = self.source.steps + k
            self.reads.append([self.source.reads[j] for j in range(step.reads, step.reads + step.read_count)])
            self.makers.append({maker[j] for j in <list> self.reads[k]})
            for j in range(step.outs, step.outs + step.out_count):
                maker[self.source.outs[j]] = k
        return 0

    cdef int find_reached(self) except -1:
        """Find the nodes that a gradient comes to, from the last step up."""
        cdef Step *step
        cdef int32_t k, j
        self.reached = [False] * self.source.count
        for k in self.source.outputs:
            self.reached[k] = bool(self.source.nodes[k].differentiable)
        for k in range(self.source.step_count - 1, -1, -1):
            step = self.source.steps + k
            if True in [self.reached[self.source.outs[j]] for j in range(step.outs, step.outs + step.out_count)]:
                for j in <list> self.reads[k]:
                    self.reached[j] = self.reached[j] or bool(self.source.nodes[j].differentiable)
        return 0

    cdef tuple kind_of(self, int32_t k, bint exact):
        """What steps of one pack have in common. Not `exact`: a uniform operand may be each step's own."""
        cdef Step *step = self.source.steps + k
        cdef Traced *node = self.source.nodes + self.source.outs[step.outs]
        cdef int32_t j
        gradients = tuple([self.reached[self.source.outs[j]] for j in range(step.outs, step.outs + step.out_count)] +
                          [self.reached[j] for j in <list> self.reads[k]])
        if step.layer != NONE:
            return (<int> DO_LAYER, step.use, step.start_count > 0, self.source.activation_of(step), gradients)
        if step.products != NONE:
            return (<int> DO_PRODUCTS, self.operand_kind(self.source.dots[step.products].start, exact), gradients)
        if node.op == DO_TAKE:
            return node.op, step.use, self.operand_kind(node.a, True), gradients
        exact = exact or node.op == rules.POWER     # whose number is read apart from lanes
        return node.op, self.operand_kind(node.a, exact), self.operand_kind(node.b, exact), gradients

    cdef object rough_kind(self, int32_t k):
        """What a step does, whatever its operands are like."""
        cdef Step *step = self.source.steps + k
        if k == NONE:
            return NONE
        if step.layer != NONE:
            return -2 - step.use
        return <int> DO_PRODUCTS if step.products != NONE else self.source.nodes[self.source.outs[step.outs]].op

    cdef object operand_kind(self, int32_t k, bint exact):
        if k == NONE:
            return None
        if self.source.nodes[k].kind == VARYING:
            return NONE
        return (self.source.nodes[k].uniform if exact else <int> EACH_ITS_OWN), self.source.nodes[k].differentiable

    # --- the order of groups ---

    cdef int find_groups(self) except -1:
        """List groups of steps that are ready, until there is no step left."""
        cdef int32_t count = self.source.step_count
        cdef int32_t k, user
        cdef list depths = [0] * count
        cdef list waits_for = [0] * count
        cdef list users = [[] for _ in range(count)]
        cdef dict ready = {}        # by context
        cdef dict sums = {}         # likewise: of depths, and how many
        cdef list heap = []
        self.groups = []
        for k in range(count):
            for maker in <set> self.makers[k]:
                if maker != NONE:
                    depths[k] = max(depths[k], depths[maker] + 1)
                    waits_for[k] += 1
                    (<list> users[maker]).append(k)
            total, number = sums.get(self.contexts[k], (0, 0))
            sums[self.contexts[k]] = total + depths[k], number + 1
        for k in range(count):
            if not waits_for[k]:
                self.add_ready(k, ready, sums, heap)
        while heap:
            _, _, k = heapq.heappop(heap)
            together = ready.pop(self.contexts[k])
            self.groups.append(together)
            for k in together:
                for user in <list> users[k]:
                    waits_for[user] -= 1
                    if not waits_for[user]:
                        self.add_ready(user, ready, sums, heap)
        return 0

    cdef int add_ready(self, int32_t k, dict ready, dict sums, list heap) except -1:
        context = self.contexts[k]
        if context not in ready:
            ready[context] = []
            total, number = sums[context]
            heapq.heappush(heap, (context[0], total / number, k))
        (<list> ready[context]).append(k)
        return 0


cdef bint has_side_by_side(Compiler source) except -1:
    """Whether steps are many for the longest chain of them: looking for packs takes longer than tracing."""
    cdef int32_t *depths = <int32_t *> allocate(source.count, sizeof(int32_t))     # by node
    cdef int32_t deepest = 0
    cdef int32_t depth, k, j
    cdef Step *step
    for k in range(source.step_count):
        step = source.steps + k
        depth = 0
        for j in range(step.reads, step.reads + step.read_count):
            depth = max(depth, depths[source.reads[j]])
        deepest = max(deepest, depth + 1)
        for j in range(step.outs, step.outs + step.out_count):
            depths[source.outs[j]] = depth + 1
    PyMem_Free(depths)
    return source.step_count >= SIDE_BY_SIDE * deepest
