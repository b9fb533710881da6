# cython: c_api_binop_methods=True
"""Value: the Python handle of a node, and its operators.

Knows the tape and the rules. Knows nothing of nn or of who records many nodes at once.

Design
------
A Value owns no numbers: it is an index into the tape, which knows it by a borrowed pointer. It tells the tape when it
dies. At most one Value exists for a node, so identity is the node's identity.

Nearly all Values are `plain`: no attributes but text, numbers and the like, no custom function, of no class that does
more than Value. What a plain one has besides its numbers it leaves with its node when it dies, and the next handle of
that node takes it up. A Value that is not must outlive its last outside reference while its node can still be reached,
or its `_backward` would be lost: every op on it makes the result `hold` it. These are ordinary references that Python's
collector sees, so `out._backward = closure over out` is freed like any cycle.

The class is here. Its methods are short, and end in parts: `construction`, `assigning`, `reading`, `recording`,
`dispatch`, `operands`, `local_gradients`, `lifetime`, `slots`.
"""

from micrograd_c._core.value.grad_mode import no_grad

cimport cython

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.ops.numbers cimport as_python
cimport micrograd_c._core.tape.operators as operators
from micrograd_c._core.tape.arena cimport DATA_INT, GRAD_FLOAT, tape, want_states
from micrograd_c._core.tape.missing_gradients cimport has_no_grad
from micrograd_c._core.value.assigning cimport set_data, set_function, set_grad, set_op_name
from micrograd_c._core.value.construction cimport construct
from micrograd_c._core.value.dispatch cimport composable, reflected
from micrograd_c._core.value.lifetime cimport as_plain_number, check_initialised, describe, gain_state
from micrograd_c._core.value.local_gradients cimport children_of, local_grads_of, replace_local_grads
from micrograd_c._core.value.local_step cimport LocalStep
from micrograd_c._core.value.observers cimport sets_in_the_making
from micrograd_c._core.value.operands cimport op_name, operands, sweep_from
from micrograd_c._core.value.plain_classes cimport is_plain_class, is_plain_data, look_at_value
from micrograd_c._core.value.reading cimport compared, note_read
from micrograd_c._core.value.recording cimport add, by_rule, multiply, operate, unary
from micrograd_c._core.value.replacing cimport replace_children, replace_operands
from micrograd_c._core.value.slots cimport fill_slots
from micrograd_c._core.value.type_version cimport is_version, version_of

cdef extern from "value_type.h":
    bint adds_as_value(object o) noexcept
    bint multiplies_as_value(object o) noexcept
    bint has_weak_references(object o) noexcept
    bint has_compiled_operators() noexcept
    bint has_compiled_compositions() noexcept
    object fresh_value()
    object fresh_instance(object type)

cdef extern from "Python.h":
    int PyObject_GenericSetAttr(object o, object name, object value) except -1
    object PyObject_GenericGetDict(object o, void *context)


