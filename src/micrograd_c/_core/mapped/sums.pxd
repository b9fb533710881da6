"""Sums of products in a trace, which become layers or one instruction each: part of mapped/analysis.pyx.

A chain is taken apart from its last sum up, as long as each sum and each product has one user. What is left above is
where it starts from.
"""

from libc.stdint cimport int32_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.mapped.analysis cimport NONE, VARYING, Analysis, Dot, Term, Traced


cdef inline int find_dots(Analysis self) except -1:
    """Find sums of products with a uniform factor, with their activations; then those of which all factors vary."""
    cdef Traced *nodes = self.nodes
    cdef int32_t *sums = <int32_t *> self.room(self.count, sizeof(int32_t))
    cdef int32_t *products = <int32_t *> self.room(self.count, sizeof(int32_t))
    cdef int32_t term_count, k
    self.dots = <Dot *> self.room(self.count, sizeof(Dot))
    self.terms = <Term *> self.room(self.count, sizeof(Term))
    term_count = find_chains(self, False, sums, products, 0)
    for k in range(self.count):
        if rules.is_activation(nodes[k].op) and nodes[nodes[k].a].dot != NONE:
            if nodes[nodes[k].a].uses == 1:
                nodes[nodes[k].a].activation = k
                nodes[k].part = 1
    find_chains(self, True, sums, products, term_count)
    return 0


cdef inline int32_t find_chains(
    Analysis self, bint vary, int32_t *sums, int32_t *products, int32_t term_count
) noexcept:
    """Find chains that add products, and of whose sums only the next one is a user. Returns how many terms there are.

    `vary` says that all factors do. There is room in `sums` and `products` for a chain's, from the last one down.
    """
    cdef Traced *nodes = self.nodes
    cdef int32_t k, rest, before, product, count, j
    for k in range(self.count - 1, -1, -1):
        if nodes[k].part or nodes[k].dot != NONE or nodes[k].hopeless and not vary:
            continue
        rest, count = k, 0
        while nodes[rest].op == rules.ADD and nodes[rest].kind == VARYING and nodes[rest].dot == NONE and (
                rest == k or nodes[rest].uses == 1):
            before, product = nodes[rest].a, nodes[rest].b
            if is_term(self, before, vary) and not is_term(self, product, vary):
                before, product = product, before
            if not is_term(self, product, vary):
                break
            sums[count], products[count] = rest, product
            count += 1
            rest = before
        if count < 2:
            for j in range(count):      # no dot ends at the sums before it either
                nodes[sums[j]].hopeless = 1
            continue
        nodes[k].dot = self.dot_count
        self.dots[self.dot_count] = Dot(start=rest, terms=term_count, count=count, sum=k, varies=vary)
        self.dot_count += 1
        for j in range(count - 1, -1, -1):
            nodes[sums[j]].part = nodes[products[j]].part = 1
            self.terms[term_count] = factors(self, products[j])
            term_count += 1
    return term_count


cdef inline bint is_term(Analysis self, int32_t k, bint vary) noexcept:
    """Whether it is a product with no more than one user, both of whose factors vary, or, if not `vary`, one."""
    cdef Traced *node = self.nodes + k
    if node.op != rules.MUL or node.kind != VARYING or node.uses > 1 or node.part:
        return False
    return ((self.nodes[node.a].kind == VARYING) == (self.nodes[node.b].kind == VARYING)) == vary


cdef inline Term factors(Analysis self, int32_t k) noexcept:
    """The uniform one first, if there is one."""
    cdef Traced *node = self.nodes + k
    return Term(node.b, node.a) if self.nodes[node.a].kind == VARYING else Term(node.a, node.b)
