"""Arguments and results of functions that are differentiated: a number or Value, or nested lists, tuples and dicts.

None is an empty place, as in JAX. Knows Values. Knows nothing of derivatives.
"""

from __future__ import annotations

from micrograd_c._core.mapped.nested import DEEPEST, too_deep
from micrograd_c._core.value import tracing
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SCALARS = {Value, float, int}       # leaves at sight

__all__ = ["SCALARS", "as_number", "as_output", "as_value", "is_number", "leaves", "rebuild", "transform"]


def transform(tree: Any, change: Callable[[Any], Any], name: str, depth: int = 0) -> Any:
    """The same structure, with change(leaf) for each leaf, in order."""
    if type(tree) in SCALARS:
        return change(tree)
    if depth > DEEPEST:
        raise too_deep(name)
    if tree is None:
        return None
    if isinstance(tree, dict):
        changed = {key: transform(one, change, name, depth + 1) for key, one in tree.items()}
        return changed if type(tree) is dict else refilled(tree, changed)
    if isinstance(tree, (list, tuple)):
        parts = [change(one) if type(one) in SCALARS else transform(one, change, name, depth + 1) for one in tree]
        if isinstance(tree, list):
            return parts if type(tree) is list else refilled(tree, parts)
        return tree._make(parts) if hasattr(tree, "_make") else tuple(parts)     # a named tuple stays one
    return change(tree)


def refilled(tree: Any, parts: Any) -> Any:
    """A dict or list of a subclass, such as a defaultdict or an OrderedDict, with other parts."""
    import copy

    twin = copy.copy(tree)
    if isinstance(twin, dict):
        twin.update(parts)
    else:
        twin[:] = parts
    return twin


def leaves(tree: Any, name: str) -> list[Any]:
    """The leaves in order."""
    found: list[Any] = []
    transform(tree, found.append, name)
    return found


def rebuild(tree: Any, found: list[Any]) -> Any:
    """The same structure, with other leaves."""
    if type(tree) is list and SCALARS.issuperset(map(type, tree)):      # as usual
        return list(found)
    following = iter(found)
    return transform(tree, lambda leaf: next(following), "a result")


def is_number(leaf: Any) -> bool:
    """Of Python, or of NumPy and its like; not a bool, a Value or an array with axes."""
    if isinstance(leaf, (int, float)):
        return not isinstance(leaf, bool)
    return getattr(leaf, "shape", None) == () and hasattr(leaf, "item")


def as_number(leaf: Any) -> int | float:
    return leaf if isinstance(leaf, (int, float)) else leaf.item()  # type: ignore[no-any-return]


def as_value(found: Any) -> Value:
    """A derivative that was recorded, as a Value: a float is a leaf, and None, where nothing leads, the number 0."""
    return found if isinstance(found, Value) else Value(0.0 if found is None else found)


def as_output(leaf: Any, name: str) -> Value:
    """What a function returned, as a Value: numbers are constants."""
    if isinstance(leaf, Value):
        tracing.check_usable(leaf)
        return leaf
    if is_number(leaf):
        return Value(as_number(leaf))
    raise TypeError(f"{name} must be a Value, or nested lists, tuples and dicts of Values, not {described(leaf)}")


def described(leaf: Any) -> str:
    return shown(leaf) + (": give array.tolist()" if hasattr(leaf, "tolist") else "")


def shown(leaf: Any) -> str:
    text = repr(leaf)
    return f"{text if len(text) <= 60 else text[:57] + '...'} of type {type(leaf).__qualname__}"
