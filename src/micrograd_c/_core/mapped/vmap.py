"""vmap: a function of one row's numbers, run for all rows of a batch at once.

This module decides which specialization of the function fits a call, and what its results look like. `arguments` says
what arguments may be, `lowering` what a trace becomes, and `executor` how rows go through it.
"""

from __future__ import annotations

import sys
import warnings

from micrograd_c._core.mapped import (  # type: ignore
    analysis,
    batch,
    columns,
    executor,
    inside,
    lowering,
    rolling,
    row_by_row,
    running,
)
from micrograd_c._core.mapped.arguments import check_axes, read_all
from micrograd_c._core.mapped.nested import fill
from micrograd_c._core.mapped.outputs import outputs_of, structure_of, transpose
from micrograd_c._core.mapped.results import Plan, check_out_axes, gathered
from micrograd_c._core.mapped.traceable import Traceable, for_measurements, one_trace
from micrograd_c._core.value import tracing
from micrograd_c._core.value.tracing import TraceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal, Protocol, TypeVar, overload

    from micrograd_c._core.mapped.arguments import Group
    from micrograd_c._core.mapped.batch import Batch
    from micrograd_c._core.value.value import Value

    _Axes = int | tuple[Any, ...] | list[Any] | None    # an argument may have a dict or named tuple of axes
    _R_co = TypeVar("_R_co", covariant=True)

    class _ForAllRows(Protocol[_R_co]):
        def __call__(self, *arguments: Any) -> _R_co: ...

__all__ = ["TraceError", "vmap"]

SAVED_BYTES = 2**26

if TYPE_CHECKING:       # results that are stacked, nested deeper than in one list, or a lambda's have no type
    @overload
    def vmap(
        fn: Callable[..., Value | float], in_axes: _Axes = 0, out_axes: int = 0, *, stacked: bool = ...,
        threads: int = 1, saved_bytes: int = ...,
    ) -> _ForAllRows[Batch]: ...
    @overload
    def vmap(
        fn: Callable[..., Sequence[Value | float]], in_axes: _Axes = 0, out_axes: int = 0, *,
        stacked: Literal[False] = ..., threads: int = 1, saved_bytes: int = ...,
    ) -> _ForAllRows[list[Batch]]: ...
    @overload
    def vmap(
        fn: Callable[..., Any], in_axes: _Axes = 0, out_axes: _Axes | dict[Any, Any] = 0, *, stacked: bool = ...,
        threads: int = 1, saved_bytes: int = ...,
    ) -> _ForAllRows[Any]: ...


def vmap(
    fn: Callable[..., Any], in_axes: _Axes = 0, out_axes: _Axes | dict[Any, Any] = 0, *, stacked: bool = False,
    threads: int = 1, saved_bytes: int = SAVED_BYTES,
) -> Mapped:
    """A function that runs `fn`, written for one row, over the rows of a batch.

    in_axes is, as in JAX, the axis of an argument that is the rows, such as 0 for the first one, and None for an
    argument that is the same for all rows: one for all arguments, or a tuple with one for each. An argument may be a
    buffer of numbers (a NumPy array, array.array, memoryview) or nested lists of numbers; one that is the same for all
    rows may also be a number or hold Values. It may be a dict or a named tuple of such, for which in_axes may have a
    dict or named tuple of axes. Arguments by name have rows along their first axis.

    In their place `fn` gets Values and lists of Values. It returns a Value, or nested lists, dicts and named tuples of
    Values; the result has a Batch for each, and a list for a tuple. With stacked=True, nested lists of one shape are
    one Batch of more axes, of which the rows are the first, and a tuple stays one. Then out_axes may be another axis,
    such as -1; or lists, tuples and dicts of axes like the result. None is for what is the same in all rows: a Value.

    `fn` is run once for arguments of one structure. What Python does in it then stays as it is: an `if`, the length of
    a loop, a number that is not an argument. Values from outside, the parameters, are read at each call, and get
    gradients.

    Up to `saved_bytes` of intermediate numbers are kept for the backward pass; if there are more, they are computed a
    second time. Large batches are shared out among `threads` threads; results do not depend on how many.

    >>> from micrograd_c.engine import Value
    >>> w = Value(3.0)
    >>> squares = vmap(lambda x: (w * x) ** 2)([1.0, 2.0, 3.0])
    >>> squares.tolist()
    [9.0, 36.0, 81.0]
    >>> squares.mean().backward()
    >>> w.grad
    28.0

    Raises TraceError, a TypeError, where `fn` reads a number that depends on an argument; TypeError and ValueError,
    with the argument's name, for anything but an array of numbers.
    """
    if not callable(fn):
        raise TypeError(f"vmap wants a function, not {fn!r}")
    check_axes(in_axes)
    check_out_axes(out_axes)
    if not isinstance(stacked, bool):
        raise ValueError(f"stacked must be True or False, not {stacked!r}")
    if threads < 1:
        raise ValueError(f"threads must be 1 or more, not {threads}")
    if not isinstance(saved_bytes, int) or saved_bytes < 0:
        raise ValueError(f"saved_bytes must be a number of bytes, 0 or more, not {saved_bytes!r}")
    return Mapped(fn, in_axes, (out_axes, stacked), threads, saved_bytes)


