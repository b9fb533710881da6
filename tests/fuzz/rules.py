"""What each op of the model computes, and what it adds to its operands' gradients: Python numbers in and out.

A rule is called with a node and a gradient of it, and lists (operand, amount). Amounts are linear in the gradient. They
follow micrograd's closures, so ints stay ints; where micrograd has no such op, they are floats. Functions that are not
spelled here are the math module's, and their slopes micrograd_c's, which other tests hold against differences.
"""

import functools
import math

from micrograd_c._core.ops import rules as table

MOST = 2**53        # ints from here on are floats in micrograd_c


class TooLarge(Exception):
    """An int gradient past 2**53, where the two are known to differ: the program ends here."""


def settled(data):
    """An int result as it is kept."""
    return float(data) if type(data) is int and not -MOST < data < MOST else data


def number(source):
    """What Value takes as data, as a plain float or int."""
    if type(source) is float or type(source) is int:
        return settled(source)
    if isinstance(source, float):
        return float(source)
    if isinstance(source, int):
        return settled(int(source))
    if isinstance(source, complex) or hasattr(source, "__len__") or hasattr(source, "_grad"):
        raise TypeError(source)
    if hasattr(source, "__index__") and hasattr(source, "numerator"):
        return settled(int(source))
    if hasattr(source, "dtype"):
        return number(source.item())
    if hasattr(source, "__float__"):
        return float(source)
    raise TypeError(source)


def quotient(a, b):
    """As C divides."""
    if b == 0.0:
        return math.nan if a == 0.0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)
    return a / b


def real(power):
    if isinstance(power, complex):
        raise ValueError(power)
    return power


def raised(x, y):
    """x ** y; an int too large for a float is an error."""
    if type(x) is int and type(y) is int and y > 0 and abs(x) > 1 and y * math.log2(abs(x)) > 1025:
        raise OverflowError
    return real(x**y)


def logistic(x):
    e = math.exp(-abs(x))
    return (1.0 if x >= 0.0 else e) / (1.0 + e)


def value_of(name, x):
    """For what the math module lacks."""
    x, y = float(x), table.value_at(name, x)
    if (math.isnan(y) and not math.isnan(x)) or (math.isinf(y) and math.isfinite(x)):
        raise table.functions()[name]["error"](x)
    return y


def whole(rounded, x):
    """An int stays one, and a float one with its sign, though it be 0."""
    if type(x) is int or not math.isfinite(x):
        return x
    return math.copysign(float(rounded(x)), x)


VALUES = {
    **{name: getattr(math, name, functools.partial(value_of, name)) for name in table.functions()},
    "floor": lambda x: whole(math.floor, x),
    "ceil": lambda x: whole(math.ceil, x),
    "relu": lambda x: 0 if x < 0 else x,
    "sigmoid": lambda x: logistic(float(x)),
    "abs": abs,
}
SLOPES = {      # of x and the value; relu is apart, as its gradients may be ints
    **{name: lambda x, y, name=name: table.slope_at(name, x, y) for name in table.functions()},
    "exp": lambda x, y: y,
    "log": lambda x, y: quotient(1.0, x),
    "tanh": lambda x, y: 1.0 - y * y,
    "sigmoid": lambda x, y: y * (1.0 - y),
    "sqrt": lambda x, y: quotient(0.5, y),
    "sin": lambda x, y: math.cos(x) if math.isfinite(x) else math.nan,
    "cos": lambda x, y: -math.sin(x) if math.isfinite(x) else math.nan,
    "abs": lambda x, y: float((x > 0) - (x < 0)),
}


def of_leaf(node, grad):
    return []


def of_local(node, grad):
    return [(child, local_grad * grad) for child, local_grad in zip(node._children, node._constant)]


def of_stop(node, grad):
    return []


def of_sum(node, grad):
    a, b = node._children
    return [(a, grad), (b, grad)]


def of_product(node, grad):
    a, b = node._children
    return [(a, b._data * grad), (b, a._data * grad)]


def of_power(node, grad):
    (a,), y = node._children, node._constant
    return [(a, y * raised(a._data, y - 1) * grad if y else 0.0)]


def of_pow(node, grad):
    """Of two Values."""
    a, b = node._children
    x, y, z = float(a._data), float(b._data), float(node._data)
    by_exponent = 0.0 if x == 0.0 and y >= 0.0 else z * logarithm(x)
    try:
        by_base = raised(x, y - 1.0) * y * grad if y else 0.0
    except (ArithmeticError, ValueError):
        if node._constant is None:
            raise
        return [(b, by_exponent * grad)]        # nobody asks for the number's
    return [(a, by_base), (b, by_exponent * grad)]


def logarithm(x):
    return math.log(x) if x > 0.0 else -math.inf if x == 0.0 else math.nan


def of_relu(node, grad):
    return [(node._children[0], (node._data > 0) * grad)]


def of_function(node, grad):
    (a,) = node._children
    return [(a, SLOPES[node._constant](float(a._data), float(node._data)) * float(grad))]


def of_maximum(node, grad):
    a, b = node._children
    return chosen(a, b, grad, 0.5 if a._data == b._data else float(a._data > b._data))


def of_minimum(node, grad):
    a, b = node._children
    return chosen(a, b, grad, 0.5 if a._data == b._data else float(a._data < b._data))


def chosen(a, b, grad, slope):
    return [(a, slope * grad if slope else 0.0), (b, (1.0 - slope) * grad if slope != 1.0 else 0.0)]


def of_pick(node, grad):
    condition, a = node._children
    return [(condition, 0.0), (a, float(grad) if condition._data != 0 else 0.0)]


def of_pick_not(node, grad):
    condition, a = node._children
    return [(condition, 0.0), (a, float(grad) if condition._data == 0 else 0.0)]
