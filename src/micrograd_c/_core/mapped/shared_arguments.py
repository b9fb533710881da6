"""Arguments of a mapped function that are the same for all rows: the numbers and Values in them.

Knows Values, and lists of them. Which Values are given does not matter, unless there is more to one than its number.
"""

from __future__ import annotations

import contextlib
import functools

from micrograd_c._core.mapped import columns  # type: ignore[attr-defined]  # compiled, without a stub
from micrograd_c._core.mapped.nested import DEEPEST, fill, nested, too_deep
from micrograd_c._core.mapped.reading import PLAIN, as_buffer, as_float, checked_size
from micrograd_c._core.mapped.sources import linked_values
from micrograd_c._core.value import tracing
from micrograd_c._core.value.copying import are_bare, in_its_place, is_bare  # type: ignore[attr-defined]  # compiled
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Shared", "taken_at_once", "value_structure"]


class Shared:
    """An argument that is the same for all rows."""

    rows = None

    def __init__(self, argument: Any, name: str) -> None:
        self.name, self.argument = name, argument
        self.shared: list[float] = []
        self.given: list[Value] = []
        self.linked: dict[int, list[Value]] = {}    # those of each Batch with gradients, by its identity
        self.structure = self.take(argument)

    def take(self, argument: Any, depth: int = 0) -> Any:
        """Take its numbers and Values. Returns its structure."""
        if isinstance(argument, Value):
            tracing.check_usable(argument)
            self.given.append(argument)
            return value_structure(argument)
        if isinstance(argument, (list, tuple)):
            if depth == DEEPEST:
                raise too_deep(self.name)
            return taken_at_once(argument, self.shared, self.given) or (
                "list", *[self.take(one, depth + 1) for one in argument])
        values = linked_values(argument)
        if values is not None:
            checked_size(argument.shape, self.name)
            self.given += values
            self.linked[id(argument)] = values
            return ("linked", *argument.shape)
        buffer = as_buffer(argument, self.name)
        if buffer is None:
            self.shared.append(as_float(argument, self.name))
            return "number"
        checked_size(buffer.shape, self.name)
        self.shared += buffer.flat()
        return buffer.shape

    @functools.cached_property
    def tree(self) -> Any:
        """The argument, with None for each number."""
        return self.tree_of(self.argument)

    def tree_of(self, argument: Any) -> Any:
        if isinstance(argument, Value):
            return argument
        if isinstance(argument, (list, tuple)):
            return list(map(self.tree_of, argument))
        if hasattr(argument, "keeps_graph"):
            values = iter(self.linked.get(id(argument), ()))
            return nested(argument.shape, lambda: next(values, None))
        buffer = as_buffer(argument, self.name)
        return None if buffer is None else nested(buffer.shape, lambda: None)

    def add_to(self, found: columns.Columns) -> None:
        pass

    def values(self, inputs: list[int], shared: list[int], given: list[int]) -> Any:
        def stand_in(value: Value) -> Value:
            return in_its_place(tracing.argument(given), value)  # type: ignore[no-any-return]
        return fill(self.tree, lambda: tracing.argument(shared), stand_in)

    def first(self) -> Any:
        numbers = iter(self.shared)
        return fill(self.tree, lambda: Value(next(numbers)), lambda value: in_its_place(Value(value.data), value))

    def row(self, k: int) -> Any:
        numbers = iter(self.shared)
        return fill(self.tree, lambda: Value(next(numbers)))


def taken_at_once(argument: Any, numbers: Any, values: list[Value]) -> Any:
    """Take all of a list of numbers, or of bare Values, and return its structure. None for any other list."""
    if are_bare(argument):
        values.extend(argument)
        return ("values", len(argument))
    if PLAIN.issuperset(map(type, argument)):
        with contextlib.suppress(OverflowError):    # it is found again by whoever takes them one by one
            numbers.extend(list(map(float, argument)))
            return ("numbers", len(argument))
    return None


def value_structure(value: Value) -> Any:
    """What must be the same for another Value in its place: what is known of it while it is traced."""
    return type(value) if is_bare(value) else (type(value), KeptIdentity(value))


class KeptIdentity:
    """A Value as part of a key: compared by identity, and alive as long as the key."""

    def __init__(self, value: Value) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeptIdentity) and self.value is other.value
