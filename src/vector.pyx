"""Layers: the nodes of many neurons recorded in one call, with handles only for the outputs.

Knows Value and the tape. Knows of nn only the class it has been told to recognise.

Design
------
Nothing is owned. The nodes are exactly those of micrograd's `sum((wi * xi for wi, xi in zip(w, x)), b)`, in its order.
Nobody may be able to tell: where a user's code could have a say (a subclass, a replaced operator, relu or __call__) the
neuron is computed through Python instead. What is found out in the middle of recording is undone by lowering the top
again, since no node has been given a handle yet.
"""

from cpython.ref cimport PyObject
from libc.stdint cimport int32_t
from libc.stdlib cimport free, malloc

from micrograd_c cimport rules
from micrograd_c.engine cimport Value, bind, new_value, operators_are_ours
from micrograd_c.numbers cimport Number, read_exact_number
from micrograd_c.state cimport as_plain_number, describe, held_by, hold_all, keeps_itself
from micrograd_c.tape cimport (
    DATA_INT, LEAF_NODE, Node, Tape, paused_here, record_leaf, reserve, settle, tape, write, write_relu,
)

cdef extern from "Python.h":
    # as cpython.list has them, but borrowed
    PyObject *PyList_GET_ITEM(PyObject *list, Py_ssize_t i)
    Py_ssize_t PyList_GET_SIZE(PyObject *list)
    PyObject *Py_True
    PyObject *Py_False

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

cdef struct Input:
    PyObject *value     # borrowed from the list of inputs; NULL for a number
    Number number       # its data
    int32_t index       # its node; 0 for a number, of which every product records a leaf, as in micrograd

cdef type neuron_class = None
cdef type layer_class = None
cdef object neuron_call = None
cdef object layer_call = None
cdef object value_relu = Value.relu
cdef Py_ssize_t w_offset, b_offset, nonlin_offset


def recognise(type neuron, type layer):
    """Tell which classes are micrograd's Neuron, one with slots w, b and nonlin, and Layer, one with neurons.

    Their __call__ must do what `neuron` and `layer` here do.
    """
    global neuron_class, layer_class, neuron_call, layer_call, w_offset, b_offset, nonlin_offset
    w_offset, b_offset, nonlin_offset = [slot_offset(getattr(neuron, name)) for name in ("w", "b", "nonlin")]
    neuron_class = neuron
    layer_class = layer
    neuron_call = neuron.__call__
    layer_call = layer.__call__


def neuron(unit, x):
    """One neuron's output: b + w[0] * x[0] + w[1] * x[1] + ..., and relu of it if nonlin.

    Raises ValueError if x has not as many entries as w.
    """
    cdef list inputs = as_inputs(x)
    outputs = record_layers([[unit]], inputs)
    if outputs is not None:
        return outputs[0]
    weights = list(unit.w)
    check_length(len(weights), len(inputs))
    activation = unit.b
    for wi, xi in zip(weights, inputs):
        activation = activation + wi * xi
    return activation.relu() if unit.nonlin else activation


def layer(neurons, x):
    """The list of all neurons' outputs for the same inputs x."""
    cdef list inputs = as_inputs(x)
    if type(neurons) is list and neuron_class.__call__ is neuron_call:
        outputs = record_layers([neurons], inputs)
        if outputs is not None:
            return outputs
    if not hasattr(x, "__len__"):
        x = inputs      # what can be read only once is wanted by every neuron
    return [unit(x) for unit in neurons]


def network(layers, x):
    """Layer after layer, each fed with the outputs of the one before; a single output as it is."""
    cdef list stages
    if type(layers) is list and neuron_class.__call__ is neuron_call and layer_class.__call__ is layer_call:
        stages = []
        for one in layers:
            if type(one) is not layer_class or type(one.neurons) is not list:
                break
            stages.append(one.neurons)
        else:
            outputs = record_layers(stages, as_inputs(x))
            if outputs is not None:
                return outputs[0] if len(outputs) == 1 else outputs
    for i, one in enumerate(layers):
        # a layer of one neuron gives its output as it is, which is no sequence
        x = one([x] if i and isinstance(x, Value) and isinstance(one, layer_class) else x)
    return x


