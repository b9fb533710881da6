"""What the attributes and the constructor's parameters of somebody's Value are for, found by making some and looking.

Knows classes that look like Value. To be used where nobody sees it: see apart.py.
"""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["NotAdopted", "Roles", "attributes_of", "find_roles", "slots_of"]

PLAIN = (str, bytes, int, float, bool, type(None))
CONTAINERS: dict[type, str] = {tuple: "tuple", list: "list", set: "set", frozenset: "frozenset"}
X, Y = 2.5, 4.0     # told apart from each other, from their sum and product, and from any default


class NotAdopted(Exception):
    """The class stays as it is; the message says why."""


@dataclass
class Roles:
    """Names of attributes by what they hold, and of parameters by what they set."""

    data: str = "data"
    grad: str = "grad"
    children: dict[str, str] = field(default_factory=dict)  # attribute to the container in which it has operands
    local: str = ""         # holds the derivative with respect to each operand
    op: str = ""            # holds the op's name
    function: list[str] = field(default_factory=list)       # holds the function that does the node's backward step
    extras: dict[str, Any] = field(default_factory=dict)    # all others, plain data, with what they hold at first
    attributes: list[str] = field(default_factory=list)     # all, in the order in which an instance gets them
    parameters: list[list[str]] = field(default_factory=list)       # of the constructor: [name, role or "extra:NAME"]
    grad_is_float: bool = False
    data_is_float: bool = False     # an int becomes a float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def attributes_of(value: Any) -> dict[str, Any]:
    """What is assigned to an instance, in slots or in its dict."""
    found = dict(getattr(value, "__dict__", {}))
    for one in type(value).__mro__:
        found.update({name: getattr(value, name) for name in slots_of(one) if hasattr(value, name)})
    return found


def slots_of(kind: type) -> list[str]:
    """What the __slots__ of a class's own statement are called as attributes."""
    slots = vars(kind).get("__slots__", ())
    return [
        f"_{kind.__name__.lstrip('_')}{name}" if name[:2] == "__" and name[-2:] != "__" else name
        for name in ((slots,) if isinstance(slots, str) else slots) if name not in ("__dict__", "__weakref__")
    ]


def find_roles(kind: Any) -> Roles:
    """Raises NotAdopted where the class keeps what ours has no place for."""
    roles = Roles()
    try:
        x, y, whole = kind(X), kind(Y), kind(3)
    except Exception as error:
        raise NotAdopted(f"{kind.__name__}({X}) raises {type(error).__name__}: {error}") from None
    fresh = attributes_of(x)
    roles.attributes = list(fresh)
    roles.data = the_one("its number", "data", {n for n, held in fresh.items() if type(held) is float and held == X})
    roles.data_is_float = type(getattr(whole, roles.data)) is float
    roles.grad = the_one("its gradient", "grad", {
        n for n, held in fresh.items() if "grad" in n and type(held) in (int, float) and held == 0
    })
    roles.grad_is_float = type(fresh[roles.grad]) is float
    find_graph(roles, x, y)
    named = {roles.data, roles.grad, roles.local, roles.op, *roles.children, *roles.function}
    roles.extras = {name: held for name, held in fresh.items() if name not in named}
    for name, held in roles.extras.items():
        if not is_plain(held):
            raise NotAdopted(f"each of its instances has a {type(held).__name__} of its own, {name}")
        for other in (y, whole):
            if not same_plain(attributes_of(other).get(name), held):
                raise NotAdopted(f"{name} is another one in each of its instances")
    find_parameters(kind, roles, x, y)
    return roles


def the_one(what: str, usual: str, names: set[str]) -> str:
    if usual in names:
        return usual
    if len(names) != 1:
        raise NotAdopted(f"it cannot be seen which attribute has {what}")
    return names.pop()


