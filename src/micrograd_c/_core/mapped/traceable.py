"""Functions that are traced: how they stand for the function, also as methods of an object, in copies and in pickles.

Knows nothing of how a function is traced, or of what for.
"""

from __future__ import annotations

import contextlib
import copyreg
import functools
import os
import sys
from _thread import RLock  # as functools does: threading imports more

from micrograd_c._core.value import tracing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Traceable", "for_measurements", "one_trace"]

# of one function; then the oldest goes, or structures that come but once would be kept for good
MOST_SPECIALIZATIONS = 100

one_at_a_time = RLock()   # traces; reentrant, as a finalizer may begin one right before another


def one_trace() -> RLock:
    """What must be held while a function is traced."""
    return one_at_a_time


def forget_other_threads() -> None:
    """After a fork: nobody would ever release what another thread holds."""
    global one_at_a_time
    if not tracing.is_tracing():
        one_at_a_time = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_other_threads)


def for_measurements() -> tuple[int, str | None]:
    """A block's rows, or 0, and the set of kernels, or None, as tests and measurements ask: see docs/building.md."""
    return int(os.environ.get("MICROGRAD_C_BLOCK", 0)), os.environ.get("MICROGRAD_C_KERNELS")


class Traceable:
    """A function, and what it became for arguments of each structure: its specializations."""

    kept_as = ""    # what an object's own is called in its __dict__, with the name of the function

    def __init__(self, fn: Callable[..., Any]) -> None:
        functools.update_wrapper(self, fn, updated=())  # type: ignore[arg-type]    # which has a __call__
        self.fn = fn
        self.forget()

    def forget(self) -> None:
        """Have no specializations: what they know is of this object's function, and they hold memory of runs."""
        self.specializations: dict[Any, Any] = {}

    def keep(self, key: Any, found: Any) -> None:
        """Add a specialization, at the expense of the oldest one."""
        while len(self.specializations) >= MOST_SPECIALIZATIONS:
            self.specializations.pop(next(iter(self.specializations)), None)
        self.specializations[key] = found

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """For a method: one for each object, kept in the object, as what is traced depends on it."""
        if instance is None or not hasattr(self.fn, "__get__"):
            return self
        method, kept_as = self.fn.__get__(instance, owner), f"{self.kept_as}{getattr(self.fn, '__qualname__', '')}"
        kept = getattr(instance, "__dict__", {}).get(kept_as)
        if isinstance(kept, type(self)) and kept.fn == method:
            return kept
        import copy

        bound = copy.copy(self)
        bound.fn = method
        with contextlib.suppress(TypeError):    # of an object without a __dict__
            vars(instance)[kept_as] = bound
        return bound

    def __copy__(self) -> Any:
        twin = object.__new__(type(self))
        twin.__dict__.update(vars(self))
        twin.forget()
        return twin

    def __getstate__(self) -> dict[str, Any]:
        return vars(self.__copy__())

    def __reduce__(self) -> str | tuple[Any, ...]:
        """As for functions: by name, if that finds this one. An object's own is the class's, bound to its copy."""
        if named(self) is self:
            return self.__qualname__
        instance = getattr(self.fn, "__self__", None)
        for owner in type(instance).__mro__:
            for one in vars(owner).values():
                if isinstance(one, type(self)) and one.fn is getattr(self.fn, "__func__", None):
                    return bind, (one, instance)
        return copyreg.__newobj__, (type(self),), self.__getstate__()  # type: ignore[attr-defined]


def named(traceable: Traceable) -> Any:
    """What is found under its own name."""
    found: Any = sys.modules.get(getattr(traceable, "__module__", ""))
    for name in getattr(traceable, "__qualname__", "<locals>").split("."):
        found = getattr(found, sys.intern(name), None)      # or a class would keep each name that is looked up
    return found


def bind(traceable: Traceable, instance: object) -> Any:
    """A method's, for an object."""
    return traceable.__get__(instance, type(instance))
