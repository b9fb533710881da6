"""no_grad: compute without recording. Knows blocks, of which pausing tells what they mean, and who opens them."""

import contextlib
import functools
import inspect
import sys
import threading

from micrograd_c._core.tape.pausing import Block

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

    def __new__(cls, function=None):
        self = super().__new__(cls)
        self._blocks = []
        return self if function is None else self(function)

    def __enter__(self):
        self._blocks.append(Block(generator_of(sys._getframe(1))))
        return self

    def __exit__(self, *exception):
        thread = threading.get_ident()
        # the innermost of this thread; of another one if a generator has come from there
        for k in reversed(range(len(self._blocks))):
            if self._blocks[k].thread == thread:
                self._blocks.pop(k).close()
                return
        self._blocks.pop().close()

    def __call__(self, function):
        if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function) or (
                inspect.isasyncgenfunction(function)):
            raise TypeError(
                f"no_grad cannot decorate {function.__qualname__}, a generator or coroutine function: "
                "write `with no_grad():` inside it"
            )
        return functools.wraps(function)(super().__call__(function))

    def _recreate_cm(self):
        return type(self)()     # each call of a decorated function has a block of its own


def generator_of(frame):
    """The frame of the generator that opens a block in that frame, None if it is no generator that does."""
    frame = below_contextlib(frame)
    while frame is not None and frame.f_code.co_flags & GENERATORS:
        manager = frame.f_back
        if not is_of_contextlib(manager):
            return frame
        frame = below_contextlib(manager)   # who enters the context that the generator manages
    return None


def below_contextlib(frame):
    while is_of_contextlib(frame):
        frame = frame.f_back
    return frame


def is_of_contextlib(frame):
    return frame is not None and frame.f_globals.get("__name__") == "contextlib"