def find_graph(roles: Roles, x: Any, y: Any) -> None:
    """Where operands, slopes by them, the op's name and its function are, from a product and a sum."""
    try:
        product, total = attributes_of(x * y), attributes_of(x + y)
    except Exception as error:
        raise NotAdopted(f"{type(x).__name__}({X}) * {type(x).__name__}({Y}) raises {type(error).__name__}: {error}"
                         ) from None
    for name, held in product.items():
        if name in (roles.data, roles.grad):
            continue
        kind = CONTAINERS.get(type(held))
        if kind and len(held) == 2 and {id(one) for one in held} == {id(x), id(y)}:
            roles.children[name] = kind
        elif kind in ("tuple", "list") and list(held) == [Y, X]:
            roles.local = name
        elif type(held) is str and type(total.get(name)) is str and held != total[name]:
            roles.op = name
        elif callable(held) and not isinstance(held, type):
            roles.function.append(name)
    if not roles.children:
        raise NotAdopted("it cannot be seen which attribute has its operands")
    if not roles.local and not roles.function:
        raise NotAdopted("neither derivatives nor a function for them are kept on its nodes")


def find_parameters(kind: Any, roles: Roles, x: Any, y: Any) -> None:
    try:
        signature = inspect.signature(kind.__init__)
    except (TypeError, ValueError):
        raise NotAdopted("its constructor's parameters are not known") from None
    _, first, *others = signature.parameters.values()
    if any(p.kind not in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) for p in (first, *others)):
        raise NotAdopted("its constructor takes any number of arguments, or some by position only")
    roles.parameters = [[first.name, "data"]]
    usual = attributes_of(kind(X))
    children: dict[str, Any] = {}
    for parameter in others:
        if parameter.default is parameter.empty:
            raise NotAdopted(f"{kind.__name__}({X}) is not all that its constructor wants")

        def given(argument: Any, name: str = parameter.name, children: Any = children) -> dict[str, Any]:
            try:
                return attributes_of(kind(X, **{name: argument}, **children))
            except Exception:
                return {}

        role = role_of(given, roles, usual, parameter.default, x, y)
        if not role:
            raise NotAdopted(f"it cannot be seen what {parameter.name}= of its constructor does")
        if role == "children":
            children = {parameter.name: (x, y)}
        roles.parameters.append([parameter.name, role])


def role_of(
    given: Callable[[Any], dict[str, Any]], roles: Roles, usual: dict[str, Any], default: Any, x: Any, y: Any
) -> str:
    """What giving that parameter changes in an instance."""
    known = [role for _, role in roles.parameters]
    operands = given((x, y))
    both = {id(x), id(y)}
    held = [{id(one) for one in operands.get(name) or ()} for name in roles.children]
    if "children" not in known and all(ids == both for ids in held):
        return "children"
    slopes = (0.5, 0.25)
    if roles.local and given(slopes).get(roles.local) == slopes:
        return "local"
    if roles.op and given("zz").get(roles.op) == "zz":
        return "op"
    if given(0.125).get(roles.grad) == 0.125:
        return "grad"
    for name in roles.function:
        if given(print).get(name) is print:
            return "function"
    for sentinel in sentinels(default):
        found = given(sentinel)
        changed = [
            name for name in roles.extras
            if name in found and same_plain(found[name], sentinel) and not same_plain(found[name], usual[name])
        ]
        others = [
            name for name in found
            if name not in changed and name in roles.extras and not same_plain(found[name], usual[name])
        ]
        if len(changed) == 1 and not others:
            return f"extra:{changed[0]}"
    return ""


def sentinels(default: Any) -> list[Any]:
    """Arguments that are not the default: of its type first."""
    if isinstance(default, bool):
        return [not default]
    if isinstance(default, (int, float)):
        return [default + 1]
    return ["zz", 7, True]


def is_plain(held: Any) -> bool:
    return type(held) in PLAIN or (type(held) in (tuple, frozenset) and all(type(one) in PLAIN for one in held))


def same_plain(a: Any, b: Any) -> bool:
    return type(a) is type(b) and (a == b or (a != a and b != b))