class Mapped(Traceable):
    """What vmap returns."""

    kept_as = "_vmap_"

    def __init__(
        self, fn: Callable[..., Any], in_axes: Any, results: tuple[Any, bool], threads: int, saved_bytes: int,
    ) -> None:
        super().__init__(fn)
        self.in_axes = in_axes
        self.results = None if results == (0, False) else results   # out_axes and stacked, if not the usual ones
        self.options = threads, min(saved_bytes, sys.maxsize), *for_measurements()

    def forget(self) -> None:
        super().forget()
        self.latest: Specialization | None = None       # the next call is likely to need it again

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """The function's results for all rows."""
        latest = self.latest
        if latest is not None and not keywords:     # the usual case, without looking twice
            batches = running.run_buffers(latest.runner, arguments, latest.pieces, latest.linked)
            if batches is not None:
                return latest.results_of(batches)
        if tracing.is_tracing():
            return inside.run(self.fn, self.in_axes, self.results, arguments, keywords)
        given = read_all(self.fn, self.in_axes, arguments, keywords)
        found = self.specializations.get(given.structure)
        if found is None:
            found = Specialization(self.fn, given, self.results, self.options)
            self.keep(given.structure, found)
        if found.runner is None:
            return found.row_by_row(self.fn, given)
        self.latest = found
        numbers = columns.Columns(found.columns)
        for one in given.leaves:
            one.add_to(numbers)
        shared = [number for one in given.leaves for number in one.shared]
        values = [value for one in given.leaves for value in one.given]
        return found.results_of(running.run(found.runner, numbers, shared, values, found.pieces, given.linked))


class Specialization:
    """What became of the function for arguments of one structure: a Runner, or None if it has to be run row by row."""

    def __init__(
        self, fn: Callable[..., Any], given: Group, wanted: tuple[Any, bool] | None, options: tuple[Any, ...],
    ) -> None:
        self.runner: Any = None
        self.results: Any = None
        self.wanted = wanted
        self.plan: Plan | None = None
        self.pieces: Any = None
        self.linked: tuple[bool, ...] | None = None
        with one_trace():
            try:
                program = rolling.trace(lambda: self.compiled(fn, given, options[1]))
            except analysis.Untraceable as error:
                warn(fn, f"it computes {error} in Python")
                return
            except TraceError:
                if not row_by_row.computes_by_itself(fn, given):
                    raise
                warn(fn, "it has an op of its own, whose numbers Python computes")
                return
        self.runner = executor.Runner(program, given.shapes, *options)
        self.linked = given.linked_arguments

    def compiled(self, fn: Callable[..., Any], given: Group, saved_bytes: int) -> Any:
        """The Program of the function, which is run here: what it records is the trace."""
        inputs: list[int] = []
        shared: list[int] = []
        values: list[int] = []
        roots: list[Value] = []
        result = given.call(fn, lambda one: one.values(inputs, shared, values))
        self.results = outputs_of(result, roots)
        self.columns = len(inputs)
        linked = [k for first, count, _ in given.linked for k in range(first, first + count)]
        program = lowering.compile(roots, inputs, shared, values, linked, saved_bytes)
        if self.wanted is not None:
            self.plan = Plan(self.results, *self.wanted)
            self.plan.check_same(program.varying)
            self.pieces = self.plan.pieces
        return program

    def row_by_row(self, fn: Callable[..., Any], given: Group) -> Any:
        """The function's result, with a Rowwise for each Value; without rows, with the structure of earlier results."""
        results, made = row_by_row.run(fn, given), row_by_row.Rowwise
        if not results:
            plan = self.wanted and Plan(self.results, *self.wanted)
            return plan.gather([], made) if plan else fill(self.results, lambda: made([]))
        found = gathered(results, *self.wanted, made, refuse_same) if self.wanted else transpose(results, made)
        self.results = structure_of(results[0])
        return found

    def results_of(self, batches: list[Batch]) -> Any:
        """The function's result, with a Batch for each Value."""
        if self.plan is not None:
            return self.plan.finish(batches, batch.first_number)
        return batches[0] if self.results is None else fill(self.results, iter(batches).__next__)


def refuse_same(values: list[Value]) -> None:
    if values:
        raise ValueError("out_axes cannot be None for a function that is run row by row, as nobody knows what depends "
                         "on the rows: return what does not from a function of its own")


def warn(fn: Callable[..., Any], reason: str) -> None:
    warnings.warn(
        f"vmap runs {getattr(fn, '__qualname__', fn)} row by row, which is slow: {reason}. "
        "Ops of micrograd_c's Value can be run for all rows at once", stacklevel=4,
    )
