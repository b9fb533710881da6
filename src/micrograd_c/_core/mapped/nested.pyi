from collections.abc import Callable
from typing import Any

__all__ = ["DEEPEST", "fill", "nested", "too_deep"]

DEEPEST: int

def nested(shape: tuple[int, ...], make: Callable[[], Any]) -> Any: ...
def fill(tree: Any, make: Callable[[], Any]) -> Any: ...
def too_deep(name: str) -> ValueError: ...
