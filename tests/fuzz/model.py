"""micrograd's Value in plain Python, with what micrograd_c adds to it: what the fuzzer takes for right.

A node is a Python object with its children, so lifetimes are Python's own. Sweeps go from the youngest node down, which
is one of the orders that micrograd may take, and the one that micrograd_c does: gradients agree to the bit.
"""

import copies
import nodes
import rules
from nodes import GROWTH, SLOTS, Step, below, births, push, set_up
from rules import number, raised, settled

from micrograd_c._core.ops import rules as table


class Value:
    __slots__ = SLOTS
    _base = property(lambda self: Value)

    def __init__(self, data, _children=(), _op="", label=None, *, local_grads=None):
        data, children = number(data), tuple(_children)
        if not isinstance(_op, str):
            local_grads, _op = _op, ""
        if local_grads is not None:
            local_grads = tuple(map(number, local_grads))
            if len(local_grads) != len(children):
                raise ValueError
        if hasattr(self, "_used") and self._used:
            nodes.leave_behind(self)
        for child in children:
            if not isinstance(child, Value):
                raise TypeError(child)
        set_up(self, data, children, "", rules.of_local if local_grads else rules.of_leaf, local_grads)
        if label is not None:
            self.label = label
        if _op != "":
            self._name = _op

    data = property(lambda self: self._data, lambda self, data: set_number(self, "_data", data))

    @property
    def grad(self):
        if self._slack:
            nodes.reads += self._slack
        return self._grad

    @grad.setter
    def grad(self, grad):
        if grad is None:
            self._grad, self._slack = None, 0.0
            return
        set_number(self, "_grad", grad)
        self._slack = (self._slack if grad else 0.0) + GROWTH * nodes.reads

    @property
    def _prev(self):
        if self._set is None:
            self._set = set(self._children)
        return self._set

    @_prev.setter
    def _prev(self, children):
        children = tuple(children)
        if self._children and set(map(id, children)) == set(map(id, self._children)):
            return
        if self._used:
            raise ValueError
        if not self._function and self._rule is not rules.of_leaf and self._rule is not rules.of_stop:
            self._function = nodes.FormerStep(self)
        self._children, self._set, self._rule, self._constant = children, None, rules.of_leaf, None
        self._birth = next(births)
        for child in children:
            child._used, child._watched_late = True, False

    @property
    def _local_grads(self):
        if not self._children:
            return ()
        if nodes.is_native(self) or (self._function and not self._detached):
            raise AttributeError
        if self._rule in (rules.of_leaf, rules.of_stop):
            return (0,) * len(self._children)
        amounts = [settled(0 + amount) for _, amount in self._rule(self, 1)]
        return (0,) * (len(self._children) - len(amounts)) + tuple(amounts)

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
        self._grad, self._slack = 1, 0.0
        outer, nodes.sweep = nodes.sweep, next(nodes.sweeps)
        try:
            for node in sorted(below(self, swept=True), key=lambda node: -node._birth):
                if node._function and not node._detached:
                    outside, nodes.reads = nodes.reads, 0.0
                    nodes.give_grads(node)
                    node._function()
                    nodes.reads = outside
                else:
                    push(node)
        finally:
            nodes.sweep = outer

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
        return result(settled(raised(self._data, other)), (self,), f"**{other}", rules.of_power, other)

    def __rpow__(self, other):
        base = operand(other)
        return NotImplemented if base is None else power(base, self, constant=base)

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
        return result(rules.VALUES["relu"](self._data), (self,), "ReLU", rules.of_relu)

    # the others are set below

    # --- copies ---

    def __copy__(self):
        return copies.shallow(self)

    def __deepcopy__(self, memo):
        return copies.deep(self, memo)

    def __reduce__(self):
        return copies.reduced(self)


def result(data, children, name, rule, constant=None):
    node = Value.__new__(Value)
    set_up(node, settled(data), children, name, rule, constant)
    return node


def function(a, name):
    return result(rules.VALUES[name](a._data), (a,), table.functions()[name]["text"], rules.of_function, name)


def method(name):
    """One that reprs of networks show, and pickle finds, by its name."""
    def of_value(a):
        return function(a, name)
    of_value.__name__, of_value.__qualname__ = name, f"Value.{name}"
    return of_value


for name in table.functions():
    if name != "relu":
        setattr(Value, name, method(name))


def power(base, exponent, constant=None):
    """The constant is the base, if that was given as a number."""
    return result(settled(raised(base._data, exponent._data)), (base, exponent), "**", rules.of_pow, constant)


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
