from collections.abc import Callable
from types import CodeType
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
    """Raise TraceError if the Value depends on an argument. If nothing is traced, but watched, note who reads."""
def check_usable(value: Value) -> None:
    """Raise what is said of a Value that has no data."""
def check_assignment(value: Value) -> None:
    """The same, and remember those that do not."""
def note_custom() -> None:
    """A Value with children was made."""
def watch(action: Callable[[], Any]) -> tuple[set[CodeType], set[CodeType]]:
    """action(), which is not traced. Returns the code that read data of Values made in it, and that which made Values.

    Those with children, that is: ops of one's own. Only what runs in this thread counts. No Python code runs between
    the beginning and the action, or the action and the end, so Ctrl-C leaves nothing behind.
    """
def forget_other_threads() -> None:
    """After a fork: a trace of another thread will not go on."""
