from collections.abc import Callable
from typing import Any

from micrograd_c._core.value.value import Value

__all__ = ["TraceError", "argument", "is_tracing", "trace", "watch"]

class TraceError(TypeError):
    """A function given to vmap asks for a number that depends on its arguments, which a trace does not have."""

def is_tracing() -> bool:
    """True while a function is being traced in this thread."""
def trace(action: Callable[[], Any]) -> Any:
    """action(), as a trace: in it, reading data of what depends on an argument is a TraceError."""
def argument(indexes: list[int]) -> Value:
    """A leaf that stands for a number of an argument. Its index is appended to the list."""
def check_read(value: Value, what: str) -> None:
    """Raise TraceError if the Value depends on an argument."""
def check_usable(value: Value) -> None:
    """Raise what is said of a Value that has no data."""
def check_assignment(value: Value) -> None:
    """The same, and remember those that do not."""
def watch(on: bool) -> None:
    """Have data reported that is read of any node made from now on, as in a trace, but with numbers."""
def forget_other_threads() -> None:
    """After a fork: a trace of another thread will not go on."""
