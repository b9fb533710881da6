"""The class Value in the place of somebody else's: under its name, with its own methods where they are not ours.

There is one type that is as fast as Value, and that is Value itself; so a process adopts one class, and Value becomes
it. What it was is kept, for `give_back`. Knows Value, and verdicts about classes.
"""

from __future__ import annotations

from micrograd_c._core.adopted import habits  # type: ignore[attr-defined]
from micrograd_c._core.adopted.constructor import constructor_for
from micrograd_c._core.adopted.looking import bind, own_members
from micrograd_c._core.adopted.pickling import pickled_as
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from micrograd_c._core.adopted.verdicts import Verdict

__all__ = ["adopt", "adopted_class", "give_back"]

NAMES = ("__name__", "__qualname__", "__module__", "__doc__")
ABSENT = object()
LIKE_ANY_OBJECT = ("__repr__",)     # where a class without one shows that it has none

as_made: dict[str, Any] = {}        # what Value had before, by name
adopted_class: list[type] = []      # the class that Value is in the place of


def adopt(kind: type, verdict: Verdict, ours: dict[str, str], everywhere: bool = False) -> type:
    """Make Value the stand-in of kind, in which the methods in `ours` are Value's. Returns it.

    everywhere: methods mean it by their class's name from now on, before anybody has assigned it to that.
    """
    if adopted_class:
        give_back()
    adopted_class.append(kind)
    roles = verdict.roles
    names = {name: getattr(kind, name) for name in NAMES}
    members: dict[str, Any] = {
        name: member for name, member in own_members(kind).items()
        if name not in ours and name not in placed(roles)
    }
    members.update(aliases(roles, verdict.habits.op_names))
    members.update(roles.extras)
    for name, of_value in ours.items():
        if name != of_value:
            members[name] = vars(Value)[of_value]
    members.update(habitual(verdict, ours))
    if roles.local:
        members.update(pickled_as(kind, roles))
    if "__slots__" in vars(kind):
        members["__slots__"] = vars(kind)["__slots__"]
    for name in LIKE_ANY_OBJECT:
        if name not in vars(kind):
            members[name] = getattr(object, name)
    constructor = constructor_for(kind, roles, vars(Value)["__init__"])
    if constructor is not None:
        members["__init__"] = constructor
    set_habits(verdict)
    for name, member in members.items():
        assign(name, member)
    for name, text in names.items():
        as_made.setdefault(name, getattr(Value, name))
        setattr(Value, name, text)
    bind(kind, kind.__name__, Value, everywhere)
    return Value


def placed(roles: Any) -> set[str]:
    """Names that hold what a node holds: a default that the class has for one is of no use."""
    return {roles.data, roles.grad, roles.local, roles.op, *roles.children, *roles.function, "__hash__"}


def aliases(roles: Any, op_names: dict[str, str]) -> dict[str, Any]:
    """Attributes under their names."""
    native = {name: vars(Value)[name] for name in ("data", "grad", "_prev", "_op", "_backward")}
    found = {}
    for name, kind in roles.children.items():
        if (name, kind) not in (("_prev", "set"), ("_children", "tuple")):
            found[name] = children_as(kind, vars(Value)["_children" if roles.local else "_prev"].__set__)
    for name, of_value in ((roles.data, "data"), (roles.grad, "grad"), (roles.op, "_op")):
        if name and name != of_value:
            found[name] = native[of_value]
    if roles.op and op_names:
        found[roles.op] = renamed(native["_op"], op_names)
    for name in roles.function:
        if name != "_backward":
            found[name] = native["_backward"]
    if roles.local and roles.local != "_local_grads":
        found[roles.local] = vars(Value)["_local_grads"]
    return found


def children_as(kind: str, assign: Callable[[Any, Any], None]) -> property:
    """Operands in another container than Value has them in."""
    if kind == "set":
        return property(vars(Value)["_prev"].__get__, assign)
    get = vars(Value)["_children"].__get__
    if kind == "tuple":
        return property(get, assign)
    container = {"list": list, "frozenset": frozenset}[kind]
    return property(lambda self: container(get(self)), assign)


def renamed(op: Any, op_names: dict[str, str]) -> property:
    """`_op` with other names for Value's own ops."""
    get, assign = op.__get__, op.__set__

    def name(self: Any) -> Any:
        text = get(self)
        return op_names.get("**" if text[:2] == "**" else text, text) if isinstance(text, str) else text

    return property(name, assign)


def habitual(verdict: Verdict, ours: dict[str, str]) -> dict[str, Any]:
    """Methods that do what the class does where that is not Value's."""
    found: dict[str, Any] = {}
    if (verdict.habits.seed != "int" or verdict.habits.old_slopes) and "backward" in ours:
        found["backward"] = habits.backward
    if verdict.roles.local and verdict.habits.old_slopes:
        found[verdict.roles.local] = property(habits.local_grads, vars(Value)["_local_grads"].__set__)
    if verdict.habits.relu is not None:
        found.update((name, habits.relu) for name, of_value in ours.items() if of_value == "relu")
    return found


def set_habits(verdict: Verdict) -> None:
    habits.set_new_nodes(verdict.roles.grad_is_float, verdict.roles.data_is_float)
    habits.set_float_slopes(verdict.habits.float_slopes)
    habits.set_backward(verdict.habits.seed, verdict.habits.old_slopes)
    if verdict.habits.relu is not None:
        habits.set_relu(*verdict.habits.relu)


def assign(name: str, member: Any) -> None:
    as_made.setdefault(name, vars(Value).get(name, ABSENT))
    setattr(Value, name, member)


def give_back() -> None:
    """Value is itself again."""
    for name, member in reversed(list(as_made.items())):
        if member is ABSENT:
            delattr(Value, name)
        else:
            setattr(Value, name, member)
    as_made.clear()
    habits.set_new_nodes(False, False)
    habits.set_float_slopes(False)
    habits.set_backward("int", False)
    adopted_class.clear()


