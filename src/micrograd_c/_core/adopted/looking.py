"""Whether a class looks like somebody's Value, and what speaks against adopting it before anything is tried.

Knows classes, functions and the names that these refer to. Knows nothing of Values.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import linecache
import types
import warnings

from micrograd_c._core.adopted.required import REQUIRED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["bind", "functions_of", "is_held_elsewhere", "looks_like_value", "objection", "own_members", "place"]

# with these a class decides itself what an instance or an attribute is
DECISIVE = (
    "__new__", "__getattribute__", "__getattr__", "__setattr__", "__delattr__", "__del__", "__class__", "__get__",
    "__array_ufunc__", "__init_subclass__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__",
)
OF_ARRAYS = ("numpy", "cupy", "torch", "jax")
MADE_BY_PYTHON = frozenset([
    "__annotate__", "__annotate_func__", "__annotations_cache__", "__dict__", "__weakref__", "__module__",
    "__qualname__", "__doc__", "__slots__", "__firstlineno__", "__static_attributes__", "__init__",
])


def looks_like_value(kind: object) -> bool:
    """A class with operators and a backward() of its own: a cheap look, which decides nothing."""
    return isinstance(kind, type) and all(
        isinstance(vars(kind).get(name), (types.FunctionType, property)) for name in REQUIRED
    )


def objection(kind: type) -> str:
    """Why a class cannot be adopted whatever it does; '' if nothing is known."""
    missing = [name for name in REQUIRED if not isinstance(vars(kind).get(name), types.FunctionType)]
    if missing:
        return f"it has no {', '.join(missing)} of its own"
    if type(kind) is not type:
        return f"its class is {type(kind).__name__}"
    if kind.__bases__ != (object,):
        return f"it is a subclass of {', '.join(base.__name__ for base in kind.__bases__)}"
    for name in DECISIVE:
        if name in vars(kind):
            return f"it has a {name}"
    if vars(kind).get("__hash__", 0) is None:
        return "it cannot be hashed"
    for function in functions_of(kind):
        for name in function.__code__.co_names:
            held = function.__globals__.get(name)
            if isinstance(held, types.ModuleType) and held.__name__.partition(".")[0] in OF_ARRAYS:
                return f"its {function.__name__} uses {held.__name__}, so its numbers may be arrays"
    if kind.__subclasses__():
        return f"it has a subclass already, {kind.__subclasses__()[0].__name__}"
    return ""


def is_held_elsewhere(kind: type) -> bool:
    """Whether something refers to a class, at the end of its statement, that is no part of it nor about to name it.

    An inner decorator may have put it into a list: there it would be another one than under its name.
    """
    own = {id(member) for member in vars(kind).values()}
    for function in functions_of(kind):
        # from CPython 3.14 on dataclasses give __init__ annotations that refer to the class
        for part in (function, getattr(function, "__annotate__", None)):
            own.update(map(id, getattr(part, "__closure__", None) or ()))
    own.update((id(vars(kind)), id(kind.__mro__)))
    for holder in gc.get_referrers(kind):
        if id(holder) not in own and not isinstance(holder, (types.FrameType, types.GetSetDescriptorType)) and not (
            isinstance(holder, tuple) and holder is kind.__mro__
        ) and not (isinstance(holder, dict) and holder.get("__qualname__") == kind.__qualname__):
            return True
    return False


def place(kind: type) -> str:
    """Name, file and line, as a message shows them."""
    method = vars(kind).get("backward")
    if not isinstance(method, types.FunctionType):
        return kind.__name__
    path = method.__code__.co_filename
    file = path.replace("\\", "/").rpartition("/")[2]
    return f"{kind.__name__} ({file}:{line_of(kind, path, method.__code__.co_firstlineno)})"


def line_of(kind: type, path: str, inside: int) -> int:
    """Where the class statement begins that has the line `inside`; that line itself if the file cannot be read."""
    line = inside
    with contextlib.suppress(SyntaxError, ValueError, RecursionError), warnings.catch_warnings():
        warnings.simplefilter("ignore")     # they have been given
        for node in ast.walk(ast.parse("".join(linecache.getlines(path)))):
            if isinstance(node, ast.ClassDef) and node.name == kind.__name__ and (
                    node.lineno < inside <= (node.end_lineno or 0)):
                line = node.lineno
    return line


def own_members(kind: type) -> dict[str, Any]:
    """What the class statement brought, without what Python adds, and without descriptors of slots."""
    return {
        name: member for name, member in vars(kind).items()
        if name not in MADE_BY_PYTHON and not isinstance(member, types.MemberDescriptorType)
    }


def functions_of(kind: type) -> Iterator[types.FunctionType]:
    """All Python functions in the class, those of properties, class methods and static methods included."""
    for member in list(vars(kind).values()):
        if isinstance(member, (staticmethod, classmethod)):
            member = member.__func__
        parts: tuple[Any, ...] = (member,)
        if isinstance(member, property):
            parts = (member.fget, member.fset, member.fdel)
        for function in parts:
            while hasattr(function, "__wrapped__"):     # functools.wraps
                if isinstance(function, types.FunctionType):
                    yield function
                function = function.__wrapped__
            if isinstance(function, types.FunctionType):
                yield function


def bind(kind: type, name: str, target: type, everywhere: bool) -> None:
    """Let the methods of kind mean target by `super()` and `__class__`, and by its name where that is kind's.

    Everywhere: also where the name is another's or nobody's, as it is until the class statement has come to its end.
    """
    for function in functions_of(kind):
        for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            if variable == "__class__" or (variable == name and (everywhere or is_in(cell, kind))):
                cell.cell_contents = target
        if everywhere or function.__globals__.get(name) is kind:
            function.__globals__[name] = target


def is_in(cell: types.CellType, kind: type) -> bool:
    try:
        return cell.cell_contents is kind
    except ValueError:      # nothing is yet
        return False
