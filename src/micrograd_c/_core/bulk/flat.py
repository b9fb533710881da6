"""The numbers of many Values as one flat array, for whatever takes a buffer of doubles: NumPy, MPI, a file.

How they get there is the business of vectors.pyx.
"""

from __future__ import annotations

from array import array

from micrograd_c._core.bulk import vectors  # type: ignore[attr-defined]  # compiled, without a stub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from micrograd_c._core.value.value import Value

    _Doubles = array[float]
else:
    _Doubles = array

__all__ = ["FlatVector", "flat"]


class FlatVector(_Doubles):
    """An array('d') with the data or gradients of Values, and the way back to them; see flat."""

    __slots__ = {
        "attribute": "What the numbers are of each Value: 'data' or 'grad'.",
        "values": "The Values, each once.",
    }

    attribute: str
    values: list[Value]

    def copy_(self, numbers: Any = None) -> FlatVector:
        """Set the Values' data or gradients to the vector's numbers, or to those given, which the vector takes first.

        Those given are a buffer of doubles or an iterable of numbers, as many as there are Values: else ValueError, and
        nothing has changed. Ints become floats. Returns the vector.
        """
        if numbers is not None:
            new = as_doubles(numbers)
            if len(new) != len(self.values):
                raise ValueError(f"copy_ was given {len(new)} numbers for {len(self.values)} Values")
            self[:] = new
        write = vectors.write_data if self.attribute == "data" else vectors.write_gradients
        write(self.values, self)
        return self

    def __reduce_ex__(self, protocol: Any) -> str | tuple[Any, ...]:
        return array("d", self).__reduce_ex__(protocol)


def flat(values: Iterable[Value], attribute: str = "data") -> FlatVector:
    """The data of Values, or with 'grad' their gradients, as one array('d'), which NumPy and MPI take as it is.

    A Value that is listed twice is there once, at its first place. A gradient of None is 0.0, and ints are floats.

    >>> from micrograd_c.engine import Value
    >>> a, b = Value(1.5), Value(-2)
    >>> numbers = flat([a, b, a])
    >>> numbers.tolist()
    [1.5, -2.0]

    It is a copy: what becomes of the Values later does not show in it, and what you do to it reaches them by `copy_`
    only.

    >>> numbers[0] = 7.0
    >>> a.data, numbers.copy_().tolist(), a.data
    (1.5, [7.0, -2.0], 7.0)
    >>> _ = numbers.copy_([3.0, 4.0])
    >>> a.data, b.data
    (3.0, 4.0)

    Copies, slices and pickles of it are plain arrays. Raises TypeError for what is not a Value, and ValueError for
    another attribute.
    """
    if attribute not in ("data", "grad"):
        raise ValueError(f"flat takes 'data' or 'grad' of Values, not {attribute!r}")
    found = vectors.distinct(values)
    vector = FlatVector("d", bytes(8 * len(found)))
    vector.values, vector.attribute = found, attribute
    (vectors.read_data if attribute == "data" else vectors.read_gradients)(found, vector)
    return vector


def as_doubles(numbers: Any) -> array[float]:
    """A copy as an array('d'). Raises TypeError for what is no numbers, and ValueError for more axes than one."""
    if isinstance(numbers, array):
        return array("d", numbers)
    try:
        view = memoryview(numbers)
    except TypeError:
        view = None
    if view is not None and view.ndim != 1:
        raise ValueError(f"copy_ wants numbers one after the other, not an array of {view.ndim} axes")
    if view is not None and view.format == "d" and view.contiguous:
        return array("d", view.tobytes())
    if isinstance(numbers, (str, bytes, bytearray)) or not hasattr(numbers, "__iter__"):
        raise TypeError(f"copy_ wants numbers, a buffer or an iterable of them, not {type(numbers).__name__}")
    found = array("d")
    for number in numbers:
        try:
            found.append(number)
        except TypeError:
            raise TypeError(f"copy_ wants numbers, and number {len(found)} is {number!r}") from None
    return found
