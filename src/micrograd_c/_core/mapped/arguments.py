"""Arguments of a function given to vmap: which are rows, which are the same for all rows, and which can be neither.

Knows Values, and lists of them. Knows nothing of how numbers are read, or of what is done with the function.
"""

from __future__ import annotations

import functools
import types

from micrograd_c._core.mapped import columns, linking  # type: ignore[attr-defined]  # compiled, without stubs
from micrograd_c._core.mapped.nested import nested
from micrograd_c._core.mapped.reading import as_buffer, from_lists
from micrograd_c._core.mapped.shared_arguments import Shared
from micrograd_c._core.mapped.sources import linked_batch
from micrograd_c._core.value import tracing
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from micrograd_c._core.mapped.batch import Batch

__all__ = ["Group", "check_axes", "is_named_tuple", "read_all"]


def check_axes(in_axes: Any) -> None:
    axes = in_axes if isinstance(in_axes, (tuple, list)) else [in_axes]
    if isinstance(in_axes, dict) or not all(map(are_axes, axes)):
        raise ValueError("in_axes may be an axis, such as 0 (one row after the other), None (the same for all rows), "
                         f"or a tuple with one for each argument, not {in_axes!r}")


def is_axis(axis: Any) -> bool:
    return axis is None or (isinstance(axis, int) and not isinstance(axis, bool))


def are_axes(axes: Any) -> bool:
    """Whether it is what in_axes may have for one argument."""
    if isinstance(axes, dict):
        return all(map(are_axes, axes.values()))
    return is_axis(axes) or (is_named_tuple(axes) and all(map(are_axes, axes)))


def axes_of(in_axes: Any, count: int) -> Any:
    """An axis for each argument."""
    if not isinstance(in_axes, (tuple, list)) or is_named_tuple(in_axes):
        return (in_axes,) * count
    if len(in_axes) != count:
        raise ValueError(f"in_axes has {len(in_axes)} entries for {count} arguments")
    return in_axes


def names(fn: Callable[..., Any], arguments: tuple[Any, ...]) -> list[str]:
    """What messages call the arguments."""
    code = getattr(fn, "__code__", None)
    bound = isinstance(fn, types.MethodType)
    known = code.co_varnames[bound:code.co_argcount] if isinstance(code, types.CodeType) else ()
    return [f"argument {k + 1} ({known[k]!r})" if k < len(known) else f"argument {k + 1}"
            for k in range(len(arguments))]


def numbers_or_shared(argument: Any, axis: int | None, name: str) -> Rows | Shared:
    """An argument, or a part of one, with rows of numbers, or the same for all rows."""
    if axis is None:
        return Shared(argument, name)
    source = linked_batch(argument)
    try:
        buffer = columns.Buffer(source, axis) if source is not None else as_buffer(argument, name, axis)
        if buffer is None:
            buffer = columns.Buffer(from_lists(argument, name), axis)
    except IndexError:
        raise ValueError(f"{name} has no axis {axis}, which in_axes says are its rows") from None
    if not buffer.shape:
        raise ValueError(f"{name} is a single number: with in_axes {axis} it should have an axis of rows")
    return Rows(buffer, name, axis, source)


def read_all(
    fn: Callable[..., Any], in_axes: Any, arguments: tuple[Any, ...], keywords: dict[str, Any],
    leaf: Callable[[Any, int | None, str], Any] = numbers_or_shared,
) -> Group:
    """All arguments, those by name last, which have rows. `leaf` reads those that are no dicts or named tuples."""
    found = [read(argument, axis, name, leaf) for argument, axis, name
             in zip(arguments, axes_of(in_axes, len(arguments)), names(fn, arguments))]
    found += [read(one, 0, f"argument {name!r}", leaf) for name, one in keywords.items()]
    return Group(found, len(arguments), list(keywords))


def read(argument: Any, axis: Any, name: str, leaf: Callable[[Any, int | None, str], Any]) -> Any:
    if isinstance(argument, dict) or is_named_tuple(argument):
        return Parts(argument, axis, name, leaf)
    if axis is not None and not isinstance(axis, int):
        raise ValueError(f"{name} has no parts: in_axes must have one axis for it, not {axis!r}")
    return leaf(argument, axis, name)


def is_named_tuple(one: Any) -> bool:
    return isinstance(one, tuple) and hasattr(one, "_fields") and hasattr(one, "_make")


