"""What a function given to vmap returns: a Value, or nested lists, dicts and named tuples of Values; numbers will do.

Knows Values and lists. Knows nothing of traces, or of what becomes of the results.
"""

from __future__ import annotations

import types

from micrograd_c._core.mapped.nested import DEEPEST, too_deep
from micrograd_c._core.value import tracing
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["WasTuple", "as_output", "outputs_of", "structure_of", "transpose"]

RESULT = "what the function given to vmap returns"


def outputs_of(result: Any, roots: list[Value], depth: int = 0) -> Any:
    """The result with None for each Value; the Values are appended to roots."""
    if isinstance(result, (list, tuple, dict)):
        if depth == DEEPEST:
            raise too_deep(RESULT)
        return like(result, [outputs_of(one, roots, depth + 1) for one in parts_of(result)])
    roots.append(as_output(result))


def parts_of(result: Any) -> Any:
    return result.values() if isinstance(result, dict) else result


def like(result: Any, parts: list[Any]) -> Any:
    """A dict or a named tuple like that, or a list, of other parts."""
    if isinstance(result, dict):
        return dict(zip(result, parts))
    if hasattr(result, "_make"):
        return result._make(parts)
    return WasTuple(parts) if isinstance(result, (tuple, WasTuple)) else parts


class WasTuple(list):       # type: ignore[type-arg]    # which Python 3.9 could not subscript in a base class
    """A list in the place of a tuple, which is a list of results, but no array."""


def as_output(result: Any) -> Value:
    """A Value as it is; a number as a constant."""
    if isinstance(result, Value):
        tracing.check_usable(result)
        return result
    if getattr(result, "shape", None) == () and hasattr(result, "item"):    # of NumPy, and arrays without an axis
        result = result.item()
    if isinstance(result, (int, float)):
        return Value(result)
    raise TypeError("a function given to vmap must return a Value, or lists or dicts of Values, not "
                    f"{type(result).__name__}{advice_on(result)}")


def advice_on(result: Any) -> str:
    if result is None:
        return ": does it have a `return`?"
    if isinstance(result, types.GeneratorType):
        return ": return a list, [... for ...]"
    return ": return array.tolist()" if hasattr(result, "tolist") else ""


def transpose(results: list[Any], make: Callable[[list[Value]], Any], depth: int = 0) -> Any:
    """The results of several calls as one: each Value becomes what `make` makes of the list of them.

    Raises ValueError if the results differ in structure.
    """
    first = results[0]
    if not isinstance(first, (list, tuple, dict)):
        return make([as_output(one) for one in results])
    if depth == DEEPEST:
        raise too_deep(RESULT)
    for one in results:
        if isinstance(first, dict):
            if not isinstance(one, dict) or one.keys() != first.keys():
                given = f"of {list(one)}" if isinstance(one, dict) else type(one).__name__
                raise ValueError(f"{RESULT} differs from row to row: a dict of {list(first)}, and {given}")
        elif not isinstance(one, (list, tuple)) or len(one) != len(first):
            given = f"{len(one)} entries" if isinstance(one, (list, tuple)) else type(one).__name__
            raise ValueError(f"{RESULT} differs from row to row: a list of {len(first)} entries, and {given}")
    columns = [[one[key] for one in results] for key in first] if isinstance(first, dict) else zip(*results)
    return like(first, [transpose(list(column), make, depth + 1) for column in columns])


def structure_of(results: Any) -> Any:
    """Results with None for each that is not a list, dict or named tuple of others."""
    if isinstance(results, (list, tuple, dict)):
        return like(results, [structure_of(one) for one in parts_of(results)])
    return None
