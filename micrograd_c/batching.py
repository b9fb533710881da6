"""vmap: a function of one row's numbers, run for all rows of a batch at once.

Arguments and results are its business: what is a row, what is shared, which trace fits. What a trace becomes is that
of compiler, and how rows go through it that of runs.
"""

import contextlib
import copy
import functools
import inspect
import os
import threading
import warnings
from array import array

from micrograd_c import analysis, batch, columns, compiler, rowwise, runs, tracing
from micrograd_c.engine import Value
from micrograd_c.tracing import TraceError

__all__ = ["TraceError", "vmap"]

SAVED_BYTES = 2**26
MOST_TRACES = 100       # of one function; the oldest goes, lest Values made anew for each call be kept for good
PLAIN = {float, int}     # what an array takes as it is

one_at_a_time = threading.RLock()   # a trace; again in the same thread, as a finalizer may begin one right before


def vmap(fn, in_axes=0, *, threads=1, saved_bytes=SAVED_BYTES):
    """A function that runs `fn`, written for one row, over the rows of a batch.

    in_axes is, for each argument or for all, 0 where its first axis is the rows, or None where it is the same for all
    of them, as in JAX. An argument may be a buffer of numbers (a NumPy array, array.array, memoryview) or nested lists
    of numbers; one that is the same for all may also be a number or hold Values. `fn` gets, in their place, Values and
    lists of them, and returns a Value or nested lists of Values; the result has a Batch for each.

    `fn` is run once for arguments of one structure: what Python does in it then, an `if`, the length of a loop, a
    number that is no argument, stays so. Values from outside, parameters, are read at each call, and get gradients.

    Up to `saved_bytes` of intermediate numbers are kept for the backward pass; if there are more, they are computed a
    second time. Large batches are shared out among `threads` threads; results do not depend on it.

    >>> from micrograd_c.engine import Value
    >>> w = Value(3.0)
    >>> squares = vmap(lambda x: (w * x) ** 2)([1.0, 2.0, 3.0])
    >>> squares.tolist()
    [9.0, 36.0, 81.0]
    >>> squares.mean().backward()
    >>> w.grad
    28.0

    Raises TraceError, a TypeError, where `fn` reads a number that depends on an argument; TypeError and ValueError,
    with the argument's name, for what is no array of numbers.
    """
    if not callable(fn):
        raise TypeError(f"vmap wants a function, not {fn!r}")
    check_axes(in_axes)
    if threads < 1:
        raise ValueError(f"threads must be 1 or more, not {threads}")
    return Mapped(fn, in_axes, threads, saved_bytes)


class Mapped:
    """What vmap returns."""

    def __init__(self, fn, in_axes, threads, saved_bytes):
        functools.update_wrapper(self, fn, updated=())
        self.fn, self.in_axes = fn, in_axes
        self.traces = {}
        self.latest = None      # the Trace that the next call is likely to need again
        # the last two are for tests and measurements: a block's rows, and the set of kernels
        self.options = threads, saved_bytes, int(os.environ.get("MICROGRAD_C_BLOCK", 0)), os.environ.get(
            "MICROGRAD_C_KERNELS")

    def __set_name__(self, owner, name):
        self.__name__ = name

    def __get__(self, instance, owner=None):
        """A method's own for each object, where it is kept: what is traced depends on the object."""
        if instance is None or not hasattr(self.fn, "__get__"):
            return self
        bound = copy.copy(self)
        bound.fn = self.fn.__get__(instance, owner)
        with contextlib.suppress(TypeError):    # of an object without a __dict__
            vars(instance)[self.__name__] = bound
        return bound

    def __getstate__(self):
        """For copies: without traces, which hold memory of runs."""
        return {**vars(self), "traces": {}, "latest": None}

    def __call__(self, *arguments, **keywords):
        """The function's results for all rows."""
        latest = self.latest
        if latest is not None and not keywords:     # the usual case, without looking twice
            batches = batch.run_buffers(latest.runner, arguments)
            if batches is not None:
                return latest.results_of(batches)
        if tracing.is_tracing():
            raise TraceError("vmap inside a function given to vmap: write the inner one as a loop")
        if keywords:
            raise TypeError(f"vmap takes arguments by position only, not {next(iter(keywords))}=")
        given = [read(argument, axis, name) for argument, axis, name
                 in zip(arguments, axes_of(self.in_axes, len(arguments)), names(self.fn, arguments))]
        rows = rows_of(given)
        key = tuple([one.structure for one in given])
        trace = self.traces.get(key)
        if trace is None:
            trace = Trace(self.fn, given, self.options)
            while len(self.traces) >= MOST_TRACES:
                self.traces.pop(next(iter(self.traces)), None)
            self.traces[key] = trace
        if trace.runner is None:
            return trace.row_by_row(self.fn, given, rows)
        self.latest = trace
        numbers = columns.Columns(trace.columns)
        for one in given:
            one.add_to(numbers)
        shared = [number for one in given for number in one.shared]
        return trace.results_of(batch.run(trace.runner, numbers, shared))