cdef list as_inputs(object x):
    """x as a list of which every number is a Python float or int."""
    cdef Number number
    cdef list inputs
    if type(x) is list:
        inputs = <list> x
    else:
        try:
            inputs = list(x)
        except TypeError:
            raise TypeError(f"x must be a sequence of numbers or Values, not {describe(x)}") from None
    for one in inputs:
        if not isinstance(one, Value) and not read_exact_number(one, &number):
            return [as_plain_number(one) for one in inputs]
    return inputs


cdef int check_length(Py_ssize_t weights, Py_ssize_t inputs) except -1:
    if weights != inputs:
        raise ValueError(
            f"a neuron with {weights} {'weight' if weights == 1 else 'weights'} was given {inputs} "
            f"{'input' if inputs == 1 else 'inputs'}"
        )
    return 0


cdef list record_layers(list stages, list x):
    """The last layer's outputs, or None if Python code might have a say in any neuron. A stage is a list of neurons."""
    cdef Py_ssize_t widest, width
    cdef Py_ssize_t nodes = 0
    cdef bint plain = True
    cdef list neurons, outputs
    cdef Input *inputs
    cdef bint done
    if not stages or not operators_are_ours() or Value.relu is not value_relu:
        return None
    # first: making Values may run Python's collector, and so code that changes the lists
    neurons = stages[len(stages) - 1]
    outputs = [new_value() for _ in range(len(neurons))]
    widest = width = len(x)
    for neurons in stages:
        if not neurons or not width:
            return None
        nodes += len(neurons) * (3 * width + 1)
        width = len(neurons)
        widest = max(widest, width)
    if width != len(outputs):
        return None
    inputs = <Input *> malloc(2 * widest * sizeof(Input))
    if inputs == NULL:
        raise MemoryError(f"no memory for {widest} inputs")
    try:
        if not read_inputs(<PyObject *> x, len(x), inputs, &plain):
            return None
        reserve(&tape, nodes)
        # from here to bind no Python code runs, so borrowed pointers and indexes stay good
        done = record_stages(&tape, stages, inputs, widest, len(x), <PyObject *> outputs, &plain)
    finally:
        free(inputs)
    if not done:
        return None
    if not plain:
        hold_operands(outputs, stages, x)
    return outputs


cdef int hold_operands(list outputs, list stages, list x) except -1:
    """`hold` for all operands of all neurons at once."""
    cdef list operands = [one for one in x if isinstance(one, Value)]
    cdef list held = []
    cdef Value operand
    for neurons in stages:
        for unit in neurons:
            operands += unit.w
            operands.append(unit.b)
    for operand in operands:
        if not operand.plain:
            held.append(operand if keeps_itself(operand) else held_by(operand))
    together = tuple(held)
    for output in outputs:
        hold_all(output, together)
    return 0


cdef bint record_stages(
    Tape *t, list stages, Input *inputs, Py_ssize_t widest, Py_ssize_t width, PyObject *outputs, bint *plain
) noexcept:
    """Record all layers and bind the last one's outputs, or record nothing and return False."""
    cdef int32_t start = t.top
    cdef int32_t end
    cdef Input *before = inputs
    cdef Input *after = inputs + widest
    cdef PyObject *neurons
    cdef Py_ssize_t i, k
    find_inputs(t, before, width)
    for k in range(PyList_GET_SIZE(<PyObject *> stages)):
        neurons = PyList_GET_ITEM(<PyObject *> stages, k)
        for i in range(PyList_GET_SIZE(neurons)):
            end = record_neuron(t, PyList_GET_ITEM(neurons, i), before, width, plain)
            if not end:
                t.top = start
                return False
            after[i].index = end
            after[i].number = Number(t.nodes[end].data, t.nodes[end].flags & DATA_INT)
        width = PyList_GET_SIZE(neurons)
        before, after = after, before
    if t.paused and paused_here():
        t.top = start
        for i in range(width):
            before[i].index = record_leaf(t, before[i].number.value, before[i].number.is_int)
    for i in range(width):
        bind(<Value> PyList_GET_ITEM(outputs, i), before[i].index)
    return True


