"""Arguments of a function given to vmap: which are rows, which are the same for all rows, and which can be neither.

Knows Values, and lists of them. Knows nothing of how numbers are read, or of what is done with the function.
"""

from __future__ import annotations

import functools
import types

from micrograd_c._core.mapped import columns  # type: ignore[attr-defined]  # compiled, without a stub
from micrograd_c._core.mapped.nested import DEEPEST, fill, nested, too_deep
from micrograd_c._core.mapped.reading import as_buffer, as_float, checked_size, from_lists
from micrograd_c._core.value import tracing
from micrograd_c._core.value.copying import in_its_place  # type: ignore[attr-defined]  # compiled, without a stub
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Rows", "Shared", "check_axes", "read_all", "rows_of"]


def check_axes(in_axes: Any) -> None:
    for axis in in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,):
        if axis is not None and (axis != 0 or isinstance(axis, bool)):
            raise ValueError("in_axes may be 0 (one row after the other) or None (the same for all rows), or a tuple "
                             f"of those, not {in_axes!r}")


def axes_of(in_axes: Any, count: int) -> Any:
    """An axis for each argument."""
    axes: tuple[int | None, ...] | list[int | None]
    if not isinstance(in_axes, (tuple, list)):
        axes = (in_axes,) * count
    elif len(in_axes) != count:
        raise ValueError(f"in_axes has {len(in_axes)} entries for {count} arguments")
    else:
        axes = in_axes
    if 0 not in axes:
        raise ValueError(
            "vmap wants at least one argument with in_axes 0: the others do not say how many rows there are"
        )
    return axes


def names(fn: Callable[..., Any], arguments: tuple[Any, ...]) -> list[str]:
    """What messages call the arguments."""
    code = getattr(fn, "__code__", None)
    bound = isinstance(fn, types.MethodType)
    known = code.co_varnames[bound:code.co_argcount] if isinstance(code, types.CodeType) else ()
    return [f"argument {k + 1} ({known[k]!r})" if k < len(known) else f"argument {k + 1}"
            for k in range(len(arguments))]


def read_all(fn: Callable[..., Any], in_axes: Any, arguments: tuple[Any, ...]) -> list[Rows | Shared]:
    """Rows or Shared for each argument. Their structures tell which specialization fits."""
    return [read(argument, axis, name) for argument, axis, name
            in zip(arguments, axes_of(in_axes, len(arguments)), names(fn, arguments))]


def read(argument: Any, axis: int | None, name: str) -> Rows | Shared:
    if axis is None:
        return Shared(argument, name)
    buffer = as_buffer(argument, name)
    if buffer is None:
        buffer = columns.Buffer(from_lists(argument, name))
    if not buffer.shape:
        raise ValueError(f"{name} is a single number: with in_axes 0 its first axis should be the rows")
    return Rows(buffer, name)


class Rows:
    """An argument with rows, in a buffer: each call gets one of them."""

    shared: tuple[()] = ()
    given: tuple[()] = ()

    def __init__(self, buffer: columns.Buffer, name: str) -> None:
        self.buffer, self.name = buffer, name
        self.structure = buffer.shape[1:]
        self.rows = buffer.shape[0]

    def add_to(self, found: columns.Columns) -> None:
        found.add(self.buffer)

    def values(self, inputs: list[int], shared: list[int], given: list[int]) -> Any:
        """What the function gets while it is traced."""
        return nested(self.structure, lambda: tracing.argument(inputs))

    def first(self) -> Any:
        """What the function gets where it is watched: Values that have just been made."""
        return self.row(0)

    def row(self, k: int) -> Any:
        """What the function gets for row k, as Values of its own."""
        numbers = iter(self.flat[k * self.buffer.columns:(k + 1) * self.buffer.columns])
        return nested(self.structure, lambda: Value(next(numbers)))

    @functools.cached_property
    def flat(self) -> list[float]:
        return self.buffer.flat()


class Shared:
    """An argument that is the same for all rows."""

    rows = None

    def __init__(self, argument: Any, name: str) -> None:
        self.name = name
        self.shared: list[float] = []
        self.given: list[Value] = []
        self.structure, self.tree = self.take(argument, name)

    def take(self, argument: Any, name: str, depth: int = 0) -> tuple[Any, Any]:
        if isinstance(argument, Value):
            tracing.check_usable(argument)
            self.given.append(argument)
            return ("value", type(argument)), argument
        if isinstance(argument, (list, tuple)):
            if depth == DEEPEST:
                raise too_deep(name)
            parts = [self.take(one, name, depth + 1) for one in argument]
            return ("list", *[structure for structure, _ in parts]), [tree for _, tree in parts]
        buffer = as_buffer(argument, name)
        if buffer is None:
            self.shared.append(as_float(argument, name))
            return "number", None
        checked_size(buffer.shape, name)
        self.shared += buffer.flat()
        return buffer.shape, nested(buffer.shape, lambda: None)

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


def rows_of(given: list[Rows | Shared]) -> int:
    """How many there are. Raises ValueError if arguments disagree."""
    rows = {one.name: one.rows for one in given if one.rows is not None}
    if len(set(rows.values())) > 1:
        raise ValueError("arguments differ in their number of rows: "
                         + ", ".join(f"{name} has {count}" for name, count in rows.items()))
    return next(iter(rows.values()))
