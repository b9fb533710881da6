"""Pickles of an adopted class are those that it has without us: a program finds what another run of it has saved.

Of classes that keep derivatives as numbers: those with functions on their nodes cannot be pickled anyway.
"""

from __future__ import annotations

import copyreg

from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from micrograd_c._core.adopted.roles import Roles

__all__ = ["pickled_as"]


def pickled_as(kind: type, roles: Roles) -> dict[str, Any]:
    """__reduce__ and __setstate__ that go by the attributes of kind, in its __slots__ or in its dict."""
    slots = vars(kind).get("__slots__", ())
    names = tuple(roles.attributes)
    has_dict = not slots
    make = Value.__init__
    operands = next(iter(roles.children))

    def reduce(self: Any) -> Any:
        state = {name: getattr(self, name) for name in names if hasattr(self, name)}
        if has_dict:
            state.update((name, held) for name, held in self.__dict__.items() if name not in state)
        return copyreg.__newobj__, (type(self),), state if has_dict else (None, state)  # type: ignore[attr-defined]

    def set_state(self: Any, state: Any) -> None:
        both = state if isinstance(state, tuple) else (state, None)
        found = {name: held for part in both for name, held in (part or {}).items()}
        make(self, found.pop(roles.data, 0), found.pop(operands, None) or (), found.pop(roles.local, None) or ())
        for name, held in found.items():
            setattr(self, name, held)

    return {"__reduce__": reduce, "__setstate__": set_state}