cdef class Value:
    """Value(data, _children=(), _op='', label=None, *, children=None, local_grads=None)\n--\n
    A number that remembers how it was computed.

    Value(data) starts a graph. Value(data, children, local_grads) adds a node of your own op to one, given the
    derivative with respect to each child: backward() does `child.grad += local_grad * out.grad`. Or
    Value(data, children, op): set its `_backward` to a function that adds to the children's `grad`.

    >>> a, b = Value(2.0), Value(-3)
    >>> c = (a * b + 10).relu()
    >>> c.backward()
    >>> c, a, b
    (Value(data=4.0, grad=1), Value(data=2.0, grad=-3), Value(data=-3, grad=2.0))

    Raises TypeError if data or a local gradient is not a number, or a child not a Value, and ValueError if there are
    more or fewer local gradients than children.
    """

    def __init__(self, data, _children=(), _op="", label=None, *, children=None, local_grads=None):
        """Make the node; see Value."""
        construct(self, data, _children, _op, label, children, local_grads)

    # --- what a node shows ---

    @property
    def data(self):
        """The number computed; assign to change it, as optimisers do."""
        check_initialised(self)
        note_read(self, "its .data is read")
        return as_python(tape.data[self.index], tape.flags[self.index] & DATA_INT)

    @data.setter
    def data(self, number):
        set_data(self, number)

    @data.deleter
    def data(self):
        raise AttributeError("data of a Value cannot be deleted")

    @property
    def grad(self):
        """The derivative with respect to this Value of the one that backward() was called on.

        It adds up from one backward() to the next, until you set it to 0. Set to None, as zero_grad(set_to_none=True)
        does, it is None until a backward() reaches this Value, and optimizers leave the Value alone.
        """
        check_initialised(self)
        note_read(self, "its .grad is read")
        if has_no_grad(&tape, self.index):
            return None
        return as_python(tape.grad[self.index], not tape.flags[self.index] & GRAD_FLOAT)

    @grad.setter
    def grad(self, number):
        set_grad(self, number)

    @grad.deleter
    def grad(self):
        raise AttributeError("grad of a Value cannot be deleted; set it to 0")

    def __repr__(self):
        if self.of_trace and not self.index:
            return "<Value without data, of a function that vmap has traced>"
        return f"Value(data={self.data}, grad={self.grad})"

    def __float__(self):
        note_read(self, "it is turned into a float")
        return float(self.data)

    def __int__(self):
        note_read(self, "it is turned into an int")
        return int(self.data)

    def __round__(self, ndigits=None, /):
        """round() of its data: an int, or with ndigits a number of the kind that data is."""
        note_read(self, "it is rounded")
        return round(self.data) if ndigits is None else round(self.data, ndigits)

    def __format__(self, spec, /):
        """Its data in that format, as f'{v:.3f}' asks for it; its repr() if the format is empty."""
        if not isinstance(spec, str):
            raise TypeError(f"a format must be a str, not {describe(spec)}")
        note_read(self, "it is formatted")
        return format(self.data, spec) if spec else str(self)

    def __bool__(self):
        """True, as for any object."""
        note_read(self, "its truth is asked for")
        return True

    # --- the graph ---

    @property
    def _prev(self):
        """The set of operands; the same set, with the same Values, each time."""
        if isinstance(self.extra, Extra) and (<Extra> self.extra).prev is not None:
            return (<Extra> self.extra).prev
        check_initialised(self)
        return operands(self)

    @_prev.setter
    def _prev(self, children):
        check_initialised(self)
        replace_operands(self, tuple(children))

    @_prev.deleter
    def _prev(self):
        raise AttributeError("_prev of a Value cannot be deleted")

    @property
    def _children(self):
        """The operands in order, a tuple. To be assigned as `_prev` is."""
        return children_of(self)

    @_children.setter
    def _children(self, children):
        check_initialised(self)
        replace_children(self, tuple(children))

    @_children.deleter
    def _children(self):
        raise AttributeError("_children of a Value cannot be deleted")

    @property
    def _local_grads(self):
        """The derivatives with respect to `_children`, a tuple of numbers, computed from data as it is now."""
        return local_grads_of(self)

    @_local_grads.setter
    def _local_grads(self, local_grads):
        replace_local_grads(self, local_grads)

    @_local_grads.deleter
    def _local_grads(self):
        raise AttributeError("_local_grads of a Value cannot be deleted")

    @property
    def _op(self):
        """The name of the op that computed it, '' for a leaf. Assign one to rename a node."""
        if isinstance(self.extra, Extra) and (<Extra> self.extra).op is not None:
            return (<Extra> self.extra).op
        check_initialised(self)
        return op_name(self.index)

    @_op.setter
    def _op(self, name):
        set_op_name(self, name)

    @_op.deleter
    def _op(self):
        raise AttributeError("_op of a Value cannot be deleted")

    @property
    def _backward(self):
        """A function that does this node's step of backward(). Assign one to replace the step."""
        if isinstance(self.extra, Extra) and (<Extra> self.extra).backward is not None:
            return (<Extra> self.extra).backward
        return LocalStep(self)

    @_backward.setter
    def _backward(self, function):
        set_function(self, function)

    @_backward.deleter
    def _backward(self):
        raise AttributeError("_backward of a Value cannot be deleted")

    def backward(self):
        """Add to the `grad` of each node that this Value was computed from its derivative with respect to that node.

        Sets this Value's own grad to 1 first. Raises what a `_backward` function of yours raises, and
        ZeroDivisionError or OverflowError where the slope of a power does.
        """
        check_initialised(self)
        note_read(self, "its backward() is called")
        tape.grad[self.index] = 1.0
        tape.flags[self.index] &= ~GRAD_FLOAT
        sweep_from(self)

    # --- operators ---

    def __add__(left, right):
        if type(left) is Value and type(right) is Value or adds_as_value(left) and adds_as_value(right):
            return add(<Value> left, <Value> right)
        if reflected(left, right, "__radd__"):
            return right + left
        return operate(left, right, operators.add, operators.add_number, operators.add_number)

    def __mul__(left, right):
        if type(left) is Value and type(right) is Value or multiplies_as_value(left) and multiplies_as_value(right):
            return multiply(<Value> left, <Value> right)
        if reflected(left, right, "__rmul__"):
            return right * left
        return operate(left, right, operators.multiply, operators.multiply_number, operators.multiply_number)

    def __sub__(left, right):
        if not composable(left, right):
            return left + -right
        return operate(left, right, operators.subtract, operators.subtract_number, operators.subtract_from_number)

    def __truediv__(left, right):
        if not composable(left, right):
            return left * as_plain_number(right) ** -1     # np.int64 ** -1 is an error
        return operate(left, right, operators.divide, operators.divide_number, operators.divide_into_number)

    def __pow__(left, right, modulo):
        if modulo is not None:
            return NotImplemented
        result = operate(left, right, operators.power, operators.power_number, operators.power_of_number)
        if result is NotImplemented and isinstance(left, Value) and not hasattr(right, "__rpow__"):
            raise AssertionError("only supporting int/float powers for now")    # as in micrograd
        return result

    def __neg__(self):
        if not composable(self, self):
            return self * -1
        return unary(self, operators.negate)

    def __pos__(self):
        return self

    def __abs__(self):
        return by_rule(self, rules.ABS)

    def __richcmp__(self, other, int comparison):
        return compared(self, other, comparison)

    def __hash__(self):
        if not sets_in_the_making:
            note_read(self, "it is looked up in a dict or set, which is by identity,")
        return object.__hash__(self)

    # Functions of one number, relu() and others, are in the table of ops, see value_type.h. Those with options:

    def leaky_relu(self, negative_slope=0.01):
        """x where it is above 0, else 0.01 * x. Another slope below 0 than 0.01 may be given, a number or a Value."""
        if type(negative_slope) is float and negative_slope == 0.01:
            return by_rule(self, rules.LEAKY_RELU)
        from micrograd_c._core.value.selecting import sloped    # not at the top: selecting is built on Value
        return sloped(self, negative_slope)

    def gelu(self, approximate="none"):
        """x times the probability that a normally distributed number is below x. Raises ValueError for -inf.

        approximate='tanh' is for gelu_tanh(), as in PyTorch.
        """
        if approximate == "none":
            return by_rule(self, rules.GELU)
        if approximate == "tanh":
            return self.gelu_tanh()
        raise ValueError(f"approximate must be 'none' or 'tanh', not {approximate!r}")

    # --- Python state ---

    @property
    def __dict__(self):
        """Attributes that were assigned, besides data and grad."""
        attributes = PyObject_GenericGetDict(self, NULL)
        if not self.has_state:      # what will be written into the dict cannot be seen from here
            gain_state(self)
        return attributes

    def __setattr__(self, name, value):
        if name is DATA or name is GRAD:    # by far the commonest, and names in code are interned
            if type(self) is Value and properties_are_ours():
                set_data(self, value) if name is DATA else set_grad(self, value)
                return
        want_states(&tape)
        PyObject_GenericSetAttr(self, name, value)
        if self.has_state:
            return
        if self.attributes != NULL and not (type(name) is str and is_plain_data(value)) or (
                type(self) is not Value and not is_plain_class(type(self))):    # v.__class__ = Subclass
            gain_state(self)

    def __copy__(self):
        """What copy.copy() asks for."""
        from micrograd_c._core.value.copying import shallow_copy    # not at the top: copying is built on Value
        return shallow_copy(self)

    def __deepcopy__(self, memo, /):
        """What copy.deepcopy() asks for: a graph of its own."""
        from micrograd_c._core.value.copying import deep_copy
        return deep_copy(self, memo)

    def __setstate__(self, state, /):
        """What pickle asks for."""
        from micrograd_c._core.value.copying import set_state
        set_state(self, state)

    def __reduce__(self):
        """What pickle asks for, of a leaf."""
        from micrograd_c._core.value.copying import reduce_leaf
        return reduce_leaf(self)


