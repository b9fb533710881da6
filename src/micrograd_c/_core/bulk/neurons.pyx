"""Layers: the nodes of many neurons recorded in one call, with handles only for the outputs.

Knows Value and the tape. Knows of nn only the classes it has been told to recognise.

Design
------
Nothing is owned. The nodes are exactly those of micrograd's `sum((wi * xi for wi, xi in zip(w, x)), b)`, in its order.
Nobody must be able to tell the difference: where a user's code could have a say (a subclass, a replaced operator, relu
or __call__) the neuron is computed through Python instead. If that is found out in the middle of recording, lowering
the top again undoes it, since no node has been given a handle yet.
"""

from micrograd_c._core.bulk.linear import sumprod

from cpython.ref cimport PyObject
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free

from micrograd_c._core.bulk.activations cimport activations_are_ours, record_activation
from micrograd_c._core.bulk.products cimport (
    CONSECUTIVE_DOTS, DOTS, NODES, Form, Input, PyList_GET_ITEM, PyList_GET_SIZE, are_numbers, as_inputs, bind_outputs,
    consecutive_inputs, consecutive_weights, find_inputs, have_nodes, hold_operands, is_value, node_as_input,
    read_inputs, record_consecutive_dot, record_dot, record_four_dots, record_numbers, record_products,
)
from micrograd_c._core.ops.memory cimport new_array
from micrograd_c._core.tape.arena cimport NUMBERS, ODD, PRODUCT, Tape, lower_top, reserve, reserve_nary, tape
from micrograd_c._core.value.type_version cimport is_version, version_of
from micrograd_c._core.value.value cimport Value, new_value, operators_are_ours

cdef extern from "Python.h":
    PyObject *Py_True
    PyObject *Py_False
    object PyObject_GenericGetDict(object one, void *context)
    Py_ssize_t PyDict_GET_SIZE(object dictionary)

cdef extern from *:
    """
    #include "structmember.h"   /* PyMemberDef, before CPython 3.12 */
    /* A slot of a Python class, read as CPython's own member descriptor reads it. */
    static Py_ssize_t micrograd_c_slot_offset(PyObject *descriptor) {
        if (!Py_IS_TYPE(descriptor, &PyMemberDescr_Type)) return -1;
        return ((PyMemberDescrObject *)descriptor)->d_member->offset;
    }
    """
    Py_ssize_t slot_offset "micrograd_c_slot_offset"(object descriptor)

cdef enum:
    AT_ONCE = 4     # neurons

cdef type neuron_class = None
cdef type layer_class = None
cdef object neuron_call = None
cdef object neuron_parameters = None
cdef object layer_call = None
cdef unsigned int neuron_version, layer_version

cdef Py_ssize_t w_offset, b_offset, nonlin_offset, activation_offset


def recognise(type neuron, type layer):
    """Learn which classes are micrograd's Neuron, which has slots w, b, nonlin and _activation, and Layer.

    Their __call__ must do what `neuron` and `layer` here do, and Neuron's parameters() return [*w, b].
    """
    global neuron_class, layer_class, neuron_call, neuron_parameters, layer_call
    global w_offset, b_offset, nonlin_offset, activation_offset
    w_offset, b_offset, nonlin_offset, activation_offset = [
        slot_offset(getattr(neuron, name)) for name in ("w", "b", "nonlin", "_activation")
    ]
    neuron_class = neuron
    layer_class = layer
    neuron_call = neuron.__call__
    neuron_parameters = neuron.parameters
    layer_call = layer.__call__


def neuron(unit, x):
    """One neuron's output: b + w[0] * x[0] + w[1] * x[1] + ..., or its activation of that if nonlin.

    Raises ValueError if x does not have as many entries as w.
    """
    cdef list inputs = as_inputs(x, "x")
    outputs = record_layers([[unit]], inputs)
    if outputs is not None:
        return outputs[0]
    weights = list(unit.w)
    check_length(len(weights), len(inputs))
    total = sumprod(weights, inputs, unit.b)
    if not unit.nonlin:
        return total
    activation = neuron_class.activation.__get__(unit)  # a subclass may mean something else by the name
    if isinstance(activation, str) and activation == "linear":
        return total
    return activation(total) if callable(activation) else getattr(total, activation)()


