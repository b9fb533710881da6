"""How vmap hands out what a function computed: a Batch for each Value, or one for a whole list, with any axis for rows.

Knows what results are nested in. Knows nothing of where their numbers come from.
"""

from __future__ import annotations

import math

from micrograd_c._core.mapped.arguments import is_axis, is_named_tuple
from micrograd_c._core.mapped.nested import DEEPEST, fill, nested, too_deep
from micrograd_c._core.mapped.outputs import WasTuple, structure_of, transpose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Plan", "check_out_axes", "depends", "gathered"]

RESULT = "what the function returns"


def check_out_axes(out_axes: Any) -> None:
    if not are_axes(out_axes):
        raise ValueError("out_axes may be an axis, such as 0 (the rows come first), None (the same for all rows), or "
                         f"lists, tuples and dicts of these like the function's result, not {out_axes!r}")


def are_axes(axes: Any, depth: int = 0) -> bool:
    if not isinstance(axes, (dict, list, tuple)):
        return is_axis(axes)
    if depth > DEEPEST:
        raise too_deep("out_axes")
    return all(are_axes(one, depth + 1) for one in (axes.values() if isinstance(axes, dict) else axes))


class Plan:
    """Where the numbers of each part of a result are, for a function that returns what has that structure.

    `parts` has, for each: the first of its outputs, the shape they make up in a row, and the axis of the rows, or None
    if there is none.
    """

    def __init__(self, structure: Any, out_axes: Any, stacked: bool) -> None:
        self.stacked = stacked
        self.parts: list[tuple[int, tuple[int, ...], int | None]] = []
        self.outputs = 0
        self.tree = self.planned(structure, out_axes, RESULT)
        # as they are computed: what has no axis for rows, output by output
        self.pieces: list[tuple[int, tuple[int, ...], int]] = []
        for first, shape, axis in self.parts:
            self.pieces += [(first + k, (), 0) for k in range(math.prod(shape))] if axis is None else [
                (first, shape, axis)]

    def planned(self, structure: Any, axes: Any, name: str) -> Any:
        """The structure, with None in the place of each part."""
        if structure is None or (self.stacked and is_array(structure)):
            if not is_axis(axes):
                raise ValueError(f"{name} is one part of the result: out_axes must have one axis for it, not {axes!r}")
            self.add(shape_of(structure, name), axes, name)
            return None
        keys = list(structure) if isinstance(structure, dict) else range(len(structure))
        if isinstance(axes, (list, tuple)) and not isinstance(structure, dict) and len(axes) == len(structure):
            each: list[Any] = list(axes)
        elif isinstance(axes, dict) and isinstance(structure, dict) and axes.keys() == structure.keys():
            each = [axes[key] for key in keys]
        elif is_axis(axes):
            each = [axes] * len(structure)
        else:
            kind = f"a dict of {keys}" if isinstance(structure, dict) else f"{len(structure)} entries"
            raise ValueError(f"{name} has {kind}, for which out_axes has {axes!r}")
        made = [self.planned(structure[key], axis, f"{name}[{key!r}]") for key, axis in zip(keys, each)]
        if isinstance(structure, dict):
            return dict(zip(keys, made))
        if is_named_tuple(structure):
            return structure._make(made)
        return tuple(made) if self.stacked and isinstance(structure, WasTuple) else made

    def add(self, shape: tuple[int, ...], axis: int | None, name: str) -> None:
        axes = len(shape) + 1
        if axes > DEEPEST:      # of a buffer
            raise too_deep(RESULT)
        if axis is not None:
            if not -axes <= axis < axes:
                hint = "" if self.stacked else ". With stacked=True lists of one shape are one array"
                raise ValueError(f"out_axes has axis {axis} for {name}, which has {axes} with its rows{hint}")
            axis %= axes
        self.parts.append((self.outputs, shape, axis))
        self.outputs += math.prod(shape)

    def check_same(self, varying: list[bool]) -> None:
        """Raise ValueError if a part without an axis for rows differs from row to row, as these say of outputs."""
        for first, shape, axis in self.parts:
            if axis is None and any(varying[first:first + math.prod(shape)]):
                raise depends()

    def finish(self, pieces: list[Any], first: Callable[[Any], Any]) -> Any:
        """The result made of what was computed for each piece. `first` makes one number of what has no rows."""
        following = iter(pieces)
        made = [nested(shape, lambda: first(next(following))) if axis is None else next(following)
                for _, shape, axis in self.parts]
        return fill(self.tree, iter(made).__next__)

    def gather(self, rows: list[list[Any]], make: Callable[[list[Any], tuple[int, ...]], Any]) -> Any:
        """The result made of all outputs of each row: `make` is given an array's entries in order, and its shape.

        What has no axis is the first row's.
        """
        made = []
        for first, shape, axis in self.parts:
            own = [row[first:first + math.prod(shape)] for row in rows]
            if axis is None:
                made.append(nested(shape, iter(own[0]).__next__))
                continue
            inner = math.prod(shape[axis:])     # entries that follow one another in a row
            made.append(make(
                [one for start in range(0, math.prod(shape), inner or 1) for row in own
                 for one in row[start:start + inner]],
                (*shape[:axis], len(rows), *shape[axis:])))
        return fill(self.tree, iter(made).__next__)


def depends() -> ValueError:
    return ValueError("out_axes is None for a result that depends on the rows: it wants an axis, such as 0")


def is_array(structure: Any) -> bool:
    """Whether there are only lists in it."""
    return structure is None or (type(structure) is list and all(map(is_array, structure)))


def shape_of(structure: Any, name: str) -> tuple[int, ...]:
    if structure is None:
        return ()
    shapes = {shape_of(one, name) for one in structure}
    if len(shapes) > 1:
        raise ValueError(f"{name} is ragged, and cannot be stacked: return parts of unlike shapes as a tuple or dict")
    return (len(structure), *(shapes.pop() if shapes else ()))


def gathered(
    results: list[Any], out_axes: Any, stacked: bool, make: Callable[[list[Any], tuple[int, ...]], Any],
    check: Callable[[list[Any]], None],
) -> Any:
    """The result made of the function's results for each row. `check` is given what must not depend on the rows."""
    columns: list[list[Any]] = []
    transpose(results, columns.append)
    plan = Plan(structure_of(results[0]), out_axes, stacked)
    rows = [[column[k] for column in columns] for k in range(len(results))]
    check([one for first, shape, axis in plan.parts if axis is None for one in rows[0][first:first + math.prod(shape)]])
    return plan.gather(rows, make)
