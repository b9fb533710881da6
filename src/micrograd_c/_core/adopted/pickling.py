"""Pickles of an adopted class are those that it has without us: a program finds what another run of it has saved.

Of classes that keep derivatives as numbers: those with functions on their nodes cannot be pickled anyway.
"""

from __future__ import annotations

import copyreg

from micrograd_c._core.adopted.roles import slots_of
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from micrograd_c._core.adopted.roles import Roles

__all__ = ["pickled_as"]


def pickled_as(kind: type, roles: Roles) -> dict[str, Any]:
    """__reduce__ and __setstate__ that go by the attributes of kind, in its __slots__ or in its dict."""
    has_slots = "__slots__" in vars(kind)
    names = tuple(roles.attributes)
    on_node = {roles.grad, roles.op, *roles.children, *roles.function} - {""}
    make, set_attributes = Value.__init__, vars(Value)["__setstate__"]
    operands = next(iter(roles.children))

    def reduce(self: Any) -> Any:
        held = {name: getattr(self, name) for name in names if hasattr(self, name)}
        attributes = {name: its for name, its in self.__dict__.items() if name not in held}
        below = [name for one in subclasses_in(type(self)) for name in slots_of(one)]
        slots = {name: getattr(self, name) for name in below if hasattr(self, name)}
        if has_slots:
            slots.update(held)
            state: Any = (attributes if attributes or has_dict_below(type(self)) else None, slots)
        else:
            held.update(attributes)
            state = (held, slots) if slots else held
        return copyreg.__newobj__, (type(self),), state     # type: ignore[attr-defined]

    def set_state(self: Any, state: Any) -> None:
        """Of a pickle, which has all that a node holds; or of a copy, whose node is there: its attributes only."""
        attributes, slots = state if isinstance(state, tuple) else (state, None)
        attributes, slots = dict(attributes or {}), dict(slots or {})
        found = slots if roles.data in slots else attributes
        if roles.data in found:
            make(self, found.pop(roles.data), found.pop(operands, None) or (), found.pop(roles.local, None) or ())
            for name in on_node & found.keys():
                setattr(self, name, found.pop(name))
        set_attributes(self, (attributes, slots))

    return {"__reduce__": reduce, "__setstate__": set_state}


def has_dict_below(kind: type) -> bool:
    return any("__dict__" in vars(one).get("__slots__", ("__dict__",)) for one in subclasses_in(kind))


def subclasses_in(kind: type) -> list[type]:
    return [one for one in kind.__mro__ if one is not Value and one is not object]