def layer(neurons, x):
    """The list of all neurons' outputs for the same inputs x."""
    cdef list inputs = as_inputs(x, "x")
    if type(neurons) is list and neurons_are_ours():
        outputs = record_layers([neurons], inputs)
        if outputs is not None:
            return outputs
    if not hasattr(x, "__len__"):
        x = inputs      # every neuron needs it, and it may be readable only once
    return [unit(x) for unit in neurons]


def network(layers, x):
    """Layer after layer, each fed with the outputs of the one before; a single output as it is."""
    cdef list stages
    if type(layers) is list and neurons_are_ours() and layers_are_ours():
        stages = []
        for one in layers:
            if type(one) is not layer_class or type(one.neurons) is not list:
                break
            stages.append(one.neurons)
        else:
            outputs = record_layers(stages, as_inputs(x, "x"))
            if outputs is not None:
                return outputs[0] if len(outputs) == 1 else outputs
    for i, one in enumerate(layers):
        # a layer of one neuron gives its output as it is, not as a sequence
        x = one([x] if i and isinstance(x, Value) and isinstance(one, layer_class) else x)
    return x


def parameters(neurons):
    """All neurons' parameters in order, as their parameters() return them."""
    cdef list found = []
    cdef bint ours
    for unit in neurons:
        ours = type(unit) is neuron_class and neurons_are_ours()
        # parameters on the neuron itself would come before its class's
        ours = ours and not PyDict_GET_SIZE(PyObject_GenericGetDict(unit, NULL))
        if not ours or not add_parameters(found, <PyObject *> unit):
            found += unit.parameters()
    return found


cdef bint add_parameters(list found, PyObject *unit) except -1:
    """Add those of one of our neurons. False, with none added, if w is not a list, or if w or b is missing."""
    cdef PyObject *weights = slot(unit, w_offset)
    cdef PyObject *b = slot(unit, b_offset)
    cdef Py_ssize_t i
    if weights == NULL or type(<object> weights) is not list or b == NULL:
        return False
    for i in range(PyList_GET_SIZE(weights)):
        found.append(<object> PyList_GET_ITEM(weights, i))
    found.append(<object> b)
    return True


cdef int check_length(Py_ssize_t weights, Py_ssize_t inputs) except -1:
    if weights != inputs:
        raise ValueError(
            f"a neuron with {weights} {'weight' if weights == 1 else 'weights'} was given {inputs} "
            f"{'input' if inputs == 1 else 'inputs'}"
        )
    return 0


cdef bint neurons_are_ours() except -1:
    global neuron_version
    if is_version(neuron_class, neuron_version):
        return True
    cdef bint ours = neuron_class.__call__ is neuron_call and neuron_class.parameters is neuron_parameters
    neuron_version = version_of(neuron_class) if ours else 0
    return ours


cdef bint layers_are_ours() except -1:
    global layer_version
    if is_version(layer_class, layer_version):
        return True
    layer_version = version_of(layer_class) if layer_class.__call__ is layer_call else 0
    return layer_class.__call__ is layer_call


