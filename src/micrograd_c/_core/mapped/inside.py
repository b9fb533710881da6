"""vmap inside of a function that is traced: a loop over the rows, which becomes part of the trace.

Arguments may hold Values of the trace, by which they differ from rows of numbers elsewhere.
"""

from __future__ import annotations

from micrograd_c._core.bulk.functional import mean  # type: ignore[attr-defined]
from micrograd_c._core.bulk.linear import sumprod
from micrograd_c._core.mapped.arguments import axes_of, is_named_tuple, names
from micrograd_c._core.mapped.nested import DEEPEST, too_deep
from micrograd_c._core.mapped.outputs import transpose
from micrograd_c._core.mapped.reading import as_float
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["InnerBatch", "run"]


class InnerBatch(list):     # type: ignore[type-arg]    # which Python 3.9 could not subscript in a base class
    """What stands in for a Batch inside of a function that is traced: a list with a Value for each row."""

    def sum(self, weights: Any = None) -> Value:
        """The sum over the rows, as a Batch has it. Weights may be Values, too."""
        if weights is None:
            return sum(self, Value(0.0))
        weights = list(weights)
        if len(weights) != len(self):
            raise ValueError(f"{len(weights)} weights for {len(self)} rows")
        return sumprod(self, weights, Value(0.0))

    def mean(self, weights: Any = None) -> Value:
        """The sum divided by the number of rows."""
        if not self:
            raise ZeroDivisionError("the mean of no rows")
        return mean(self) if weights is None else self.sum(weights) * (1.0 / len(self))


def run(fn: Callable[..., Any], in_axes: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """The function's result, with an InnerBatch for each Value."""
    axes = [*axes_of(in_axes, len(arguments)), *[0] * len(keywords)]
    known = [*names(fn, arguments), *[f"argument {name!r}" for name in keywords]]
    given = [as_lists(argument, name) for argument, name in zip((*arguments, *keywords.values()), known)]
    counts = {name: count for one, axis, name in zip(given, axes, known) for count in lengths(one, axis, name)}
    if not counts:
        raise ValueError("vmap wants at least one argument with rows, as with in_axes 0")
    if len(set(counts.values())) > 1:
        raise ValueError("arguments differ in their number of rows: "
                         + ", ".join([f"{name} has {count}" for name, count in counts.items()]))
    results = []
    for k in range(next(iter(counts.values()))):
        row = [taken(one, axis, k) for one, axis in zip(given, axes)]
        results.append(fn(*row[:len(arguments)], **dict(zip(keywords, row[len(arguments):]))))
    if not results:
        raise ValueError("vmap of no rows, inside of a function that is traced")
    return transpose(results, InnerBatch)


def as_lists(argument: Any, name: str, depth: int = 0) -> Any:
    """Nested lists, dicts and named tuples of Values: arrays are lists, and numbers are constants."""
    if isinstance(argument, Value):
        return argument
    if depth > DEEPEST:
        raise too_deep(name)
    if isinstance(argument, dict):
        return {key: as_lists(part, f"{name}[{key!r}]", depth + 1) for key, part in argument.items()}
    if is_named_tuple(argument):
        return argument._make([as_lists(part, name, depth + 1) for part in argument])
    if not isinstance(argument, (list, tuple)) and hasattr(argument, "tolist"):
        argument = argument.tolist()
    if isinstance(argument, (list, tuple)):
        return [as_lists(part, name, depth + 1) for part in argument]
    return Value(as_float(argument, name))


def axes_in(one: Any, axis: Any) -> list[Any]:
    """The axis of each part of a dict or named tuple."""
    if isinstance(axis, dict):
        return [axis[key] for key in (one if isinstance(one, dict) else one._fields)]
    return list(axis) if is_named_tuple(axis) else [axis] * len(one)


def lengths(one: Any, axis: Any, name: str) -> list[int]:
    """How many rows an argument has, for each part that has any."""
    if axis is None:
        return []
    if isinstance(one, dict) or is_named_tuple(one):
        parts = one.values() if isinstance(one, dict) else one
        return [count for part, of_it in zip(parts, axes_in(one, axis)) for count in lengths(part, of_it, name)]
    sizes: list[int] = []
    while isinstance(one, list):
        sizes.append(len(one))
        one = one[0] if one else None
    if not -len(sizes) <= axis < len(sizes):
        raise ValueError(f"{name} has no axis {axis}, which in_axes says are its rows")
    return [sizes[axis]]


def taken(one: Any, axis: Any, k: int) -> Any:
    """Row k of an argument."""
    if axis is None:
        return one
    if isinstance(one, dict):
        return {key: taken(part, of_it, k) for (key, part), of_it in zip(one.items(), axes_in(one, axis))}
    if is_named_tuple(one):
        return one._make([taken(part, of_it, k) for part, of_it in zip(one, axes_in(one, axis))])
    if axis < 0:
        axis += depth_of(one)
    return one[k] if axis == 0 else [taken(part, axis - 1, k) for part in one]


def depth_of(one: Any) -> int:
    depth = 0
    while isinstance(one, list):
        depth += 1
        one = one[0] if one else None
    return depth
