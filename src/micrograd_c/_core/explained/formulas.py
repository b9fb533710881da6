"""The small language of rule texts: names and numbers put in, values, and JavaScript. Knows no Values.

A formula has +, -, *, /, **, calls of FUNCTIONS, comparisons, and `a if condition else b`.
"""

from __future__ import annotations

import ast
import functools
import math
import operator
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "COMPARISONS", "SYMBOLS", "compared", "evaluate", "filled", "is_atomic", "name_of", "parsed", "shown",
    "to_javascript",
]

FUNCTIONS: dict[str, Callable[..., float]] = {
    "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "sin": math.sin, "cos": math.cos,
    "sinh": math.sinh, "cosh": math.cosh, "atan2": math.atan2,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x)),
    "normal_cdf": lambda x: 0.5 * math.erfc(-x / math.sqrt(2)),
    "normal_pdf": lambda x: math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi),
}
OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: math.pow,
}
COMPARISONS: dict[type, tuple[Callable[[float, float], bool], str, str]] = {
    ast.Gt: (operator.gt, ">", ">"), ast.Lt: (operator.lt, "<", "<"),
    ast.Eq: (operator.eq, "===", "="), ast.NotEq: (operator.ne, "!==", r"\neq"),
}
SYMBOLS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
PLACES = re.compile(r"\b[xyznm]\b(?!\()")
ATOMIC = re.compile(r"\w[\w.\[\]']*|\d[\d.]*(e[-+]?\d+)?|inf|nan")


# --- numbers and texts ---

def shown(number: float, digits: int = 6) -> str:
    """A number for people: a whole one in full, others to so many digits.

    >>> shown(-12.0), shown(1 / 3), shown(1e-7), shown(2**40)
    ('-12', '0.333333', '1e-07', '1099511627776')
    """
    if math.isfinite(number) and number == int(number) and abs(number) < 1e15:
        return str(int(number))
    return format(number, f".{digits}g")


def is_atomic(text: str) -> bool:
    """Whether a name or a number needs no parentheses anywhere."""
    return ATOMIC.fullmatch(text) is not None


def filled(formula: str, operands: Mapping[str, str]) -> str:
    """The formula with texts in the places of x, y, z, n and m; in parentheses where something stands before them.

    >>> filled("x + y", {"x": "-2", "y": "5"}), filled("x * y", {"x": "3", "y": "-4"})
    ('-2 + 5', '3 * (-4)')
    """
    def put(found: re.Match[str]) -> str:
        text = operands[found[0]]
        before, after = found.string[: found.start()], found.string[found.end():]
        alone = (before[-1:] in ("", "(") and not after.startswith("**")) or before.endswith((", ", "if ", "else "))
        return text if is_atomic(text) or (alone and is_atomic(text[1:])) else f"({text})"

    text = PLACES.sub(put, formula)
    return f"({text})" if " if " in formula else text


# --- values ---

@functools.cache
def parsed(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


def evaluate(formula: str, numbers: Mapping[str, float]) -> float:
    """The formula's value. Raises ArithmeticError or ValueError where it has none."""
    return value_of(parsed(formula), numbers)


def value_of(tree: ast.expr, numbers: Mapping[str, float]) -> float:
    if isinstance(tree, ast.Constant):
        return tree.value       # type: ignore[return-value]    # of the table's own texts: a number
    if isinstance(tree, ast.Name):
        return numbers[tree.id]
    if isinstance(tree, ast.UnaryOp):
        return -value_of(tree.operand, numbers)
    if isinstance(tree, ast.BinOp):
        return OPERATORS[type(tree.op)](value_of(tree.left, numbers), value_of(tree.right, numbers))
    if isinstance(tree, ast.Call):
        return FUNCTIONS[name_of(tree)](*(value_of(argument, numbers) for argument in tree.args))
    if isinstance(tree, ast.IfExp):
        return value_of(tree.body if holds(tree.test, numbers) else tree.orelse, numbers)
    raise ValueError(f"a formula has no {type(tree).__name__}")


def holds(tree: ast.expr, numbers: Mapping[str, float]) -> bool:
    left, comparison, right = compared(tree)
    return COMPARISONS[comparison][0](value_of(left, numbers), value_of(right, numbers))


def compared(tree: ast.expr) -> tuple[ast.expr, type, ast.expr]:
    if not isinstance(tree, ast.Compare):
        raise ValueError(f"a formula has no {type(tree).__name__} for a condition")
    return tree.left, type(tree.ops[0]), tree.comparators[0]


def name_of(tree: ast.Call) -> str:
    if not isinstance(tree.func, ast.Name):
        raise ValueError("a formula calls functions by name")
    return tree.func.id


# --- JavaScript ---

def to_javascript(formula: str) -> str:
    """The formula as a JavaScript expression of x, y, z, n and m; functions are those of page.js.

    >>> to_javascript("1 if x > 0 else 0"), to_javascript("n * x**m")
    ('(x > 0 ? 1 : 0)', '(n * Math.pow(x, m))')
    """
    return javascript_of(parsed(formula))


def javascript_of(tree: ast.expr) -> str:
    if isinstance(tree, ast.Constant):
        return repr(tree.value)
    if isinstance(tree, ast.Name):
        return tree.id
    if isinstance(tree, ast.UnaryOp):
        return f"(-{javascript_of(tree.operand)})"
    if isinstance(tree, ast.BinOp):
        left, right = javascript_of(tree.left), javascript_of(tree.right)
        if isinstance(tree.op, ast.Pow):
            return f"Math.pow({left}, {right})"
        return f"({left} {SYMBOLS[type(tree.op)]} {right})"
    if isinstance(tree, ast.Call):
        return f"F.{name_of(tree)}({', '.join(map(javascript_of, tree.args))})"
    if isinstance(tree, ast.IfExp):
        first, comparison, second = compared(tree.test)
        condition = f"{javascript_of(first)} {COMPARISONS[comparison][1]} {javascript_of(second)}"
        return f"({condition} ? {javascript_of(tree.body)} : {javascript_of(tree.orelse)})"
    raise ValueError(f"a formula has no {type(tree).__name__}")
