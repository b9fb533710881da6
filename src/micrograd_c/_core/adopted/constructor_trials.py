"""Constructors called with what people may give them: numbers of all sorts, None, texts, Values, other labels.

A branch for one of these would be lost, as ours is called in the place of theirs. Knows roles, and how to call.
"""

from __future__ import annotations

import math
import random

from micrograd_c._core.adopted.observing import Subject
from micrograd_c._core.adopted.roles import NotAdopted, attributes_of, same_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    # its text, what is given
    _Calls = list[tuple[str, tuple[Any, ...], dict[str, Any]]]

__all__ = ["constructed", "differs", "look_at_instances"]

NUMBERS = (0, -2, 5, 100, 0.0, -0.0, -0.5, 1.0, 1e300, math.inf, math.nan)
NO_NUMBERS: tuple[Any, ...] = (None, "2.5", "text", [1.0], (1.0,), {})
A_VALUE = "one of its own"
OTHERS = ("zz", "", 7, 0, -1, 0.5, None, True, False, ())     # for parameters that are kept as they are


def look_at_instances(theirs: Subject) -> None:
    """Whether all of them have the same attributes. Raises NotAdopted."""
    roles, name_of = theirs.roles, theirs.kind.__name__
    on_node = {roles.data, roles.grad, roles.local, roles.op, *roles.children, *roles.function}
    made = {}
    for number in NUMBERS:
        try:
            made[f"{name_of}({number!r})"] = attributes_of(theirs.kind(number))
        except Exception:       # which is compared
            continue
    x, y = theirs.kind(2.5), theirs.kind(4.0)
    made.update({"a product": attributes_of(x * y), "a sum": attributes_of(x + y)})
    for what, held in made.items():
        for name in held.keys() ^ set(roles.attributes):
            if name not in on_node:
                raise NotAdopted(f"{what} has {'an' if name in held else 'no'} attribute {name}, other instances "
                                 f"{'have none' if name in held else 'have one'}")
        for name, usual in roles.extras.items():
            if not same_plain(held[name], usual):
                raise NotAdopted(f"{what} has {held[name]!r} as its {name}, others have {usual!r}")


def constructed(subject: Subject) -> dict[str, Any]:
    """What comes of each call, by its text: None for an exception; otherwise data, and attributes that are kept."""
    return {text: outcome(subject, given, named) for text, given, named in calls(subject)}


def calls(subject: Subject) -> _Calls:
    name = subject.kind.__name__
    found: _Calls = [(f"{name}({one!r})", (one,), {}) for one in NUMBERS + NO_NUMBERS]
    found += [(f"{name}({A_VALUE})", (subject.kind(2.5),), {})]
    for parameter, role in subject.roles.parameters:
        if role.startswith("extra:"):
            found += [(f"{name}(2.5, {parameter}={one!r})", (2.5,), {parameter: one}) for one in OTHERS]
    return found


def outcome(subject: Subject, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
    random.seed(1)
    try:
        node = subject.kind(*given, **named)
    except Exception:
        return None
    data = subject.data(node)
    if data is given[0] and type(data) not in (int, float):
        return "as it is given"
    kept = [getattr(node, name, "nothing") for name in subject.roles.extras]
    return [type(data).__name__, repr(data), *(f"{type(one).__name__} {one!r}" for one in kept)]


def differs(theirs: dict[str, Any], ours: dict[str, Any], takes_values: bool) -> str:
    """The first call of which something else comes, as a sentence; or ''.

    What theirs keeps though it is no number, ours refuses: see docs/differences.md. takes_values: a Value is a number
    where theirs asks for float(data), as it has a __float__.
    """
    for text, expected in theirs.items():
        seen = ours[text]
        is_of_value = text.endswith(f"({A_VALUE})")
        if expected not in (seen, "as it is given") and not (takes_values and is_of_value and expected is None):
            return f"{text} {told(expected)}, ours {told(seen)}"
    return ""


def told(outcome: Any) -> str:
    if outcome is None:
        return "raises an exception"
    return f"gives {', '.join(outcome[1:])}" if isinstance(outcome, list) else "keeps what is given"
