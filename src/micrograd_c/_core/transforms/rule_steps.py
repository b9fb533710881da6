"""The column `recorded` of the table of ops, read: an expression such as "y * (1 - y)" as steps that record it.

Knows Python's grammar, and names. Knows nothing of tapes: what runs the steps is `recorder.pxd`.
"""

from __future__ import annotations

import ast

from micrograd_c._core.ops import rules  # type: ignore[attr-defined]  # compiled, without a stub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["OPERANDS", "steps_of"]

OPERANDS = ["x", "y", "z", "g"]     # the first registers; each step has the next one for its result
OPERATORS = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power"}


class Steps:
    """Steps are tuples: ("number", a float), or a name and the registers of its operands. Equal ones are one step."""

    def __init__(self, text: str, named: list[str]) -> None:
        self.text, self.named = text, named
        self.steps: list[tuple[Any, ...]] = []

    def step(self, *step: Any) -> int:
        if step not in self.steps:
            self.steps.append(step)
        return len(OPERANDS) + self.steps.index(step)

    def register(self, node: ast.expr) -> int:
        """Where the expression's value will be."""
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return self.step("number", float(node.value))
        if isinstance(node, ast.Name) and node.id in self.named:
            return OPERANDS.index(node.id)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return self.step("multiply", self.register(node.operand), self.step("number", -1.0))
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return self.operator(OPERATORS[type(node.op)], self.register(node.left), node.right)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == arity(node.func.id):
            return self.step(node.func.id, *[self.register(one) for one in node.args])
        raise ValueError(f"the table of ops has a rule {self.text!r}, whose {ast.unparse(node)!r} nothing can record")

    def operator(self, name: str, left: int, right: ast.expr) -> int:
        """micrograd's: a - b is a + (b * -1), and a / b is a * b**-1."""
        operand = self.register(right)
        if name == "subtract":
            return self.step("add", left, self.step("multiply", operand, self.step("number", -1.0)))
        if name == "divide":
            return self.step("multiply", left, self.step("power", operand, self.step("number", -1.0)))
        return self.step(name, left, operand)


def arity(name: str) -> int:
    if name in rules.functions():
        return 1
    return 2 if name.upper() in rules.of_two() else -1


def steps_of(text: str, named: list[str]) -> tuple[list[tuple[Any, ...]], int]:
    """The steps, and the register that has the result in the end, or -1 for "0". `named` says which operands there are.

    >>> steps_of("y + 1", ["x", "y"])
    ([('number', 1.0), ('add', 1, 4)], 5)
    """
    if text.strip() == "0":
        return [], -1
    try:
        expression = ast.parse(text, mode="eval").body
    except SyntaxError:
        raise ValueError(f"the table of ops has a rule that is no expression: {text!r}") from None
    steps = Steps(text, named)
    result = steps.register(expression)
    return steps.steps, result
