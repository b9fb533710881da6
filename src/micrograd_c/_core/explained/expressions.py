"""An expression, or a few statements, as a graph of Values. The text is parsed, never passed to eval.

What it may have: names, numbers, + - * / **, and Value's methods and functions; as statements `name = expression`,
`name += expression` and the like, and an expression at the end.
"""

from __future__ import annotations

import ast
import math
import operator

from micrograd_c._core.explained.slips import EXAMPLES, advice, as_typed, missing_product
from micrograd_c._core.ops import rules  # type: ignore[attr-defined]  # compiled, without a stub
from micrograd_c._core.value.selecting import atan2, maximum, minimum, stop_gradient, where
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, NoReturn, Union

    _Number = Union[int, float]
    _Operand = Union[Value, int, float]

__all__ = ["build"]

OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
METHODS = sorted(rules.functions())
FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {        # and how many operands each has
    "atan2": (atan2, 2), "maximum": (maximum, 2), "minimum": (minimum, 2), "max": (maximum, 2), "min": (minimum, 2),
    "where": (where, 3), "stop_gradient": (stop_gradient, 1), "pow": (operator.pow, 2), "Value": (operator.pos, 1),
}
LONGEST_INT = 2**53     # Values' ints end there


def build(text: str, given: Mapping[str, _Operand]) -> tuple[Value, list[tuple[str, Value]]]:
    """The result, and the Values with their names: what was given, and all that statements have assigned.

    Raises SyntaxError for what is not Python, NameError for a name without a number, ValueError for anything else
    that cannot be explained, and what Value's operators raise.
    """
    text = as_typed(text)
    reader = Reader(given)
    try:
        statements = ast.parse(text.strip()).body
        result = reader.run(statements)
    except RecursionError:
        raise ValueError("the expression is nested too deeply: write it as several statements") from None
    except SyntaxError as error:
        complaint = f"the expression is not Python: {error.msg}{missing_product(text)}"
        raise SyntaxError(f"{complaint}{at(error.lineno, text)}") from None
    except MemoryError:     # CPython 3.9's parser, of parentheses in parentheses
        raise ValueError("the expression is nested too deeply: write it as several statements") from None
    unused = [name for name in given if name not in reader.used]
    if unused:
        raise ValueError(f"{unused[0]} is given a number, but the expression does not use it")
    if not isinstance(result, Value):
        raise ValueError("the expression has no variable: there is nothing to take a derivative with respect to")
    if not result._children and reader.has_gates:
        raise ValueError(
            "the last line computes nothing: end with the expression to explain" if reader.is_recorded
            else "under no_grad nothing is recorded: explain expressions outside of it"
        )
    return result, reader.named


def at(line: int | None, text: str) -> str:
    return f", in line {line}" if line and "\n" in text.strip() else ""


