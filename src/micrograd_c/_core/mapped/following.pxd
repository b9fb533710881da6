"""What a backward pass gives to whom, and which part of a layer it runs. Part of mapped/program.pyx, see `follow`."""

from libc.stdint cimport int32_t
from libc.string cimport memset

from micrograd_c._core.mapped.program cimport A_UNIFORM, Backward, Gather, Instruction, Layer, Products


cdef inline bint give(Backward *b, int32_t to, bint uniform) noexcept nogil:
    """A gradient goes to an adjoint slot, a use of a uniform, or nobody. True if it is the first that a slot gets."""
    cdef bint first
    if to < 0:
        return False
    if uniform:
        b.busy[to] = 1
        return False
    first = not b.given[to]
    b.given[to] = 1
    return first


cdef inline int32_t stretch(Backward *b, const Layer *whole, int32_t first) noexcept nogil:
    """How many outputs of the layer, from `first` on and without a gap, a gradient comes to.

    The uses of all of them, or of none, have got something from other layers.
    """
    cdef int32_t end = first
    while (end < whole.outputs and whole.adjoint_out[end] >= 0 and b.given[whole.adjoint_out[end]]
            and are_busy(b, whole, end) == are_busy(b, whole, first)):
        end += 1
    return end - first


cdef inline int are_busy(Backward *b, const Layer *whole, int32_t output) noexcept nogil:
    """Whether an output's weights have got something, and, as another bit, its bias."""
    cdef int found = 0
    if whole.wants_weights:
        found = b.busy[whole.weights + output * whole.inputs]
    if whole.wants_biases:
        found |= b.busy[whole.biases + output] << 1
    return found


cdef inline void add_stretch(
    Backward *b, const Layer *whole, int32_t first, Layer *layer, int32_t *first_in, int32_t *first_starts
) noexcept nogil:
    """Make a layer of those outputs, `layer.outputs` in number. Its starts get their adjoints before its inputs do."""
    cdef int32_t count = layer.outputs
    cdef int32_t j
    layer[0] = whole[0]
    layer.outputs = count
    layer.weights += first * whole.inputs
    layer.biases += first
    layer.out, layer.adjoint_out, layer.first_in = whole.out + first, whole.adjoint_out + first, first_in
    if whole.wants_weights:
        add_weights(b, whole, layer)
    if whole.wants_biases:
        layer.adds_biases = b.busy[layer.biases]
        memset(b.busy + layer.biases, 1, count)
    if whole.starts != NULL:
        layer.starts, layer.adjoint_starts = whole.starts + first, whole.adjoint_starts + first
        layer.first_starts = first_starts
        for j in range(count):
            first_starts[j] = give(b, layer.adjoint_starts[j], False)
    if first_in != b.not_first:
        for j in range(whole.inputs):
            first_in[j] = give(b, whole.adjoint_in[j], False)


cdef inline void add_weights(Backward *b, const Layer *whole, Layer *layer) noexcept nogil:
    """Have the weights' gradients of this stretch summed together with those of the same stretch in another layer.

    They are summed when the last one is run. Others add to what is there, for which it must be complete: nobody joins
    any more.
    """
    cdef Layer *other = b.latest[layer.weights]
    cdef int32_t k
    layer.adds_weights, layer.others = b.busy[layer.weights], NULL
    if other != NULL and other.group == layer.group and other.outputs == layer.outputs:
        layer.adds_weights, layer.others = other.adds_weights, other
        other.wants_weights = 0
    elif layer.adds_weights:
        for k in range(whole.outputs):
            b.latest[whole.weights + k * whole.inputs] = NULL
    if layer.group:
        b.latest[layer.weights] = layer
    memset(b.busy + layer.weights, 1, <size_t> layer.outputs * layer.inputs)


cdef inline void add_products(Backward *b, Products *products, int32_t *first) noexcept nogil:
    cdef int32_t count = products.count
    cdef int32_t k
    products.first_a, products.first_b = first, first + count
    for k in range(count):
        first[k] = give(b, products.adjoint_a[k], False)
        first[count + k] = give(b, products.adjoint_b[k], False)


cdef inline void add_gather(Backward *b, const Instruction *it, Gather *gather, int32_t *first) noexcept nogil:
    cdef int32_t k
    gather.first = first
    for k in range(gather.count):
        first[k] = give(b, gather.to[k], False)
    if it.flags & A_UNIFORM:
        for k in range(it.lanes):
            b.busy[gather.from_[k]] = 1
