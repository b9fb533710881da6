"""What a method could change or depend on besides its operands: attributes of its class, variables of its module,
random numbers, what is printed. Knows functions and modules; no Values.
"""

from __future__ import annotations

import sys
import types
from functools import partial

from micrograd_c._core.adopted.apart import refusals
from micrograd_c._core.adopted.looking import functions_of, own_members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

__all__ = ["Surroundings", "changed", "others"]

PLAIN = (str, bytes, int, float, bool, complex, type(None))
MANY = 1000     # entries of a container that are looked at


class Recorder:
    """In the place of sys.stdout and sys.stderr."""

    encoding = "utf-8"
    errors = "strict"

    def __init__(self) -> None:
        self.written = 0

    def write(self, text: str) -> int:
        self.written += 1
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


class Surroundings:
    """Of one class. In a process of its own: it takes the place of the standard streams."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.output = Recorder()
        sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = self.output     # type: ignore[assignment, misc]
        self.functions = list(functions_of(kind))
        self.modules = {id(f.__globals__): f.__globals__ for f in self.functions}

    def state(self) -> dict[str, Any]:
        """To be compared with a later one. Holds what it names, so that nothing else gets its identity."""
        found: dict[str, Any] = {"what is printed": self.output.written, "files or other processes": len(refusals)}
        for name, held in vars(self.kind).items():
            if name not in ("__dict__", "__weakref__"):
                note(found, f"{self.kind.__name__}.{name}", held)
        for variables in self.modules.values():
            for name, held in list(variables.items()):
                if not name.startswith("__") and held is not self.kind:
                    note(found, name, held)
        for function in self.functions:
            for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
                try:
                    held = cell.cell_contents
                except ValueError:
                    continue
                if name != "__class__" and held is not self.kind:
                    note(found, name, held)
            for name, default in (function.__kwdefaults__ or {}).items():
                note(found, f"{function.__name__}({name}=)", default)
            for place, default in enumerate(function.__defaults__ or ()):
                note(found, f"{function.__name__}(default {place})", default)
            if function.__dict__:
                note(found, function.__name__, function.__dict__)
        if "random" in sys.modules:
            found["random numbers"] = sys.modules["random"].getstate()
        if "numpy.random" in sys.modules:
            found["random numbers of numpy"] = repr(sys.modules["numpy.random"].get_state())
        return found

    def flags(self) -> Iterator[tuple[str, Callable[[Any], None], Any]]:
        """(name, how to assign to it, its value) of each plain variable that the methods name: it may change later."""
        names = {name for function in self.functions for name in names_in(function.__code__)}
        for name, held in list(own_members(self.kind).items()):
            if is_flag(held) and name in names:
                yield f"{self.kind.__name__}.{name}", partial(setattr, self.kind, name), held
        for variables in self.modules.values():
            for name, held in list(variables.items()):
                if is_flag(held) and name in names and not name.startswith("__"):
                    yield name, partial(variables.__setitem__, name), held
        cells = {
            id(cell): (name, cell) for function in self.functions
            for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ())
        }
        for name, cell in cells.values():
            try:
                held = cell.cell_contents
            except ValueError:
                continue
            if is_flag(held):
                yield name, partial(setattr, cell, "cell_contents"), held


def changed(before: dict[str, Any], after: dict[str, Any]) -> str:
    """The name of something that is not as it was, or ''."""
    for name in {**before, **after}:
        if name not in before or name not in after or not same(before[name], after[name]):
            return name
    return ""


def note(found: dict[str, Any], name: str, held: Any) -> None:
    found[name] = [held, *contents(held)]
    inside = getattr(held, "__dict__", None)
    if isinstance(inside, dict) and not isinstance(held, (types.ModuleType, type, types.FunctionType)):
        for attribute, its in list(inside.items())[:MANY]:
            found[f"{name}.{attribute}"] = [its, *contents(its)]


def contents(held: Any) -> list[Any]:
    if isinstance(held, dict):
        return [one for entry in list(held.items())[:MANY] for one in entry] + [len(held)]
    if isinstance(held, (list, tuple, set, frozenset)):
        return [*list(held)[:MANY], len(held)]
    if hasattr(held, "__next__") and type(held).__module__ == "itertools":
        return [repr(held)]
    return []


def same(a: Any, b: Any) -> bool:
    if isinstance(a, list):
        return len(a) == len(b) and all(one is other or (type(one) in PLAIN and type(one) is type(other) and (
            one == other or one != one)) for one, other in zip(a, b))
    return bool(a == b)


def is_flag(held: Any) -> bool:
    return type(held) in (bool, int, float, type(None), str)


def others(held: Any) -> list[Any]:
    """Values that a variable may have later."""
    if isinstance(held, bool):
        return [not held]
    if held is None:
        return [1]
    if isinstance(held, str):
        return [held + "z"]
    return [held + 1] if held else [1]


def names_in(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    yield from code.co_freevars
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from names_in(constant)
