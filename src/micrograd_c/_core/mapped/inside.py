"""vmap inside of a function that is traced: a loop over the rows, which becomes part of the trace.

Arguments may hold Values of the trace, by which they differ from rows of numbers elsewhere.
"""

from __future__ import annotations

import functools
import operator

from micrograd_c._core.bulk.functional import mean  # type: ignore[attr-defined]
from micrograd_c._core.bulk.linear import sumprod
from micrograd_c._core.mapped import depending  # type: ignore[attr-defined]  # compiled, without a stub
from micrograd_c._core.mapped.arguments import is_named_tuple, read_all
from micrograd_c._core.mapped.nested import DEEPEST, nested, too_deep
from micrograd_c._core.mapped.outputs import transpose
from micrograd_c._core.mapped.reading import as_float, refuse
from micrograd_c._core.mapped.results import depends, gathered
from micrograd_c._core.mapped.row_by_row import deviation
from micrograd_c._core.value.selecting import maximum, minimum
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["InnerBatch", "run"]


class InnerBatch(list):     # type: ignore[type-arg]    # which Python 3.9 could not subscript in a base class
    """What stands in for a Batch inside of a function that is traced: a list with a Value for each row.

    With more axes it has lists in lists.
    """

    def sum(self, weights: Any = None) -> Value:
        """The sum over the rows, as a Batch has it. Weights may be Values, too."""
        if weights is None:
            return sum(entries(self), Value(0.0))
        refuse(weights, "weights")
        weights = weights if hasattr(weights, "shape") else list(weights)
        if len(weights) != len(self):
            raise ValueError(f"{len(weights)} weights for {len(self)} rows")
        values, factors = entries(self), entries(weights)
        if len(values) != len(factors):
            raise ValueError(f"{len(factors)} weights for {len(values)} numbers")
        return sumprod(values, factors, Value(0.0))

    def mean(self, weights: Any = None) -> Value:
        """The sum divided by how many there are."""
        values = entries(self)
        if not values:
            raise ZeroDivisionError("the mean of no rows")
        return mean(values) if weights is None else self.sum(weights) * (1.0 / len(values))

    def min(self) -> Value:
        """The smallest, by `minimum` of one row after the other: of two equal ones each gets half of the gradient."""
        return self.extreme(minimum)

    def max(self) -> Value:
        """The largest, as min() is the smallest."""
        return self.extreme(maximum)

    def extreme(self, choose: Callable[[Any, Any], Value]) -> Value:
        values = entries(self)
        if not values:
            raise ValueError(f"the {choose.__name__} of no rows")
        return functools.reduce(choose, values)

    def std(self, ddof: float = 0) -> Value:
        """The standard deviation, as a Batch has it."""
        return deviation(entries(self), ddof)


def entries(lists: Any) -> list[Any]:
    """What is in nested lists, in order."""
    if hasattr(lists, "shape") and hasattr(lists, "tolist"):
        lists = lists.tolist()
    return [entry for one in lists for entry in entries(one)] if isinstance(lists, (list, tuple)) else [lists]


def run(
    fn: Callable[..., Any], in_axes: Any, wanted: tuple[Any, bool] | None, arguments: tuple[Any, ...],
    keywords: dict[str, Any],
) -> Any:
    """The function's result, with an InnerBatch for each Value, or as out_axes and `stacked` have it."""
    given = read_all(fn, in_axes, arguments, keywords, Lists)
    if not given.rows:
        raise ValueError("vmap of no rows, inside of a function that is traced")
    results = [given.call(fn, operator.methodcaller("row", k)) for k in range(given.rows)]
    if wanted is None:
        return transpose(results, InnerBatch)

    def check(values: list[Value]) -> None:
        own = [value for leaf in given.leaves if leaf.rows is not None for value in entries(leaf.row(0))]
        if any(depending.depends_on(value, own) for value in values):
            raise depends()
    return gathered(results, *wanted, lambda values, shape: InnerBatch(
        nested(shape, iter(values).__next__)), check)


class Lists:
    """An argument of numbers and Values in nested lists, of which an axis is the rows, or none is."""

    def __init__(self, argument: Any, axis: int | None, name: str) -> None:
        self.lists, self.axis, self.name = as_lists(argument, name), axis, name
        self.rows: int | None = None
        if axis is not None:
            sizes = lengths(self.lists)
            if not -len(sizes) <= axis < len(sizes):
                raise ValueError(f"{name} has no axis {axis}, which in_axes says are its rows")
            self.axis, self.rows = axis % len(sizes), sizes[axis]

    def row(self, k: int) -> Any:
        """What the function gets for row k."""
        return self.lists if self.axis is None else taken(self.lists, self.axis, k)


def as_lists(argument: Any, name: str, depth: int = 0) -> Any:
    """Nested lists, dicts and named tuples of Values: arrays are lists, and numbers are constants."""
    if isinstance(argument, Value):
        return argument
    if depth > DEEPEST:
        raise too_deep(name)
    refuse(argument, name)
    if isinstance(argument, dict):
        return {key: as_lists(part, f"{name}[{key!r}]", depth + 1) for key, part in argument.items()}
    if is_named_tuple(argument):
        return argument._make([as_lists(part, name, depth + 1) for part in argument])
    if not isinstance(argument, (list, tuple)) and hasattr(argument, "tolist"):
        argument = argument.tolist()
    if isinstance(argument, (list, tuple)):
        return [as_lists(part, name, depth + 1) for part in argument]
    return Value(as_float(argument, name))


def lengths(lists: Any) -> list[int]:
    """The length of each axis, by the first entries."""
    found: list[int] = []
    while isinstance(lists, list):
        found.append(len(lists))
        lists = lists[0] if lists else None
    return found


def taken(lists: Any, axis: int, k: int) -> Any:
    return lists[k] if axis == 0 else [taken(part, axis - 1, k) for part in lists]
