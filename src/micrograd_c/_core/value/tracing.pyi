from collections.abc import Callable
from types import CodeType
from typing import Any

from micrograd_c._core.value.value import Value

__all__ = ["TraceError", "argument", "is_tracing", "trace", "watch"]

class TraceError(TypeError):
    """A function given to vmap reads a number that depends on its arguments, which a trace does not have."""

def is_tracing() -> bool:
    """True while a function is being traced in this thread."""
def trace(action: Callable[[], Any]) -> Any:
    """Run action() as a trace, in which reading data that depends on an argument is a TraceError."""
def argument(indexes: list[int]) -> Value:
    """A leaf that stands for a number of an argument. Its index is appended to the list."""
def check_read(value: Value, what: str) -> None:
    """Raise TraceError if the Value depends on an argument. Under `watch`, only note who reads."""
def check_usable(value: Value) -> None:
    """Raise an error that says why, if the Value has no data."""
def check_assignment(value: Value) -> None:
    """`check_read` for an assignment to data. Values that pass are remembered."""
def note_custom() -> None:
    """A Value with children was made."""
def watch(action: Callable[[], Any]) -> tuple[set[CodeType], set[CodeType]]:
    """Run action(), untraced. Returns the code that read data of Values made in it, and the code that made ops there.

    Such ops are the user's own: Values with children. Only code that runs in this thread counts. No Python code runs
    right before the action, or right after it, so Ctrl-C leaves nothing behind.
    """
def forget_other_threads() -> None:
    """After a fork: a trace of another thread will not go on."""
