"""Numbers, out of whatever holds them: buffers, and nested lists.

Knows buffers, lists, and what to refuse. Knows nothing of rows, or of what numbers are for.
"""

from __future__ import annotations

import contextlib
import math
import reprlib
from array import array

from micrograd_c._core.mapped import columns  # type: ignore[attr-defined]  # compiled, without a stub
from micrograd_c._core.mapped.nested import DEEPEST, too_deep
from micrograd_c._core.tape import pausing  # type: ignore[attr-defined]  # compiled, without a stub
from micrograd_c._core.value import tracing
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer

__all__ = ["PLAIN", "as_float", "as_buffer", "checked_size", "from_lists", "read_weights", "refuse"]

PLAIN = {float, int}     # what an array takes as it is


def as_buffer(argument: Any, name: str, axis: int = 0) -> columns.Buffer | None:
    """A Buffer of the argument, of which an axis is the rows; None if it is not a buffer."""
    refuse(argument, name)
    if hasattr(argument, "keeps_graph"):
        argument = getattr(argument, "buffer", argument)
    try:
        buffer = columns.Buffer(argument, axis)
    except columns.TooLarge as error:
        raise ValueError(f"{name} has {error}") from None
    except (TypeError, BufferError, ValueError) as error:
        if hasattr(argument, "dtype") and hasattr(argument, "shape") and argument.shape:
            raise TypeError(f"{name} must be an array of numbers, not of dtype {argument.dtype}") from error
        return None
    if not buffer.readable:
        advice = "convert it, in NumPy by .astype(float)"
        if buffer.format.startswith("T{"):
            advice = "it has fields, each of which can be an argument, array['field']"
        raise TypeError(f"{name} must be an array of float64, float32 or ints, not of format {buffer.format!r}: "
                        + advice)
    return buffer


def checked_size(shape: tuple[int, ...], name: str) -> int:
    """How many numbers that shape has. Raises ValueError for more than a function could be given as Values."""
    try:
        return columns.check_size(shape)
    except columns.TooLarge as error:
        raise ValueError(f"{name} has {error}") from None


def refuse(argument: Any, name: str) -> None:
    """Raise TypeError for what could be read as numbers, but was not meant to be."""
    if isinstance(argument, (str, bytes, bytearray)):
        raise TypeError(f"{name} must be numbers, not {type(argument).__name__}")
    if getattr(argument, "keeps_graph", False) and not pausing.is_paused():
        raise TypeError(
            f"{name} is a {type(argument).__name__}, whose gradient would be lost here: give it as an argument of its "
            "own, or compute both in one function given to vmap; np.array(batch) has its numbers without gradient"
        )
    if type(argument).__module__.partition(".")[0] == "torch":
        raise TypeError(f"{name} is a {type(argument).__name__} of PyTorch, to which no gradient goes back: give "
                        "x.detach().numpy(), or x.item() of one number")

    if hasattr(argument, "mask") and hasattr(argument, "filled"):
        raise TypeError(f"{name} is a masked array, whose mask would be lost: give x.filled(number), or x.compressed()")


def from_lists(argument: Any, name: str) -> Buffer:
    """Nested lists of numbers as a buffer of float64."""
    numbers, shape = array("d"), shape_of(argument, name)
    if isinstance(argument, Value):
        as_float(argument, name)
    if not shape:
        advice = ": convert it, np.asarray(x)" if hasattr(argument, "__array__") else ""
        raise TypeError(f"{name} must be rows of numbers, a buffer or lists, not {type(argument).__name__}{advice}")
    checked_size(shape[1:], name)
    gather(argument, shape, numbers, name)
    if len(numbers) != math.prod(shape):
        raise ValueError(f"{name} has changed while it was read")
    view = memoryview(numbers)
    if 0 in shape:
        return columns.empty(shape)
    return view.cast("B").cast("d", shape) if len(shape) > 1 else view


def as_list(argument: Any, name: str) -> list[Any] | tuple[Any, ...] | None:
    """A list or tuple as it is, an array as a list; None for anything else."""
    if isinstance(argument, (list, tuple)):
        return argument
    refuse(argument, name)
    if not hasattr(argument, "keeps_graph") and not getattr(argument, "shape", ()):
        return None
    entries = argument.tolist() if hasattr(argument, "tolist") else None
    return entries if isinstance(entries, list) else None


