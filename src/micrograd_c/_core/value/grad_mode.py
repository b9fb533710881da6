"""no_grad: compute without recording. Knows how blocks are opened; tape/pausing.pyx says what they mean."""

from __future__ import annotations

import contextlib
import functools

from micrograd_c._core.tape.pausing import Blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, overload

    _F = TypeVar("_F", bound=Callable[..., Any])

__all__ = ["no_grad"]


class no_grad(Blocks, contextlib.ContextDecorator):
    """While open, ops in this context give leaves: the same numbers, but nothing to go back through.

    A context manager and a decorator, with or without parentheses; blocks nest. Other threads and tasks are not
    affected, nor is what runs while a generator that opened it waits in `yield`. A generator that is a context manager
    (`contextlib.contextmanager`) opens it for the block that it manages.

    >>> from micrograd_c.engine import Value
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y, y._prev
    (Value(data=9.0, grad=0), set())

    Raises TypeError for a generator or coroutine function, whose body runs long after the call.
    """

    __module__ = "micrograd_c"

    if TYPE_CHECKING:
        @overload
        def __new__(cls, function: None = None) -> no_grad: ...
        @overload
        def __new__(cls, function: _F) -> _F: ...  # type: ignore[misc]

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        self = super().__new__(cls)
        return self if function is None else self(function)

    def __call__(self, function: _F) -> _F:
        import inspect  # would take most of the time of `import micrograd_c`

        if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function) or (
                inspect.isasyncgenfunction(function)):
            raise TypeError(
                f"no_grad cannot decorate {function.__qualname__}, a generator or coroutine function: "
                "write `with no_grad():` inside it"
            )
        return functools.wraps(function)(super().__call__(function))  # type: ignore[return-value]

    def __reduce__(self) -> tuple[type[no_grad], tuple[()]]:
        return type(self), ()   # a copy has no block open

    def _recreate_cm(self) -> no_grad:
        return type(self)()     # each call of a decorated function has a block of its own
