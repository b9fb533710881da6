"""Sentences about a verdict: the line that `micrograd-c run` prints, and what its --explain does. Knows verdicts."""

from __future__ import annotations

from micrograd_c._core.adopted.looking import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from micrograd_c._core.adopted.verdicts import Verdict

__all__ = ["explained", "summary"]


def summary(where: str, verdict: Verdict) -> str:
    """One line.

    >>> from micrograd_c._core.adopted.verdicts import Verdict
    >>> summary("Value (gpt.py:30)", Verdict(ours={"__add__": "__add__", "exp": "exp"}, own={"log": "it adds 1e-10"}))
    'Value (gpt.py:30) runs compiled; 2 methods ours, 1 its own (log)'
    >>> summary("Value (gpt.py:30)", Verdict(refusal="its backward changes what is printed"))
    'Value (gpt.py:30) stays as it is: its backward changes what is printed'
    """
    if verdict.refusal:
        return f"{where} stays as it is: {verdict.refusal}"
    own = f", {len(verdict.own)} its own ({', '.join(verdict.own)})" if verdict.own else ""
    return f"{where} runs compiled; {len(verdict.ours)} methods ours{own}"


def explained(kind: type, verdict: Verdict) -> str:
    """Line by line what was found of each method, of attributes and of the constructor."""
    lines = [f"micrograd-c: {summary(place(kind), verdict)}"]
    roles, habits = verdict.roles, verdict.habits
    if verdict.refusal and not roles.parameters:
        return lines[0]
    lines += [f"  compared: {note}" for note in verdict.notes]
    attributes = {roles.data: "the number", roles.grad: "the gradient", roles.op: "the op's name"}
    attributes.update({name: f"operands, a {kind}" for name, kind in roles.children.items()})
    attributes[roles.local] = "derivatives with respect to operands"
    attributes.update(dict.fromkeys(roles.function, "the function of a backward step"))
    attributes.update({name: f"kept, at first {held!r}" for name, held in roles.extras.items()})
    lines += [f"  attribute {name}: {what}" for name, what in attributes.items() if name]
    lines.append(f"  constructor: {', '.join(name for name, _ in roles.parameters)}")
    if verdict.ours:
        lines.append(f"  ours: {', '.join(verdict.ours)}")
    lines += [f"  its own: {name}{': ' if why else ''}{why}" for name, why in verdict.own.items()]
    if habits.seed != "int":
        lines.append("  backward() begins with a float" if habits.seed == "float" else "  gradients are floats")
    if habits.old_slopes:
        lines.append("  derivatives are made of data as it was when a node was computed")
    return "\n".join(lines)
