"""no_grad: compute without recording. Knows blocks, of which pausing tells what they mean, and who opens them."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import threading

from micrograd_c._core.tape.pausing import Block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, TypeVar, overload

    _F = TypeVar("_F", bound=Callable[..., Any])

__all__ = ["no_grad"]

GENERATORS = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


class no_grad(contextlib.ContextDecorator):
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

    _blocks: list[Block]

    if TYPE_CHECKING:
        @overload
        def __new__(cls, function: None = None) -> no_grad: ...
        @overload
        def __new__(cls, function: _F) -> _F: ...  # type: ignore[misc]

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        self = super().__new__(cls)
        self._blocks = []
        return self if function is None else self(function)

    def __enter__(self) -> no_grad:
        self._blocks.append(Block(generator_of(sys._getframe(1))))
        return self

    def __exit__(self, *exception: BaseException | None) -> None:
        thread = threading.get_ident()
        # the innermost of this thread; of another one if a generator has come from there
        for k in reversed(range(len(self._blocks))):
            if self._blocks[k].thread == thread:
                self._blocks.pop(k).close()
                return
        self._blocks.pop().close()

    def __call__(self, function: _F) -> _F:
        if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function) or (
                inspect.isasyncgenfunction(function)):
            raise TypeError(
                f"no_grad cannot decorate {function.__qualname__}, a generator or coroutine function: "
                "write `with no_grad():` inside it"
            )
        return functools.wraps(function)(super().__call__(function))  # type: ignore[return-value]

    def _recreate_cm(self) -> no_grad:
        return type(self)()     # each call of a decorated function has a block of its own


def generator_of(frame: FrameType | None) -> FrameType | None:
    """The frame of the generator that opens a block in that frame, None if it is no generator that does."""
    frame = below_contextlib(frame)
    while frame is not None and frame.f_code.co_flags & GENERATORS:
        manager = frame.f_back
        if not is_of_contextlib(manager):
            return frame
        frame = below_contextlib(manager)   # who enters the context that the generator manages
    return None


def below_contextlib(frame: FrameType | None) -> FrameType | None:
    while is_of_contextlib(frame):
        frame = frame.f_back  # type: ignore[union-attr]
    return frame


def is_of_contextlib(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_globals.get("__name__") == "contextlib"