def shape_of(argument: Any, name: str) -> tuple[int, ...]:
    """The shape that the first entries have."""
    shape: list[int] = []
    entries = as_list(argument, name)
    while entries is not None:
        if len(shape) == DEEPEST:
            raise too_deep(name)
        shape.append(len(entries))
        entries = as_list(entries[0], name) if entries else None
    return tuple(shape)


def gather(argument: Any, shape: tuple[int, ...], numbers: Any, name: str) -> None:
    """Append all numbers. Raises ValueError where the shape differs, and TypeError for what is not a number."""
    if not shape:
        numbers.append(as_float(argument, name))
        return
    entries = as_list(argument, name)
    if entries is None or len(entries) != shape[0]:
        given = type(argument).__name__ if entries is None else f"{len(entries)} entries"
        raise ValueError(f"{name} is ragged: a row has {shape[0]} entries, another {given}")
    if len(shape) == 1 and PLAIN.issuperset(map(type, entries)):    # nearly always
        with contextlib.suppress(OverflowError):    # it is found again below
            numbers.extend(entries)
            return
    for entry in entries:
        gather(entry, shape[1:], numbers, name)


def as_float(argument: Any, name: str) -> float:
    if isinstance(argument, Value):
        tracing.check_usable(argument)
        raise TypeError(f"{name} holds a Value: rows must be numbers; one Value for all rows goes with in_axes None")
    if isinstance(argument, (list, tuple)):
        raise ValueError(f"{name} is ragged: a list is where others have a number")
    refuse(argument, name)
    try:
        # float() would read texts and bytes, too
        if hasattr(type(argument), "__float__") or hasattr(type(argument), "__index__"):
            return float(argument)
    except OverflowError:
        raise OverflowError(f"{name} holds an int that is too large for a float") from None
    except (TypeError, ValueError):
        pass
    raise TypeError(f"{name} must hold numbers, not {reprlib.repr(argument)} of type {type(argument).__name__}")


def read_weights(weights: Any, shape: tuple[int, ...], axis: int = 0) -> columns.Buffer:
    """A Buffer of numbers for the sum of a batch of that shape, whose axis of rows is that one: it comes first here."""
    if isinstance(weights, (dict, set, frozenset)):
        raise TypeError(f"weights must be numbers in the order of the rows, not a {type(weights).__name__}")
    try:
        buffer = None if isinstance(weights, Value) else as_buffer(weights, "weights", axis)
        if buffer is None:
            buffer = columns.Buffer(from_lists(as_weights(weights, shape), "weights"), axis)
    except IndexError:
        raise TypeError(f"weights must be numbers, {weights_for(shape)}, and have no axis {axis}") from None
    wanted = shape if axis == 0 else (shape[axis], *shape[:axis], *shape[axis + 1:])
    if buffer.shape == wanted:
        return buffer
    if len(buffer.shape) != len(shape):
        raise TypeError(f"weights must be numbers, {weights_for(shape)}, not an array of {len(buffer.shape)} axes")
    if buffer.shape[0] != wanted[0]:
        raise ValueError(f"{buffer.shape[0]} weights for {wanted[0]} rows")
    raise ValueError(f"weights must be numbers, {weights_for(shape)}, as what they are for")


def weights_for(shape: tuple[int, ...]) -> str:
    return "one per row" if len(shape) == 1 else f"of shape {shape}"


def as_weights(weights: Any, shape: tuple[int, ...]) -> list[Any]:
    """What can be iterated, as a list. Values are refused."""
    if isinstance(weights, Value):
        tracing.check_usable(weights)
    try:
        weights = list(weights)
    except TypeError:
        given = f"{reprlib.repr(weights)} of type {type(weights).__name__}"
        hint = ". A batch has one axis, its rows: sum() adds up all of them" if len(shape) == 1 else ""
        raise TypeError(f"weights must be numbers, {weights_for(shape)}, not {given}{hint}") from None
    for weight in weights:
        if isinstance(weight, Value):
            tracing.check_usable(weight)
            raise TypeError("weights must be numbers, not Values, which would get no gradient: have the function given "
                            "to vmap multiply by them")
    return weights
