"""Lists in lists, as vmap takes them for arguments and gives them back as results: how deep, and filled with what.

Knows nothing of what is in them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["DEEPEST", "fill", "nested", "too_deep"]

DEEPEST = 64    # as many axes as arrays may have


def nested(shape: tuple[int, ...], make: Callable[[], Any]) -> Any:
    """Nested lists of that shape; of shape (), what `make` makes."""
    if not shape:
        return make()
    return [nested(shape[1:], make) for _ in range(shape[0])]


def fill(tree: Any, make: Callable[[], Any], change: Callable[[Any], Any] = lambda one: one) -> Any:
    """Lists, dicts and tuples like those in the tree, with what `make` makes for None, and all else changed."""
    if isinstance(tree, list):
        return [fill(one, make, change) for one in tree]
    if isinstance(tree, dict):
        return {key: fill(one, make, change) for key, one in tree.items()}
    if isinstance(tree, tuple):
        parts = [fill(one, make, change) for one in tree]
        return tree._make(parts) if hasattr(tree, "_make") else tuple(parts)
    return make() if tree is None else change(tree)


def too_deep(name: str) -> ValueError:
    """The error for such lists."""
    return ValueError(f"{name} has lists in lists more than {DEEPEST} deep, or a list that contains itself")
