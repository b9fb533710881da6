"""An explanation as lines of text. Knows circuits and formulas; other forms share `Texts`."""

from __future__ import annotations

import re

from micrograd_c._core.explained.circuit import GIVEN
from micrograd_c._core.explained.formulas import filled, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from micrograd_c._core.explained.circuit import Circuit, Node

    _Translate = Callable[[str], str]

__all__ = ["Texts", "as_text", "each_once"]

WORD = re.compile(r"\w+'*(\[\d+\])?")


def as_text(circuit: Circuit, translate: _Translate, digits: int) -> str:
    """The whole explanation."""
    texts = Texts(circuit, translate, digits)
    _ = translate
    lines = [texts.summary()] if circuit.is_cut() else []
    lines += [_("Forward: each gate computes its value from its operands.")]
    lines += [f"  {line}" for node in circuit.nodes for line in texts.forward(node)]
    lines.append("")
    lines.append(_("Backward: each gate multiplies the arriving gradient by its local derivatives and passes it on."))
    lines.append(f"  {texts.derivative(circuit.root)} = 1")
    for node in reversed(circuit.gates()):
        lines.append(f"  {texts.symbolic(node)}")
        lines += [f"    {line}" for line in texts.backward(node)]
    notes = texts.notes()
    if notes:
        lines += ["", *notes]
    return "\n".join(lines) + "\n"


