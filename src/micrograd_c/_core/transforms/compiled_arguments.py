"""Arguments of a function given to jit: the numbers and Values among them, and what tells its specializations apart.

Knows Values, buffers, and lists in lists. Knows nothing of how a function is compiled.
"""

from __future__ import annotations

import math
from array import array

from micrograd_c._core.mapped import columns, linking  # type: ignore[attr-defined]  # compiled, without stubs
from micrograd_c._core.mapped.nested import DEEPEST, nested, too_deep
from micrograd_c._core.mapped.reading import as_buffer
from micrograd_c._core.mapped.shared_arguments import taken_at_once, value_structure
from micrograd_c._core.mapped.sources import linked_batch
from micrograd_c._core.transforms.structure import as_number, described, is_number, transform
from micrograd_c._core.value import tracing
from micrograd_c._core.value.copying import in_its_place  # type: ignore[attr-defined]  # compiled, without a stub
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from micrograd_c._core.mapped.batch import Batch

__all__ = ["Arguments"]

NUMBER = "number"
WANTED = ("a number, a Value, an array, nested lists, tuples and dicts of those, or something hashable, which is taken "
          "as it is")
STATIC = "hashable, as static_argnums names it"
AS_THEY_ARE = (bool, str, bytes, bytearray, type(None))     # never numbers, though some could be read as such


class Arguments:
    """Those of one call.

    `structure` tells which specialization fits: what has to be the same for a trace to hold. The numbers and `values`
    need not.
    """

    def __init__(self, arguments: tuple[Any, ...], keywords: dict[str, Any], static: tuple[int, ...]) -> None:
        self.numbers = array("d")
        self.arrays: list[columns.Buffer] = []
        self.linked: list[tuple[int, Batch]] = []   # which of them are Batches to which gradients go
        self.values: list[Value] = []
        self.arguments, self.keywords = arguments, keywords
        self.static = {place % len(arguments) for place in static if -len(arguments) <= place < len(arguments)}
        self.structure = (
            tuple([as_it_is(one, f"argument {k + 1}", STATIC) if k in self.static else self.take(
                one, f"argument {k + 1}") for k, one in enumerate(arguments)]),
            tuple([(name, self.take(one, f"argument {name!r}")) for name, one in keywords.items()]),
        )

    def take(self, one: Any, name: str, depth: int = 0) -> Any:
        """Take the numbers and Values of an argument. Returns its structure, hashable."""
        kind = type(one)
        if kind is float or kind is int:
            self.numbers.append(one)
            return NUMBER
        if isinstance(one, Value):
            tracing.check_usable(one)
            self.values.append(one)
            return value_structure(one)
        if isinstance(one, (list, tuple, dict)):
            if depth > DEEPEST:
                raise too_deep(name)
            if not isinstance(one, dict):
                found = taken_at_once(one, self.numbers, self.values)
                if found is not None:
                    return kind, found
            parts = one.values() if isinstance(one, dict) else one
            keys = exactly(tuple(one)) if isinstance(one, dict) else ()
            return (kind, keys, *[self.take(part, name, depth + 1) for part in parts])
        if isinstance(one, AS_THEY_ARE):
            return as_it_is(one, name)
        if is_number(one):
            self.numbers.append(as_number(one))
            return NUMBER
        source = linked_batch(one)
        if source is not None:
            self.linked.append((len(self.arrays), source))
            self.arrays.append(columns.Buffer(source))
            return ("linked", source.shape)
        buffer = as_buffer(one, name)
        if buffer is None:
            return as_it_is(one, name)
        self.arrays.append(buffer)
        return ("array", buffer.shape)

    @property
    def count(self) -> int:
        """How many numbers there are, at least one."""
        return max(1, len(self.numbers)) + sum([math.prod(buffer.shape) for buffer in self.arrays])

    def buffers(self) -> Iterator[columns.Buffer]:
        """What the numbers are in: those of lists and the like first, and then each array."""
        yield columns.Buffer(self.numbers or array("d", [0.0]))
        yield from self.arrays

    @property
    def sources(self) -> list[tuple[int, int, Batch]]:
        """Which numbers are a Batch's that gets gradients: the first one, how many there are, and the Batch."""
        if not self.linked:
            return []
        counts = [math.prod(buffer.shape) for buffer in self.arrays]
        first = max(1, len(self.numbers))
        return [(first + sum(counts[:place]), counts[place], source) for place, source in self.linked]

    def traced(self, numbers: list[int], values: list[int]) -> tuple[list[Any], dict[str, Any]]:
        """What the function gets while it is traced. The indexes of what stands for numbers and Values are appended."""
        scalars: list[int] = []
        others: list[int] = []
        if not self.numbers:
            tracing.argument(scalars)
        made = self.replaced(
            lambda number: tracing.argument(scalars), lambda number: tracing.argument(others),
            lambda value: in_its_place(tracing.argument(values), value), None)
        numbers += scalars + others
        return made

    def call(self, fn: Callable[..., Any]) -> Any:
        """The function's result, computed by itself, with Values in the place of numbers."""
        arguments, keywords = self.replaced(Value, Value, lambda value: value)
        return fn(*arguments, **keywords)

    def call_anew(self, fn: Callable[..., Any]) -> Any:
        """The same, with Values that have just been made in the place of Values, too."""
        arguments, keywords = self.replaced(Value, Value, lambda value: in_its_place(Value(value.data), value))
        return fn(*arguments, **keywords)

    def replaced(
        self, of_number: Callable[[Any], Value], of_element: Callable[[Any], Value], of_value: Callable[[Value], Value],
        of_batch: Callable[[Batch], list[Value]] | None = linking.values_of,
    ) -> tuple[list[Any], dict[str, Any]]:
        """All arguments, with other numbers, elements of arrays, Values, and numbers of linked Batches.

        With of_batch None these are elements like others.
        """
        arrays = iter(enumerate(self.arrays))
        linked = dict(self.linked) if of_batch is not None else {}

        def change(leaf: Any) -> Any:
            if isinstance(leaf, Value):
                return of_value(leaf)
            if isinstance(leaf, AS_THEY_ARE) or not (is_number(leaf) or is_array(leaf)):
                return leaf
            if is_number(leaf):
                return of_number(as_number(leaf))
            place, buffer = next(arrays)
            if place in linked and of_batch is not None:
                return nested(buffer.shape, iter(of_batch(linked[place])).__next__)
            elements = iter(buffer.flat() if buffer.shape[0] else ())
            return nested(buffer.shape, lambda: of_element(next(elements)))

        return (
            [one if k in self.static else transform(one, change, f"argument {k + 1}")
             for k, one in enumerate(self.arguments)],
            {name: transform(one, change, f"argument {name!r}") for name, one in self.keywords.items()},
        )


def is_array(leaf: Any) -> bool:
    return hasattr(leaf, "keeps_graph") or as_buffer(leaf, "") is not None


def as_it_is(one: Any, name: str, wanted: str = WANTED) -> Any:
    """The structure of what is neither a number nor has any."""
    try:
        hash(one)
    except TypeError:
        raise TypeError(f"{name} must be {wanted}, not {described(one)}") from None
    return ("as it is", exactly(one))


def exactly(one: Any) -> Any:
    """What is equal only for what is the same in all: 1, 1.0 and True, or 0.0 and -0.0, are not."""
    if isinstance(one, tuple):
        return (type(one), *map(exactly, one))
    if isinstance(one, frozenset):
        return (type(one), frozenset(map(exactly, one)))
    return (type(one), repr(one) if isinstance(one, (float, complex)) else one)
