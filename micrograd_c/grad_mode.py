"""no_grad: compute without recording. Knows the tape only."""

import contextlib
import functools
import inspect

from micrograd_c import tape

__all__ = ["no_grad"]


class no_grad(contextlib.ContextDecorator):
    """While open, ops in this thread give leaves: the same numbers, but nothing to go back through.

    A context manager and a decorator, with or without parentheses; blocks nest.

    >>> from micrograd_c.engine import Value
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y, y._prev
    (Value(data=9.0, grad=0), set())

    Raises TypeError for a generator or coroutine function, whose body runs long after the call.
    """

    def __new__(cls, function=None):
        self = super().__new__(cls)
        return self if function is None else self(function)

    def __enter__(self):
        tape.pause(1)
        return self

    def __exit__(self, *exception):
        tape.pause(-1)

    def __call__(self, function):
        if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
            raise TypeError(
                f"no_grad cannot decorate {function.__qualname__}, a generator or coroutine function: "
                "write `with no_grad():` inside it"
            )
        return functools.wraps(function)(super().__call__(function))