cdef inline bint read_inputs(PyObject *x, Py_ssize_t width, Input *inputs, bint *plain) except -1:
    """False if an input is neither exactly a Value nor a number that can be read without running Python code."""
    cdef PyObject *one
    cdef Py_ssize_t i
    for i in range(width):
        one = PyList_GET_ITEM(x, i)
        inputs[i].value = NULL
        if is_value(one):
            if not (<Value> one).index:
                return False
            inputs[i].value = one
            plain[0] &= (<Value> one).plain
        elif not read_exact_number(<object> one, &inputs[i].number):
            return False
    return True


cdef inline void find_inputs(Tape *t, Input *inputs, Py_ssize_t width) noexcept:
    cdef Node *node
    cdef Py_ssize_t i
    for i in range(width):
        inputs[i].index = 0
        if inputs[i].value != NULL:
            inputs[i].index = (<Value> inputs[i].value).index
            node = t.nodes + inputs[i].index
            inputs[i].number = Number(node.data, node.flags & DATA_INT)


cdef inline int32_t record_neuron(Tape *t, PyObject *unit, Input *inputs, Py_ssize_t width, bint *plain) noexcept:
    """The neuron's last node, or 0 if Python code might have a say in it or the lengths do not fit.

    Local copies of what the tape knows: the compiler must expect every write of a flag to change it.
    """
    cdef Node *nodes = t.nodes
    cdef int32_t top = t.top
    cdef int32_t activation, x
    cdef PyObject *weights
    cdef PyObject *w
    cdef Number total, product
    cdef Py_ssize_t j
    if type(<object> unit) is not neuron_class:
        return 0
    weights = slot(unit, w_offset)
    w = slot(unit, b_offset)
    if weights == NULL or type(<object> weights) is not list or PyList_GET_SIZE(weights) != width:
        return 0
    if w == NULL or not is_value(w) or not (<Value> w).index:
        return 0
    plain[0] &= (<Value> w).plain
    activation = (<Value> w).index
    total = Number(nodes[activation].data, nodes[activation].flags & DATA_INT)
    for j in range(width):
        w = PyList_GET_ITEM(weights, j)
        if not is_value(w) or not (<Value> w).index:
            return 0
        plain[0] &= (<Value> w).plain
        x = inputs[j].index
        if not x:
            x = top
            write(nodes + x, rules.LEAF, 0, 0, inputs[j].number.value, inputs[j].number.is_int | LEAF_NODE)
            top += 1
        product.value = nodes[(<Value> w).index].data * inputs[j].number.value
        product.is_int = nodes[(<Value> w).index].flags & inputs[j].number.is_int
        if product.is_int:
            product.is_int = settle(&product.value)
        total.value += product.value
        total.is_int &= product.is_int
        if total.is_int:
            total.is_int = settle(&total.value)
        write(nodes + top, rules.MUL, (<Value> w).index, x, product.value, product.is_int)
        write(nodes + top + 1, rules.ADD, activation, top, total.value, total.is_int)
        activation = top + 1
        top += 2
    w = slot(unit, nonlin_offset)
    if w == Py_True:
        write_relu(nodes + top, activation, total.value, total.is_int)
        activation = top
        top += 1
    elif w != Py_False:
        return 0
    t.top = top
    return activation


cdef inline PyObject *slot(PyObject *unit, Py_ssize_t offset) noexcept:
    return (<PyObject **> (<char *> unit + offset))[0]


cdef inline bint is_value(PyObject *one) noexcept:
    return type(<object> one) is Value
