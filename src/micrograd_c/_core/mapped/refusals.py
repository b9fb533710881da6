"""What people try with a result of vmap that it cannot do: errors that say what to do instead.

Knows how long a result is, and its class's name.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

__all__ = ["refuse_arithmetic", "refuse_order", "refuse_truth", "refuse_use_as_number"]


def name_of(batch: Any) -> str:
    return f"a {type(batch).__name__} of {len(batch)} rows"


def refuse_arithmetic(batch: Any, other: Any) -> Any:
    """For an operator with another object. NumPy's arrays may answer for themselves: they compute with its numbers."""
    if hasattr(other, "__array_ufunc__"):
        return NotImplemented
    raise TypeError(
        f"{name_of(batch)} takes no part in arithmetic: have the function given to vmap compute it, row by row, or use "
        "sum() or mean(), which are Values; np.asarray(batch) has its numbers, without gradient"
    )


def refuse_order(batch: Any, other: Any) -> Any:
    """For <, <=, > and >=."""
    if hasattr(other, "__array_ufunc__"):
        return NotImplemented
    raise TypeError(f"{name_of(batch)} cannot be compared: compare its numbers, np.asarray(batch)")


def refuse_use_as_number(batch: Any) -> NoReturn:
    """For float() and int()."""
    raise TypeError(f"{name_of(batch)} is not one number: batch[0] is a row's, and sum() and mean() are Values")


def refuse_truth(batch: Any) -> NoReturn:
    """For bool()."""
    raise ValueError(f"{name_of(batch)} is neither true nor false: ask any() or all() of its numbers, or len(batch)")