def check_axes(in_axes):
    for axis in in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,):
        if axis is not None and (axis != 0 or isinstance(axis, bool)):
            raise ValueError(f"in_axes may be 0 (a row each) or None (the same for all rows), or a tuple of those, "
                             f"not {in_axes!r}")


def axes_of(in_axes, count):
    """One for each argument."""
    if not isinstance(in_axes, (tuple, list)):
        axes = (in_axes,) * count
    elif len(in_axes) != count:
        raise ValueError(f"in_axes has {len(in_axes)} entries for {count} arguments")
    else:
        axes = in_axes
    if 0 not in axes:
        raise ValueError(
            "vmap wants at least one argument with in_axes 0: the others do not say how many rows there are"
        )
    return axes


def names(fn, arguments):
    """What messages call the arguments."""
    code = getattr(fn, "__code__", None)
    known = code.co_varnames[inspect.ismethod(fn):code.co_argcount] if code else ()
    return [f"argument {k + 1} ({known[k]!r})" if k < len(known) else f"argument {k + 1}"
            for k in range(len(arguments))]


# --- arguments ---

class Rows:
    """An argument with a row each: a buffer."""

    shared = ()

    def __init__(self, numbers, name):
        self.numbers, self.name = numbers, name
        self.structure = numbers.shape[1:]
        self.rows = numbers.shape[0]

    def add_to(self, numbers):
        numbers.add(self.numbers)

    def values(self, inputs, shared):
        """What the function gets while it is traced."""
        return nested(self.structure, lambda: tracing.argument(inputs))

    def row(self, k):
        """What it gets for one row, as Values of its own."""
        numbers = iter(self.flat[k * self.numbers.columns:(k + 1) * self.numbers.columns])
        return nested(self.structure, lambda: Value(next(numbers)))

    @functools.cached_property
    def flat(self):
        return self.numbers.flat()


class Shared:
    """An argument that is the same for all rows."""

    rows = None

    def __init__(self, argument, name):
        self.shared = []
        self.structure, self.tree = self.take(argument, name)

    def take(self, argument, name):
        if isinstance(argument, Value):
            return ("value", KeptIdentity(argument)), argument
        if isinstance(argument, (list, tuple)):
            parts = [self.take(one, name) for one in argument]
            return ("list", *[structure for structure, _ in parts]), [tree for _, tree in parts]
        numbers = as_numbers(argument, name)
        if numbers is None:
            self.shared.append(as_float(argument, name))
            return "number", None
        self.shared += numbers.flat()
        return numbers.shape, nested(numbers.shape, lambda: None)

    def add_to(self, numbers):
        pass

    def values(self, inputs, shared):
        return fill(self.tree, lambda: tracing.argument(shared))

    def row(self, k):
        numbers = iter(self.shared)
        return fill(self.tree, lambda: Value(next(numbers)))


class KeptIdentity:
    """A Value as part of a key: by identity, and alive as long as the key."""

    def __init__(self, value):
        self.value = value

    def __hash__(self):
        return id(self.value)

    def __eq__(self, other):
        return isinstance(other, KeptIdentity) and self.value is other.value


def read(argument, axis, name):
    """Rows or Shared. A structure tells which trace fits."""
    if axis is None:
        return Shared(argument, name)
    numbers = as_numbers(argument, name)
    if numbers is None:
        numbers = columns.Numbers(from_lists(argument, name))
    if not numbers.shape:
        raise ValueError(f"{name} is a single number: with in_axes 0 its first axis should be the rows")
    return Rows(numbers, name)


def as_numbers(argument, name):
    """A buffer's Numbers; None for what is no buffer."""
    if isinstance(argument, (str, bytes, bytearray)):
        raise TypeError(f"{name} must be numbers, not {type(argument).__name__}")
    try:
        numbers = columns.Numbers(argument)
    except (TypeError, BufferError, ValueError) as error:
        if hasattr(argument, "dtype") and hasattr(argument, "shape") and argument.shape:
            raise TypeError(f"{name} must be an array of numbers, not of dtype {argument.dtype}") from error
        return None
    if not numbers.readable:
        raise TypeError(f"{name} must be an array of float64, float32 or ints, not of format {numbers.format!r}: "
                        "convert it, in NumPy by .astype(float)")
    return numbers


