from collections.abc import Callable
from typing import Any

__all__ = ["Rows", "Shared", "check_axes", "fill", "read_all", "rows_of"]

class Rows:
    structure: tuple[int, ...]
    rows: int

class Shared:
    structure: Any
    shared: list[float]

def check_axes(in_axes: Any) -> None: ...
def read_all(fn: Callable[..., Any], in_axes: Any, arguments: tuple[Any, ...]) -> list[Rows | Shared]: ...
def rows_of(given: list[Rows | Shared]) -> int: ...
def fill(tree: Any, make: Callable[[], Any]) -> Any: ...
