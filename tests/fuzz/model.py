"""micrograd's Value in plain Python, with what micrograd_c adds to it: what the fuzzer takes for right.

A node is a Python object with its children, so lifetimes are Python's own. Sweeps go from the youngest node down, which
is one of the orders that micrograd may take, and the one that micrograd_c does: gradients agree to the bit. Those that
cannot, since they are sums over rows, carry a `_slack`: by how much they may be off.
"""

import contextvars
import copy
import copyreg
import itertools

import rules
from rules import MOST, TooLarge, number, real, settled

births = itertools.count()
paused = contextvars.ContextVar("paused", default=0)
sweeps = itertools.count(1)
sweep = 0       # the one that is going on
reads = 0.0     # the slacks of gradients that were read since a function of a user's was called
GROWTH = 8.0    # such a function multiplies them by less before it adds them to another gradient


class Value:
    __slots__ = (
        "__dict__", "__weakref__", "_birth", "_blur", "_children", "_constant", "_data", "_detached", "_function",
        "_grad", "_name", "_rule", "_set", "_slack", "_used",
    )

    def __init__(self, data, _children=(), _op=""):
        data, children = number(data), tuple(_children)
        for child in children:
            if not isinstance(child, Value):
                raise TypeError(child)
        set_up(self, data, children, "", rules.of_leaf)
        if _op != "":
            self._name = _op

    data = property(lambda self: self._data, lambda self, data: set_number(self, "_data", data))

    @property
    def grad(self):
        global reads
        if self._slack:
            reads += self._slack
        return self._grad

    @grad.setter
    def grad(self, grad):
        set_number(self, "_grad", grad)
        self._slack = self._slack + GROWTH * reads if grad else 0.0

    @property
    def _prev(self):
        if self._set is None:
            self._set = set(self._children)
        return self._set

    @_prev.setter
    def _prev(self, children):
        children = tuple(children)
        if self._used:
            raise ValueError
        self._children, self._set, self._rule, self._constant = children, None, rules.of_leaf, None
        self._birth = next(births)
        for child in children:
            child._used = True

    @property
    def _op(self):
        return self._name

    @_op.setter
    def _op(self, name):
        self._name = name

    @property
    def _backward(self):
        return self._function or Step(self)

    @_backward.setter
    def _backward(self, function):
        if not callable(function):
            raise TypeError(function)
        self._function = function

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    def __float__(self):
        return float(self.data)

    def backward(self):
        global sweep, reads
        self._grad, self._slack = 1, 0.0
        outer, sweep = sweep, next(sweeps)
        try:
            for node in sorted(below(self, swept=True), key=lambda node: -node._birth):
                if node._function and not node._detached:
                    outside, reads = reads, 0.0
                    node._function()
                    reads = outside
                else:
                    push(node)
        finally:
            sweep = outer

    # --- operators ---

    def __add__(self, other):
        other = operand(other)
        return NotImplemented if other is None else result(self._data + other._data, (self, other), "+", rules.of_sum)

    def __mul__(self, other):
        other = operand(other)
        if other is None:
            return NotImplemented
        return result(self._data * other._data, (self, other), "*", rules.of_product)

    def __pow__(self, other, modulo=None):
        if isinstance(other, Value):
            return power(self, other)
        try:
            other = number(other)
        except TypeError:
            raise AssertionError from None
        return result(settled(real(self._data**other)), (self,), f"**{other}", rules.of_power, other)

    def __rpow__(self, other):
        base = operand(other)
        return NotImplemented if base is None else power(base, self)

    def __neg__(self):
        return self * -1

    def __abs__(self):
        return self.abs()

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return other + (-self)

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        return self * plain(other) ** -1

    def __rtruediv__(self, other):
        return other * self**-1

    def __lt__(self, other):
        return self._data < compared(other)

    def __le__(self, other):
        return self._data <= compared(other)

    def __gt__(self, other):
        return self._data > compared(other)

    def __ge__(self, other):
        return self._data >= compared(other)

    # --- functions ---

    def relu(self):
        return result(rules.VALUES["ReLU"](self._data), (self,), "ReLU", rules.of_relu)

    def exp(self):
        return function(self, "exp")

    def log(self):
        return function(self, "log")

    def tanh(self):
        return function(self, "tanh")

    def sigmoid(self):
        return function(self, "sigmoid")

    def sqrt(self):
        return function(self, "sqrt")

    def sin(self):
        return function(self, "sin")

    def cos(self):
        return function(self, "cos")

    def abs(self):
        return function(self, "abs")

    # --- copies ---

    def __copy__(self):
        fresh = copied(self, self._children)
        copy_state(fresh, self, lambda state: state)
        return fresh

    def __deepcopy__(self, memo):
        originals = sorted(below(self), key=lambda node: node._birth)
        memo.setdefault(id(memo), []).append(originals)
        new = [original for original in originals if id(original) not in memo]
        for original in new:
            memo[id(original)] = copied(original, [memo[id(child)] for child in original._children])
        for original in new:
            copy_state(memo[id(original)], original, lambda state: copy.deepcopy(state, memo))
        return memo[id(self)]

    def __reduce__(self):
        if self._rule is not rules.of_leaf or self._children or self._function:
            raise TypeError
        attributes, slots = dict(self.__dict__) or None, slots_of(self)
        return restored, (type(self), self._data, self._grad, self._name), (attributes, slots) if slots else attributes


