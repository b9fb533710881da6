"""What the code of a method asks or sets besides what a node holds: read from its bytecode, as no trial would show it.

A flag of each instance, a hook that is called if there is one, an operand of a class that the program has: as long as
nobody uses it, the method does what ours does. Knows code, and no Values.
"""

from __future__ import annotations

import builtins
import collections
import dis
import os
import types

from micrograd_c._core.adopted.looking import own_members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

__all__ = ["beyond_nodes"]

# what people do with containers, numbers and classes, also in a sweep
COMMON = {
    name for one in (list, set, dict, tuple, str, float, int, complex, collections.deque, object) for name in dir(one)
} | {"__name__", "__qualname__"}
BY_NAME = {"getattr": "reads", "hasattr": "reads", "setattr": "sets", "delattr": "sets"}
WHOLE = {"vars"}        # all attributes at once
TYPES_OF = ("builtins", "collections", "numbers", "typing")     # modules whose types are tried, or are numbers
STANDARD_LIBRARY = os.path.join(os.path.dirname(os.__file__), "")
NOTHING = object()
IMPORTED = object()     # a module, by an import in a function


def beyond_nodes(kind: type, function: types.FunctionType, on_node: Iterable[str], attributes: Iterable[str]) -> str:
    """The first thing of that sort in a method and in what it calls, as 'reads label of a node, ...'; or ''.

    on_node: attributes that ours has as well. attributes: all that an instance gets.
    """
    members = own_members(kind)
    on_node = set(on_node)
    usual = (on_node | COMMON | members.keys()) - (set(attributes) - on_node)
    todo, seen = [function], {function}
    while todo:
        reader = Reader(kind, todo.pop(), usual, on_node, members)
        for code in codes(reader.function.__code__):
            found = reader.look(code)
            if found:
                return found
        new = [one for one in reader.called if one not in seen]
        seen.update(new)
        todo += new
    return ""


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """It, and those of the functions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


class Reader:
    """Of one function of the program."""

    def __init__(
        self, kind: type, function: types.FunctionType, usual: set[str], on_node: set[str], members: dict[str, Any]
    ) -> None:
        self.kind, self.function, self.usual, self.on_node, self.members = kind, function, usual, on_node, members
        self.called: list[types.FunctionType] = []
        self.outer = {}
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            try:
                self.outer[name] = cell.cell_contents
            except ValueError:      # nothing is yet
                continue
            self.note_function(self.outer[name])    # what a decorator was given

    def note_function(self, held: Any) -> None:
        for part in (held.fget, held.fset, held.fdel) if isinstance(held, property) else (held,):
            part = getattr(part, "__func__", part)
            if isinstance(part, types.FunctionType) and not part.__code__.co_filename.startswith(STANDARD_LIBRARY):
                self.called.append(part)

    def look(self, code: types.CodeType) -> str:
        """The first thing in one code object, or ''."""
        held: Any = NOTHING             # what the instruction before has loaded, if that is known
        asked: set[str] = set()         # names of what asks for types
        kinds: list[type] = []
        by_name = ""                    # the function whose argument is an attribute's name, until that is seen
        before: Any = None
        for step in dis.get_instructions(code):
            name, what, now = step.opname, step.argval, NOTHING
            if name in ("LOAD_ATTR", "LOAD_METHOD"):
                found, now = self.attribute(held, what)
                if found:
                    return found
                asked.update({"type"} if what == "__class__" else ())
            elif name in ("STORE_ATTR", "DELETE_ATTR"):
                if held is NOTHING and what not in self.on_node:
                    return sets(what)
            elif name in ("LOAD_GLOBAL", "LOAD_NAME"):
                now = self.function.__globals__.get(what, getattr(builtins, what, NOTHING))
                self.note_function(now)
                asked.add(what)
                if what in WHOLE or (by_name and what in BY_NAME):
                    return reads_some(by_name or what)
                by_name = what if what in BY_NAME else by_name
            elif name == "LOAD_CONST" and by_name and isinstance(what, str):
                if BY_NAME[by_name] == "reads" and what not in self.usual:
                    return reads(what)
                if BY_NAME[by_name] == "sets" and what not in self.on_node:
                    return sets(what)
                by_name = ""
            elif name == "IMPORT_NAME":
                now = IMPORTED
            elif held is IMPORTED and name.startswith(("STORE_FAST", "STORE_DEREF")):
                self.outer[what if isinstance(what, str) else what[0]] = IMPORTED
            elif name.startswith(("LOAD_FAST", "LOAD_DEREF", "STORE_FAST_LOAD_FAST")):
                now = self.outer.get(what if isinstance(what, str) else what[-1], NOTHING)
            elif name == "MATCH_CLASS":
                asked.add("isinstance")
                for attribute in before.argval if isinstance(before.argval, tuple) else ():
                    if attribute not in self.usual:
                        return reads(attribute)
            if isinstance(now, type):
                kinds.append(now)
            if name not in ("PUSH_NULL", "CACHE", "EXTENDED_ARG", "PRECALL"):
                held, before = now, step
        return reads_some(by_name) if by_name else self.by_type(kinds, asked)

    def attribute(self, held: Any, name: str) -> tuple[str, Any]:
        """What speaks against reading that attribute, or ''; and what it is, NOTHING if that is not known."""
        if held is NOTHING:
            if name not in self.usual:
                return reads(name), NOTHING
            self.note_function(self.members.get(name))
            return "", NOTHING
        if held is self.kind:
            self.note_function(self.members.get(name))
            return "", self.members.get(name)
        if isinstance(held, types.ModuleType):
            return "", getattr(held, name, None)
        return "", None

    def by_type(self, kinds: list[type], asked: set[str]) -> str:
        """Types of operands that are not tried."""
        if asked.isdisjoint(("isinstance", "issubclass", "type")):
            return ""
        for kind in kinds:
            if kind is not self.kind and not issubclass(kind, BaseException) and kind.__module__ not in TYPES_OF:
                return f"asks for the type {kind.__name__}, which is not tried"
        return ""


def reads(name: str) -> str:
    return f"reads {name}, which is not among the numbers and operands of a node, so what depends on it is not tried"


def reads_some(function: str) -> str:
    return f"asks for attributes by {function}(), so what depends on them is not tried"


def sets(name: str) -> str:
    return f"sets {name}, which ours does not"
