"""Rule texts in LaTeX. Knows the language of `formulas` only."""

from __future__ import annotations

import ast

from micrograd_c._core.explained.formulas import COMPARISONS, SYMBOLS, compared, name_of, parsed, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["to_latex"]

LATEX_FUNCTIONS = {
    **{name: rf"\{name}" for name in (
        "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min")},
    "asin": r"\arcsin", "acos": r"\arccos", "atan": r"\arctan",
    "sigmoid": r"\sigma", "normal_cdf": r"\Phi", "normal_pdf": r"\varphi",
}
LOOSE, PRODUCT, TIGHT = range(3)        # how strongly the parts of a text hold together


def to_latex(formula: str, operands: Mapping[str, str]) -> str:
    """The formula in LaTeX, with LaTeX in the places of x, y, z, n and m.

    >>> print(to_latex("1 / (2 * z)", {"z": "f"}), to_latex("n * x**m", {"x": "-2", "n": "2", "m": "1"}))
    \\frac{1}{2 \\cdot f} 2 \\cdot \\left(-2\\right)^{1}
    """
    return latex_of(parsed(formula), operands)[0]


def latex_of(tree: ast.expr, operands: Mapping[str, str]) -> tuple[str, int]:
    if isinstance(tree, ast.Constant):
        return shown(tree.value), TIGHT     # type: ignore[arg-type]
    if isinstance(tree, ast.Name):
        text = operands[tree.id]
        return text, LOOSE if text.startswith("-") else PRODUCT if " " in text or r"\times" in text else TIGHT
    if isinstance(tree, ast.UnaryOp):
        return f"-{wrapped(tree.operand, operands, PRODUCT)}", LOOSE
    if isinstance(tree, ast.BinOp):
        return latex_of_operator(tree, operands)
    if isinstance(tree, ast.Call):
        return latex_of_call(tree, operands)
    if isinstance(tree, ast.IfExp):
        lines = r" \\ ".join(cases(tree, operands))
        return rf"\begin{{cases}}{lines}\end{{cases}}", TIGHT
    raise ValueError(f"a formula has no {type(tree).__name__}")


def latex_of_operator(tree: ast.BinOp, operands: Mapping[str, str]) -> tuple[str, int]:
    kind = type(tree.op)
    if kind is ast.Div:
        return rf"\frac{{{latex_of(tree.left, operands)[0]}}}{{{latex_of(tree.right, operands)[0]}}}", TIGHT
    if kind is ast.Pow:
        return f"{wrapped(tree.left, operands, TIGHT)}^{{{latex_of(tree.right, operands)[0]}}}", PRODUCT
    if kind is ast.Mult:
        comes_first = isinstance(tree.left, ast.Name)       # a negative number needs no parentheses
        left = latex_of(tree.left, operands)[0] if comes_first else wrapped(tree.left, operands, PRODUCT)
        return rf"{left} \cdot {wrapped(tree.right, operands, PRODUCT)}", PRODUCT
    return f"{latex_of(tree.left, operands)[0]} {SYMBOLS[kind]} {wrapped(tree.right, operands, PRODUCT)}", LOOSE


def latex_of_call(tree: ast.Call, operands: Mapping[str, str]) -> tuple[str, int]:
    name = name_of(tree)
    arguments = ", ".join(latex_of(argument, operands)[0] for argument in tree.args)
    if name == "sqrt":
        return rf"\sqrt{{{arguments}}}", TIGHT
    if name == "abs":
        return rf"\left|{arguments}\right|", TIGHT
    plain = name.replace("_", r"\_")
    function = LATEX_FUNCTIONS.get(name, rf"\operatorname{{{plain}}}")
    return rf"{function}\left({arguments}\right)", TIGHT


def cases(tree: ast.expr, operands: Mapping[str, str]) -> list[str]:
    if not isinstance(tree, ast.IfExp):
        return [rf"{latex_of(tree, operands)[0]} & \text{{{operands.get('else', 'otherwise')}}}"]
    left, comparison, right = compared(tree.test)
    condition = f"{latex_of(left, operands)[0]} {COMPARISONS[comparison][2]} {latex_of(right, operands)[0]}"
    return [rf"{latex_of(tree.body, operands)[0]} & {condition}", *cases(tree.orelse, operands)]


def wrapped(tree: ast.expr, operands: Mapping[str, str], least: int) -> str:
    text, strength = latex_of(tree, operands)
    return text if strength >= least else rf"\left({text}\right)"
