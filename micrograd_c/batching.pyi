from collections.abc import Callable
from typing import Any

from micrograd_c.tracing import TraceError as TraceError

__all__ = ["TraceError", "vmap"]

SAVED_BYTES: int

class Mapped:
    fn: Callable[..., Any]
    def __init__(self, fn: Callable[..., Any], in_axes: Any, threads: int, saved_bytes: int) -> None: ...
    def __get__(self, instance: object, owner: type | None = None) -> Any: ...
    def __getstate__(self) -> dict[str, Any]: ...
    def __call__(self, *arguments: Any, **keywords: Any) -> Any: ...

def vmap(
    fn: Callable[..., Any], in_axes: int | tuple[int | None, ...] | list[int | None] | None = 0, *, threads: int = 1,
    saved_bytes: int = ...,
) -> Mapped: ...
