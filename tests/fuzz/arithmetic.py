"""Steps: numbers, operators, functions, comparisons, and what is assigned to data and grad.

A step is a function of a Draw that returns source, or None where there is nothing to do it with.
"""

from micrograd_c._core.ops import rules

OPERATORS = ["+", "-", "*", "/", "+", "*"]
FUNCTIONS = list(rules.functions())
EXPONENTS = ["2", "3", "-1", "1", "0.5", "-0.5", "1.5", "2.0", "-2", "True", "np.float64(2.0)", "np.int64(2)"]


def leaf(draw):
    return f"{draw.new()} = Value({draw.number()})"


def binary(draw):
    a, b = draw.value(), draw.value()
    return a and f"{target(draw, a)} = {a} {draw.one(OPERATORS)} {b}"


def target(draw, name):
    """A new variable, or now and then an operand's, whose Value loses its name."""
    return name if draw.chance(0.1) else draw.new()


def with_number(draw):
    a = draw.value()
    if a is None:
        return None
    if draw.chance(0.4):
        return f"{target(draw, a)} = {draw.plain()} {draw.one(OPERATORS)} {a}"
    return f"{target(draw, a)} = {a} {draw.one(OPERATORS)} {draw.number()}"


def in_place(draw):
    a, b = draw.value(), draw.value()
    return a and f"{a} {draw.one(OPERATORS)}= {draw.one([b, draw.number()])}"


def power(draw):
    a = draw.value(30.0)
    return a and f"{draw.new()} = {a} ** {draw.one(EXPONENTS)}"


def power_of_two(draw):
    a, b = draw.value(8.0), draw.value(4.0)
    if a is None or b is None:
        return None
    return f"{draw.new()} = " + draw.one([f"{a} ** {b}", f"{draw.one(['2', '0.5', '3', '1.5', '-2'])} ** {b}"])


def unary(draw):
    a = draw.value()
    return a and f"{target(draw, a)} = {draw.one(['-', 'abs'])}({a})"


def function(draw):
    a = draw.value(30.0)
    return a and f"{target(draw, a)} = {a}.{draw.one(FUNCTIONS)}()"


def expression(draw):
    """A line with temporaries that die at once."""
    names = draw.some(3, 6)
    if not names:
        return None
    text = names[0]
    for name in names[1:]:
        form = draw.one(["{0} + {1} * {2}", "({0} - {1}) * {2}", "{0} * {2} + {1}", "{0} + {1}.tanh()", "{1} - {0}",
                         "({0} + {1}).relu()", "{0} / ({1} * {1} + 1)", "{0} + {1} ** 2"])
        text = form.format(text, name, draw.one([*names, draw.plain()]))
    return f"{draw.new()} = {text}"


def compare(draw):
    a, b = draw.value(1e9), draw.value(1e9)
    if a is None:
        return None
    shown = draw.one([f"{a} < {b}", f"{a} >= {b}", f"{a} > {draw.number()}", f"{draw.plain()} <= {a}", f"{a} == {b}",
                      f"{a} != {b}", f"float({a})", f"bool({a})", f"repr({a})", f"max([{a}, {b}]).data",
                      f"sorted([{a}, {b}])[0].data", f"{a} in [{b}]"])
    return f"x0 = {shown}"


def assign_data(draw):
    a = draw.value(1e9)
    return a and f"{a}.data = {draw.number()}"


def change_data(draw):
    a = draw.value()
    return a and f"{a}.data {draw.one(['+', '-'])}= 0.25 * {a}.grad"


def assign_grad(draw):
    a = draw.any("v")
    return a and f"{a}.grad = {draw.one(['0', '0', '0.0', '1', '-0.5', '2', 'None'])}"


def assign_minus_zero(draw):
    a = draw.any("v")
    return a and f"{a}.grad = -0.0"


def zero_all(draw):
    names = draw.names("v")
    return (names and f"for v0 in [{', '.join(names)}]: v0.grad = 0\ndel v0") or None


def wrong(draw):
    """What is an error."""
    a = draw.any("v")
    return a and draw.one([
        f"{a} + 'text'", f"{a} * None", f"{a}.data = 'x'", f"{a}.grad = 'x'", f"{a} ** 'x'", f"Value({a})",
        "Value(None)", "Value(1.0, (3,))", f"{a}._backward = 3", f"{a} / 0", f"{a} < 'x'", f"{a} * 1j",
        f"({a} - {a}.data).log()", f"(-abs({a}) - 1).sqrt()", f"({a} * 0 + 1000).exp()", f"({a} * 0) ** -1",
        f"(-abs({a}) - 1) ** 0.5", f"({a} * 0 + 10.0) ** 400", f"del {a}.data", f"{a}.nothing", f"sumprod([{a}], [])",
        "softmax([])", f"cross_entropy([{a}], 3)",
    ])


KINDS = {
    "leaf": (8, leaf), "binary": (14, binary), "with_number": (10, with_number), "in_place": (4, in_place),
    "power": (4, power), "power_of_two": (2, power_of_two), "unary": (3, unary), "function": (6, function),
    "expression": (8, expression), "compare": (3, compare), "assign_data": (3, assign_data),
    "change_data": (2, change_data), "assign_grad": (3, assign_grad), "zero_all": (2, zero_all),
    "assign_minus_zero": (0.5, assign_minus_zero), "wrong": (2, wrong),
}