cdef list record_layers(list stages, list x):
    """The last layer's outputs, or None if Python code might have a say in any neuron. A stage is a list of neurons."""
    cdef Py_ssize_t widest, width, count
    cdef Py_ssize_t nodes = 0
    cdef Py_ssize_t dots        # nodes of dots, and of what a first layer has besides
    cdef Py_ssize_t edges = 0
    cdef bint mixed                     # Values and numbers cannot be the inputs of a dot
    cdef bint plain = True
    cdef list neurons, outputs, operands
    cdef Input *inputs
    cdef bint done = False
    if not stages or not operators_are_ours() or not activations_are_ours():
        return None
    # first: making Values may run Python's collector, and so code that changes the lists
    neurons = stages[len(stages) - 1]
    outputs = [new_value() for _ in range(len(neurons))]
    widest = width = dots = len(x)
    mixed = 0 < count_values(x) < width
    for neurons in stages:
        count = len(neurons)
        if not count or not width:
            return None
        nodes += count * (3 * width + 1)
        dots += count if width > 1 and not mixed else count * (3 * width + 1)
        edges += count * (width + PRODUCT)
        mixed = False
        width = count
        widest = max(widest, width)
    if width != len(outputs):
        return None
    inputs = <Input *> new_array(2 * <size_t> widest, sizeof(Input))
    if inputs == NULL:
        raise MemoryError(f"no memory for {widest} inputs")
    try:
        # from a reserve to bind no Python code runs, so borrowed pointers and indexes stay good
        if tape.pins == 0:
            if not read_inputs(<PyObject *> x, len(x), inputs, &plain):
                return None
            reserve_nary(&tape, dots, dots * PRODUCT)
            done = record_stages(
                &tape, stages, inputs, widest, len(x), <PyObject *> outputs, CONSECUTIVE_DOTS, &plain)
            if not done:
                reserve_nary(&tape, dots, edges)
                read_inputs(<PyObject *> x, len(x), inputs, &plain)     # again: outputs were written over them
                done = record_stages(&tape, stages, inputs, widest, len(x), <PyObject *> outputs, DOTS, &plain)
        if not done:
            if not read_inputs(<PyObject *> x, len(x), inputs, &plain):
                return None
            reserve(&tape, nodes)
            done = record_stages(&tape, stages, inputs, widest, len(x), <PyObject *> outputs, NODES, &plain)
    finally:
        free(inputs)
    if not done:
        return None
    if not plain:
        operands = list(x)
        for neurons in stages:
            for unit in neurons:
                operands += [*unit.w, unit.b]
        hold_operands(outputs, operands)
    return outputs


cdef Py_ssize_t count_values(list x) noexcept:
    cdef Py_ssize_t count = 0
    cdef Py_ssize_t i
    for i in range(PyList_GET_SIZE(<PyObject *> x)):
        count += is_value(PyList_GET_ITEM(<PyObject *> x, i))
    return count


cdef bint record_stages(
    Tape *t, list stages, Input *inputs, Py_ssize_t widest, Py_ssize_t width, PyObject *outputs, Form form, bint *plain
) noexcept:
    """Record all layers and bind the last one's outputs, or record nothing and return False."""
    cdef int32_t start = t.top
    cdef int32_t edge_start = t.edge_top
    cdef Input *before = inputs
    cdef Input *after = inputs + widest
    cdef PyObject *neurons
    cdef Py_ssize_t k
    cdef uint8_t state = 0
    cdef bint as_dots
    find_inputs(t, before, width)
    if form != NODES and width > 1 and are_numbers(before, width):
        record_numbers(t, before, width)
        state = NUMBERS
    for k in range(PyList_GET_SIZE(<PyObject *> stages)):
        neurons = PyList_GET_ITEM(<PyObject *> stages, k)
        as_dots = form != NODES and width > 1 and have_nodes(before, width)
        if not as_dots or not record_consecutive_layer(t, neurons, before, width, state, after):
            if form == CONSECUTIVE_DOTS and width > 1 or not record_layer(
                    t, neurons, before, width, as_dots, state, after, plain):
                lower_top(t, start, edge_start)
                return False
        state = 0
        width = PyList_GET_SIZE(neurons)
        before, after = after, before
    bind_outputs(t, start, edge_start, outputs, before)
    return True


cdef bint record_consecutive_layer(
    Tape *t, PyObject *neurons, Input *inputs, Py_ssize_t width, uint8_t state, Input *outputs
) noexcept:
    """Record a layer as dots, if inputs and parameters are plain Values one after the other, as Neuron makes them.

    Otherwise record nothing and return False.
    """
    cdef int32_t start = t.top
    cdef int32_t edge_start = t.edge_top
    cdef int32_t x = consecutive_inputs(inputs, width)
    cdef Py_ssize_t count = PyList_GET_SIZE(neurons)
    cdef Py_ssize_t i = 0
    if x:
        while i + AT_ONCE <= count and record_neurons(t, neurons, i, AT_ONCE, x, width, state, outputs):
            i += AT_ONCE
        while i < count and record_neurons(t, neurons, i, 1, x, width, state, outputs):
            i += 1
    if i < count:
        lower_top(t, start, edge_start)
    return i == count