class Reader:
    """Runs statements. `names` holds variables."""

    def __init__(self, given: Mapping[str, _Operand]) -> None:
        self.names: dict[str, _Operand] = {name: as_value(number, name) for name, number in given.items()}
        self.named = [(name, value) for name, value in self.names.items() if isinstance(value, Value)]
        self.used: set[str] = set()
        self.has_gates = False
        self.is_recorded = False        # whether any of them is

    def run(self, statements: list[ast.stmt]) -> _Operand:
        if not statements:
            raise ValueError("the expression is empty")
        result: _Operand = 0
        for statement in statements:
            if isinstance(statement, ast.Expr):
                if statement is not statements[-1]:
                    self.refuse(statement, "is not used: only the last line may be an expression without a name")
                result = self.value(statement.value)
            elif isinstance(statement, ast.Assign):
                result = self.assign(statement)
            elif isinstance(statement, ast.AugAssign) and type(statement.op) in OPERATORS:
                name = self.target(statement.target)
                result = self.operation(statement, type(statement.op), self.variable(name), self.value(statement.value))
                self.bind(name, result)
            else:
                self.refuse(statement, "is neither an expression nor `name = expression`")
        return result

    def assign(self, statement: ast.Assign) -> _Operand:
        result = self.value(statement.value)
        if not isinstance(result, Value):
            result = as_value(result, "a variable")     # x = -2 is a leaf
        for target in statement.targets:
            name = self.target(target)
            if name in self.names and name not in self.used:
                self.refuse(statement, f"gives {name} another number than it was given before")
            self.bind(name, result)
        return result

    def bind(self, name: str, result: _Operand) -> None:
        self.names[name] = result
        if isinstance(result, Value):
            self.named.append((name, result))

    def target(self, target: ast.expr) -> str:
        if not isinstance(target, ast.Name):
            self.refuse(target, "cannot be assigned to: only names can")
        return target.id

    def variable(self, name: str) -> _Operand:
        if name not in self.names:
            raise NameError(f"{name} has no number: give it one, {name}={EXAMPLES.get(name, 1.0)}")
        self.used.add(name)
        return self.names[name]

    def value(self, tree: ast.expr) -> _Operand:
        if isinstance(tree, ast.Name):
            return self.variable(tree.id)
        if isinstance(tree, ast.Constant):
            return self.constant(tree)
        if isinstance(tree, ast.BinOp) and type(tree.op) in OPERATORS:
            return self.operation(tree, type(tree.op), self.value(tree.left), self.value(tree.right))
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, (ast.USub, ast.UAdd)):
            operand = self.value(tree.operand)
            return self.recorded(-operand) if isinstance(tree.op, ast.USub) else operand
        if isinstance(tree, ast.Call):
            return self.call(tree)
        self.refuse_with_advice(tree, "is not an operator or function of Value")

    def recorded(self, result: _Operand) -> _Operand:
        if isinstance(result, Value):
            self.has_gates = True
            self.is_recorded |= bool(result._children)
        return result

    def constant(self, tree: ast.Constant) -> _Number:
        number = tree.value
        if type(number) not in (int, float):
            self.refuse(tree, "is not a number")
        return within(number)       # type: ignore[arg-type]

    def operation(self, tree: ast.AST, kind: type, left: _Operand, right: _Operand) -> _Operand:
        if kind is ast.Pow and isinstance(left, int) and isinstance(right, int) and abs(left) > 1 and right > 53:
            left = float(left)      # and not an int of a million digits
        try:
            result = self.recorded(OPERATORS[kind](left, right))
        except OverflowError:
            raise OverflowError(f"`{shortened(ast.unparse(tree))}` is too large for a float") from None
        except ZeroDivisionError:
            if kind is not ast.Div:
                raise
            raise ZeroDivisionError(f"`{shortened(ast.unparse(tree))}` divides by 0") from None
        if isinstance(result, complex):
            self.refuse(tree, "is not a real number")
        return result if isinstance(result, Value) else within(result)

    def call(self, tree: ast.Call) -> _Operand:
        if tree.keywords or any(isinstance(argument, ast.Starred) for argument in tree.args):
            self.refuse(tree, "has arguments by keyword or by *, which are not read here")
        if isinstance(tree.func, ast.Attribute):
            name, operands = tree.func.attr, [tree.func.value, *tree.args]
        elif isinstance(tree.func, ast.Name):
            name, operands = tree.func.id, tree.args
        else:
            self.refuse_with_advice(tree, "is not a function's name")
        if isinstance(tree.func, ast.Name) and name in FUNCTIONS:
            function, count = FUNCTIONS[name]
            return self.applied(tree, function, operands, count, count)
        is_of_module = isinstance(tree.func, ast.Attribute) and advice(tree, self.names, METHODS)
        if name in METHODS and not is_of_module:
            return self.applied(tree, getattr(Value, name), operands, 1, 1 + (name in rules.WITH_OPTIONS))
        self.refuse_with_advice(tree, f"calls {name}, which is none of {', '.join([*METHODS, *FUNCTIONS])}")

    def applied(
        self, tree: ast.Call, function: Callable[..., Any], operands: list[ast.expr], least: int, most: int
    ) -> Value:
        if not least <= len(operands) <= most:
            self.refuse(tree, f"wants {least} operand{'s' * (least > 1)}, not {len(operands)}")
        arguments: list[Any] = [self.value(operands[0])]
        for operand in operands[1:]:
            is_word = least == 1 and isinstance(operand, ast.Constant) and isinstance(operand.value, str)
            arguments.append(operand.value if is_word else self.value(operand))     # type: ignore[attr-defined]
        result = function(as_value(arguments[0], "a number"), *arguments[1:])
        return result if function is operator.pos else self.recorded(result)    # type: ignore[no-any-return,return-value]

    def refuse_with_advice(self, tree: ast.AST, why: str) -> NoReturn:
        found = advice(tree, self.names, [*METHODS, *FUNCTIONS])
        self.refuse(tree, ": ".join(found) if found else why)

    def refuse(self, tree: ast.AST, why: str) -> NoReturn:
        line = getattr(tree, "lineno", 1)
        where = f", in line {line}" if line > 1 else ""
        raise ValueError(f"`{shortened(ast.unparse(tree))}` {why}{where}")


def shortened(text: str) -> str:
    return text if len(text) <= 60 and "\n" not in text else text.split("\n")[0][:57] + "..."


def within(number: _Number) -> _Number:
    """An int that a Value can hold as one; a larger one as a float."""
    return number if isinstance(number, float) or abs(number) < LONGEST_INT else float(number)


def as_value(number: object, name: str) -> Value:
    """A leaf; a Value itself."""
    if isinstance(number, Value):
        return number
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise TypeError(f"{name} must be a number, not of type {type(number).__name__}")
    if math.isnan(number):
        raise ValueError(f"{name} is nan: it must be a number")
    return Value(within(number))
