"""What people write who mean an expression: signs that are read as they are meant, and advice where one is refused."""

from __future__ import annotations

import ast
import math
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["EXAMPLES", "advice", "as_typed", "missing_product"]

SIGNS = str.maketrans({
    "\ufeff": "", "\u00d7": "*", "\u00b7": "*", "\u22c5": "*", "\u00f7": "/", "\u2212": "-",
    "\u00b2": "**2", "\u00b3": "**3", "\u3000": " ",
    **{chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)},        # full-width forms of ASCII
})
EXAMPLES = {"e": math.e, "pi": math.pi}     # names whose number is not any
PRODUCT = "a product is written with *"
WITHOUT_SIGN = re.compile(r"(?<![\w.])(\d+\.?\d*)([^\W\d]\w*)")


def as_typed(text: str) -> str:
    """The text in the signs of Python.

    >>> as_typed("x \u00d7 y\u00b2 \u2212 \uff11")
    'x * y**2 - 1'
    """
    return text.translate(SIGNS)


def missing_product(text: str) -> str:
    """What to add to a complaint about the syntax of 2x.

    >>> missing_product("2x + 1"), missing_product("x +")
    (': a product is written with *, as in 2 * x', '')
    """
    found = WITHOUT_SIGN.search(text)
    return f": {PRODUCT}, as in {found[1]} * {found[2]}" if found else ""


def advice(tree: ast.AST, names: Collection[str], functions: Collection[str]) -> tuple[str, str] | None:
    """What is wrong, and what to write; None for what is no slip that many make."""
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitXor):
        return "is not an operator or function of Value", "a power is written **"
    if isinstance(tree, ast.Compare):
        return "is not an operator or function of Value", "a condition is a number, true unless 0, such as relu(x)"
    return of_call(tree.func, names, functions) if isinstance(tree, ast.Call) else None


def of_call(called: ast.expr, names: Collection[str], functions: Collection[str]) -> tuple[str, str] | None:
    if isinstance(called, (ast.BinOp, ast.Constant)) or (isinstance(called, ast.Name) and called.id in names):
        return "is not a function of Value", PRODUCT
    if isinstance(called, ast.Name) and called.id == "ln":
        return "calls ln", "the natural logarithm is log"
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        module = called.value.id
        if module not in names and called.attr in functions:
            return f"calls {module}.{called.attr}", f"write {called.attr}"
    return None
