"""The names of a module's parameters, and their data by name. Knows Value; a module needs parameters() only.

A name is the way to a parameter: attributes, places in lists and tuples, and keys of dicts, joined by dots.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MemberDescriptorType

from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Protocol

    class _HasParameters(Protocol):
        """A module, of whatever class."""

        def parameters(self) -> list[Value]: ...

__all__ = ["load_state_dict", "named_parameters", "state_dict"]


def named_parameters(module: _HasParameters) -> list[tuple[str, Value]]:
    """[(name, Value), ...], see Module.named_parameters."""
    named: dict[int, tuple[str, Value]] = {}
    for name, tree in entries(module):
        for path, parameter in leaves(tree, name):
            named.setdefault(id(parameter), (path, parameter))
    return [named[id(p)] for p in unique(module.parameters())]


def state_dict(module: _HasParameters) -> dict[str, Any]:
    """{name: floats}, see Module.state_dict."""
    return {name: floats(tree) for name, tree in entries(module)}


def load_state_dict(module: _HasParameters, state: Mapping[str, Any]) -> None:
    """See Module.load_state_dict."""
    if not isinstance(state, Mapping):
        raise TypeError(f"load_state_dict wants the dict that state_dict() returned, not {type(state).__name__}")
    trees = dict(entries(module))
    problems = [f"{name} is missing" for name in trees if name not in state]
    problems += [f"{name} is not a parameter of this model" for name in state if name not in trees]
    new: list[tuple[Value, float]] = []
    for name, tree in trees.items():
        if name in state:
            problems += misfits(tree, state[name], name, new)
    if problems:
        more = f"\n  and {len(problems) - 10} more" if len(problems) > 10 else ""
        listed = "".join(f"\n  {problem}" for problem in problems[:10])
        raise ValueError(f"this state does not fit the model:{listed}{more}")
    for parameter, data in new:
        parameter.data = data


def entries(module: _HasParameters) -> list[tuple[str, Any]]:
    """(name, Value or nested list of Values) for all parameters, in their order."""
    place = {id(p): i for i, p in reversed(list(enumerate(module.parameters())))}
    found = []
    for name, tree in walk(module, "", set()):
        inside = [(path, value) for path, value in leaves(tree, name) if id(value) in place]
        if inside and len(inside) == sum(1 for _ in leaves(tree, name)):
            found.append((name, tree))
        else:   # a list that holds other Values, too
            found += inside
    known = {id(value) for name, tree in found for _, value in leaves(tree, name)}
    found += [(f"parameters.{i}", p) for i, p in enumerate(unique(module.parameters())) if id(p) not in known]
    return sorted(found, key=lambda entry: min(place[id(value)] for _, value in leaves(entry[1], "")))


def walk(thing: Any, name: str, above: set[int]) -> Iterator[tuple[str, Any]]:
    """(name, Value or nested list of Values) for all that is found in a module, list, tuple or dict."""
    if is_tree(thing):
        yield name, thing
        return
    if id(thing) in above:      # a cycle
        return
    above = above | {id(thing)}
    for key, part in parts(thing):
        yield from walk(part, f"{name}.{key}" if name else str(key), above)


def is_tree(thing: Any, above: tuple[int, ...] = ()) -> bool:
    """Whether it is a Value, or a list or tuple of trees that is not empty and does not contain itself."""
    if isinstance(thing, (list, tuple)):
        inside = (*above, id(thing))
        return id(thing) not in above and len(thing) > 0 and all(is_tree(part, inside) for part in thing)
    return isinstance(thing, Value)


def parts(thing: Any) -> Iterable[tuple[Any, Any]]:
    """(key, part) for what a name may lead through."""
    if isinstance(thing, Mapping):
        return thing.items()
    if isinstance(thing, (list, tuple)):
        return enumerate(thing)
    if not hasattr(thing, "parameters"):
        return []
    slots = [
        name for kind in type(thing).__mro__
        for name, member in vars(kind).items() if isinstance(member, MemberDescriptorType)
    ]
    found = [(name, getattr(thing, name)) for name in slots if hasattr(thing, name)]
    return found + list(getattr(thing, "__dict__", {}).items())


def leaves(tree: Any, name: str) -> Iterator[tuple[str, Value]]:
    """(name, Value) for all Values in a tree."""
    if isinstance(tree, Value):
        yield name, tree
        return
    for i, part in enumerate(tree):
        yield from leaves(part, f"{name}.{i}")


def floats(tree: Any) -> Any:
    return float(tree.data) if isinstance(tree, Value) else [floats(part) for part in tree]


def misfits(tree: Any, given: Any, name: str, new: list[tuple[Value, float]]) -> Iterator[str]:
    """What is wrong with the data given for a tree. Appends (Value, data) to `new` for what is right."""
    if isinstance(tree, Value):
        try:
            new.append((tree, Value(given).data))
        except TypeError:
            raise TypeError(f"{name} wants a number, not {given!r}") from None
        return
    try:
        length = len(given)
    except TypeError:
        yield f"{name} has {len(tree)} entries, and was given {given!r}"
        return
    if length != len(tree):
        yield f"{name} has {len(tree)} entries, and was given {length}"
        return
    for i, part in enumerate(tree):
        yield from misfits(part, given[i], f"{name}.{i}", new)


def unique(parameters: Iterable[Value]) -> list[Value]:
    """Each Value once, at its first place; by identity, since somebody may have replaced Value.__eq__."""
    return list({id(p): p for p in parameters}.values())
