"""What can be seen of an expression over Values of a class: numbers, their types, the graph, gradients, exceptions.

Two observations are compared as a program would: data to the bit, gradients to their last digits, as their sums may
have another order. Knows roles of attributes, and no class.
"""

from __future__ import annotations

import math

from micrograd_c._core.adopted.roles import Roles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    _Facts = list[tuple[str, Any]]

__all__ = ["Gradients", "Subject", "difference", "observe"]

LAST_DIGITS = 4     # units in the last place between gradients that are the same
RELATIVE, ABSOLUTE = 1e-12, 1e-14   # where they are sums
DEEPEST = 8


class Gradients(list):
    """Numbers that are compared as gradients are."""


class Subject:
    """A class under its roles: theirs, or ours in its place."""

    def __init__(self, kind: Any, roles: Roles) -> None:
        self.kind, self.roles = kind, roles
        self.children = next(iter(roles.children))
        self.is_ordered = roles.children[self.children] in ("tuple", "list")

    def data(self, value: Any) -> Any:
        return getattr(value, self.roles.data)

    def grad(self, value: Any) -> Any:
        return getattr(value, self.roles.grad)

    def set_data(self, value: Any, number: Any) -> None:
        setattr(value, self.roles.data, number)

    def set_grad(self, value: Any, number: Any) -> None:
        setattr(value, self.roles.grad, number)

    def operands(self, value: Any) -> Any:
        return getattr(value, self.children)


def observe(subject: Any, numbers: Sequence[Any], expression: Callable[..., Any], **extras: Any) -> _Facts:
    """What is seen of expression(subject, Value of each number ...) and, if that is a Value, of its backward()."""
    try:
        operands = [subject.kind(number, **extras) for number in numbers]
        result = expression(subject, *operands)
    except Exception as error:
        return [("raises", type(error).__name__)]
    facts: _Facts = []
    if isinstance(result, subject.kind):
        of_backward: _Facts = []
        try:
            returned = result.backward()
            if returned is not None:
                of_backward = [("what backward() returns,", type(returned).__name__)]
        except Exception as error:
            of_backward = [("raises", type(error).__name__)]
        known = {id(one): f"operand {k}" for k, one in enumerate(operands)}
        add_node(facts, subject, result, known, DEEPEST)
        for one in operands:        # also those that cannot be reached
            add_node(facts, subject, one, {}, 0)
        return facts + of_backward
    add_thing(facts, subject, result, 3)
    return facts


def add_thing(facts: _Facts, subject: Subject, thing: Any, deepest: int) -> None:
    """Anything else that a method returns."""
    if isinstance(thing, subject.kind):
        add_node(facts, subject, thing, {}, DEEPEST)
    elif isinstance(thing, Gradients):
        facts.extend(("grad", one) for one in thing)
    elif isinstance(thing, (list, tuple)) and deepest:
        facts.append(("list", (type(thing).__name__, len(thing))))
        for one in thing[:20]:
            add_thing(facts, subject, one, deepest - 1)
    elif isinstance(thing, (int, float)):
        facts.append(("number", thing))
    elif isinstance(thing, (str, bytes, type(None))):
        facts.append(("text", thing))
    else:
        facts.append(("type", type(thing).__name__))


def add_node(facts: _Facts, subject: Subject, node: Any, known: dict[int, str], deepest: int) -> None:
    """A node and what it was computed from. Known ones are named, and not described again."""
    roles = subject.roles
    name = known.get(id(node), "")
    facts += (
        ("node", name or type(node).__name__), ("data", getattr(node, roles.data)), ("grad", getattr(node, roles.grad)),
    )
    for extra, usual in roles.extras.items():
        facts.append((extra, repr(getattr(node, extra, usual))))
    if name or deepest <= 0:
        return
    known[id(node)] = f"node {len(known)}"
    if roles.op:
        facts.append(("op", getattr(node, roles.op)))
    for attribute in roles.children:
        held = getattr(node, attribute)
        facts.append(("operands", (container(held), len(held) if held is not None else 0)))
    if roles.local:
        try:
            slopes = getattr(node, roles.local)
        except ArithmeticError:     # which backward() has raised
            slopes = None
        facts.append(("slopes of", container(slopes)))
        for slope in slopes or ():
            facts.append(("grad", slope + 0.0))     # as floats; which 0 it is, nobody asks
    for one in in_order(subject, getattr(node, subject.children) or (), known):
        add_node(facts, subject, one, known, deepest - 1)


def container(held: Any) -> str:
    """A list that a method of theirs gives to the constructor is a tuple on our nodes."""
    return "tuple" if isinstance(held, list) else type(held).__name__


def in_order(subject: Subject, operands: Any, known: dict[int, str]) -> Any:
    """Operands in an order of their own where they are in a set, whose order is by chance."""
    if subject.is_ordered or len(operands) < 2:
        return operands
    entries = [(known.get(id(one), ""), repr(subject.data(one)), one) for one in operands]
    keys = {entry[:2] for entry in entries}
    if len(keys) == len(entries):
        return [one for _, _, one in sorted(entries, key=lambda entry: entry[:2])]
    described = []
    for one in operands:
        its: _Facts = []
        add_node(its, subject, one, dict(known), 3)
        described.append((known.get(id(one), ""), repr(its), one))
    return [one for _, _, one in sorted(described, key=lambda entry: entry[:2])]


def readable(fact: tuple[str, Any]) -> str:
    what, seen = fact
    return f"{what} {seen!r}" if what in ("data", "grad", "number") else f"{what} {seen}"


def difference(theirs: _Facts, ours: _Facts, strict: bool = True) -> tuple[str, str] | None:
    """The first thing that is not the same, as (theirs, ours); None if there is none.

    Not strict: gradients that are sums may differ a little more than in their last digits, where they cancel.
    """
    if len(theirs) == 1 and theirs[0][0] == "raises" and ours and ours[-1] == theirs[0]:
        return None     # a slope that cannot be computed is found out in backward() here
    for a, b in zip(theirs, ours):
        if a[0] != b[0] or not same(a[0], a[1], b[1], strict):
            return readable(a), readable(b)
    if len(theirs) != len(ours):
        rest = (theirs if len(theirs) > len(ours) else ours)[min(len(theirs), len(ours))]
        return (readable(rest), "nothing") if len(theirs) > len(ours) else ("nothing", readable(rest))
    return None


def same(what: str, a: Any, b: Any, strict: bool) -> bool:
    if type(a) is not type(b):
        return False
    if type(a) is not float:
        return bool(a == b)
    if a == b:
        return a != 0.0 or math.copysign(1.0, a) == math.copysign(1.0, b)
    if a != a or b != b:
        return a != a and b != b
    if what != "grad" or math.isinf(a) or math.isinf(b):
        return False
    if strict:
        return abs(a - b) <= LAST_DIGITS * math.ulp(max(abs(a), abs(b)))
    return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