class Step:
    """The `_backward` of a node that has no function of its own."""

    def __init__(self, node):
        self.node = node

    def __deepcopy__(self, memo):
        return self

    def __call__(self):
        push(self.node)


def set_up(node, data, children, name, rule, constant=None, detached=None):
    node._data, node._grad, node._slack, node._blur = data, 0, 0.0, 0.0
    node._detached = paused.get() > 0 if detached is None else detached
    if node._detached:
        children, name, rule, constant = (), "", rules.of_leaf, None
    node._children, node._name, node._rule, node._constant = children, name, rule, constant
    node._function = node._set = None
    node._used = False
    node._birth = next(births)
    for child in children:
        child._used = True


def result(data, children, name, rule, constant=None):
    node = Value.__new__(Value)
    set_up(node, settled(data), children, name, rule, constant)
    return node


def function(a, name):
    return result(rules.VALUES[name](a._data), (a,), name, rules.of_function, name)


def power(base, exponent):
    return result(settled(real(base._data**exponent._data)), (base, exponent), "**", rules.of_pow)


def operand(other):
    """A Value, or None for what is none and no number."""
    if isinstance(other, Value):
        return other
    try:
        data = number(other)
    except TypeError:
        return None
    return result(data, (), "", rules.of_leaf)


def plain(other):
    return other if isinstance(other, Value) else number(other)


def compared(other):
    return other._data if isinstance(other, Value) else number(other)


def set_number(node, slot, given):
    setattr(node, slot, number(given))


def below(root, swept=False):
    """The root and all that it was computed from, or only what a sweep comes to."""
    found, todo = {root}, [root]
    while todo:
        node = todo.pop()
        if swept and node._rule is rules.of_stop:
            continue
        for child in node._children:
            if child not in found:
                found.add(child)
                todo.append(child)
    return found


def push(node):
    """A node's own step of a sweep."""
    slack = node._slack
    amounts = node._rule(node, node._grad)
    for child, amount in amounts:
        total = child._grad + amount
        if type(total) is int and not -MOST < total < MOST:
            raise TooLarge
        child._grad = total
    if slack and not is_native(node):
        for child, slope in node._rule(node, 1.0):
            child._slack += abs(slope) * slack


def is_native(node):
    """A run of vmap's or a sum of one, whose rule sees to slack itself."""
    return node._rule.__name__.startswith("of_native")


def copied(original, children):
    if is_native(original):
        raise TypeError
    fresh = type(original).__new__(type(original))
    set_up(fresh, original._data, tuple(children), original._name, original._rule, original._constant, False)
    fresh._grad, fresh._slack = original._grad, original._slack
    return fresh


def slots_of(value):
    names = [name for name in copyreg._slotnames(type(value)) if name not in Value.__slots__]
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def copy_state(fresh, original, copied_state):
    if original._function:
        fresh._function = copied_state(original._function)
    if original.__dict__:
        fresh.__dict__.update(copied_state(dict(original.__dict__)))
    for name, member in slots_of(original).items():
        setattr(fresh, name, copied_state(member))


def restored(cls, data, grad, op):
    value = cls.__new__(cls)
    Value.__init__(value, data, (), op)
    value.grad = grad
    return value
