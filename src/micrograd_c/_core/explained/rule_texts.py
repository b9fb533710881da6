"""What each op of the table computes and its local derivatives, as people write them. Knows nothing but the ops' names.

The texts are in the small language of `formulas`: x and y are the operands, z is the result, n the number of a power
and m the same less 1. Text, LaTeX and the page's JavaScript are all made from them. The numbers of an explanation are
the engine's own; a text is shown only where it gives the same number. Tests hold the texts against the table.
"""

from __future__ import annotations

import re

from micrograd_c._core.ops import rules  # type: ignore[attr-defined]  # compiled, without a stub

__all__ = ["CHOICES", "RULES", "Rule", "rule_of"]

# a derivative of 0 stops even an infinite gradient
CHOICES = {"MAXIMUM", "MINIMUM", "PICK", "PICK_NOT", "GIVEN", "ABOVE", "EQUAL"}


class Rule:
    """An op's value and its derivative with respect to each operand."""

    __slots__ = ("slopes", "value")

    def __init__(self, value: str, *slopes: str) -> None:
        self.value = value
        self.slopes = slopes


CUBIC = "1.5957691216057308 * (x + 0.044715 * x**3)"        # the factor is 2 * sqrt(2 / pi)
RULES = {
    "ADD": Rule("x + y", "1", "1"),
    "MUL": Rule("x * y", "y", "x"),
    "POWER": Rule("x**n", "n * x**m"),
    "POW": Rule("x**y", "y * x**(y - 1)", "z * log(x)"),
    "MAXIMUM": Rule("max(x, y)", "1 if x > y else 0.5 if x == y else 0", "1 if y > x else 0.5 if x == y else 0"),
    "MINIMUM": Rule("min(x, y)", "1 if x < y else 0.5 if x == y else 0", "1 if y < x else 0.5 if x == y else 0"),
    "PICK": Rule("y if x != 0 else 0", "0", "1 if x != 0 else 0"),
    "PICK_NOT": Rule("y if x == 0 else 0", "0", "1 if x == 0 else 0"),
    "GIVEN": Rule("x", "0", "1"),
    "ATAN2": Rule("atan2(x, y)", "y / (x * x + y * y)", "-x / (x * x + y * y)"),
    "ABOVE": Rule("1 if x > y else 0", "0", "0"),
    "EQUAL": Rule("1 if x == y else 0", "0", "0"),
    "STOP": Rule("stop_gradient(x)", "0"),
    "relu": Rule("relu(x)", "1 if x > 0 else 0"),
    "exp": Rule("exp(x)", "z"),
    "log": Rule("log(x)", "1 / x"),
    "expm1": Rule("expm1(x)", "z + 1"),
    "log1p": Rule("log1p(x)", "1 / (1 + x)"),
    "tanh": Rule("tanh(x)", "1 - z**2"),
    "sigmoid": Rule("sigmoid(x)", "z * (1 - z)"),
    "leaky_relu": Rule("leaky_relu(x)", "1 if x > 0 else 0.01"),
    "softplus": Rule("softplus(x)", "sigmoid(x)"),
    "log_sigmoid": Rule("log_sigmoid(x)", "sigmoid(-x)"),
    "silu": Rule("silu(x)", "sigmoid(x) * (1 + x * sigmoid(-x))"),
    "gelu": Rule("gelu(x)", "normal_cdf(x) + x * normal_pdf(x)"),
    "gelu_tanh": Rule(
        "gelu_tanh(x)",
        f"sigmoid({CUBIC}) * (1 + x * 1.5957691216057308 * (1 + 0.134145 * x**2) * sigmoid(-{CUBIC}))",
    ),
    "sqrt": Rule("sqrt(x)", "1 / (2 * z)"),
    "sin": Rule("sin(x)", "cos(x)"),
    "cos": Rule("cos(x)", "-sin(x)"),
    "tan": Rule("tan(x)", "1 + z**2"),
    "asin": Rule("asin(x)", "1 / sqrt((1 - x) * (1 + x))"),
    "acos": Rule("acos(x)", "-1 / sqrt((1 - x) * (1 + x))"),
    "atan": Rule("atan(x)", "1 / (1 + x**2)"),
    "sinh": Rule("sinh(x)", "cosh(x)"),
    "cosh": Rule("cosh(x)", "sinh(x)"),
    "erf": Rule("erf(x)", "1.1283791670955126 * exp(-x**2)"),       # the factor is 2 / sqrt(pi)
    "erfc": Rule("erfc(x)", "-1.1283791670955126 * exp(-x**2)"),
    "floor": Rule("floor(x)", "0"),
    "ceil": Rule("ceil(x)", "0"),
    "abs": Rule("abs(x)", "1 if x > 0 else -1 if x < 0 else 0"),
}


def names_of_ops() -> dict[str, str]:
    """By what a Value's `_op` says, the name of the rule; powers by a number are not among them."""
    found = {row["text"]: name for name, row in rules.of_two().items() if name != "POWER"}
    found.update((row["text"], name) for name, row in rules.functions().items())
    return {**found, "stop": "STOP"}


NAMES = names_of_ops()
POWER = re.compile(r"\*\*(-?[\d.]+(?:e[-+]?\d+)?)")


def rule_of(op: str) -> tuple[str, float | None] | None:
    """The name of the rule and, of a power by a number, that number; None for an op that is its author's own.

    >>> rule_of("+"), rule_of("**-1"), rule_of("mine")
    (('ADD', None), ('POWER', -1.0), None)
    """
    if op in NAMES:
        return NAMES[op], None
    found = POWER.fullmatch(op)
    return ("POWER", float(found[1])) if found else None