class Rows:
    """An argument with rows, in a buffer: each call gets one of them. They may be those of a Batch with gradients."""

    shared: tuple[()] = ()
    given: tuple[()] = ()

    def __init__(self, buffer: columns.Buffer, name: str, axis: int, source: Batch | None = None) -> None:
        self.buffer, self.name, self.axis, self.source = buffer, name, axis, source
        self.shape = buffer.shape[1:]
        self.structure = self.shape if source is None else ("linked", *self.shape)
        self.rows = buffer.shape[0]

    def add_to(self, found: columns.Columns) -> None:
        found.add(self.buffer)

    def values(self, inputs: list[int], shared: list[int], given: list[int]) -> Any:
        """What the function gets while it is traced."""
        return nested(self.shape, lambda: tracing.argument(inputs))

    def first(self) -> Any:
        """What the function gets where it is watched: Values that have just been made."""
        return self.row(0)

    def row(self, k: int) -> Any:
        """What the function gets for row k, as Values of its own."""
        if self.source is not None:
            return nested(self.shape, iter(linking.row_of(self.source, self.buffer, k)).__next__)
        numbers = iter(self.flat[k * self.buffer.columns:(k + 1) * self.buffer.columns])
        return nested(self.shape, lambda: Value(next(numbers)))

    @functools.cached_property
    def flat(self) -> list[float]:
        return self.buffer.flat()


class Parts:
    """A dict or named tuple of others: those that have a name of their own."""

    def __init__(self, argument: Any, axis: Any, name: str, leaf: Callable[[Any, int | None, str], Any]) -> None:
        parts = argument if isinstance(argument, dict) else argument._asdict()
        axes = axis._asdict() if is_named_tuple(axis) else axis
        if not isinstance(axes, dict):
            axes = dict.fromkeys(parts, axis)
        if axes.keys() != parts.keys():
            raise ValueError(f"in_axes has axes for {list(axes)}, but {name} has {list(parts)}")
        self.parts = {key: read(part, axes[key], f"{name}[{key!r}]", leaf) for key, part in parts.items()}
        self.kind = type(argument)
        self.make = argument._make if is_named_tuple(argument) else lambda made: dict(zip(self.parts, made))

    @property
    def structure(self) -> Any:
        return (self.kind, tuple(self.parts), *[part.structure for part in self.parts.values()])

    def leaves(self) -> Iterator[Any]:
        for part in self.parts.values():
            if isinstance(part, Parts):
                yield from part.leaves()
            else:
                yield part

    def values(self, inputs: list[int], shared: list[int], given: list[int]) -> Any:
        return self.make([part.values(inputs, shared, given) for part in self.parts.values()])

    def first(self) -> Any:
        return self.make([part.first() for part in self.parts.values()])

    def row(self, k: int) -> Any:
        return self.make([part.row(k) for part in self.parts.values()])


class Group:
    """The arguments of one call: so many by position, and then those that have these names."""

    def __init__(self, found: list[Any], by_position: int, names: list[str]) -> None:
        self.found, self.by_position, self.names = found, by_position, names
        self.leaves = [leaf for one in found for leaf in (one.leaves() if isinstance(one, Parts) else (one,))]
        self.rows = rows_of(self.leaves)

    @functools.cached_property
    def structure(self) -> tuple[Any, ...]:
        """What tells which specialization fits."""
        return (tuple([one.structure for one in self.found]), *self.names)

    @property
    def shapes(self) -> list[Any] | None:
        """The shape of a row of each argument, if all are arrays of rows, one row after the other; else None."""
        if self.names or not all(isinstance(one, Rows) and one.axis == 0 for one in self.found):
            return None
        return [one.shape for one in self.found]

    @property
    def linked_arguments(self) -> tuple[bool, ...] | None:
        """Which arguments are such Batches; None if none is."""
        found = tuple([getattr(one, "source", None) is not None for one in self.found])
        return found if any(found) else None

    @property
    def linked(self) -> list[tuple[int, int, Batch]]:
        """Which numbers of a row are a Batch's that has gradients: the first one, how many there are, and the Batch."""
        found, first = [], 0
        for one in self.leaves:
            if isinstance(one, Rows):
                if one.source is not None:
                    found.append((first, one.buffer.columns, one.source))
                first += one.buffer.columns
        return found

    def call(self, fn: Callable[..., Any], made: Callable[[Any], Any]) -> Any:
        """The function's result for what is made of the arguments."""
        values = [made(one) for one in self.found]
        return fn(*values[:self.by_position], **dict(zip(self.names, values[self.by_position:])))


def rows_of(given: list[Any]) -> int:
    """How many there are. Raises ValueError if arguments disagree."""
    rows = {one.name: one.rows for one in given if one.rows is not None}
    if not rows:
        raise ValueError(
            "vmap wants at least one argument with rows, as with in_axes 0: the others do not say how many there are"
        )
    if len(set(rows.values())) > 1:
        raise ValueError("arguments differ in their number of rows: "
                         + ", ".join(f"{name} has {count}" for name, count in rows.items()))
    return next(iter(rows.values()))
