"""Methods that somebody's Value has besides ours, called with what they may want. Knows signatures, and no class."""

from __future__ import annotations

import inspect
import random
import sys

from micrograd_c._core.adopted.grid import BINARY, REFLECTED
from micrograd_c._core.adopted.observing import observe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from micrograd_c._core.adopted.observing import Subject, _Facts

__all__ = ["own_trials", "seeded"]

# operators are on the grid
NOT_CALLED = {"__init__", "__hash__", "__sizeof__", "__class_getitem__", "__dir__", *BINARY, *REFLECTED}
ARGUMENTS: dict[int, list[tuple[Any, ...]]] = {     # by how many are wanted
    0: [()], 1: [(0.5,), (2,), ("value",)], 2: [(-1.0, 1.0), ("value", 0.5)], 3: [(0.5, -1.0, 1.0)],
}


def own_trials(
    kind: type, members: dict[str, Any], ours: dict[str, str], subject: Subject
) -> list[tuple[str, tuple[Any, ...], Any]]:
    """(call, numbers, expression) for what stays theirs."""
    return [
        trial for name, member in members.items() if name not in ours and name not in NOT_CALLED
        for trial in of_member(name, member, subject)
    ]


def of_member(name: str, member: Any, subject: Subject) -> Iterator[tuple[str, tuple[Any, ...], Any]]:
    if name in (*subject.roles.children, *subject.roles.function, subject.roles.data, subject.roles.grad):
        return
    if isinstance(member, property):
        for x in (0.7, -2, 0.0):
            yield name, (x,), lambda V, v: getattr(v * 2, name)
        return
    function = getattr(member, "__func__", member)
    if not inspect.isfunction(function):
        return
    is_of_class = isinstance(member, (staticmethod, classmethod))
    is_bound = not isinstance(member, staticmethod)
    parameters = list(inspect.signature(function).parameters.values())[is_bound:]
    wanted = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    for arguments in ARGUMENTS.get(len(wanted), [()]):
        if "value" in arguments and not is_of_class and makes_no_number(name, arguments, subject):
            continue
        call = f"{name}({', '.join('a Value' if one == 'value' else repr(one) for one in arguments)})"
        for x in (0.7, -2, 0.0, 3.5):
            if is_of_class:
                yield call, (x,), lambda V, v, arguments=arguments: getattr(V.kind, name)(*given(V, arguments, v))
            else:
                yield call, (x,), lambda V, v, arguments=arguments: [
                    getattr(v, name)(*given(V, arguments, v)), v]
                yield call, (x,), lambda V, v, arguments=arguments: computed(V, v, name, arguments)
                yield call, (x,), lambda V, v, arguments=arguments: getattr(v, name)(*given(V, arguments, v))


def makes_no_number(name: str, arguments: Any, subject: Subject) -> bool:
    """Whether a Value as an argument becomes a node's data or gradient: the method is meant for numbers."""
    node = subject.kind(0.7)
    try:
        getattr(node, name)(*given(subject, arguments, node))
    except Exception:
        return False
    return isinstance(subject.data(node), subject.kind) or isinstance(subject.grad(node), subject.kind)


def computed(V: Any, v: Any, name: str, arguments: Any) -> Any:
    """The same of a Value that was computed and swept."""
    node = v * 2.0 + 0.5
    node.backward()
    return [getattr(node, name)(*given(V, arguments, v)), node, v]


def given(V: Any, arguments: Any, v: Any) -> list[Any]:
    return [V.kind(1.5) if argument == "value" else argument for argument in arguments]


def seeded(subject: Subject, trial: tuple[str, Any, Any]) -> _Facts:
    """With the same random numbers each time."""
    _, numbers, expression = trial
    random.seed(1)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(1)
    return observe(subject, numbers, expression)
