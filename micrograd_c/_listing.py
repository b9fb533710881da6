"""What dir() and tab completion show of a public module: its public names, and not what it imports or is made of."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["lister"]


def lister(names: list[str]) -> Callable[[], list[str]]:
    """The `__dir__` of a module whose `__all__` this is."""
    return lambda: sorted(names)
