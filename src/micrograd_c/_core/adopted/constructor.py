"""A constructor with somebody's own parameters, for Value. Knows roles of parameters, and no nodes."""

from __future__ import annotations

import inspect
from functools import update_wrapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from micrograd_c._core.adopted.roles import Roles

__all__ = ["constructor_for"]

# the parameters of Value's own constructor by which it can be called in the place of theirs
OF_VALUE = {"children": ("_children", "children"), "op": ("_op",), "local": ("local_grads",)}


def constructor_for(kind: Any, roles: Roles, make: Callable[..., None]) -> Callable[..., None] | None:
    """An __init__ that takes what kind's does; None if Value's own does.

    It has their defaults, and sets only what is not the default: the class has that.
    """
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    if is_of_value(parameters, roles):
        return None
    names = dict(roles.parameters)
    given: dict[str, str] = {}      # by role, the parameter
    assigned: list[tuple[str, str]] = []    # (parameter, attribute)
    for parameter, role in names.items():
        if role in ("data", "children", "op", "local"):
            given[role] = parameter
        elif role.startswith("extra:"):
            assigned.append((parameter, role[6:]))
        else:
            assigned.append((parameter, {"grad": roles.grad, "function": (roles.function or [""])[0]}[role]))
    head, body = ["self"], []
    starred = False
    for one in parameters:
        if one.kind is one.KEYWORD_ONLY and not starred:
            head.append("*")
            starred = True
        head.append(one.name if one.default is one.empty else f"{one.name}=None")
    prefix = "_" * (1 + max(len(p.name) for p in parameters))       # of names that no parameter can have
    variables: dict[str, Any] = {f"{prefix}make": make, f"{prefix}float": float}
    data = f"{prefix}float({given['data']})" if roles.data_is_float else given["data"]
    arguments = [data]
    if "children" in given:
        arguments.append(f"{given['children']} or ()")
    call = ", ".join(arguments)
    if "children" in given and given.get("local"):
        local = given["local"]
        body += [f"if {local}:", f"    {prefix}make(self, {call}, {local})", "else:", f"    {prefix}make(self, {call})"]
    elif "children" in given and given.get("op"):
        body.append(f"{prefix}make(self, {call}, {given['op']})")
    else:
        body.append(f"{prefix}make(self, {call})")
    for parameter, attribute in assigned:
        variables[f"{prefix}{parameter}"] = parameter_default(parameters, parameter)
        body += [f"if {parameter} is not {prefix}{parameter}:", f"    self.{attribute} = {parameter}"]
    source = f"def __init__({', '.join(head)}):\n    " + "\n    ".join(body)
    exec(compile(source, "<constructor of an adopted class>", "exec"), variables)
    function = variables["__init__"]
    update_wrapper(function, kind.__init__)
    del function.__wrapped__
    function.__defaults__, function.__kwdefaults__ = kind.__init__.__defaults__, kind.__init__.__kwdefaults__
    return function     # type: ignore[no-any-return]


def is_of_value(parameters: list[inspect.Parameter], roles: Roles) -> bool:
    """Whether Value's constructor can be called as theirs."""
    if roles.data_is_float or len(parameters) > 3:
        return False
    for place, ((name, role), parameter) in enumerate(zip(roles.parameters, parameters)):
        if parameter.kind is parameter.KEYWORD_ONLY:
            return False
        if place == 0:
            is_same = name == "data" and parameter.default is parameter.empty
        else:
            is_same = (role == "children") == (place == 1) and name in OF_VALUE.get(role, ())
            is_same = is_same and parameter.default in ((), "", None, frozenset())
        if not is_same:
            return False
    return True


def parameter_default(parameters: list[inspect.Parameter], name: str) -> Any:
    return next(p.default for p in parameters if p.name == name)
