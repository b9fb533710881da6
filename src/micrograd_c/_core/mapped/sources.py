"""Results of mapped functions as arguments of others: what their gradients go back to.

Knows Batches, and what stands in for one that was computed row by row.
"""

from __future__ import annotations

from micrograd_c._core.mapped import linking  # type: ignore[attr-defined]  # compiled, without a stub
from micrograd_c._core.mapped.batch import Batch
from micrograd_c._core.mapped.row_by_row import Rowwise
from micrograd_c._core.tape import pausing  # type: ignore[attr-defined]  # compiled, without a stub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from micrograd_c._core.value.value import Value

__all__ = ["linked_batch", "linked_values"]


def linked_batch(argument: Any) -> Batch | None:
    """The Batch that gets gradients if the argument is used; None for anything that is not such a result."""
    if not isinstance(argument, (Batch, Rowwise)) or pausing.is_paused():
        return None
    if isinstance(argument, Rowwise):
        return argument.as_batch()
    return argument if argument.keeps_graph else None


def linked_values(argument: Any) -> list[Value] | None:
    """Likewise the Values that get gradients, in the order of nested lists."""
    if not isinstance(argument, (Batch, Rowwise)) or pausing.is_paused():
        return None
    if isinstance(argument, Rowwise):
        return argument.values
    return linking.values_of(argument) if argument.keeps_graph else None  # type: ignore[no-any-return]