def from_lists(argument, name):
    """Nested lists of numbers as a memoryview of float64."""
    numbers, shape = array("d"), shape_of(argument)
    if not shape:
        raise TypeError(f"{name} must be rows of numbers, a buffer or lists, not {type(argument).__name__}")
    gather(argument, shape, numbers, name)
    view = memoryview(numbers)
    if 0 in shape:
        return columns.empty(shape)
    return view.cast("B").cast("d", shape) if len(shape) > 1 else view


def as_list(argument):
    """A list or tuple as it is, what is an array as a list; None for anything else."""
    if isinstance(argument, (list, tuple)):
        return argument
    return argument.tolist() if hasattr(argument, "tolist") and getattr(argument, "shape", ()) else None


def shape_of(argument):
    """As the first entries have it."""
    shape, entries = [], as_list(argument)
    while entries is not None:
        shape.append(len(entries))
        entries = as_list(entries[0]) if entries else None
    return tuple(shape)


def gather(argument, shape, numbers, name):
    """Append all numbers. Raises ValueError where the shape is another, and TypeError for what is no number."""
    if not shape:
        numbers.append(as_float(argument, name))
        return
    entries = as_list(argument)
    if entries is None or len(entries) != shape[0]:
        given = type(argument).__name__ if entries is None else f"{len(entries)} entries"
        raise ValueError(f"{name} is ragged: a row has {shape[0]} entries, another {given}")
    if len(shape) == 1 and PLAIN.issuperset(map(type, entries)):    # nearly always
        numbers.extend(entries)
        return
    for entry in entries:
        gather(entry, shape[1:], numbers, name)


def as_float(argument, name):
    if isinstance(argument, Value):
        raise TypeError(f"{name} holds a Value: rows must be numbers; one Value for all rows goes with in_axes None")
    try:
        if isinstance(argument, str):
            raise TypeError
        return float(argument)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must hold numbers, not {argument!r} of type {type(argument).__name__}") from None


def rows_of(given):
    """How many there are. Raises ValueError if arguments disagree."""
    rows = {one.name: one.rows for one in given if one.rows is not None}
    if len(set(rows.values())) > 1:
        raise ValueError("arguments differ in their number of rows: "
                         + ", ".join(f"{name} has {count}" for name, count in rows.items()))
    return next(iter(rows.values()))


def nested(shape, make):
    """Nested lists of that shape; of shape (), what `make` makes."""
    if not shape:
        return make()
    return [nested(shape[1:], make) for _ in range(shape[0])]


def fill(tree, make):
    """Lists like those in the tree, None replaced by what `make` makes."""
    if isinstance(tree, list):
        return [fill(one, make) for one in tree]
    return make() if tree is None else tree


# --- traces and results ---

class Trace:
    """What became of the function for arguments of one structure: a Runner, or None if it has to be run row by row."""

    def __init__(self, fn, given, options):
        self.runner = self.results = None
        with one_at_a_time:
            try:
                traced = tracing.trace(lambda: self.trace(fn, given))
            except analysis.Untraceable as error:
                warn(fn, f"it computes {error} in Python")
                return
            except TraceError:
                if not rowwise.computes_by_itself(fn, given):
                    raise
                warn(fn, "it has an op of its own, whose numbers Python computes")
                return
        shapes = [one.structure for one in given] if all(isinstance(one, Rows) for one in given) else None
        self.runner = runs.Runner(traced, shapes, *options)

    def trace(self, fn, given):
        """The Program."""
        inputs, shared, roots = [], [], []
        result = fn(*[one.values(inputs, shared) for one in given])
        self.results = outputs_of(result, roots)
        self.columns = len(inputs)
        return compiler.compile(roots, inputs, shared)

    def row_by_row(self, fn, given, rows):
        """The function's result, with a Rowwise for each Value; without rows, like those that there were before."""
        if not rows:
            return fill(self.results, lambda: rowwise.Rowwise([]))
        results = rowwise.run(fn, given, rows)
        self.results = structure_of(results)
        return results

    def results_of(self, batches):
        """The function's result, with a Batch for each Value."""
        return batches[0] if self.results is None else fill(self.results, iter(batches).__next__)


def warn(fn, reason):
    warnings.warn(
        f"vmap runs {getattr(fn, '__qualname__', fn)} row by row, which is slow: {reason}. "
        "Ops of micrograd_c's Value can be run for all rows at once", stacklevel=4,
    )


def outputs_of(result, roots):
    """The result with None for each Value, and the Values to roots."""
    if isinstance(result, Value):
        roots.append(result)
        return None
    if isinstance(result, (list, tuple)):
        return [outputs_of(one, roots) for one in result]
    if isinstance(result, (int, float)):
        roots.append(Value(result))
        return None
    raise TypeError(f"a function given to vmap must return a Value or lists of Values, not {type(result).__name__}")


def structure_of(results):
    """The same of results."""
    return [structure_of(one) for one in results] if isinstance(results, list) else None