class Texts:
    """The parts of an explanation, in words and formulas."""

    def __init__(self, circuit: Circuit, translate: _Translate, digits: int) -> None:
        self.circuit = circuit
        self.translate = translate
        self.digits = digits

    # --- names and numbers ---

    def number(self, number: float) -> str:
        return shown(number, self.digits)

    def factor(self, number: float, is_first: bool = False) -> str:
        """A number in a product or sum: a negative one that does not come first is in parentheses."""
        text = self.number(number)
        return f"({text})" if text.startswith("-") and not is_first else text

    def name(self, node: Node) -> str:
        return self.number(node.data) if node.kind == "constant" else node.name

    def quoted(self, node: Node) -> str:
        """The name, in parentheses where d before it would be hard to read."""
        return self.name(node) if WORD.fullmatch(self.name(node)) else f"({self.name(node)})"

    def derivative(self, node: Node) -> str:
        return f"d{self.quoted(self.circuit.root)}/d{self.quoted(node)}"

    def local(self, node: Node, slot: int) -> str:
        """The local derivative's symbol; with ∂ where the operand reaches the gate by other operands too."""
        operand = self.circuit.nodes[node.operands[slot]]
        d = "∂" if node.several[slot] else "d"
        place = f"[{node.operands[:slot + 1].count(operand.place)}]" if node.operands.count(operand.place) > 1 else ""
        return f"{d}{self.quoted(node)}/{d}{self.quoted(operand)}{place}"

    # --- formulas ---

    def names_for(self, node: Node) -> dict[str, str]:
        names = [self.name(self.circuit.nodes[place]) for place in node.operands]
        return {**dict(zip("xy", names)), "z": self.name(node), **self.own(node)}

    def numbers_for(self, node: Node) -> dict[str, str]:
        data = [self.number(self.circuit.nodes[place].data) for place in node.operands]
        return {**dict(zip("xy", data)), "z": self.number(node.data), **self.own(node)}

    def own(self, node: Node) -> dict[str, str]:
        return {name: self.number(number) for name, number in node.numbers().items()}

    def formula(self, node: Node, operands: dict[str, str]) -> str:
        if node.rule == GIVEN:
            listed = ", ".join(self.name(self.circuit.nodes[place]) for place in node.operands)
            return f"{node.op if node.op.isidentifier() else 'op'}({listed})"
        return filled(node.formulas().value, operands)

    def symbolic(self, node: Node) -> str:
        return f"{self.name(node)} = {self.formula(node, self.names_for(node))}"

    # --- steps ---

    def forward(self, node: Node) -> list[str]:
        """x = -2, or q = x + y = -2 + 5 = 3; nothing for a constant."""
        if node.kind == "constant":
            return []
        parts = [self.name(node)]
        if node.kind == "gate":
            parts.append(self.formula(node, self.names_for(node)))
            if node.rule != GIVEN:
                parts.append(self.formula(node, self.numbers_for(node)))
        if node.is_old:
            sentence = self.translate("{line}; it was computed as {number}, before an operand was changed")
            return [sentence.format(line=" = ".join(parts), number=self.number(node.data))]
        return [" = ".join(each_once([*parts, self.number(node.data)]))]

    def backward(self, node: Node) -> list[str]:
        """The local derivatives, and what this gate adds to its operands' gradients."""
        slots = [slot for slot, place in enumerate(node.operands) if self.circuit.nodes[place].kind != "constant"]
        lines = [self.local_line(node, slot) for slot in slots]
        if node is not self.circuit.root:
            lines += [self.share_line(node, slot) for slot in slots]
        elif any(node.several):
            lines += [self.share_line(node, slot) for slot in slots if self.has_several_shares(node, slot)]
        for place in sorted({node.operands[slot] for slot in slots}, reverse=True):
            operand = self.circuit.nodes[place]
            if len(operand.shares) > 1 and operand.shares[-1].gate == node.place and operand.kind != "left out":
                lines.append(self.sum_line(operand))
        return lines

    def has_several_shares(self, node: Node, slot: int) -> bool:
        return len(self.circuit.nodes[node.operands[slot]].shares) > 1

    def local_line(self, node: Node, slot: int) -> str:
        """dq/dx = y = -4."""
        parts = [self.local(node, slot)]
        if node.rule == GIVEN:
            return f"{parts[0]} = {self.number(node.locals[slot])} {self.translate('(given by the author of the op)')}"
        slope = node.formulas().slopes[slot]
        parts += [filled(slope, self.names_for(node)), filled(slope, self.numbers_for(node))]
        return " = ".join(each_once([*parts, self.number(node.locals[slot])]))

    def share_line(self, node: Node, slot: int) -> str:
        """df/dx = df/dq * dq/dx = -4 * 1 = -4, with += where it is one of several, or some are left out."""
        operand = self.circuit.nodes[node.operands[slot]]
        equals = "+=" if len(operand.shares) > 1 or operand.kind == "left out" else "="
        return f"{self.derivative(operand)} {equals} {self.chain(node, slot)} = {self.number(node.passed[slot].number)}"

    def chain(self, node: Node, slot: int) -> str:
        """df/dq * dq/dx = -4 * 1."""
        symbols = f"{self.derivative(node)} * {self.local(node, slot)}"
        return f"{symbols} = {self.number(node.grad)} * {self.factor(node.locals[slot])}"

    def sum_line(self, operand: Node) -> str:
        """df/dx = 3 + 4 = 7."""
        numbers = [self.factor(share.number, k == 0) for k, share in enumerate(operand.shares)]
        return f"{self.derivative(operand)} = {' + '.join(numbers)} = {self.number(operand.grad)}"

    # --- sentences ---

    def notes(self) -> list[str]:
        _ = self.translate
        notes = []
        if any(any(node.several) for node in self.circuit.gates()):
            notes.append(_("∂ is the derivative of one gate, with its other operands held fixed; d is along all ways."))
        if any(len(set(node.operands)) < len(node.operands) for node in self.circuit.gates()):
            notes.append(_("[1] and [2] tell the places of an operand that one gate uses twice."))
        if any(len(node.shares) > 1 for node in self.circuit.nodes if node.kind in ("leaf", "gate")):
            notes.append(_("What arrives from several places is added (+=): a change acts through each of them."))
        if self.circuit.is_cut():
            notes.append(_("A gradient with += but without a sum gets more from gates that are left out."))
        notes.append(_("backward() adds to the gradients that are there: set them to zero before each round."))
        return notes

    def summary(self) -> str:
        """How much of a graph that is too large is explained."""
        ordered = sorted(self.circuit.counts.items(), key=lambda item: (-item[1], str(item[0])))
        ops = self.translate(", ").join(f"{count:,} {op or self.translate('without op')}" for op, count in ordered[:10])
        return self.translate(
            "{part} of {all} Values, those computed last; limit=None explains all. The graph has {ops}."
        ).format(part=f"{self.circuit.taken:,}", all=f"{sum(self.circuit.counts.values()):,}", ops=ops) + "\n"


def each_once(parts: list[str]) -> list[str]:
    """Without a part that is the same as the one before: dq/dx = 1, and not 1 = 1 = 1."""
    return [part for k, part in enumerate(parts) if k == 0 or part != parts[k - 1]]