@cython.no_gc_clear         # a Value's own clearing breaks every cycle
@cython.trashcan(True)      # chains of Values that hold each other are released without deep recursion
cdef class Extra:
    """What few Values have; see value/value.pxd."""

    def __reduce__(self):
        raise TypeError("cannot copy or pickle an Extra: it is part of a Value; copy that")


cdef Value new_value():
    """Value.__new__(Value), sooner, and not tracked by Python's collector: for `bind`."""
    return <Value> fresh_value()


cdef Value new_instance(object kind):
    """The same for a plain subclass, whose __new__ is not called."""
    return <Value> fresh_instance(kind)


cdef bint is_watched(Value value) noexcept:
    """Whether there is a weak reference to the Value."""
    return has_weak_references(value)


# --- operators and properties replaced by users ---

cdef bint properties_are_ours() except -1:
    """False once somebody has assigned to Value.data, Value.grad or Value.__setattr__, or deleted one."""
    global value_version
    if is_version(Value, value_version):
        return True
    cdef bint ours = (
        getattr(Value, DATA, None) is value_data and getattr(Value, GRAD, None) is value_grad
        and Value.__setattr__ is value_setattr
    )
    value_version = version_of(Value) if ours else 0
    return ours


cpdef bint operators_are_ours() noexcept:
    """False once somebody has assigned to Value.__add__, __mul__, __pow__ or __neg__ (or a reflected one)."""
    return has_compiled_operators()


cpdef bint compositions_are_ours() noexcept:
    """The same for Value.__sub__ and __truediv__, which micrograd composes of those."""
    return has_compiled_compositions()


fill_slots()
Value.__module__ = "micrograd_c.engine"     # where people find it
Value.no_grad = no_grad
look_at_value(Value)

cdef str DATA = "data"
cdef str GRAD = "grad"
cdef object value_data = Value.data
cdef object value_grad = Value.grad
cdef object value_setattr = Value.__setattr__
cdef unsigned int value_version = 0
