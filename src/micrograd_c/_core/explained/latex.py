"""An explanation as LaTeX, for documents that use amsmath."""

from __future__ import annotations

import re

from micrograd_c._core.explained.circuit import GIVEN
from micrograd_c._core.explained.latex_formulas import to_latex
from micrograd_c._core.explained.text import Texts, each_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from micrograd_c._core.explained.circuit import Circuit, Node

    _Translate = Callable[[str], str]

__all__ = ["as_latex"]

WORD = re.compile(r"([A-Za-z]+|[^\W\d_])_?(\d*)")
ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{character: "\\" + character for character in "_#$%&"},
}
GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "lambda", "mu", "nu", "xi", "pi", "rho", "sigma",
    "tau", "phi", "chi", "psi", "omega",
}


def as_latex(circuit: Circuit, translate: _Translate, digits: int) -> str:
    """Two align* environments, forward and backward."""
    texts = LatexTexts(circuit, translate, digits)
    forward = [line for node in circuit.nodes for line in texts.forward(node)]
    backward = [f"{texts.derivative(circuit.root)} = 1"]
    backward += [line for node in reversed(circuit.gates()) for line in texts.backward(node)]
    lines = [f"% {texts.summary()}".rstrip()] if circuit.is_cut() else []
    for title, rows in ((translate("Forward"), forward), (translate("Backward"), backward)):
        body = " \\\\\n".join(f"  {aligned(row)}" for row in rows)
        lines += [rf"\textbf{{{title}}}", r"\begin{align*}", body, r"\end{align*}"]
    return "\n".join(lines) + "\n"


def aligned(row: str) -> str:
    """At the first equals sign."""
    return re.sub(r" (\+?)= ", lambda found: r" &\mathrel{+}= " if found[1] else " &= ", row, count=1)


def escaped(text: str) -> str:
    """Any text as text in mathematics."""
    return "".join(ESCAPES.get(character, character) for character in text)


class LatexTexts(Texts):
    """The same parts as of the text, in LaTeX."""

    def number(self, number: float) -> str:
        text = super().number(number)
        mantissa, e, exponent = text.partition("e")
        if e:
            return rf"{mantissa} \times 10^{{{int(exponent)}}}"
        return {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{nan}"}.get(text, text)

    def factor(self, number: float, is_first: bool = False) -> str:
        text = self.number(number)
        return rf"\left({text}\right)" if text.startswith("-") and not is_first else text

    def name(self, node: Node) -> str:
        if node.kind == "constant":
            return self.number(node.data)
        found = WORD.fullmatch(node.name)
        if not found:
            return rf"\text{{{escaped(node.name)}}}"
        word, index = found.groups()
        symbol = f"\\{word}" if word in GREEK else word if len(word) == 1 else rf"\mathit{{{word}}}"
        return f"{symbol}_{{{index}}}" if index else symbol

    def quoted(self, node: Node) -> str:
        return self.name(node)

    def derivative(self, node: Node) -> str:
        return self.fraction(r"\mathrm{d}", self.circuit.root, node)

    def fraction(self, d: str, above: Node, below: Node) -> str:
        return rf"\frac{{{d} {self.name(above)}}}{{{d} {self.name(below)}}}"

    def local(self, node: Node, slot: int) -> str:
        operand = self.circuit.nodes[node.operands[slot]]
        symbol = self.fraction(r"\partial" if node.several[slot] else r"\mathrm{d}", node, operand)
        if node.operands.count(operand.place) == 1:
            return symbol
        return rf"\left[{symbol}\right]_{{{node.operands[:slot + 1].count(operand.place)}}}"

    def formula(self, node: Node, operands: dict[str, str]) -> str:
        if node.rule == GIVEN:
            listed = ", ".join(self.name(self.circuit.nodes[place]) for place in node.operands)
            return rf"\operatorname{{{escaped(node.op or 'op')}}}\left({listed}\right)"
        return to_latex(node.formulas().value, {**operands, "else": self.translate("otherwise")})

    def local_line(self, node: Node, slot: int) -> str:
        parts = [self.local(node, slot)]
        if node.rule != GIVEN:
            slope, word = node.formulas().slopes[slot], {"else": self.translate("otherwise")}
            for operands in (self.names_for(node), self.numbers_for(node)):
                parts.append(to_latex(slope, {**operands, **word}))
        return " = ".join(each_once([*parts, self.number(node.locals[slot])]))

    def chain(self, node: Node, slot: int) -> str:
        symbols = rf"{self.derivative(node)} \cdot {self.local(node, slot)}"
        return rf"{symbols} = {self.number(node.grad)} \cdot {self.factor(node.locals[slot])}"