cdef inline bint record_neurons(
    Tape *t, PyObject *neurons, Py_ssize_t first, Py_ssize_t count, int32_t x, Py_ssize_t width, uint8_t state,
    Input *outputs
) noexcept:
    """Record 1 or AT_ONCE of a layer's neurons as dots; False if one is not as record_consecutive_layer needs it."""
    cdef int32_t w[AT_ONCE]
    cdef int32_t dots[AT_ONCE]
    cdef PyObject *unit
    cdef PyObject *nonlin
    cdef Py_ssize_t k
    for k in range(count):
        w[k] = consecutive_parameters(t, PyList_GET_ITEM(neurons, first + k), width)
        if not w[k]:
            return False
    if count == AT_ONCE:
        if not record_four_dots(t, w, x, width, state, dots):
            return False
    else:
        dots[0] = record_consecutive_dot(t, w[0], x, width, w[0] + <int32_t> width, state)
        if not dots[0]:
            return False
    for k in range(count):
        unit = PyList_GET_ITEM(neurons, first + k)
        nonlin = slot(unit, nonlin_offset)
        if nonlin == Py_True:
            if not record_activation(t, dots[k], slot(unit, activation_offset)):
                return False
        elif nonlin != Py_False:
            return False
        outputs[first + k] = node_as_input(t, dots[k])
    return True


cdef inline int32_t consecutive_parameters(Tape *t, PyObject *unit, Py_ssize_t width) noexcept:
    """The node of a neuron's first weight if those of the others and of the bias follow it one by one; else 0."""
    cdef PyObject *weights
    cdef PyObject *b
    cdef int32_t w
    if type(<object> unit) is not neuron_class:
        return 0
    weights = slot(unit, w_offset)
    b = slot(unit, b_offset)
    if weights == NULL or type(<object> weights) is not list or PyList_GET_SIZE(weights) != width or b == NULL:
        return 0
    w = consecutive_weights(t, weights, width)
    return 0 if t.handles[w + width] != b or t.flags[w + width] & ODD else w


cdef bint record_layer(
    Tape *t, PyObject *neurons, Input *inputs, Py_ssize_t width, bint as_dots, uint8_t state, Input *outputs,
    bint *plain
) noexcept:
    """Record any layer; False if Python code might have a say in a neuron or the lengths do not fit."""
    cdef int32_t end
    cdef Py_ssize_t i
    for i in range(PyList_GET_SIZE(neurons)):
        end = record_neuron(t, PyList_GET_ITEM(neurons, i), inputs, width, as_dots, state, plain)
        if not end:
            return False
        outputs[i] = node_as_input(t, end)
    return True


cdef int32_t record_neuron(
    Tape *t, PyObject *unit, Input *inputs, Py_ssize_t width, bint as_dot, uint8_t state, bint *plain
) noexcept:
    """Record a neuron. Returns its last node, or 0 if Python code might have a say in it or the lengths do not fit."""
    cdef int32_t sum
    cdef PyObject *weights
    cdef PyObject *b
    cdef PyObject *nonlin
    if type(<object> unit) is not neuron_class:
        return 0
    weights = slot(unit, w_offset)
    b = slot(unit, b_offset)
    nonlin = slot(unit, nonlin_offset)
    if weights == NULL or type(<object> weights) is not list or PyList_GET_SIZE(weights) != width:
        return 0
    if b == NULL or not is_value(b) or not (<Value> b).index:
        return 0
    plain[0] &= (<Value> b).plain
    if as_dot:
        sum = record_dot(t, weights, inputs, width, (<Value> b).index, state, plain)
    else:
        sum = record_products(t, weights, inputs, width, node_as_input(t, (<Value> b).index), plain)
    if not sum or nonlin == Py_False:
        return sum
    return record_activation(t, sum, slot(unit, activation_offset)) if nonlin == Py_True else 0


cdef inline PyObject *slot(PyObject *unit, Py_ssize_t offset) noexcept:
    return (<PyObject **> (<char *> unit + offset))[0]
