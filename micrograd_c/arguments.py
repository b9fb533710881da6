"""Arguments of a function given to vmap: what is a row, what is the same for all rows, and what neither can be.

Knows buffers, lists and Values. Knows nothing of what is done with the function.
"""

import contextlib
import functools
import inspect
from array import array

from micrograd_c import columns, tracing
from micrograd_c.engine import Value

__all__ = ["Rows", "Shared", "check_axes", "fill", "read_all", "rows_of"]

PLAIN = {float, int}     # what an array takes as it is


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


def read_all(fn, in_axes, arguments):
    """Rows or Shared for each. A structure tells which trace fits."""
    return [read(argument, axis, name) for argument, axis, name
            in zip(arguments, axes_of(in_axes, len(arguments)), names(fn, arguments))]


def read(argument, axis, name):
    if axis is None:
        return Shared(argument, name)
    numbers = as_numbers(argument, name)
    if numbers is None:
        numbers = columns.Numbers(from_lists(argument, name))
    if not numbers.shape:
        raise ValueError(f"{name} is a single number: with in_axes 0 its first axis should be the rows")
    return Rows(numbers, name)


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
        with contextlib.suppress(OverflowError):    # which is found again below
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
    except OverflowError:
        raise OverflowError(f"{name} holds an int that is too large for a float") from None
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
