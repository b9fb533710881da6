"""LaTeX of explanations: what the two gates are, and that it is well formed for any expression."""

import re

import pytest
from hypothesis import given
from test_explain import REFUSED, built, expressions

from micrograd_c import Value, explain
from micrograd_c._core.explained.latex_formulas import to_latex
from micrograd_c._core.explained.rule_texts import RULES

GATES = r"""\textbf{Forward}
\begin{align*}
  x &= -2 \\
  y &= 5 \\
  z &= -4 \\
  q &= x + y = -2 + 5 = 3 \\
  f &= q \cdot z = 3 \cdot \left(-4\right) = -12
\end{align*}
\textbf{Backward}
\begin{align*}
  \frac{\mathrm{d} f}{\mathrm{d} f} &= 1 \\
  \frac{\mathrm{d} f}{\mathrm{d} q} &= z = -4 \\
  \frac{\mathrm{d} f}{\mathrm{d} z} &= q = 3 \\
  \frac{\mathrm{d} q}{\mathrm{d} x} &= 1 \\
  \frac{\mathrm{d} q}{\mathrm{d} y} &= 1 \\
  \frac{\mathrm{d} f}{\mathrm{d} x} &= \frac{\mathrm{d} f}{\mathrm{d} q} \cdot \frac{\mathrm{d} q}{\mathrm{d} x} = -4 \cdot 1 = -4 \\
  \frac{\mathrm{d} f}{\mathrm{d} y} &= \frac{\mathrm{d} f}{\mathrm{d} q} \cdot \frac{\mathrm{d} q}{\mathrm{d} y} = -4 \cdot 1 = -4
\end{align*}
"""     # noqa: E501


def check(text):
    """Braces, \\left and environments come in pairs, and each row of an align* has one place to align."""
    plain = re.sub(r"\\[{}]", "", text)
    depth = 0
    for character in plain:
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0
    assert text.count(r"\left") == text.count(r"\right")
    assert re.findall(r"\\begin\{(.*?)\}", text).count("cases") == text.count(r"\end{cases}")
    for body in re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}", text, re.DOTALL):
        for row in body.split(" \\\\\n"):
            assert re.sub(r"\\begin\{cases\}.*?\\end\{cases\}", "", row).replace(r"\&", "").count("&") == 1, row


def test_the_two_gates():
    assert explain("(x + y) * z", x=-2, y=5, z=-4).latex() == GATES


@given(expressions)
def test_any_expression_is_well_formed(expression):
    try:
        root, _ = built(expression + " + x", x=0.5, y=-1.5, z=2e-7)
        check(explain(root).latex())
    except REFUSED:
        return


@pytest.mark.parametrize("name", RULES)
def test_each_rule_is_well_formed(name):
    operands = {letter: letter for letter in "xyznm"}
    for formula in (RULES[name].value, *RULES[name].slopes):
        check(to_latex(formula, operands))


@pytest.mark.parametrize(
    ("formula", "operands", "latex"),
    [
        ("1 / (1 + x)", {"x": "a"}, r"\frac{1}{1 + a}"), ("n * x**m", {"n": "2", "x": "a", "m": "1"}, r"2 \cdot a^{1}"),
        ("x**n", {"x": "-2", "n": "3"}, r"\left(-2\right)^{3}"),
        ("z * (1 - z)", {"z": "f"}, r"f \cdot \left(1 - f\right)"),
        ("1 - z**2", {"z": "-0.5"}, r"1 - \left(-0.5\right)^{2}"), ("sqrt(x)", {"x": "a"}, r"\sqrt{a}"),
        ("abs(x)", {"x": "a"}, r"\left|a\right|"), ("-sin(x)", {"x": "a"}, r"-\sin\left(a\right)"),
        ("y * x**(y - 1)", {"x": "a", "y": "-1"}, r"-1 \cdot a^{-1 - 1}"),
        ("1 if x > 0 else 0", {"x": "a"}, r"\begin{cases}1 & a > 0 \\ 0 & \text{otherwise}\end{cases}"),
        ("log_sigmoid(x)", {"x": "a"}, r"\operatorname{log\_sigmoid}\left(a\right)"),
    ],
)
def test_formulas_in_latex(formula, operands, latex):
    assert to_latex(formula, operands) == latex


@pytest.mark.parametrize(
    ("label", "latex"),
    [("w1", "w_{1}"), ("w_2", "w_{2}"), ("loss", r"\mathit{loss}"), ("alpha", r"\alpha"),
     ("50% & more", r"\text{50\% \& more}"),
     ("a_b", r"\text{a\_b}"), ("\\input{x}", r"\text{\textbackslash{}input\{x\}}"), ("損失", r"\text{損失}")],
)
def test_names_in_latex(label, latex):
    text = explain(Value(2.0, label=label) * 3).latex()
    assert text.startswith("\\textbf{Forward}\n\\begin{align*}\n  " + latex + " &= 2 ")
    check(text)


def test_numbers_have_powers_of_ten_and_infinity():
    assert r"1.5 \times 10^{-7}" in explain("x * 2", x=1.5e-7).latex()
    assert r"\infty" in explain("x * 2", x=float("inf")).latex()
    assert r"\mathrel{+}=" in explain("x * x", x=3).latex()
