"""jit: a function of numbers and Values, compiled when it is first called with arguments of a structure.

This module decides which specialization fits a call, and what its results look like. `compiled_arguments` says what
arguments may be; how a trace is compiled and run, for one row, is in the room of vmap.
"""

from __future__ import annotations

import warnings

from micrograd_c._core.mapped import (  # type: ignore
    analysis,
    batch,
    columns,
    executor,
    lowering,
    rolling,
    row_by_row,
    running,
)
from micrograd_c._core.mapped.traceable import Traceable, for_measurements, one_trace
from micrograd_c._core.mapped.vmap import SAVED_BYTES
from micrograd_c._core.transforms.calling import check_argnums, check_callable, is_inside
from micrograd_c._core.transforms.compiled_arguments import AS_THEY_ARE, Arguments
from micrograd_c._core.transforms.structure import described, is_number, transform
from micrograd_c._core.value import tracing
from micrograd_c._core.value.tracing import TraceError
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, TypeVar

    from micrograd_c._core.mapped.batch import Batch

    _F = TypeVar("_F", bound=Callable[..., Any])

__all__ = ["jit"]

LEAST_LOOP = 10_000     # nodes; the steps of a loop that is written out can be packed
PATIENCE = 1.0      # seconds, for another thread's trace to end
COMPUTED = type("Computed", (), {"__slots__": ()})()    # stands for a Value in the structure of a result


def jit(fn: _F, static_argnums: int | Sequence[int] = ()) -> _F:
    """A function that does what `fn` does, faster: run once for arguments of each structure, compiled, and run in C.

    Arguments are numbers, Values, arrays of numbers, and nested lists, tuples and dicts of those. In the place of the
    numbers `fn` gets Values, and in the place of an array nested lists of Values. Anything else, such as a str, a bool
    or None, and any argument whose place is in static_argnums, must be hashable: `fn` gets it as it is, and is traced
    again for another one. What `fn` returns has the same structure, with Values that have gradients: to Values among
    the arguments, and to those from outside, which are read at each call.

    What Python does in `fn` stays as it was when it was traced, as with vmap: an `if`, the length of a loop. Inside of
    a function that is traced or differentiated, `fn` itself is called, with Values in the place of numbers.

    >>> from micrograd_c.engine import Value
    >>> w = Value(3.0)
    >>> line = jit(lambda x, b: w * x + b)
    >>> y = line(2.0, Value(1.0))
    >>> y.data
    7.0
    >>> y.backward()
    >>> w.grad
    2.0

    Raises TraceError, a TypeError, where `fn` reads a number that depends on an argument.
    """
    check_callable(fn, "jit")
    is_empty = isinstance(static_argnums, (tuple, list)) and not static_argnums
    static = () if is_empty else check_argnums(static_argnums, "static_argnums")
    return Compiled(fn, static if isinstance(static, tuple) else (static,))  # type: ignore[return-value]


class Compiled(Traceable):
    """What jit returns."""

    kept_as = "_jit_"

    def __init__(self, fn: Callable[..., Any], static: tuple[int, ...]) -> None:
        super().__init__(fn)
        self.static = static
        self.options = for_measurements()

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """The function's results."""
        given = Arguments(arguments, keywords, self.static)
        if is_inside():
            return given.call(self.fn)
        found = self.specializations.get(given.structure)
        if found is None:
            lock = one_trace()
            if not lock.acquire(timeout=PATIENCE):  # another thread traces, and waits for this one, it seems
                return given.call(self.fn)
            try:
                found = Specialization(self.fn, given, self.options)
            finally:
                lock.release()
            self.keep(given.structure, found)
        return given.call(self.fn) if found.result is None else found(given)


class Specialization:
    """What became of the function for arguments of one structure.

    `result` is the structure of what it returns, in a tuple of one; None if it cannot be compiled. The runner is None
    if nothing that it returns has to be computed.
    """

    def __init__(self, fn: Callable[..., Any], given: Arguments, options: tuple[int, str | None]) -> None:
        self.runner: Any = None
        self.result: tuple[Any] | None = None
        try:
            program = rolling.trace(lambda: self.compiled(fn, given), LEAST_LOOP)
        except analysis.Untraceable as error:
            warn(fn, f"it computes {error} in Python")
            return
        except TraceError as error:
            if not row_by_row.only_own_ops_read(lambda: given.call_anew(fn)):
                error.args = (of_jit(str(error)),)
                raise
            warn(fn, "it has an op of its own, whose numbers Python computes")
            return
        if program is not None:
            self.runner = executor.Runner(program, None, 1, SAVED_BYTES, *options)

    def compiled(self, fn: Callable[..., Any], given: Arguments) -> Any:
        """The Program of the function, which is run here: what it records is the trace. None if there is none."""
        roots: list[Value] = []
        numbers: list[int] = []
        values: list[int] = []

        def computed(leaf: Any) -> Any:
            if isinstance(leaf, AS_THEY_ARE) or is_number(leaf):
                return leaf
            if not isinstance(leaf, Value):
                raise TypeError(f"{name} must be Values, numbers, texts, or nested lists, tuples and dicts of those, "
                                f"not {described(leaf)}")
            tracing.check_usable(leaf)
            roots.append(leaf)
            return COMPUTED

        arguments, keywords = given.traced(numbers, values)
        result = fn(*arguments, **keywords)
        name = f"what {getattr(fn, '__qualname__', fn)}, given to jit, returns"
        structure = transform(result, computed, name)
        linked = [k for first, count, _ in given.sources for k in range(first, first + count)]
        program = lowering.compile(roots, numbers, [], values, linked) if roots else None
        self.result = (structure,)
        return program

    def __call__(self, given: Arguments) -> Any:
        assert self.result is not None
        found: Iterator[Batch] = iter(())
        if self.runner is not None:
            numbers = columns.Columns(given.count)
            for buffer in given.buffers():
                numbers.add_row(buffer)
            found = iter(running.run(self.runner, numbers, [], given.values, None, given.sources))
        # lists and dicts are new ones each time
        return transform(
            self.result[0], lambda leaf: batch.only_number(next(found)) if leaf is COMPUTED else leaf, "a result")


def of_jit(text: str) -> str:
    """What is said of vmap."""
    return text.replace("given to vmap", "given to jit").replace(
        "vmap runs the function once for all calls and rows", "jit runs the function once for all calls")


def warn(fn: Callable[..., Any], reason: str) -> None:
    warnings.warn(
        f"jit runs {getattr(fn, '__qualname__', fn)} as it is, which is no faster: {reason}. "
        "Ops of micrograd_c's Value can be compiled", stacklevel=4,
    )
