"""One page that steps through an explanation: page.html, page.css and page.js with the circuit put in."""

from __future__ import annotations

import html
import json
import pathlib

from micrograd_c._core.explained.circuit import GIVEN
from micrograd_c._core.explained.formulas import filled, to_javascript
from micrograd_c._core.explained.rule_texts import CHOICES, RULES
from micrograd_c._core.explained.svg import STYLE, picture
from micrograd_c._core.explained.text import Texts, as_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from micrograd_c._core.explained.circuit import Circuit, Node

    _Translate = Callable[[str], str]

__all__ = ["STRINGS", "as_page"]

FOLDER = pathlib.Path(__file__).parent
# what page.html and page.js say, in {braces} what they put in
STRINGS = {
    "title": "{name}, gate by gate",
    "legend": "Above each wire is its value, from the forward pass; below it is its gradient, from the backward pass.",
    "start": "Start", "back": "Back", "next": "Next", "end": "End",
    "keys": "The arrow keys step too; Home and End go to the first and the last step.",
    "step": "Step {k} of {n}",
    "leaves_step": "The leaves have their values. Step forward to compute the gates.",
    "forward": "Forward", "backward": "Backward", "backward_of": "Backward: {gate}",
    "begin": "The backward pass begins at the result: its derivative with respect to itself is 1.",
    "added": "What arrives from several places is added (+=).",
    "given": "(given by the author of the op)",
    "leaves": "Values of the leaves", "reset": "Reset",
    "fixed": "These values cannot be edited: the page cannot compute all gates anew.",
    "not_a_number": "{text} is not a number.",
    "practice": "Practice: hide the gradients and work them out",
    "check": "Check", "answer": "Your answer for {name}",
    "right": "Right.", "empty": "Type a number.",
    "wrong_added": "Part of it. {name} is used in several places: add what arrives from each (+=).",
    "wrong_product": "What arrives from several places is added, not multiplied.",
    "wrong_local": "That is the local derivative. By the chain rule, multiply it by what arrives, {arrives}.",
    "wrong_arrives": "That is the gradient that arrives. Multiply it by the local derivative, {local}.",
    "wrong_value": "That is the value, from the forward pass. The gradient is asked for.",
    "wrong_factor": "The local derivative of a product is the other factor.",
    "wrong_sign": "The sign is wrong. Multiply the signs along the way, too.",
    "wrong": "Not yet. The rule: {rule}",
    "ways": "Each derivative as a sum over all ways to the result",
    "way_sum": "In each way the local derivatives are multiplied; the ways are added.",
    "more_ways": "The first {k} of {n} ways are shown.",
    "no_script": "This page steps with JavaScript, which is turned off here. The whole explanation as text:",
}


def as_page(circuit: Circuit, translate: _Translate, digits: int) -> str:
    """The page as text. It asks for nothing from elsewhere."""
    texts = Texts(circuit, translate, digits)
    strings = {key: translate(sentence) for key, sentence in STRINGS.items()}
    used = sorted({node.rule for node in circuit.gates() if node.rule != GIVEN})
    data = {
        "nodes": [described(node, texts) for node in circuit.nodes],
        "strings": strings,
        "digits": digits,
        "canEdit": not circuit.is_cut() and all(
            node.rule != GIVEN and not node.is_old for node in circuit.gates()
        ),
    }
    parts = {
        "LANG": translate("en"),
        "TITLE": html.escape(strings["title"].format(name=circuit.root.name)),
        "STYLE": STYLE + read("page.css"),
        "SUMMARY": html.escape(texts.summary()) if circuit.is_cut() else "",
        "CIRCUIT": picture(circuit, translate, digits),
        "TEXT": html.escape(as_text(circuit, translate, digits)),
        "DATA": json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"),
        "RULES": ",\n".join(rule_in_javascript(name) for name in used),
        "SCRIPT": read("page.js"),
        **{f"SAY {key}": html.escape(sentence) for key, sentence in strings.items()},
    }
    first, *rest = read("page.html").split("{{")
    pieces = (piece.partition("}}") for piece in rest)
    return first + "".join(parts[name] + after for name, _, after in pieces)


def read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def rule_in_javascript(name: str) -> str:
    rule = RULES[name]
    functions = [f"(x, y, z, n, m) => {to_javascript(formula)}" for formula in (rule.value, *rule.slopes)]
    return f'  {name}: {{value: {functions[0]}, slopes: [{", ".join(functions[1:])}]}}'


def described(node: Node, texts: Texts) -> dict[str, Any]:
    """What page.js knows of a node: its formulas, with names put in and without."""
    names = texts.names_for(node)
    given = node.rule == GIVEN
    rule = node.formulas() if node.kind == "gate" else None
    return {
        "line": "".join(texts.forward(node)), "name": texts.name(node), "kind": node.kind, "data": number(node.data),
        "operands": node.operands, "rule": "" if given else node.rule, "isChoice": node.rule in CHOICES,
        "power": node.number, "own": texts.own(node), "locals": [number(local) for local in node.locals],
        "d": texts.derivative(node), "localNames": [texts.local(node, slot) for slot in range(len(node.operands))],
        "symbolic": texts.formula(node, names) if rule else "",
        "value": "" if given or not rule else rule.value, "slopes": rule.slopes if rule else [],
        "symbolicSlopes": [filled(slope, names) for slope in rule.slopes] if rule else [],
    }


def number(value: float) -> float | str:
    """JSON has no infinite numbers, and no nan."""
    return value if value - value == 0 else repr(value)
