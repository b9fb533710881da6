"""Names of the nodes: given by keyword, a Value's label, a variable of the caller's, or else letters."""

from __future__ import annotations

import itertools

from micrograd_c._core.modules.parameters import named_parameters
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import FrameType
    from typing import Any

    from micrograd_c._core.explained.circuit import Circuit

__all__ = ["give_names", "variables_of"]

LETTERS = ["q", "r", "s", "t", "u", "v", "w"]       # of gates, if these are enough
RESULTS = ["f", "L", "out"]
LONGEST = 1000      # lists that are longer are not looked through


def variables_of(frame: FrameType | None) -> dict[str, Any]:
    """The variables that can be seen there, locals first; none that begins with an underscore, as Python's own do."""
    if frame is None:
        return {}
    found = {**frame.f_locals, **{k: v for k, v in frame.f_globals.items() if k not in frame.f_locals}}
    return {name: value for name, value in found.items() if name.isidentifier() and not name.startswith("_")}


def give_names(
    circuit: Circuit, values: list[Value], keywords: Iterable[tuple[str, Value]], variables: Mapping[str, Any]
) -> None:
    """Name all nodes, no two alike. A leaf without a name is a constant, unless there are no others."""
    wanted = {id(value) for value in values}
    names: dict[int, str] = {}
    for name, value in itertools.chain(keywords, labels(values), named_values(variables)):
        if id(value) in wanted:
            names.setdefault(id(value), name)
    taken: set[str] = set()
    for node, value in zip(circuit.nodes, values):
        if id(value) in names:
            node.name = unused(names[id(value)], taken)
    leaves = [node for node in circuit.nodes if node.is_leaf]
    if any(node.name for node in leaves) or circuit.is_cut():
        for node in leaves:
            node.kind = node.kind if node.name else "constant"
    letters = unused_letters([node for node in circuit.nodes if not node.name and node.kind != "constant"], taken)
    for node in circuit.nodes:
        if not node.name and node.kind != "constant":
            if node is circuit.root:
                node.name = next(name for name in itertools.chain(RESULTS, numbered("f")) if name not in taken)
            else:
                node.name = next(letters[node.kind == "gate"])
            taken.add(node.name)


def labels(values: list[Value]) -> Iterator[tuple[str, Value]]:
    for value in values:
        label = getattr(value, "label", None)
        text = "" if label is None else " ".join(str(label).split())
        if text:
            yield text, value


def named_values(variables: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    """Values in variables, in lists and tuples, and the parameters of modules."""
    items = list(variables.items())
    yield from ((name, held) for name, held in items if isinstance(held, Value))
    for name, held in items:
        if type(held) in (list, tuple) and len(held) <= LONGEST:
            yield from ((f"{name}[{k}]", one) for k, one in enumerate(held) if isinstance(one, Value))
        elif is_module(held):
            yield from ((f"{name}.{path}", parameter) for path, parameter in named_parameters(held))


def is_module(held: object) -> bool:
    """One of nn's or derived from it: another class's parameters() may do anything."""
    return any(kind.__module__ == "micrograd_c.nn" and kind.__name__ == "Module" for kind in type(held).__mro__)


def unused(name: str, taken: set[str]) -> str:
    for candidate in itertools.chain([name], numbered(f"{name}_", 2)):
        if candidate not in taken:
            taken.add(candidate)
            return candidate
    raise AssertionError("numbers do not end")


def numbered(name: str, first: int = 1) -> Iterator[str]:
    return (f"{name}{k}" for k in itertools.count(first))


def unused_letters(unnamed: Iterable[Any], taken: set[str]) -> tuple[Iterator[str], Iterator[str]]:
    """For leaves and for gates."""
    gates = [node for node in unnamed if node.kind == "gate"]
    letters = [letter for letter in LETTERS if letter not in taken]
    few = letters if len(gates) - 1 <= len(letters) else []
    for_gates = (name for name in itertools.chain(few, numbered("q")) if name not in taken)
    return (name for name in numbered("x") if name not in taken), for_gates
