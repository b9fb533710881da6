import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar, overload

__all__ = ["no_grad"]

_F = TypeVar("_F", bound=Callable[..., Any])

class no_grad(contextlib.ContextDecorator):
    @overload
    def __new__(cls, function: None = None) -> no_grad: ...
    @overload
    def __new__(cls, function: _F) -> _F: ...  # type: ignore[misc]
    def __enter__(self) -> no_grad: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def __call__(self, function: _F) -> _F: ...
